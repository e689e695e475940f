"""Which groups say to the letter what one known resource said: title, type and text, and nobody else says so.

Typography aside, and capitals in titles. Nothing is guessed here: where two resources bear the same words, or two
groups where there is one resource, it is left to addresses and to the matcher. A resource that stands at its own
address with its own words is never taken from there, nor one whose words were edited there meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dedup.grouping import Group
from dedup.known import Known
from dedup.likeness import is_text_alike, is_title_kept
from schema.folding import fold, text_digest

Words = tuple[str, str | None, bytes]
Whole = tuple[Known, Known]  # a resource, and which of the parts that became one with it; itself where it has none


class Verbatim:
    """What tonight's groups and the known resources say to the letter."""

    def __init__(self, groups: Sequence[Group], known: Sequence[Known]) -> None:
        self._said: dict[str, Words] = {}
        self._live: dict[Words, list[Group]] = {}
        self._copies: dict[Words, list[Group]] = {}
        self._known: dict[Words, list[Whole]] = {}
        asked = _asked(groups, known) if known else set()
        for group in groups if asked else ():
            if (head := _head(group.best.title, group.best.type)) in asked:
                words = self._said[group.key] = (*head, _digest(group.text))
                (self._live if group.is_live else self._copies).setdefault(words, []).append(group)
        for one, part in _wholes(known) if asked else ():
            if (head := _head(part.title, part.type)) in asked:
                self._known.setdefault((*head, _digest(part.text)), []).append((one, part))
        at = {name for wholes in self._known.values() for _, part in wholes for name in part.known_by}
        self._at: dict[str, list[Group]] = {}
        for group in groups if at else ():
            for name in at.intersection((group.key, *group.aliases)) if group.is_live else ():
                self._at.setdefault(name, []).append(group)

    def moved(self) -> dict[str, tuple[str, str]]:
        """Resource and part by the key of each group that says its words where it did not stand before."""
        found = {}
        for words, groups in self._live.items():
            wholes = self._one(words)
            lost = [whole for whole in wholes if not self._stands(whole[1], words)]
            free = [group for group in groups if not any(_is_at(group, part) for _, part in wholes)]
            if lost and free and (free[0].telling or len(free) <= len(lost)):
                for place, group in enumerate(sorted(free, key=lambda group: group.key)):
                    one, part = lost[min(place, len(lost) - 1)]
                    found[group.key] = (one.resource_id, part.resource_id)
        return found

    def copied(self, told: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        """The same of copies of other days that nothing else tells of."""
        found = {}
        for words, groups in self._copies.items():
            free = [group for group in groups if group.key not in told]
            heads = {told[group.key] for group in self._live.get(words, ()) if group.key in told}
            wholes = [(one, part) for one, part in self._one(words) if heads <= {one.resource_id}]
            if wholes and len(free) == 1 and len(self._live.get(words, ())) <= max(1, len(heads)):
                found[free[0].key] = (wholes[0][0].resource_id, wholes[0][1].resource_id)
        return found

    def alike(self, told: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
        """Keys of the groups that say the same and were told to be one resource, where they are several."""
        several: dict[tuple[str, Words], list[str]] = {}
        for key, words in self._said.items():
            if key in told:
                several.setdefault((told[key], words), []).append(key)
        return tuple(tuple(keys) for keys in several.values() if len(keys) > 1)

    def _one(self, words: Words) -> list[Whole]:
        """The parts, the oldest first, of the one resource that said these words; none where two did.

        What has no text of its own and was gone for good is not taken up again by a title.
        """
        wholes = self._known.get(words, [])
        if len({one.resource_id for one, _ in wholes}) != 1:
            return []
        return [(one, part) for one, part in wholes if part.telling or not (one.is_retired or part.is_away)]

    def _stands(self, part: Known, words: Words) -> bool:
        """Whether one of its own addresses still shows a part, with its words or with those words edited."""
        here = {group.key: group for name in part.known_by for group in self._at.get(name, ())}
        return any(self._said.get(key) == words or self._is_edited(part, group) for key, group in here.items())

    def _is_edited(self, part: Known, group: Group) -> bool:
        if self._said.get(group.key) in self._known:  # these are the words of something else
            return False
        is_alike = is_text_alike(part.telling, group.telling) if part.telling and group.telling else True
        return is_alike and is_title_kept(part.title, group.best.title)


def _wholes(known: Iterable[Known]) -> Iterable[Whole]:
    for one in sorted(known, key=lambda one: one.seniority):
        if not one.is_merged:
            # one whose address led to another was never the same
            parts = [part for part in one.parts if not (part.is_merged and part.state == "moved")]
            yield from ((one, part) for part in parts or (one,) if part.title)


def _is_at(group: Group, part: Known) -> bool:
    return not part.known_by.isdisjoint((group.key, *group.aliases))


def _asked(groups: Sequence[Group], known: Iterable[Known]) -> set[tuple[str, str | None]]:
    """Title and type of each group that does not simply stand where it stood, with its words: of few on most nights."""
    stood = {one.url: one for one in known if not (one.is_merged or one.is_retired or one.parts)}
    return {
        _head(group.best.title, group.best.type)
        for group in groups
        if (one := stood.get(group.key)) is None
        or (one.title, one.type, one.text) != (group.best.title, group.best.type, group.text)
    }


def _head(title: str, type_: str | None) -> tuple[str, str | None]:
    """Title and type as compared: a theme may set titles in capitals."""
    return fold(title).casefold(), type_


def _digest(text: str) -> bytes:
    """A text as compared, in little room: after a migration all of them are."""
    return text_digest(fold(text))

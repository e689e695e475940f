"""Records -> groups that the site itself holds for one resource: one canonical address, a word of a person aside.

A group may be joined to others by its text afterwards. It is split only where its own address is no evidence: a copy
of another time under an address that was re-used since, records that a person called different, and an address that
several resources of one night share (private ones that all lead to the page where one joins, notes on one page).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from types import MappingProxyType

from dedup.commonplace import NONE_COMMON, Commonplaces
from dedup.identity import resolve
from dedup.likeness import is_another, is_text_alike, is_title_kept
from dedup.merge import Stated, best_first
from schema.folding import fold

_URN = "urn:moisson:"

Words = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Records that are one resource by the site's word.

    key: what it is known by: its canonical address, or a urn made from page and words where it has none of its own.
    aliases: other addresses that lead there tonight. stated: its records, the best first. is_common: whether its text
    is one that many resources bear, and so no evidence. is_shared: whether others of this night have its address too,
    which then says nothing of any of them.
    """

    key: str
    aliases: tuple[str, ...]
    stated: tuple[Stated, ...]
    is_common: bool = False
    is_shared: bool = False

    @property
    def best(self) -> Stated:
        """The record whose values count."""
        return self.stated[0]

    @property
    def url(self) -> str | None:
        """The canonical address; None where the records have none."""
        return self.best.url

    @property
    def text(self) -> str:
        """The collapsed text of the best record."""
        return self.best.summary or ""

    @property
    def telling(self) -> str:
        """The text as evidence: none where many resources bear it."""
        return "" if self.is_common else self.text

    @property
    def is_live(self) -> bool:
        """Whether a page of the site states it."""
        return any(not one.is_copy for one in self.stated)


def group_records(
    stated: Sequence[Stated],
    aliases: Mapping[str, str],
    apart: Collection[frozenset[str]] = (),
    told_apart: Mapping[str, Sequence[Words]] = MappingProxyType({}),
    common: Commonplaces = NONE_COMMON,
) -> list[Group]:
    """The groups of a night, sorted by key.

    Args:
        stated: all records, their addresses resolved.
        aliases: addresses that lead to others tonight.
        apart: pairs of record_id that a person called different.
        told_apart: by address of which a person parted the records, title and text of each that they were parted into.
        common: texts that are no evidence, see dedup.commonplace.
    """
    by_key: dict[str, list[Stated]] = {}
    for one in stated:
        by_key.setdefault(one.key, []).append(one)
    leading: dict[str, list[str]] = {}
    for other in sorted(aliases):
        leading.setdefault(resolve(other, aliases), []).append(other)
    groups = []
    for key, members in by_key.items():
        led = tuple(leading.get(key, ()))
        several = next((told_apart[name] for name in (key, *led) if name in told_apart), ())
        parts = _parts(best_first(members), apart, several, common)
        names = {one.record_id for one in members}
        is_told = bool(several) or any(pair <= names for pair in apart)
        is_shared = len(parts) > 1 and not is_told and _stand_side_by_side(members)
        for number, part in enumerate(parts):
            is_site = number == 0 and part[0].url is not None and not is_shared
            name = key if is_site else _urn(key, part[0], 1 if is_shared else number)
            is_bare = bool(common.texts) and common.hold(part[0].summary)
            groups.append(Group(name, led if is_site else (), tuple(part), is_bare, is_shared))
    return sorted(groups, key=lambda group: group.key)


def _parts(
    members: Sequence[Stated],
    apart: Collection[frozenset[str]],
    several: Sequence[Words],
    common: Commonplaces,
) -> list[list[Stated]]:
    """The records of one address, the best first, in as many parts as there are resources; nearly always one."""
    titles_tell = _stand_side_by_side(members)
    parts: list[list[Stated]] = []
    for one in members:
        home = next(
            (part for part in parts if _belongs(one, part, apart, several, common, titles_tell=titles_tell)), None
        )
        if home is None:
            parts.append([one])
        else:
            home.append(one)
    return parts


def _belongs(
    one: Stated,
    part: Sequence[Stated],
    apart: Collection[frozenset[str]],
    several: Sequence[Words],
    common: Commonplaces,
    *,
    titles_tell: bool,
) -> bool:
    if any(frozenset((one.record_id, other.record_id)) in apart for other in part):
        return False
    if None not in (said := {_said_before(v, several) for v in (one, part[0])}) and len(said) > 1:
        return False
    if titles_tell and not is_title_kept(part[0].title, one.title):
        return False
    is_of_another_time = one.is_copy and any(v.seen_at != one.seen_at for v in part)
    texts = ["" if common.hold(v.summary) else v.summary or "" for v in (part[0], one)]
    return not (is_of_another_time and is_another(part[0].title, texts[0], one.title, texts[1]))


def _stand_side_by_side(members: Sequence[Stated]) -> bool:
    """Whether one page shows two of the records under two titles: it does not name one resource twice."""
    pages: dict[tuple[str, object], list[str]] = {}
    for one in members:
        pages.setdefault((one.visit.url, one.seen_at), []).append(one.title)
    return any(not is_title_kept(*two) for titles in pages.values() for two in combinations(sorted(set(titles)), 2))


def _said_before(one: Stated, several: Sequence[Words]) -> int | None:
    """Which of several things a record says again; None where that is not clear."""
    title, text = fold(one.title), one.summary or ""
    marks = [
        (other == text, fold(name) == title, bool(text and other) and is_text_alike(text, other))
        for name, other in several
    ]
    best = max(marks, default=(False, False, False))
    return marks.index(best) if any(best) and marks.count(best) == 1 else None


def _urn(key: str, best: Stated, number: int) -> str:
    """A name for what has no address of its own."""
    words = key if number == 0 else f"{key}\n{fold(best.title)}\n{number}"
    return _URN + sha256(words.encode()).hexdigest()[:24]


def names_apart(group: Group) -> set[str]:
    """What records of a group were known by if a person ever held them for another resource."""
    return {_urn(group.key, one, number) for one in group.stated for number in range(1, len(group.stated))}

"""Which groups of a night are one resource, and which of those known from before: the matcher's door to a night.

Evidence in this order: a person's word, the site's own identity (addresses), the text. Resources that no page states
tonight are compared too, by their last values, so that one that moved without a trace is found again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from dedup.deciding import Verdict
from dedup.grouping import Group, is_another, is_another_after_absence, names_apart
from dedup.items import Item
from dedup.matching import Matching, PairTable, match
from schema.nouns import Judgement

_ABSENT = "before"
_SEEN_EMPTY = ("not_found", "gone")


@dataclass(frozen=True, slots=True)
class Known:
    """A resource as known before tonight, retired ones too: its last values and what it is known by.

    url: the address of its row. known_by: every name it owns. is_merged: whether it became part of another one.
    """

    resource_id: str
    url: str | None
    title: str
    type: str | None
    text: str
    state: str
    known_by: frozenset[str]
    minted_run: int
    is_merged: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether it may come back by its text where nobody states it.

        One that became part of another says what that one says; one whose address led to another says its own.
        """
        return not self.is_merged or self.state == "moved"

    @property
    def seniority(self) -> tuple[int, str]:
        """The older goes first."""
        return self.minted_run, self.resource_id


@dataclass(frozen=True, slots=True)
class Cluster:
    """Groups that are one resource tonight, the best first, and known resources that it was recognised as by text."""

    groups: tuple[Group, ...]
    recognised: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was recognised.

    clusters: of all groups. known_as: resource_id by the key of each group whose address tells. matching: the evidence,
    its keys record_ids and, for what nobody states tonight, resource_ids.
    """

    clusters: tuple[Cluster, ...]
    known_as: Mapping[str, str]
    matching: Matching


def recognise(
    groups: Sequence[Group], known: Sequence[Known], judgements: Sequence[Judgement] = (), *, is_word: bool = False
) -> Recognition:
    """Tell which groups are one resource, and what they were before.

    Args:
        groups: of the night, keys unique.
        known: every resource ever known.
        judgements: what persons said, in order; the last word on a pair counts.
        is_word: whether the step is the last of these words itself.
    """
    joined = {name for word in judgements if word.verdict == "same" for name in (word.left, word.right)}
    known_as = know_by_address(groups, known, joined)
    present = set(known_as.values())
    absent = [one for one in known if one.is_gone and one.resource_id not in present]
    spoken = _Spoken(groups, known_as, known, absent)
    # what a word that is taken back had made of a pair is no evidence on it
    afresh = spoken.junior(judgements[-1]) if is_word and judgements[-1].verdict == "withdrawn" else set()
    items = [_item(group, None if group.best.record_id in afresh else known_as.get(group.key)) for group in groups]
    items += [_absent_item(one) for one in absent]
    said = spoken.verdicts(judgements)
    matching = match(items, judged=said)
    of_key = {group.best.record_id: group for group in groups}
    by_id = {one.resource_id: one for one in absent}
    clusters = []
    for keys in matching.clusters:
        members = [of_key[key] for key in keys if key in of_key]
        if members:
            met = [by_id[key] for key in keys if key not in of_key]
            recognised = tuple(one.resource_id for one in met if any(is_back(one, group, said) for group in members))
            clusters.append(Cluster(tuple(sorted(members, key=lambda group: group.key)), recognised))
    pairs = _held(matching.pairs, of_key, by_id)
    return Recognition(tuple(sorted(clusters, key=lambda c: c.groups[0].key)), known_as, replace(matching, pairs=pairs))


def is_back(one: Known, group: Group, said: Mapping[tuple[str, str], Verdict] = MappingProxyType({})) -> bool:
    """Whether a group may be a resource that nobody states: a title alone is given again, so the text must be alike."""
    left, right = sorted((one.resource_id, group.best.record_id))
    if said.get((left, right)) == "same":
        return True
    return not is_another_after_absence(one.title, one.text, group.best.record.title, group.text)


def _held(pairs: PairTable, of_key: Mapping[str, Group], absent: Mapping[str, Known]) -> PairTable:
    """The pairs, those told that would be one resource if their texts were alike."""
    held = dict(pairs.held)
    clashes = pairs.features["clash"]
    for place, ends in enumerate(zip(pairs.left, pairs.right, strict=True)):
        one = next((absent[end] for end in ends if end in absent), None)
        group = next((of_key[end] for end in ends if end in of_key), None)
        is_near = pairs.scores[place] >= pairs.needed[place] and not clashes[place] and place not in pairs.judged
        if is_near and one and group and not is_back(one, group):
            held[place] = "other text"
    return replace(pairs, held=held)


def know_by_address(groups: Sequence[Group], known: Sequence[Known], joined: Collection[str] = ()) -> dict[str, str]:
    """resource_id by key of the groups whose address was known.

    joined are resources that a person called the same as another: of those, a second address says what it said before,
    though the row tells the words of the first.

    An address that leads elsewhere tells only where the one it leads to was not known itself.
    """
    owners: dict[str, list[Known]] = {}
    for one in sorted(known, key=lambda k: (k.is_merged, *k.seniority)):
        for name in one.known_by:
            owners.setdefault(name, []).append(one)
    known_as: dict[str, str] = {}
    for group in groups:
        for one in owners.get(group.key, ()):
            is_left = one.url not in (None, group.key)
            if (is_left and one.resource_id in joined) or _is_same(one, group, is_left=is_left):
                known_as[group.key] = one.resource_id
                break
    taken = set(known_as.values())
    for group in groups:
        led = [one for name in group.aliases for one in owners.get(name, ()) if not one.is_merged]
        free = [one for one in led if one.resource_id not in taken and _is_same(one, group)]
        if group.key not in known_as and free:
            known_as[group.key] = min(free, key=lambda k: k.seniority).resource_id
    return known_as


def _is_same(one: Known, group: Group, *, is_left: bool = False) -> bool:
    """Whether what an address shows tonight is what was known by it; is_left: it was last found at another address."""
    is_changed = is_another_after_absence if is_left or one.is_merged or one.state in _SEEN_EMPTY else is_another
    title, text = group.best.record.title, group.text
    return not is_changed(one.title, one.text, title, text)


def _item(group: Group, known_as: str | None) -> Item:
    record = group.best.record
    return Item(group.best.record_id, record.title, group.text, type=record.type, url=record.url, known_as=known_as)


def _absent_item(one: Known) -> Item:
    # no address: that it bears none tonight is known already
    return Item(one.resource_id, one.title, one.text, night=_ABSENT, type=one.type, known_as=one.resource_id)


class _Spoken:
    """What persons mean by the names they judge, as keys of items of tonight."""

    def __init__(
        self, groups: Sequence[Group], known_as: Mapping[str, str], known: Sequence[Known], absent: Iterable[Known]
    ) -> None:
        self._groups, self._known_as, self._absent = groups, known_as, tuple(absent)
        self._of_record = {one.record_id: group for group in groups for one in group.stated}
        self._by_id = {one.resource_id: one for one in known}
        self._missing = {one.resource_id for one in self._absent}
        # one that became part of another tells more exactly what stood at an address than all that it is part of
        ordered = sorted(known, key=lambda k: k.is_merged)
        self._owners = {name: one for one in ordered for name in one.known_by}

    def verdicts(self, judgements: Iterable[Judgement]) -> dict[tuple[str, str], Verdict]:
        """The last word on each pair of keys."""
        said: dict[tuple[str, str], Verdict] = {}
        for judgement in judgements:
            said |= dict.fromkeys(self._come_home(judgement), "same")
            left, right = self._sides(judgement)
            for one in left:
                for two in right:
                    pair = (min(one, two), max(one, two))
                    said.pop(pair, None)
                    if judgement.verdict != "withdrawn":
                        said[pair] = judgement.verdict
        return said

    def _come_home(self, judgement: Judgement) -> Iterable[tuple[str, str]]:
        """Records of one address that a word had parted, under one roof again: with the id they had meanwhile."""
        left, right = (self._of_record.get(name) for name in (judgement.left, judgement.right))
        if left is None or left is not right:
            return
        key, parted = left.best.record_id, names_apart(left)
        for one in self._absent:
            if not one.known_by.isdisjoint(parted):
                yield min(key, one.resource_id), max(key, one.resource_id)

    def junior(self, judgement: Judgement) -> set[str]:
        """The side of a word that has fewer keys."""
        return min(self._sides(judgement), key=len)

    def _sides(self, judgement: Judgement) -> tuple[set[str], set[str]]:
        left = self._keys_of(judgement.left, judgement.left_url)
        right = self._keys_of(judgement.right, judgement.right_url)
        # one that became part of the other: what was its own, against the rest
        return (left - right, right) if len(left) > len(right) else (left, right - left)

    def _keys_of(self, name: str, url: str | None) -> set[str]:
        if name in self._of_record:
            return {self._of_record[name].best.record_id}
        one = self._by_id.get(name)
        if one is None and url is not None:
            # a record whose page moved, or an id of an earlier reading: who stands at its address now
            one = self._owners.get(url)
        if one is None:
            return set()
        if one.resource_id in self._missing:
            return {one.resource_id}
        return {group.best.record_id for group in self._groups if self._is_of(group, one)}

    def _is_of(self, group: Group, one: Known) -> bool:
        known_as = self._known_as.get(group.key)
        if one.is_merged:
            return group.key in one.known_by or not one.known_by.isdisjoint(group.aliases)
        # an address of its own that leads elsewhere now, where it was not told by that already
        return known_as == one.resource_id or (known_as is None and not one.known_by.isdisjoint(group.aliases))


def judged_apart(judgements: Iterable[Judgement]) -> set[frozenset[str]]:
    """Pairs of names that persons hold for two, or are unsure of."""
    last: dict[frozenset[str], str] = {}
    for judgement in judgements:
        last[frozenset((judgement.left, judgement.right))] = judgement.verdict
    return {pair for pair, verdict in last.items() if verdict in ("different", "unsure")}


def last_values(history: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The newest value of each field of each resource, by resource_id, then by field."""
    values: dict[str, dict[str, str]] = {}
    newest: dict[tuple[str, str], int] = {}
    for row in history:
        key = (row["resource_id"], row["field"])
        if row["place"] >= newest.get(key, -1):
            newest[key] = row["place"]
            values.setdefault(row["resource_id"], {})[row["field"]] = row["value"]
    return values


def known_resources(
    ids: Iterable[Mapping[str, Any]],
    resources: Iterable[Mapping[str, Any]],
    history: Iterable[Mapping[str, Any]],
) -> list[Known]:
    """Every resource ever known, from rows of `ids`, `resources` and `history` as of the night before."""
    rows = {row["resource_id"]: row for row in resources}
    gone = {row["resource_id"] for row in ids} - rows.keys()
    last = last_values(row for row in history if row["resource_id"] in gone)
    found = []
    for row in ids:
        name = row["resource_id"]
        values = rows.get(name) or {"url": None, "type": None, "state": "not_found", **last.get(name, {})}
        found.append(
            Known(
                name,
                values.get("url"),
                values.get("title") or "",
                values.get("type"),
                values.get("summary") or "",
                values["state"],
                frozenset(row["known_by"]),
                row["minted_run"],
                is_merged=row["fate"] == "merged",
            )
        )
    return found

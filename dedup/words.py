"""What persons mean by the names that they judge, on a night: words on two become words on items of the matcher."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dedup.addressed import Addressed
from dedup.deciding import Verdict
from dedup.grouping import Group, names_apart
from dedup.known import Known
from schema.nouns import Judgement, Side


class Spoken:
    """What persons mean by the names they judge, as keys of items of tonight."""

    def __init__(
        self, groups: Sequence[Group], told: Addressed, known: Sequence[Known], absent: Iterable[Known]
    ) -> None:
        self._groups, self._told, self._absent = groups, told, tuple(absent)
        self._of_record = {one.record_id: group for group in groups for one in group.stated}
        self._by_id = {one.resource_id: one for one in known}
        self._missing = {one.resource_id for one in self._absent}
        self._addresses = _Addresses(known)

    def verdicts(self, judgements: Sequence[Judgement]) -> dict[tuple[str, str], Verdict]:
        """The last word on each pair of keys; one that was taken back is as if it had not been said."""
        said: dict[tuple[str, str], Verdict] = {}
        back = {_names(word): number for number, word in enumerate(judgements) if word.verdict == "withdrawn"}
        for number, judgement in enumerate(judgements):
            said |= dict.fromkeys(self._come_home(judgement), "same")
            if judgement.verdict == "withdrawn" or number < back.get(_names(judgement), 0):
                continue
            left, right = self._sides(judgement)
            said |= {(min(one, two), max(one, two)): judgement.verdict for one in left for two in right if one != two}
        return said

    def _come_home(self, judgement: Judgement) -> Iterable[tuple[str, str]]:
        """Records of one address that a word had parted, under one roof again: with the id they had meanwhile."""
        met = [group for side in judgement.sides if (group := self._of_record.get(side.name))]
        if is_of_one_address(judgement) and judgement.verdict in ("same", "withdrawn"):
            there = self._groups_at(judgement)
            met = 2 * (met[:1] or [group for group in self._groups if group.best.record_id in there][:1])
        if len(met) < len(judgement.sides) or met[0] is not met[1]:
            return
        key, parted = met[0].best.record_id, names_apart(met[0])
        for one in self._absent:
            if not one.known_by.isdisjoint(parted):
                yield min(key, one.resource_id), max(key, one.resource_id)

    def junior(self, judgement: Judgement) -> set[str]:
        """The side of a word that has fewer keys."""
        return min(self._sides(judgement), key=len)

    def _sides(self, judgement: Judgement) -> tuple[set[str], set[str]]:
        one, two = judgement.sides
        if is_of_one_address(judgement) and (there := self._groups_at(judgement)):
            return self._sides_of_one_address(one, two, there)
        left, right = self._keys_of(one), self._keys_of(two)
        # one that became part of the other: what was its own, against the rest
        return (left - right, right) if len(left) > len(right) else (left, right - left)

    def _groups_at(self, judgement: Judgement) -> set[str]:
        """Keys of the groups at the address of both sides, wherever that is by now."""
        for names in ({judgement.left_url or ""}, self._addresses.names_of(judgement.left_url)):
            urls = {group.url for group in self._groups if not names.isdisjoint((group.key, *group.aliases))}
            if urls:
                return {group.best.record_id for group in self._groups if group.url in urls}
        return set()

    def _sides_of_one_address(self, one: Side, two: Side, there: set[str]) -> tuple[set[str], set[str]]:
        """Of two records of one address, of which pages show one or neither under its name: that one, and the rest."""
        found = [{self._of_record[s.name].best.record_id} if s.name in self._of_record else set() for s in (one, two)]
        left, right = found
        if not left and not right:
            left = {min(there)}
        return left or there - right, right or there - left

    def _keys_of(self, side: Side) -> set[str]:
        group = self._of_record.get(side.name)
        if group is not None and self._is_still(group, side):
            return {group.best.record_id}
        one = self._by_id.get(side.name)
        if one is None and side.url is not None:
            # a record whose page moved, or an id of an earlier reading: who stands at its address now
            one = self._addresses.owner(side.url)
            if side.resource_id in self._by_id and not (one and self._is_kin(one.resource_id, side)):
                one = self._by_id[side.resource_id]
        if one is None:
            return set()
        if one.resource_id in self._missing:
            return {one.resource_id}
        return {group.best.record_id for group in self._groups if self._is_of(group, one)}

    def _is_still(self, group: Group, side: Side) -> bool:
        """Whether what bears the name of a record is what bore it: a page and an address may be another's by now."""
        known_as = self._told.known_as.get(group.key)
        if side.resource_id not in self._by_id or group.key != group.url:
            return True
        return known_as is not None and (
            self._is_kin(known_as, side) or self._told.part_of[group.key] == side.resource_id
        )

    def _is_kin(self, name: str, side: Side) -> bool:
        """Whether a resource is what a record was of, or what became of that."""
        was = self._by_id[side.resource_id or ""]
        return name in {was.resource_id, was.leads_to, *was.split_into} or self._by_id[name].leads_to == was.leads_to

    def _is_of(self, group: Group, one: Known) -> bool:
        known_as = self._told.known_as.get(group.key)
        if known_as is None:
            # an address of its own that leads elsewhere now, where it was not told by that already
            return not one.known_by.isdisjoint(group.aliases)
        return one.resource_id in (known_as, self._told.part_of[group.key])


class _Addresses:
    """Who goes by which address."""

    def __init__(self, known: Iterable[Known]) -> None:
        # one that became part of another tells more exactly what stood at an address than all that it is part of
        ordered = sorted(known, key=lambda k: k.is_merged)
        self._owners = {name: one for one in ordered for name in one.known_by}

    def owner(self, url: str) -> Known | None:
        """Who goes by an address."""
        return self._owners.get(url)

    def names_of(self, url: str | None) -> set[str]:
        """An address, and what else its owner goes by."""
        one = self._owners.get(url or "")
        return {url or "", *(one.known_by if one else ())}


def _names(judgement: Judgement) -> frozenset[str]:
    return frozenset((judgement.left, judgement.right))


def is_of_one_address(judgement: Judgement) -> bool:
    """Whether a word is on two records of one address."""
    one, two = judgement.sides
    return one.url == two.url is not None and one.resource_id == two.resource_id is not None


def told_apart(judgements: Sequence[Judgement], known: Sequence[Known]) -> dict[str, list[tuple[str, str]]]:
    """By address of which a person parted the records: title and text of each resource that was made of them.

    The name of a record hangs on the page that shows it, and the order of a listing is noise: what was parted once is
    told by what it says.
    """
    addresses, apart = _Addresses(known), judged_apart(judgements)
    single = [part for one in known if not one.is_merged for part in one.parts or (one,)]
    found: dict[str, list[tuple[str, str]]] = {}
    for word in judgements:
        if is_of_one_address(word) and _names(word) in apart:
            is_there = any(one.url == word.left_url for one in single)
            names = {word.left_url or ""} if is_there else addresses.names_of(word.left_url)
            told = [(one.title, one.text) for one in single if one.url in names]
            found |= dict.fromkeys(names, told)
    return found


def judged_apart(judgements: Iterable[Judgement]) -> set[frozenset[str]]:
    """Pairs of names that persons hold for two, or are unsure of."""
    last: dict[frozenset[str], str] = {}
    for judgement in judgements:
        last[_names(judgement)] = judgement.verdict
    return {pair for pair, verdict in last.items() if verdict in ("different", "unsure")}


def joined_by_word(judgements: Iterable[Judgement], known: Sequence[Known]) -> set[str]:
    """Resources that a person called the same as another, and those that they are part of."""
    ids = {one.resource_id for one in known}
    sides = [side for word in judgements if word.verdict == "same" for side in word.sides]
    named = {side.resource_id or side.name for side in sides}
    urls = {side.url for side in sides if side.url and (side.resource_id or side.name) not in ids}
    found = [one for one in known if one.resource_id in named or not one.known_by.isdisjoint(urls)]
    return {name for one in found for name in (one.resource_id, one.leads_to)}


def parted_by_word(word: Judgement, known: Iterable[Known]) -> dict[str, str]:
    """What a word makes a resource of its own again, and what it was part of: the junior of two that became one."""
    names = {side.resource_id or side.name for side in word.sides}
    named = [one for one in known if one.resource_id in names]
    if word.verdict == "same" or len(named) != len(word.sides) or named[0].leads_to != named[1].leads_to:
        return {}
    merged = [one for one in named if one.is_merged]
    junior = max(merged, key=lambda one: one.seniority, default=None)
    return {junior.resource_id: junior.leads_to} if junior else {}

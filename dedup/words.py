"""What persons mean by the names that they judge, on a night: words on two become words on items of the matcher."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dedup.deciding import Verdict
from dedup.grouping import Group, names_apart
from dedup.known import Addressed, Known
from schema.nouns import Judgement


class Spoken:
    """What persons mean by the names they judge, as keys of items of tonight."""

    def __init__(
        self, groups: Sequence[Group], told: Addressed, known: Sequence[Known], absent: Iterable[Known]
    ) -> None:
        self._groups, self._told, self._absent = groups, told, tuple(absent)
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
        known_as = self._told.known_as.get(group.key)
        if known_as is None:
            # an address of its own that leads elsewhere now, where it was not told by that already
            return not one.known_by.isdisjoint(group.aliases)
        return one.resource_id in (known_as, self._told.part_of[group.key])


def judged_apart(judgements: Iterable[Judgement]) -> set[frozenset[str]]:
    """Pairs of names that persons hold for two, or are unsure of."""
    last: dict[frozenset[str], str] = {}
    for judgement in judgements:
        last[frozenset((judgement.left, judgement.right))] = judgement.verdict
    return {pair for pair, verdict in last.items() if verdict in ("different", "unsure")}


def joined_by_word(judgements: Iterable[Judgement], known: Sequence[Known]) -> set[str]:
    """Resources that a person called the same as another, and those that they are part of."""
    ids = {one.resource_id for one in known}
    words = [word for word in judgements if word.verdict == "same"]
    sides = {side for word in words for side in ((word.left, word.left_url), (word.right, word.right_url))}
    urls = {url for name, url in sides if url and name not in ids}
    named = {name for name, _ in sides}
    found = [one for one in known if one.resource_id in named or not one.known_by.isdisjoint(urls)]
    return {name for one in found for name in (one.resource_id, one.leads_to)}


def parted_by_word(word: Judgement, known: Iterable[Known]) -> dict[str, str]:
    """What a word makes a resource of its own again, and what it was part of: the junior of two that became one."""
    named = [one for one in known if one.resource_id in (word.left, word.right)]
    ends = {one.leads_to for one in named}
    if word.verdict == "same" or len(named) != len({word.left, word.right}) or len(ends) > 1:
        return {}
    merged = [one for one in named if one.is_merged]
    junior = max(merged, key=lambda one: one.seniority, default=None)
    return {junior.resource_id: junior.leads_to} if junior else {}

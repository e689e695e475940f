"""Clusters against a truth, pair by pair."""

from __future__ import annotations

import csv
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is one, by the labels.

    entity, scope: of each record, in the order of the records; unclear: pairs of entities that are not scored (nor is
    the recall of an entity in one); alike: pairs of entities that must stay apart.
    """

    entity: Sequence[str]
    scope: Sequence[str | None]
    unclear: frozenset[Names] = frozenset()
    alike: frozenset[Names] = frozenset()


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of pairs of records, and how many pairs of look-alikes were merged, wholly or in part."""

    precision: float
    recall: float
    merged: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 when both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def read_truth(folder: Path, keys: Sequence[str], scopes: Sequence[str | None]) -> Truth:
    """The labels of a set, for its records in that order."""
    entity = {row["rid"]: row["entity"] for row in _rows(folder, "labels")}
    unclear = frozenset(frozenset((row["entity_a"], row["entity_b"])) for row in _rows(folder, "ambiguous_entities"))
    alike = frozenset(frozenset((row["entity_a"], row["entity_b"])) for row in _rows(folder, "hard_negatives"))
    return Truth([entity[key] for key in keys], scopes, unclear, alike)


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    plain, packed = folder / f"{name}.csv", folder / f"{name}.csv.xz"
    if plain.exists():
        return list(csv.DictReader(plain.read_text(encoding="utf-8").splitlines()))
    if packed.exists():
        return list(csv.DictReader(lzma.decompress(packed.read_bytes()).decode().splitlines()))
    return []


class Groups:
    """Records joined by links, directly or through others."""

    def __init__(self, size: int) -> None:
        self.head = list(range(size))

    def join(self, links: Iterable[tuple[int, int]]) -> None:
        """Join the two records of each link."""
        for left, right in links:
            low, high = sorted((self._top(left), self._top(right)))
            self.head[high] = low

    def names(self) -> list[int]:
        """For each record, the least number in its group."""
        return [self._top(one) for one in range(len(self.head))]

    def _top(self, one: int) -> int:
        head = self.head
        while head[one] != one:
            head[one] = head[head[one]]
            one = head[one]
        return one


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def score(truth: Truth, groups: Sequence[int]) -> Score:
    """Precision and recall of the pairs within groups. Pairs of two scopes count neither way."""
    hidden = {name for pair in truth.unclear for name in pair}
    owners = Counter(zip(truth.entity, truth.scope, strict=True))
    gold = sum(_pairs(n) for (name, _), n in owners.items() if name not in hidden)
    # how many records of an entity and scope a group holds; and of a scope
    held = Counter(zip(truth.entity, truth.scope, groups, strict=True))
    right = sum(_pairs(n) for (name, *_), n in held.items() if name not in hidden)
    together = sum(_pairs(n) for n in Counter(zip(truth.scope, groups, strict=True)).values())
    homes: dict[str, set[tuple[str | None, int]]] = defaultdict(set)
    for name, scope, group in held:
        homes[name].add((scope, group))
    unclear = sum(
        held[one, *home] * held[two, *home]
        for one, two in map(sorted, truth.unclear)
        for home in homes[one] & homes[two]
    )
    wrong = together - sum(map(_pairs, held.values())) - unclear
    merged = sum(bool(homes[one] & homes[two]) for one, two in map(sorted, truth.alike - truth.unclear))
    return Score(right / (right + wrong) if right + wrong else 1.0, right / gold if gold else 1.0, merged)

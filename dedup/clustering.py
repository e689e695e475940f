"""Pairs -> clusters, by a guarded closure: who joins must agree with all who are there.

Pairs are taken from the surest down. Two clusters join only where no night and listing would hold two of them, no
member of one is different from a member of the other, all of them agree on the whole, and each of the two records is
the clear best partner of the other among those still free. What is refused is told, with its reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log2

Slot = tuple[object, ...]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ClusterRules:
    """When clusters may join.

    margin: how much better than the next free one of its night and listing a partner must score; slack: how far the
    mean score of two clusters may fall below what their pair needed; free_mean: least mean score where nights and
    listings are unknown and one of the clusters is a single record, growth: how much more each doubling of the lesser
    one asks, for two that stand on their own are joined wrongly at a greater cost;
    oversized: records from which on a cluster is held for review, and joins only with a mean of oversized_mean.
    """

    margin: float = 1.0
    slack: float = 1.0
    free_mean: float = 0.0
    growth: float = 0.4
    oversized: int = 64
    oversized_mean: float = 1.0


DEFAULT_CLUSTER_RULES = ClusterRules()


@dataclass(slots=True)
class Clusters:
    """groups: places of records, each sorted, the groups by their first; holds: refused pairs and why."""

    groups: list[list[int]]
    holds: dict[Pair, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def cluster(
    slots: Sequence[Slot | None],
    scores: Mapping[Pair, float],
    needed: Mapping[Pair, float],
    score_of: Callable[[int, int], float | None],
    rules: ClusterRules = DEFAULT_CLUSTER_RULES,
    apart: Collection[Pair] = (),
) -> Clusters:
    """Join records.

    Args:
        slots: the night and listing of each record, in which a resource stands once; None where unknown.
        scores: pairs (left < right) with their score; infinite where a rule joins them whatever their slots.
        needed: for each pair that may join, the least score asked; minus infinity where a person said so, which goes
            before anything else and is stopped by nothing but another word of a person.
        score_of: the score of any two records, None when they are different for good.
        apart: pairs (left < right) that a person called different.
    """
    state = _State(slots, scores, score_of, rules, apart)
    order = sorted(needed, key=lambda pair: (needed[pair] > -inf, -scores[pair], pair))
    held: dict[Pair, str] = {}
    while True:
        held, joined = {}, 0
        for pair in order:
            reason = state.try_join(pair, scores[pair], needed[pair])
            if reason:
                held[pair] = reason
            elif reason is None:
                joined += 1
        if not joined:
            break
    groups = sorted(sorted(group) for group in state.members.values())
    for group in groups:
        if len(group) > rules.oversized:
            held[group[0], group[-1]] = "oversized"
    return Clusters(groups, held, Counter(held.values()))


class _State:
    """Clusters as they grow; lives for one call of `cluster`."""

    def __init__(
        self,
        slots: Sequence[Slot | None],
        scores: Mapping[Pair, float],
        score_of: Callable[[int, int], float | None],
        rules: ClusterRules,
        apart: Collection[Pair],
    ) -> None:
        self.slots, self.score_of, self.rules, self.apart = slots, score_of, rules, frozenset(apart)
        self.home = list(range(len(slots)))
        self.members = {place: [place] for place in self.home}
        self.taken: list[set[Slot]] = [set() if slot is None else {slot} for slot in slots]
        self.partners: dict[tuple[int, Slot], list[tuple[float, int]]] = defaultdict(list)
        for (i, j), score in scores.items():
            for one, two in ((i, j), (j, i)):
                if (slot := slots[two]) is not None:
                    self.partners[one, slot].append((score, two))
        for partners in self.partners.values():
            partners.sort(key=lambda found: (-found[0], found[1]))

    def try_join(self, pair: Pair, score: float, needed: float) -> str | None:
        """Join the clusters of a pair: None when done, empty when they were one already, else why not."""
        one, two = self.home[pair[0]], self.home[pair[1]]
        if one == two:
            return ""
        if score != inf:
            if self.taken[one] & self.taken[two]:
                return "slot"
            if not (self._is_clear(*pair, score) and self._is_clear(*pair[::-1], score)):
                return "twin"
        is_paired = None not in (self.slots[pair[0]], self.slots[pair[1]])
        reason = self._said_apart(one, two) if needed == -inf else self._disagree(one, two, needed, is_paired)
        if reason:
            return reason
        self._join(one, two)
        return None

    def _is_clear(self, place: int, partner: int, score: float) -> bool:
        """Whether no other free record of the partner's slot is nearly as good."""
        slot = self.slots[partner]
        if slot is None:
            return True
        for other_score, other in self.partners[place, slot]:
            if other_score <= score - self.rules.margin:
                return True
            if other != partner and not self.taken[self.home[other]] & self.taken[self.home[place]]:
                return False
        return True

    def _said_apart(self, one: int, two: int) -> str:
        across = ((min(i, j), max(i, j)) for i in self.members[one] for j in self.members[two])
        return "different" if any(pair in self.apart for pair in across) else ""

    def _disagree(self, one: int, two: int, needed: float, is_paired: bool) -> str:  # noqa: FBT001
        """Why two clusters may not join, judged by every pair across them; empty when they may."""
        total, left, right = 0.0, self.members[one], self.members[two]
        for i in left:
            for j in right:
                score = self.score_of(min(i, j), max(i, j))
                if score is None:
                    return "different"
                total += min(score, _MOST)
        mean, size = total / (len(left) * len(right)), len(left) + len(right)
        if len(left) * len(right) > 1 and mean < self._least_mean(needed, min(len(left), len(right)), size, is_paired):
            return "disagreement"
        return ""

    def _least_mean(self, needed: float, lesser: int, size: int, is_paired: bool) -> float:  # noqa: FBT001
        if size > self.rules.oversized:
            return self.rules.oversized_mean
        if is_paired:
            return needed - self.rules.slack
        return self.rules.free_mean + self.rules.growth * log2(lesser)

    def _join(self, one: int, two: int) -> None:
        if len(self.members[one]) < len(self.members[two]):
            one, two = two, one
        for place in self.members[two]:
            self.home[place] = one
        self.members[one] += self.members.pop(two)
        self.taken[one] |= self.taken[two]


_MOST = 20.0  # an address is worth no more than this in a mean

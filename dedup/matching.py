"""Records -> resources: the door of the matcher. Block, compare, learn, decide, cluster; one set of rules for all.

It knows no site and no data set: what it must know of the corpus (which words are rare, which attributes change, how
many records have a partner on another night) it learns from the corpus itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dedup.bench import DEFAULT_RULES, Bench, Needed, Pair, Rules, by_person
from dedup.blocking import BLOCKS, Candidates, block_pairs
from dedup.clustering import Clusters
from dedup.deciding import DecideRules, Decision, Verdict, decide, judge
from dedup.items import Item, Reading, read_items
from dedup.tabling import each_pair

__all__ = ["DEFAULT_RULES", "Item", "Matching", "PairTable", "Rules", "decide", "match"]

_DECIDED = tuple(field.name for field in fields(Decision))
_decided = attrgetter(*_DECIDED)
_FREE_REPEATS = 2  # two records of one resource may give it two titles


@dataclass(frozen=True, slots=True)
class PairTable:
    """Every compared pair, column by column; `rows` gives them one by one.

    left, right: keys, left < right; features: the columns of deciding.COLUMNS; needed: the least score asked; held: by
    place, why a pair decided the same was not joined; judged: by place, what a person said of it, which counts before
    the machine's own verdict. A row has the fields of deciding.Decision as well.
    """

    left: list[str]
    right: list[str]
    block: list[str]
    features: Mapping[str, NDArray[np.float32]]
    scores: NDArray[np.float64]
    needed: Needed
    rules: DecideRules
    held: Mapping[int, str]
    judged: Mapping[int, Verdict] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.left)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict a pair, in the order of keys."""
        for place in range(len(self)):
            values = {name: float(column[place]) for name, column in self.features.items()}
            named = {"left": self.left[place], "right": self.right[place], "block": self.block[place]}
            decision = judge(values, float(self.scores[place]), float(self.needed[place]), self.rules)
            if place in self.judged:
                decision = by_person(decision, self.judged[place])
            told = dict(zip(_DECIDED, _decided(decision), strict=True))
            yield {**named, **values, **told, "held": self.held.get(place, "")}


@dataclass(frozen=True, slots=True)
class Matching:
    """clusters: sorted keys of the records of each resource, each key once; pairs: the evidence; counts."""

    clusters: list[list[str]]
    pairs: PairTable
    counts: Mapping[str, int]


def match(
    items: Iterable[Item],
    rules: Rules = DEFAULT_RULES,
    judged: Mapping[tuple[str, str], Verdict] | None = None,
    workers: int = 1,
) -> Matching:
    """Which records are one resource.

    Args:
        items: keys unique; their order does not matter. Given one by one, their texts are held until they are read.
        rules: when records are one resource.
        judged: what a person said of two keys, in either order; it outranks the machine. Keys of no item count for
            nothing.
        workers: processes that compare pairs; their number changes nothing but the time. More than one pays from some
            ten thousand items on; the caller's main module must then be importable without effects.

    Raises:
        ValueError: two items have one key.
    """
    ordered = sorted(items, key=lambda item: item.key)
    if len({item.key for item in ordered}) < len(ordered):
        raise ValueError("two records have one key")
    readings, lexicon = read_items(ordered)
    # from here on the words count: a text as it was written weighs more than its reading
    readings = [replace(reading, item=replace(reading.item, text="")) for reading in readings]
    ordered = [reading.item for reading in readings]
    readings = blank_boilerplate(readings)
    said = _by_place(ordered, judged or {})
    candidates = block_pairs(readings, lexicon, rules.block, said)
    bench = Bench(readings, lexicon, rules, said)
    bench.compare_all(candidates.pairs, workers)
    needed = bench.ask()
    found = bench.cluster(needed)
    return _report(ordered, candidates, bench, needed, found)


def _by_place(items: Sequence[Item], judged: Mapping[tuple[str, str], Verdict]) -> dict[Pair, Verdict]:
    places = {item.key: place for place, item in enumerate(items)}
    said = {}
    for (left, right), verdict in judged.items():
        if left in places and right in places and left != right:
            one, two = sorted((places[left], places[right]))
            said[one, two] = verdict
    return said


def blank_boilerplate(readings: Sequence[Reading]) -> list[Reading]:
    """The readings without the texts that say nothing of their resource (`Compte rendu réservé aux adhérents.`).

    Such is one text under several titles of one night and listing, or under three where neither is known. Titles of
    what is known as one resource are one: a third copy does not part two that were joined.
    """
    named: dict[tuple[object, str, object], tuple[str, ...]] = {}
    titles: dict[tuple[object, str], set[tuple[str, ...]]] = defaultdict(set)
    for reading in readings:
        if reading.text:
            under = (reading.item.slot, reading.text)
            known_as = reading.item.known_as
            title = reading.title if known_as is None else named.setdefault((*under, known_as), reading.title)
            titles[under].add(title)
    common = {text for (slot, text), under in titles.items() if len(under) > (1 if slot is not None else _FREE_REPEATS)}
    return [replace(r, text="") if r.text in common else r for r in readings]


def _report(items: Sequence[Item], candidates: Candidates, bench: Bench, needed: Needed, found: Clusters) -> Matching:
    keys = [item.key for item in items]
    places = {
        pair: place for place, pair in enumerate(each_pair(bench.pairs)) if pair in found.holds or pair in bench.said
    }
    table = PairTable(
        [keys[i] for i, _ in each_pair(bench.pairs)],
        [keys[j] for _, j in each_pair(bench.pairs)],
        [BLOCKS[block] for block in candidates.block.tolist()],
        bench.columns,
        bench.scores,
        needed,
        bench.rules.decide,
        {places[pair]: reason for pair, reason in found.holds.items() if pair in places},
        {places[pair]: verdict for pair, verdict in bench.said.items()},
    )
    tally: Counter[str] = Counter()
    for decision in bench.decide_all(needed):
        tally[decision.verdict] += 1
        if decision.rule != "score":
            tally[f"rule {decision.rule}"] += 1
    holds = {f"held {reason}": count for reason, count in found.counts.items()}
    sizes = {"records": len(items), "pairs": len(bench.pairs), "clusters": len(found.groups)}
    clusters = [[keys[place] for place in group] for group in found.groups]
    return Matching(clusters, table, {**sizes, **candidates.counts, **tally, **holds})

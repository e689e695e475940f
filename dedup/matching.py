"""Records -> resources: the door of the matcher. Block, compare, learn, decide, cluster; one set of rules for all.

It knows no site and no data set: what it must know of the corpus (which words are rare, which attributes change, how
many records have a partner on another night) it learns from the corpus itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dedup.blocking import BlockRules, block_pairs
from dedup.clustering import ClusterRules, Clusters, cluster
from dedup.comparing import Comparer, Features, learn_words, text_clash
from dedup.deciding import (
    COLUMNS,
    FEATURES,
    LEARNED,
    DecideRules,
    Decision,
    Verdict,
    decide,
    judge,
    score_table,
)
from dedup.items import Item, Lexicon, Reading, read_items
from dedup.learning import FieldWeights, learn_fields, weigh_fields

__all__ = ["DEFAULT_RULES", "Item", "Matching", "PairTable", "Rules", "decide", "match"]

Pair = tuple[int, int]
_SURE = 2.0  # score from which a pair counts as a partner found, when presence is measured
_NEVER = 1e9  # a least score that none reaches
_LEAST_PRESENCE, _MOST_PRESENCE = 0.3, 0.99
_FREE_REPEATS = 2  # two records of one resource may give it two titles
_CLASH_DEPTH = 4.0  # below the least score by more, no clash of texts need be looked for


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of the matcher; see each module for the meaning of its own."""

    block: BlockRules = field(default_factory=BlockRules)
    decide: DecideRules = field(default_factory=DecideRules)
    cluster: ClusterRules = field(default_factory=ClusterRules)


DEFAULT_RULES = Rules()


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
    scores: list[float]
    needed: list[float]
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
            decision = judge(values, self.scores[place], self.needed[place], self.rules)
            if place in self.judged:
                decision = by_person(decision, self.judged[place])
            yield {**named, **values, **asdict(decision), "held": self.held.get(place, "")}


@dataclass(frozen=True, slots=True)
class Matching:
    """clusters: sorted keys of the records of each resource, each key once; pairs: the evidence; counts."""

    clusters: list[list[str]]
    pairs: PairTable
    counts: Mapping[str, int]


def match(
    items: Sequence[Item], rules: Rules = DEFAULT_RULES, judged: Mapping[tuple[str, str], Verdict] | None = None
) -> Matching:
    """Which records are one resource.

    Args:
        items: keys unique; their order does not matter.
        rules: when records are one resource.
        judged: what a person said of two keys, in either order; it outranks the machine. Keys of no item count for
            nothing.

    Raises:
        ValueError: two items have one key.
    """
    ordered = sorted(items, key=lambda item: item.key)
    if len({item.key for item in ordered}) < len(ordered):
        raise ValueError("two records have one key")
    readings, lexicon = read_items(ordered)
    readings = blank_boilerplate(readings)
    candidates = block_pairs(readings, lexicon, rules.block)
    said = _by_place(ordered, judged or {})
    bench = _Bench(readings, lexicon, rules, said)
    blocks = {**dict.fromkeys(said, "person"), **candidates.pairs}
    bench.compare_all(sorted(blocks))
    needed = bench.ask()
    found = bench.cluster(needed)
    return _report(ordered, blocks, bench, needed, found, candidates.counts)


def by_person(decision: Decision, verdict: Verdict) -> Decision:
    """A decision as a person's word makes it; the score stays what the machine gave."""
    return replace(decision, verdict=verdict, rule="person", flips_at=None)


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

    Such is one text under several titles of one night and listing, or under three where neither is known.
    """
    titles: dict[tuple[object, str], set[tuple[str, ...]]] = defaultdict(set)
    for reading in readings:
        if reading.text:
            titles[reading.item.slot, reading.text].add(reading.title)
    common = {text for (slot, text), under in titles.items() if len(under) > (1 if slot is not None else _FREE_REPEATS)}
    return [replace(r, text="") if r.text in common else r for r in readings]


class _Bench:
    """What is known of the pairs while one call of `match` lasts."""

    def __init__(
        self, readings: Sequence[Reading], lexicon: Lexicon, rules: Rules, said: Mapping[Pair, Verdict]
    ) -> None:
        self.readings, self.rules, self.said = readings, rules, said
        self.items = [reading.item for reading in readings]
        self.names = sorted({name for item in self.items for name in item.facets})
        self.knowledge = learn_words(lexicon)
        self.comparer = Comparer(readings, self.knowledge, self.names)
        self.pairs: list[Pair] = []
        self.columns: dict[str, NDArray[np.float32]] = {}
        self.scores: list[float] = []
        self.weights = FieldWeights(np.zeros((0, 4)), {})
        self._asked: dict[Pair, float | None] = {}

    def compare_all(self, pairs: Sequence[Pair]) -> None:
        """Fill columns and scores for all candidates, fields weighed by what they teach."""
        self.pairs = list(pairs)
        table = np.empty((len(pairs), len(FEATURES)), np.float32)
        levels = np.empty((len(pairs), len(self.names) + 1), np.int8)
        for row, (i, j) in enumerate(pairs):
            features = self.comparer.compare(i, j)
            table[row], levels[row] = _numbers(features), features.levels
        self.columns = {name: table[:, place] for place, name in enumerate(FEATURES)}
        self.weights = learn_fields(self.columns, levels, self.pairs, self.items, self.names)
        learned = weigh_fields(self.weights, levels, self.pairs, self.items, self.names)
        self.columns |= {name: learned[:, place].astype(np.float32) for place, name in enumerate(LEARNED)}
        self.scores = score_table(self.columns, self.rules.decide).tolist()
        self._find_text_clashes()

    def _find_text_clashes(self) -> None:
        c, rules = self.columns, self.rules.decide
        least = rules.paired_min - _CLASH_DEPTH
        asked = (c["is_same_night"] > 0) & (c["has_text"] > 0) & (c["is_same_text"] == 0) & (c["clash"] == 0)
        asked &= (c["text_ratio"] >= rules.text_clash_min) & (np.array(self.scores) >= least)
        for row in np.flatnonzero(asked):
            i, j = self.pairs[row]
            c["clash"][row] = text_clash(self.readings[i], self.readings[j], self.knowledge)

    def ask(self) -> list[float]:
        """The least score that each pair needs: lower where most records of two slots have found their partner."""
        rules = self.rules.decide
        presence = self._measure_presence()
        slots = [item.slot for item in self.items]
        needed = []
        for i, j in self.pairs:
            if slots[i] is None or slots[j] is None:
                needed.append(rules.free_min)
            else:
                share = presence.get(frozenset((slots[i], slots[j])), _LEAST_PRESENCE)
                needed.append(round(rules.paired_min - rules.presence * log(share / (1 - share)), 4))
        return [least + self._known(pair) for pair, least in zip(self.pairs, needed, strict=True)]

    def _known(self, pair: Pair) -> float:
        """What is known from before of two records, as a shift of the least score."""
        one, two = (self.items[place] for place in pair)
        if one.known_as is None or two.known_as is None:
            return 0.0
        if one.known_as == two.known_as:
            return -self.rules.decide.known
        # two of one catalogue; when one of them is not there tonight, the other has not become it
        return self.rules.decide.known if one.night == two.night else inf

    def _measure_presence(self) -> dict[frozenset[object], float]:
        """For each two slots, the share (0.3..0.99) of the records of the larger that surely have their partner."""
        sure = [_SURE if item.slot else _NEVER for item in self.items]
        needed = [max(sure[i], sure[j]) for i, j in self.pairs]
        sizes: Counter[object] = Counter(item.slot for item in self.items)
        met: Counter[frozenset[object]] = Counter()
        for group in self.cluster(needed).groups:
            for i, j in combinations(group, 2):
                met[frozenset((self.items[i].slot, self.items[j].slot))] += 1
        return {
            slots: min(_MOST_PRESENCE, max(_LEAST_PRESENCE, (count + 1) / (max(sizes[s] for s in slots) + 2)))
            for slots, count in met.items()
        }

    def decide_all(self, needed: Sequence[float]) -> Iterator[Decision]:
        """The verdict on every candidate, one after the other: a list of them all would take more than the texts."""
        names = ("shared", "only_left", "only_right", "text_overlap", "is_same_url", "clash", "has_text")
        rows = zip(*(self.columns[name].tolist() for name in names), strict=True)
        for pair, row, score, least in zip(self.pairs, rows, self.scores, needed, strict=True):
            decision = judge(dict(zip(names, row, strict=True)), score, least, self.rules.decide)
            yield by_person(decision, self.said[pair]) if pair in self.said else decision

    def cluster(self, needed: Sequence[float]) -> Clusters:
        """The guarded closure of the pairs decided the same; pairs too weak to rival one of them are left out."""
        floor = min((least for least in needed if least < inf), default=0.0) - self.rules.cluster.margin
        scores, asked = {}, {}
        for pair, decision in zip(self.pairs, self.decide_all(needed), strict=True):
            if decision.score < floor and decision.rule not in ("address", "person"):
                continue
            is_apart = decision.rule.startswith("clash") or decision.rule in ("known apart", "person")
            self._asked[pair] = None if is_apart and decision.verdict != "same" else decision.score
            if self._asked[pair] is not None:
                scores[pair] = inf if decision.rule in ("address", "person") else decision.score
            if decision.verdict == "same":
                asked[pair] = -inf if decision.rule == "person" else decision.needed
        slots = [item.slot for item in self.items]
        apart = [pair for pair, verdict in self.said.items() if verdict != "same"]
        return cluster(slots, scores, asked, self.score_of, self.rules.cluster, apart)

    def score_of(self, i: int, j: int) -> float | None:
        """The score of any two records; None when their facts clash."""
        if (i, j) not in self._asked:
            self._asked[i, j] = self._score(i, j)
        return self._asked[i, j]

    def _texts_clash(self, features: Features, i: int, j: int) -> bool:
        is_asked = features.is_same_night and features.has_text and not features.is_same_text
        if not is_asked or features.text_ratio < self.rules.decide.text_clash_min:
            return False
        return bool(text_clash(self.readings[i], self.readings[j], self.knowledge))

    def _score(self, i: int, j: int) -> float | None:
        features = self.comparer.compare(i, j)
        if features.clash or self._texts_clash(features, i, j) or self._known((i, j)) == inf:
            return None
        levels = np.array([features.levels], np.int8)
        learned = weigh_fields(self.weights, levels, [(i, j)], self.items, self.names)[0]
        row = zip(COLUMNS, (*_numbers(features), *learned), strict=True)
        columns = {name: np.array([value], np.float32) for name, value in row}
        return float(score_table(columns, self.rules.decide)[0])


def _numbers(features: Features) -> list[float]:
    return [float(getattr(features, name)) for name in FEATURES]


def _report(
    items: Sequence[Item],
    blocks: Mapping[Pair, str],
    bench: _Bench,
    needed: list[float],
    found: Clusters,
    counts: Mapping[str, int],
) -> Matching:
    keys = [item.key for item in items]
    held = {place: found.holds[pair] for place, pair in enumerate(bench.pairs) if pair in found.holds}
    table = PairTable(
        [keys[i] for i, _ in bench.pairs],
        [keys[j] for _, j in bench.pairs],
        [blocks[pair] for pair in bench.pairs],
        bench.columns,
        bench.scores,
        needed,
        bench.rules.decide,
        held,
        {place: bench.said[pair] for place, pair in enumerate(bench.pairs) if pair in bench.said},
    )
    tally: Counter[str] = Counter()
    for decision in bench.decide_all(needed):
        tally[decision.verdict] += 1
        if decision.rule != "score":
            tally[f"rule {decision.rule}"] += 1
    holds = {f"held {reason}": count for reason, count in found.counts.items()}
    sizes = {"records": len(items), "pairs": len(bench.pairs), "clusters": len(found.groups)}
    return Matching([[keys[p] for p in g] for g in found.groups], table, {**sizes, **counts, **tally, **holds})

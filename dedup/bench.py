"""What is known of the candidate pairs while one call of `match` lasts: columns, scores, what is asked of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from dedup.blocking import BlockRules
from dedup.clashing import Clash, has_own_words, text_clash
from dedup.clustering import ClusterRules, Clusters, cluster
from dedup.comparing import Comparer, Features, split_titles
from dedup.deciding import (
    COLUMNS,
    FEATURES,
    JUDGED,
    LEARNED,
    DecideRules,
    Decision,
    Verdict,
    clash_of,
    judge,
    score_table,
)
from dedup.items import Lexicon, Reading, are_told_two
from dedup.knowledge import learn_words
from dedup.learning import FieldWeights, learn_fields, weigh_fields
from dedup.tabling import Pairs, compare_pairs, each_pair, number_row

Pair = tuple[int, int]
Needed = NDArray[np.float64]
_CHUNK_ROWS = 4096
_SURE = 2.0  # score from which a pair counts as a partner found, when presence is measured
_NEVER = 1e9  # a least score that none reaches
_LEAST_PRESENCE, _MOST_PRESENCE = 0.3, 0.99
_CLASH_DEPTH = 4.0  # below the least score by more, no clash of texts need be looked for


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of the matcher; see each module for the meaning of its own."""

    block: BlockRules = field(default_factory=BlockRules)
    decide: DecideRules = field(default_factory=DecideRules)
    cluster: ClusterRules = field(default_factory=ClusterRules)


DEFAULT_RULES = Rules()


def by_person(decision: Decision, verdict: Verdict) -> Decision:
    """A decision as a person's word makes it; the score stays what the machine gave."""
    return replace(decision, verdict=verdict, rule="person", flips_at=None)


class Bench:
    """What is known of the pairs while one call of `match` lasts."""

    def __init__(
        self, readings: Sequence[Reading], lexicon: Lexicon, rules: Rules, said: Mapping[Pair, Verdict]
    ) -> None:
        self.readings, self.rules, self.said = readings, rules, said
        self.items = [reading.item for reading in readings]
        self.names = sorted({name for item in self.items for name in item.facets})
        self.knowledge = learn_words(lexicon)
        self.comparer = Comparer(readings, self.knowledge, self.names)
        self.pairs: Pairs = np.empty((0, 2), np.int32)
        self.columns: dict[str, NDArray[np.float32]] = {}
        self.scores: NDArray[np.float64] = np.empty(0)
        self.weights = FieldWeights(np.zeros((0, 4)), {})
        self._asked: dict[Pair, float | None] = {}

    def compare_all(self, pairs: Pairs, workers: int = 1) -> None:
        """Fill columns and scores for all candidates, fields weighed by what they teach."""
        self.pairs = pairs
        table, levels = compare_pairs(self.comparer, pairs, workers)
        self.columns = {name: table[:, place] for place, name in enumerate(FEATURES)}
        self.weights = learn_fields(self.columns, levels, pairs, self.items, self.names)
        learned = weigh_fields(self.weights, levels, pairs, self.items, self.names)
        self.columns |= {name: learned[:, place].astype(np.float32) for place, name in enumerate(LEARNED)}
        self.scores = score_table(self.columns, self.rules.decide)
        self._find_clashes()

    def _find_clashes(self) -> None:
        """Of pairs that may yet be joined: what titles alone do not tell."""
        c, rules = self.columns, self.rules.decide
        least = rules.paired_min - _CLASH_DEPTH
        near = (c["clash"] == 0) & (self.scores >= least)
        asked = near & (c["has_text"] > 0) & (c["is_same_text"] == 0) & (c["text_ratio"] >= rules.text_clash_min)
        away = np.array([item.was_at is not None for item in self.items])
        for row in np.flatnonzero(asked & ((c["is_same_night"] > 0) | away[self.pairs].any(axis=1))):
            i, j = self.pairs[row].tolist()
            c["clash"][row] = self._text_clash(i, j)
        placed = np.array([bool(item.url or item.was_at or item.pages) for item in self.items])
        for row in np.flatnonzero(near & (c["clash"] == 0) & placed[self.pairs].all(axis=1)):
            i, j = self.pairs[row].tolist()
            c["clash"][row] = self._title_clash(i, j)

    def _text_clash(self, i: int, j: int) -> Clash:
        """What two texts of one night state differently, or that of one that is gone and of one elsewhere.

        A word that was edited parts no two that were one before, and leaves what moved without a trace its heir.
        """
        one, two = self.items[i], self.items[j]
        is_one_night = one.night == two.night
        if not (is_one_night or are_told_two(one, two)):
            return Clash.NONE
        clash = text_clash(self.readings[i], self.readings[j], self.knowledge)
        is_edited = not is_one_night or self._known((i, j)) < 0
        return Clash.NONE if clash is Clash.WORD and is_edited else clash

    def _title_clash(self, i: int, j: int) -> Clash:
        """Whether two that the site gives as two have each their own words in the title, and never were one."""
        if self._known((i, j)) < 0 or not are_told_two(self.items[i], self.items[j]):
            return Clash.NONE
        left, right = self.readings[i], self.readings[j]
        alone = split_titles(left, right, self.knowledge)[1:]
        return Clash.TITLE if has_own_words(left, right, alone, self.knowledge) else Clash.NONE

    def ask(self) -> Needed:
        """The least score that each pair needs: lower where most records of two slots have found their partner."""
        rules = self.rules.decide
        presence = self._measure_presence()
        slots = [item.slot for item in self.items]
        needed = np.full(len(self.pairs), rules.free_min)
        for row, (i, j) in enumerate(each_pair(self.pairs)):
            if slots[i] is not None and slots[j] is not None:
                share = presence.get(frozenset((slots[i], slots[j])), _LEAST_PRESENCE)
                needed[row] = round(rules.paired_min - rules.presence * log(share / (1 - share)), 4)
            needed[row] += self._known((i, j))
        return needed

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
        sure = np.array([_SURE if item.slot else _NEVER for item in self.items])
        needed = sure[self.pairs].max(axis=1)
        sizes: Counter[object] = Counter(item.slot for item in self.items)
        met: Counter[frozenset[object]] = Counter()
        for group in self.cluster(needed).groups:
            for i, j in combinations(group, 2):
                met[frozenset((self.items[i].slot, self.items[j].slot))] += 1
        return {
            slots: min(_MOST_PRESENCE, max(_LEAST_PRESENCE, (count + 1) / (max(sizes[s] for s in slots) + 2)))
            for slots, count in met.items()
        }

    def decide_all(self, needed: Needed) -> Iterator[Decision]:
        """The verdict on every candidate, one after the other: a list of them all would take more than the texts."""
        for start in range(0, len(self.pairs), _CHUNK_ROWS):
            chunk = slice(start, start + _CHUNK_ROWS)
            rows = zip(*(self.columns[name][chunk].tolist() for name in JUDGED), strict=True)
            asked = zip(self.scores[chunk].tolist(), needed[chunk].tolist(), strict=True)
            for (i, j), row, (score, least) in zip(self.pairs[chunk].tolist(), rows, asked, strict=True):
                decision = judge(dict(zip(JUDGED, row, strict=True)), score, least, self.rules.decide)
                yield by_person(decision, self.said[i, j]) if (i, j) in self.said else decision

    def cluster(self, needed: Needed) -> Clusters:
        """The guarded closure of the pairs decided the same; pairs too weak to rival one of them are left out."""
        floor = needed.min(initial=_NEVER) - self.rules.cluster.margin
        scores, asked = {}, {}
        told = self.columns["clash"] >= Clash.TEXT
        for pair, decision, is_left in zip(each_pair(self.pairs), self.decide_all(needed), told, strict=True):
            if decision.score < floor and decision.rule not in ("address", "person"):
                continue
            is_apart = is_left or decision.rule.startswith("clash") or decision.rule in ("known apart", "person")
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
        is_asked = features.has_text and not features.is_same_text
        if not is_asked or features.text_ratio < self.rules.decide.text_clash_min:
            return False
        return bool(self._text_clash(i, j))

    def _score(self, i: int, j: int) -> float | None:
        features = self.comparer.compare(i, j)
        is_final = features.clash not in (Clash.NONE, Clash.NAMES)
        if is_final or self._texts_clash(features, i, j) or self._title_clash(i, j) or self._known((i, j)) == inf:
            return None
        levels = np.array([features.levels], np.int8)
        learned = weigh_fields(self.weights, levels, np.array([(i, j)], np.int32), self.items, self.names)[0]
        row = dict(zip(COLUMNS, (*number_row(features), *learned.tolist()), strict=True))
        if clash_of(row, self.rules.decide):
            return None
        columns = {name: np.array([value], np.float32) for name, value in row.items()}
        return float(score_table(columns, self.rules.decide)[0])

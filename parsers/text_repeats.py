"""What two stretches of text repeat of each other, and how much that weighs.

A public resource shows its text twice, and the second time seldom word for word: sentences are the unit, equal, nearly
equal or cut short. Evidence is counted in characters of repeated text, at most _UNIT_CAP of one sentence: many short
sentences say more than one long. Beyond the bounds below less is compared, never more time taken.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from rapidfuzz import fuzz, process

from parsers.text_lines import Line

Pairs = list[tuple[int, int, float]]
Chain = tuple[list[int], list[float]]

# set on generated listings whose truth is known (tests/test_text_listing.py)
_UNIT_BASE, _UNIT_CAP = 4, 76
_NEARLY = 75.0  # ratio of two sentences that repeat each other; in rtes-listing.txt 3 of 25,878 other pairs exceed it
_SHORTEST_NEAR = 12  # characters; below, only equality says anything
_SHORTEST_CUT = 20  # characters of a sentence that the site cut short
# bounds for copies that are no listing
_MOST_COMPARISONS = 250_000
_MOST_CHARACTERS = 4_000_000_000  # of one side times the other: half a second
_MOST_TWINS = 20


@dataclass(frozen=True, slots=True)
class Repeats:
    """What a stretch of lines, left, and a later one, right, have in common.

    pairs are (sentence left, sentence right, weight), sorted so that a chain never takes one sentence twice; lefts and
    rights are the places of each line's first sentence, and the count of all at the end; lines are those that hold a
    pair, (left, right).
    """

    pairs: Pairs
    lefts: list[int]
    rights: list[int]
    lines: frozenset[tuple[int, int]]


def find_repeats(left: Sequence[Line], right: Sequence[Line]) -> Repeats:
    """The sentences that repeat each other, exactly, nearly, or cut short."""
    left_units, right_units = ([unit for line in lines for unit in line.units] for lines in (left, right))
    lefts, rights = ([0, *accumulate(len(line.units) for line in lines)] for lines in (left, right))
    exact = _pair_equal(left_units, right_units)
    left_rest = _take_unpaired(left_units, {i for i, _, _ in exact})
    right_rest = _take_unpaired(right_units, {j for _, j, _ in exact})
    pairs = sorted(exact + _pair_near(left_rest, right_rest), key=lambda pair: (pair[0], -pair[1]))
    lines = frozenset((bisect_right(lefts, i) - 1, bisect_right(rights, j) - 1) for i, j, _ in pairs)
    return Repeats(pairs, lefts, rights, lines)


def _weigh(unit: str) -> float:
    return float(_UNIT_BASE + min(len(unit), _UNIT_CAP))


def _pair_equal(lefts: Sequence[str], rights: Sequence[str]) -> Pairs:
    """Pairs of equal sentences; of many twins the last ones left, the first ones right, where body and résumé stand."""
    twins, others = _index_places(lefts), _index_places(rights)
    return [
        (i, j, _weigh(unit))
        for unit in twins.keys() & others.keys()
        for i in twins[unit][-_MOST_TWINS:]
        for j in others[unit][:_MOST_TWINS]
    ]


def _index_places(units: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, unit in enumerate(units):
        places[unit].append(place)
    return places


def _take_unpaired(units: Sequence[str], paired: set[int]) -> dict[int, str]:
    """By their places, the sentences without an equal one that are long enough to be near another."""
    return {i: unit for i, unit in enumerate(units) if i not in paired and len(unit) >= _SHORTEST_NEAR}


def _pair_near(lefts: dict[int, str], rights: dict[int, str]) -> Pairs:
    size = sum(map(len, lefts.values())) * sum(map(len, rights.values()))
    if size > _MOST_CHARACTERS or len(lefts) * len(rights) > _MOST_COMPARISONS:
        return []
    pairs: Pairs = []
    for i, left in lefts.items():
        cut = {j: 100.0 for j, right in rights.items() if _is_cut_short(left, right)}
        near = process.extract(left, rights, scorer=fuzz.ratio, score_cutoff=_NEARLY, limit=_MOST_TWINS)
        scores = {j: score for _, score, j in near} | cut
        pairs += [(i, j, min(_weigh(left), _weigh(rights[j])) * score / 100) for j, score in scores.items()]
    return pairs


def _is_cut_short(one: str, other: str) -> bool:
    """Whether one sentence is the beginning of the other, its ellipsis aside."""
    short, long = sorted((one.rstrip(". "), other.rstrip(". ")), key=len)
    return len(short) >= _SHORTEST_CUT and long.startswith(short)


def weigh_body(repeats: Repeats, first: int, ends: Sequence[int]) -> list[float]:
    """How much the left lines from first on repeat in the right lines before each of ends."""
    return _weigh_until(_chain_body(repeats, first), [repeats.rights[end] for end in ends])


def find_end(repeats: Repeats, first: int) -> int:
    """The right line after the last that repeats the left lines from first on; 0 where nothing repeats."""
    ends = _chain_body(repeats, first)[0]
    return bisect_right(repeats.rights, ends[-1]) if ends else 0


def weigh_above(repeats: Repeats) -> list[float]:
    """For each right line, how much can at most repeat above it."""
    return _weigh_until(_chain(repeats.pairs), repeats.rights[:-1])


def weigh_below(repeats: Repeats) -> list[float]:
    """For each left line, how much can at most repeat below it."""
    mirrored = sorted(((-j, -i, weight) for i, j, weight in repeats.pairs), key=lambda pair: (pair[0], -pair[1]))
    return _weigh_until(_chain(mirrored), [1 - place for place in repeats.lefts[1:]])


def _chain_body(repeats: Repeats, first: int) -> Chain:
    """The chain between the left lines from first on and all right ones."""
    return _chain(repeats.pairs[bisect_left(repeats.pairs, repeats.lefts[first], key=lambda pair: pair[0]) :])


def _chain(pairs: Pairs) -> Chain:
    """The heaviest chain of pairs that run on on both sides, by where it ends on the right.

    Args:
        pairs: sorted by the left place, then by the right one downwards.

    Returns:
        Right places, and weights of the heaviest chain that ends at or before each; both strictly increasing.
    """
    ends: list[int] = []
    weights: list[float] = []
    for _, right, weight in pairs:
        place = bisect_left(ends, right)
        total = weight + (weights[place - 1] if place else 0.0)
        stop = bisect_right(weights, total, place)  # chains that end further on and weigh no more
        if place == stop and right in ends[place : place + 1]:
            continue
        ends[place:stop] = [right]
        weights[place:stop] = [total]
    return ends, weights


def _weigh_until(chain: Chain, bounds: Sequence[int]) -> list[float]:
    """Weight of the chain that ends before each bound."""
    ends, weights = chain[0], [0.0, *chain[1]]
    return [weights[bisect_left(ends, bound)] for bound in bounds]

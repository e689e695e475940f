"""How much the agreement of each attribute is worth in the corpus at hand, learned without labels.

Pairs that are near certain (one title of rare words, texts much alike) show how often an attribute changes on one
resource; pairs whose titles and texts share little show how often it agrees by chance. Values of a category that turn
into one another among the near-certain pairs (`Service en ligne`, `Téléservice`) are learned as such. A few made-up
pairs stand in for what a small corpus cannot show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dedup.comparing import Level
from dedup.items import Item

Levels = NDArray[np.int8]
Pairs = NDArray[np.int32]
_CERTAIN_BITS, _CERTAIN_TEXT = 25.0, 0.6
_FAR_TITLE, _FAR_TEXT = 0.4, 0.6
_PRIOR_SAME = (0.55, 0.6, 0.8, 2.5)  # pairs by level, conflict to agree
_PRIOR_OTHER = (2.5, 0.8, 0.6, 0.55)
_PRIOR_CHANGES = 4.0
_MAX_BITS = 6.0
_MAX_CATEGORIES = 50


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """Bits for and against one resource: levels[field, level], and changes[field, values] for categories."""

    levels: NDArray[np.float64]
    changes: Mapping[tuple[int, tuple[str, str]], float]


def learn_fields(
    columns: Mapping[str, NDArray[np.float32]],
    levels: Levels,
    pairs: Pairs,
    items: Sequence[Item],
    names: Sequence[str],
) -> FieldWeights:
    """What agreement and conflict of each field are worth.

    Args:
        columns: by name of Features, one value a pair.
        levels: one row a pair, one column a field of `names` and the type last.
        pairs: places in items, in the order of the rows.
    Returns:
        Bits between -6 and 6.
    Source: Fellegi and Sunter 1969; the near-certain pairs as in Christen (2012), ch. 6.
    """
    certain, far = _samples(columns)
    weights = np.zeros((levels.shape[1], 4))
    changes: dict[tuple[int, tuple[str, str]], float] = {}
    for place in range(levels.shape[1]):
        same = _tally(levels[certain, place]) + _PRIOR_SAME
        other = _tally(levels[far, place]) + _PRIOR_OTHER
        weights[place] = _bits(same / same.sum(), other / other.sum())
        if _is_category(items, names, place):
            chosen = [_changes(levels, pairs, items, names, place, rows) for rows in (certain, far)]
            changes.update(
                {(place, key): bits for key, bits in _weigh_changes(chosen[0], chosen[1], same, other).items()}
            )
    return FieldWeights(weights, changes)


def weigh_fields(
    weights: FieldWeights,
    levels: Levels,
    pairs: Pairs,
    items: Sequence[Item],
    names: Sequence[str],
) -> NDArray[np.float64]:
    """For each pair the bits of the fields that speak for one resource, against it, and of the worst."""
    bits = np.zeros(levels.shape)
    for place in range(levels.shape[1]):
        level = levels[:, place]
        known = level >= 0
        bits[known, place] = weights.levels[place, level[known]]
        if not any(key[0] == place for key in weights.changes):
            continue
        for row in np.flatnonzero(known & (level < Level.AGREE)).tolist():
            change = weights.changes.get((place, _values(items, names, place, *pairs[row].tolist())))
            if change is not None:
                bits[row, place] = max(bits[row, place], change)
    return np.column_stack((bits.clip(min=0).sum(axis=1), bits.clip(max=0).sum(axis=1), bits.min(axis=1, initial=0.0)))


def _samples(columns: Mapping[str, NDArray[np.float32]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    has_text, ratio = columns["has_text"] > 0, columns["text_ratio"]
    certain = (columns["is_equal_title"] > 0) & (columns["shared"] >= _CERTAIN_BITS)
    certain &= ~has_text | (ratio > _CERTAIN_TEXT)
    alike = columns["shared"] / (columns["shared"] + columns["only_left"] + columns["only_right"] + 0.1)
    return certain, (alike < _FAR_TITLE) & (ratio < _FAR_TEXT)


def _tally(level: Levels) -> NDArray[np.float64]:
    return np.bincount(level[level >= 0], minlength=4).astype(np.float64)


def _bits(same: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped: NDArray[np.float64] = np.clip(np.log2(same / other), -_MAX_BITS, _MAX_BITS)
    return clipped


def _values(items: Sequence[Item], names: Sequence[str], place: int, i: int, j: int) -> tuple[str, str]:
    one, two = (_value(items[at], names, place) for at in (i, j))
    return (one, two) if one < two else (two, one)


def _value(item: Item, names: Sequence[str], place: int) -> str:
    return (item.facets.get(names[place]) if place < len(names) else item.type) or ""


def _is_category(items: Sequence[Item], names: Sequence[str], place: int) -> bool:
    seen: set[str] = set()
    for item in items:
        seen.add(_value(item, names, place))
        if len(seen) > _MAX_CATEGORIES:
            return False
    return True


def _changes(
    levels: Levels,
    pairs: Pairs,
    items: Sequence[Item],
    names: Sequence[str],
    place: int,
    rows: NDArray[np.bool_],
) -> Counter[tuple[str, str]]:
    """How often each two values stand against each other in some pairs."""
    level = levels[:, place]
    chosen = np.flatnonzero(rows & (level >= 0) & (level < Level.AGREE)).tolist()
    return Counter(_values(items, names, place, *pairs[row].tolist()) for row in chosen)


def _weigh_changes(
    certain: Counter[tuple[str, str]],
    far: Counter[tuple[str, str]],
    same: NDArray[np.float64],
    other: NDArray[np.float64],
) -> dict[tuple[str, str], float]:
    """Bits of each change of value met in a near-certain pair."""
    found = {}
    for key, count in certain.items():
        chance = (far[key] + 0.5) / other[:3].sum()
        expected = _PRIOR_CHANGES * same[:3].sum() / same.sum() * chance
        share = (count + expected) / (same.sum() + _PRIOR_CHANGES)
        found[key] = float(np.clip(np.log2(share / ((far[key] + 0.5) / other.sum())), -_MAX_BITS, _MAX_BITS))
    return found

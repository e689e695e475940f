"""Compares many pairs, here or on several processes, and lays their features out in columns.

The work is cut by the order of the pairs and put together in that order, so the number of processes changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from dedup.comparing import Comparer, Features
from dedup.deciding import FEATURES

Pairs = NDArray[np.int32]
Table = NDArray[np.float32]
Levels = NDArray[np.int8]
_CHUNK_PAIRS = 8192
_SHARES = 4  # chunks a worker takes, so that a slow one does not keep all waiting
_comparer: Comparer | None = None  # of a worker process; set once when it starts


def each_pair(pairs: Pairs) -> Iterator[tuple[int, int]]:
    """The pairs as plain tuples, few of them at a time: a million tuples weigh more than the texts."""
    for start in range(0, len(pairs), _CHUNK_PAIRS):
        yield from map(tuple, pairs[start : start + _CHUNK_PAIRS].tolist())


def number_row(features: Features) -> list[float]:
    """The features of one pair in the order of deciding.FEATURES."""
    return [float(getattr(features, name)) for name in FEATURES]


def compare_pairs(comparer: Comparer, pairs: Pairs, workers: int = 1) -> tuple[Table, Levels]:
    """Features and levels of every pair.

    Args:
        comparer: it is sent to each process once.
        pairs: one row a pair, places in the readings of the comparer.
        workers: processes to spread the work over; 1 is this one alone. A process costs about half a second to start.
    Returns:
        One row a pair: columns deciding.FEATURES by column, so that each is one piece of memory; and one level a field.
    """
    if workers <= 1:
        return _compare(comparer, pairs)
    size = max(1, -(-len(pairs) // (workers * _SHARES)))
    chunks = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (comparer,)) as pool:
        parts = list(pool.map(_compare_chunk, chunks))
    empty = _compare(comparer, pairs[:0])
    table, levels = (np.concatenate([empty[n], *(part[n] for part in parts)]) for n in (0, 1))
    return np.asfortranarray(table), levels


def _start_worker(comparer: Comparer) -> None:
    global _comparer  # noqa: PLW0603 - a worker process has no other place to keep what it was given once
    _comparer = comparer


def _compare_chunk(pairs: Pairs) -> tuple[Table, Levels]:
    assert _comparer is not None  # noqa: S101 - set when the process started
    return _compare(_comparer, pairs)


def _compare(comparer: Comparer, pairs: Pairs) -> tuple[Table, Levels]:
    table = np.empty((len(pairs), len(FEATURES)), np.float32, order="F")
    levels = np.empty((len(pairs), len(comparer.fields) + 1), np.int8)
    for row, (i, j) in enumerate(each_pair(pairs)):
        features = comparer.compare(i, j)
        table[row], levels[row] = number_row(features), features.levels
    return table, levels

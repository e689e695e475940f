"""Fit the default weights of the matcher on labelled sets, all together; prints them as dedup/deciding.py holds them.

    fit_weights.py SET_DIR...

Each set counts alike, however many pairs it has. Logistic regression with a ridge; run again when a signal is added.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from linkage import read_set

from dedup.deciding import SIGNALS, signal_table
from dedup.matching import match

Matrix = NDArray[np.float64]
WEIGHT_OF_A_SET = 30_000.0
RIDGE = 1e-2


def read_labels(folder: Path) -> tuple[dict[str, str], set[frozenset[str]]]:
    """The entity of each record, and the pairs of entities that are not scored."""
    with lzma.open(folder / "labels.csv.xz", "rt", encoding="utf-8") as lines:
        entity = {row["rid"]: row["entity"] for row in csv.DictReader(lines)}
    unclear = set()
    if (path := folder / "ambiguous_entities.csv").exists():
        with path.open(encoding="utf-8") as lines:
            unclear = {frozenset((row["entity_a"], row["entity_b"])) for row in csv.DictReader(lines)}
    return entity, unclear


def labelled_pairs(folder: Path, is_shown: Callable[[str], bool] = lambda _: True) -> tuple[Matrix, Matrix]:
    """Signals of every candidate pair of a set, and whether its records are one resource; unclear ones left out.

    is_shown: by entity, whether its records may be looked at.
    """
    entity, unclear = read_labels(folder)
    pairs = match([item for item in read_set(folder) if is_shown(entity[item.key])]).pairs
    ends = [(entity[left], entity[right]) for left, right in zip(pairs.left, pairs.right, strict=True)]
    kept = np.array([frozenset(pair) not in unclear or pair[0] == pair[1] for pair in ends])
    is_same = np.array([one == two for one, two in ends], dtype=np.float64)
    # what a rule decides is not left to the weights
    kept &= pairs.features["clash"] == 0
    table = {name: column[kept].astype(np.float64) for name, column in pairs.features.items()}
    return signal_table(table), is_same[kept]


def fit_sets(tables: Sequence[tuple[Matrix, Matrix]]) -> Matrix:
    """Weights of the signals fitted on several sets, each counting alike."""
    weight = np.concatenate([np.full(len(same), WEIGHT_OF_A_SET / len(same)) for _, same in tables])
    return fit(np.vstack([signals for signals, _ in tables]), np.concatenate([same for _, same in tables]), weight)


def fit(signals: Matrix, is_same: Matrix, weight: Matrix, rounds: int = 25) -> Matrix:
    """Weights of the signals, by Newton's method."""
    weights = np.zeros(signals.shape[1])
    ridge = RIDGE * len(is_same) / 1000
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-np.clip(signals @ weights, -30, 30)))
        slope = signals.T @ (weight * (is_same - chance)) - ridge * weights
        curve = (signals * (weight * chance * (1 - chance) + 1e-6)[:, None]).T @ signals
        weights += np.linalg.solve(curve + (ridge + 1e-6) * np.eye(len(weights)), slope)
    return weights


def main() -> None:
    """Read all sets, fit once, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    tables = [labelled_pairs(folder) for folder in parser.parse_args().folders]
    for name, value in zip(SIGNALS, fit_sets(tables), strict=True):
        print(f'    "{name}": {value:.2f},')


if __name__ == "__main__":
    main()

"""How well fitted weights carry over: fit on half of the entities of all sets, score the other half, and turn about.

    holdout.py SET_DIR... [--seed 0]

Sets that come from one source (a set and a variant of it) share the halves, for an entity falls into its half by name.
Prints precision, recall and F1 of each set over both halves. The thresholds are those of the product.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from fit_weights import fit_sets, labelled_pairs, read_labels
from linkage import read_set

from dedup.matching import DEFAULT_RULES, Item, Rules, match


def half_of(entity: str, seed: int) -> int:
    """0 or 1, by the name of the entity alone."""
    return hashlib.sha256(f"{seed} {entity}".encode()).digest()[0] % 2


def count_pairs(folder: Path, items: Sequence[Item], rules: Rules) -> Counter[str]:
    """Pairs right, wrong and wanted in a matching of some items; entities that are unclear are not scored."""
    entity, unclear = read_labels(folder)
    doubtful = {name for pair in unclear for name in pair}
    scope = {item.key: item.scope for item in items}
    found: Counter[str] = Counter()
    for keys in match(items, rules).clusters:
        for one, two in combinations(keys, 2):
            ends = (entity[one], entity[two])
            if scope[one] != scope[two] or frozenset(ends) in unclear or (ends[0] == ends[1] and ends[0] in doubtful):
                continue
            found["right" if ends[0] == ends[1] else "wrong"] += 1
    owned = Counter((entity[key], scope[key]) for key in scope if entity[key] not in doubtful)
    found["wanted"] = sum(count * (count - 1) // 2 for count in owned.values())
    return found


def main() -> None:
    """Fit, match, score, twice; tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    total: dict[str, Counter[str]] = {folder.name: Counter() for folder in options.folders}
    for shown in (0, 1):
        tables = [
            labelled_pairs(folder, lambda entity, shown=shown: half_of(entity, options.seed) == shown)
            for folder in options.folders
        ]
        weights = tuple(fit_sets(tables).tolist())
        rules = replace(DEFAULT_RULES, decide=replace(DEFAULT_RULES.decide, weights=weights))
        for folder in options.folders:
            entity, _ = read_labels(folder)
            items = [item for item in read_set(folder) if half_of(entity[item.key], options.seed) != shown]
            total[folder.name] += count_pairs(folder, items, rules)
    for name, found in total.items():
        precision = found["right"] / max(1, found["right"] + found["wrong"])
        recall = found["right"] / max(1, found["wanted"])
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        print(f"{name}: precision {precision:.4f} recall {recall:.4f} F1 {f1:.4f}")


if __name__ == "__main__":
    main()

"""Time, memory and quality of the matcher on synthetic records, to see how it grows.

    growth.py CORPUS.parquet N      N records of a corpus made by shared/perf/gen.py (columns gid, text)

The records of one group stand on nights of their own; a title is the opening of its text.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dedup.matching import Item, match

NIGHTS = 6
TITLE_WORDS = 9


def read_corpus(path: str, size: int) -> tuple[list[Item], dict[str, int]]:
    """The first records of the corpus, and the group of each."""
    groups: list[int] = []
    texts: list[str] = []
    for batch in pq.ParquetFile(path).iter_batches(batch_size=5_000, columns=["group", "text"]):
        groups.extend(batch["group"].to_pylist())
        texts.extend(batch["text"].to_pylist())
        if len(texts) >= size:
            break
    met: Counter[int] = Counter()
    items, group_of = [], {}
    for place, (group, text) in enumerate(zip(groups[:size], texts[:size], strict=True)):
        night = f"n{(group + met[group]) % NIGHTS}"
        met[group] += 1
        title = " ".join(text.split()[:TITLE_WORDS])
        items.append(Item(key=f"{place:07}", title=title, text=text, night=night))
        group_of[f"{place:07}"] = group
    return items, group_of


def main() -> None:
    """Match and tell."""
    items, group_of = read_corpus(sys.argv[1], int(sys.argv[2]))
    start, spent = time.perf_counter(), time.process_time()
    matching = match(items)
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - spent
    right = wrong = 0
    for keys in matching.clusters:
        tally = Counter(group_of[key] for key in keys)
        inside = sum(n * (n - 1) // 2 for n in tally.values())
        right, wrong = right + inside, wrong + len(keys) * (len(keys) - 1) // 2 - inside
    gold = sum(n * (n - 1) // 2 for n in Counter(group_of.values()).values())
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(items)} records: {wall_s:.1f} s wall, {cpu_s:.1f} s CPU, {memory_mb:.0f} MB")
    print(f"precision {right / max(1, right + wrong):.4f} recall {right / max(1, gold):.4f}", dict(matching.counts))


if __name__ == "__main__":
    main()

"""Match the records of a labelled set with the product's own matcher and its default rules.

    linkage.py SET_DIR OUT.csv [--seed 1]

SET_DIR holds records.jsonl.xz and mapping.json (which column is what); nothing else is read, labels least of all. The
records are shuffled, matched, and written as `rid,cluster`. Prints time, memory and counts.
"""

from __future__ import annotations

import argparse
import csv
import json
import lzma
import random
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dedup.matching import Item, match

KILOBYTES_A_MEGABYTE = 1024


def read_set(folder: Path) -> list[Item]:
    """The records of a set, as its mapping tells them apart."""
    mapping = json.loads((folder / "mapping.json").read_text(encoding="utf-8"))
    with lzma.open(folder / "records.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [read_item(json.loads(line), mapping) for line in lines]


def read_item(record: Mapping[str, Any], mapping: Mapping[str, Any]) -> Item:
    """One record as the matcher takes it; an empty value is a missing one."""

    def value(column: str | None) -> str | None:
        found = record.get(column) if column else None
        return None if found in (None, "") else str(found)

    return Item(
        key=str(record["rid"]),
        title=value(mapping.get("title")) or "",
        text="\n".join(filter(None, map(value, mapping.get("text") or []))),
        night=value(mapping.get("night")),
        listing=value(mapping.get("listing")),
        scope=value(mapping.get("scope")),
        type=value(mapping.get("type")),
        facets={column: value(column) for column in mapping.get("facets") or []},
        url=value(mapping.get("url")),
    )


def main() -> None:
    """Read, match, write, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("clusters", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    items = read_set(options.folder)
    random.Random(options.seed).shuffle(items)  # noqa: S311 - an order, not a secret
    start, spent = time.perf_counter(), time.process_time()
    matching = match(items)
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - spent
    with options.clusters.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("rid", "cluster"))
        writer.writerows((key, number) for number, keys in enumerate(matching.clusters) for key in keys)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTES_A_MEGABYTE
    print(f"{options.folder.name}: {wall_s:.1f} s wall, {cpu_s:.1f} s CPU, {memory_mb:.0f} MB")
    print(", ".join(f"{name} {count}" for name, count in matching.counts.items()))


if __name__ == "__main__":
    main()

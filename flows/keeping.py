"""Unfinished archives without what was taken down: each is looked through once, and again when a person says more.

data/clean/<source>/kept-down.json    size, time and decisions of each as it was looked through; may be deleted
"""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from flows.erasing import keep_down
from flows.survey import part_files
from flows.taken import taken_down
from schema.layout import Layout
from schema.sources import Source


def keep_parts_down(source: Source, layout: Layout) -> None:
    """Take what was taken down out of the unfinished archives that were not looked through as they are."""
    taken = taken_down(layout)
    if not taken.addresses:
        return
    said = sha256(json.dumps(taken.as_values()).encode()).hexdigest()
    known = _read(layout)
    keep_down(source, layout, [part for part in part_files(layout) if known.get(part.name) != _mark(part, said)])
    fresh = {part.name: _mark(part, said) for part in part_files(layout)}
    if fresh != known:
        # without room for it they are looked through once more
        with suppress(OSError):
            _path(layout).parent.mkdir(parents=True, exist_ok=True)
            _path(layout).write_text(json.dumps(fresh) + "\n", encoding="utf-8")


def _mark(part: Path, said: str) -> list[Any]:
    told = part.stat()
    return [told.st_size, told.st_mtime_ns, said]


def _read(layout: Layout) -> dict[str, Any]:
    try:
        known = json.loads(_path(layout).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _path(layout: Layout) -> Path:
    return layout.clean / "kept-down.json"

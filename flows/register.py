"""Every resource_id ever published, in data/raw/<source>/ids.jsonl: a promise, and so an input like the pages.

Other code may read the same archive otherwise and never come to give an id that was published once. Such an id is found
here, and leads to the resource that goes by its address today.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from schema.errors import DamagedArchive, DiskTrouble
from schema.layout import Layout

Row = dict[str, Any]
REPLACED = "replaced"


def read_register(layout: Layout) -> list[Row]:
    """The lines of the register: resource_id, known_by, title, run, published_at.

    Raises:
        DamagedArchive: a line is not what was written.
    """
    if not layout.register.exists():
        return []
    rows = []
    with layout.register.open(encoding="utf-8") as file:
        lines = list(file)  # not str.splitlines: a title may hold one of the other characters that end a line for it
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            rows.append({**row, "published_at": datetime.fromisoformat(row["published_at"]), "run": int(row["run"])})
        except (ValueError, KeyError, TypeError):
            raise DamagedArchive(f"{layout.register}: line {number} is damaged; restore the file from a copy") from None
    return rows


def enter(layout: Layout, ids: Iterable[Mapping[str, Any]], titles: Mapping[str, str], run: int, at: datetime) -> None:
    """Enter the ids that a release is about to publish and that no release did before."""
    known = {row["resource_id"] for row in read_register(layout)}
    lines = [
        json.dumps(
            {
                "resource_id": row["resource_id"],
                "title": titles.get(row["resource_id"], ""),
                "known_by": row["known_by"],
                "run": run,
                "published_at": at.isoformat(),
            },
            ensure_ascii=False,
        )
        for row in ids
        if row["resource_id"] not in known
    ]
    if not lines:
        return
    try:
        with layout.register.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DiskTrouble(
            f"{layout.register}: cannot be written ({error}); make room, nothing was published"
        ) from error


def with_replaced(
    ids: Iterable[Mapping[str, Any]],
    resources: Iterable[Mapping[str, Any]],
    register: Iterable[Mapping[str, Any]],
    run: int,
) -> list[Row]:
    """Rows of `ids` with those that were published up to a run and that this reading of the archive does not know."""
    rows = {row["resource_id"]: dict(row) for row in ids if row["fate"] != REPLACED}
    owners = {
        name: row["now"][0] if row["fate"] == "merged" else row["resource_id"]
        for row in sorted(rows.values(), key=lambda row: row["fate"] != "merged")
        for name in row["known_by"]
    }
    titles = {
        row["title"]: row["resource_id"] for row in sorted(resources, key=lambda r: r["resource_id"], reverse=True)
    }
    for line in register:
        if line["resource_id"] in rows or line["run"] > run:
            continue
        heirs = [owners[name] for name in line["known_by"] if name in owners]
        heirs += [titles[line["title"]]] if line["title"] in titles else []
        rows[line["resource_id"]] = _replaced(line, heirs[0] if heirs else line["resource_id"])
    return [rows[name] for name in sorted(rows)]


def _replaced(line: Mapping[str, Any], heir: str) -> Row:
    return {
        "resource_id": line["resource_id"],
        "now": [heir],
        "fate": REPLACED,
        "why": "published by an earlier reading of the archive",
        "known_by": list(line["known_by"]),
        "own": [],
        "first_seen_at": None,
        "minted_run": line["run"],
        "since_run": line["run"],
        "since_at": line["published_at"],
    }

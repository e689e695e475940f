"""Every resource_id ever published, in data/raw/<source>/ids.jsonl: a promise, and so an input like the pages.

Other code may read the same archive otherwise and never come to give an id that was published once. Such an id is found
here, and leads to the resource that goes by its address today.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from dedup.identity import Promise, Promises, other_scheme
from flows.decisions import Takedown
from schema.errors import DamagedArchive, DiskTrouble
from schema.layout import Layout

Row = dict[str, Any]
REPLACED, TAKEN_DOWN = "replaced", "taken_down"
# ids that no step knows: they are told anew behind each
NOT_OF_A_STEP = frozenset({REPLACED, TAKEN_DOWN})


def read_register(layout: Layout) -> Iterator[Row]:
    """The lines of the register, one by one: resource_id, known_by, title, minted_run, run, published_at.

    An id has a line for its first release, and one for each later release that gave it another title or name.

    Raises:
        DamagedArchive: a line is not what was written.
    """
    if not layout.register.exists():
        return
    with layout.register.open(encoding="utf-8") as file:
        # not str.splitlines: a title may hold one of the other characters that end a line for it
        for number, line in enumerate(file, start=1):
            yield _read(layout, number, line)


def _read(layout: Layout, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
        return {**row, "published_at": datetime.fromisoformat(row["published_at"]), "run": int(row["run"])}
    except (ValueError, KeyError, TypeError):
        raise DamagedArchive(f"{layout.register}: line {number} is damaged; restore the file from a copy") from None


def enter(layout: Layout, ids: Iterable[Mapping[str, Any]], titles: Mapping[str, str], run: int, at: datetime) -> None:
    """Enter the ids that a release is about to publish, and what they go by, as far as no release did before."""
    told: dict[str, tuple[set[str], set[str]]] = {}
    for line in read_register(layout):
        names, said = told.setdefault(line["resource_id"], (set(), set()))
        names.update(line["known_by"])
        said.add(line["title"])
    lines = [
        json.dumps(
            {
                "resource_id": row["resource_id"],
                "title": titles.get(row["resource_id"], ""),
                "known_by": row["known_by"],
                "minted_run": row["minted_run"],
                "run": run,
                "published_at": at.isoformat(),
            },
            ensure_ascii=False,
        )
        for row in ids
        if row["fate"] not in NOT_OF_A_STEP and not _is_told(row, titles.get(row["resource_id"]), told)
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


def write_register(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a whole register to a file, and make it lasting."""
    plain = ({**row, "published_at": row["published_at"].isoformat()} for row in rows)
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in plain)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DiskTrouble(f"{path}: cannot be written ({error}); make room and do it again") from error


def _is_told(row: Mapping[str, Any], title: str | None, told: Mapping[str, tuple[set[str], set[str]]]) -> bool:
    if row["resource_id"] not in told:
        return False
    names, titles = told[row["resource_id"]]
    return names.issuperset(row["known_by"]) and (title is None or title in titles)


def promises(register: Iterable[Mapping[str, Any]], held: Collection[str] = ()) -> Promises:
    """The register as plain data for the naming; held: ids that are known already, of which nothing is asked."""
    return Promises.of(
        Promise(line["resource_id"], line["title"], frozenset(line["known_by"]), line.get("minted_run"))
        for line in register
        if line["resource_id"] not in held
    )


def with_replaced(
    ids: Iterable[Mapping[str, Any]],
    resources: Iterable[Mapping[str, Any]],
    register: Iterable[Mapping[str, Any]],
    run: int,
    takedowns: Iterable[Takedown] = (),
) -> Iterable[Mapping[str, Any]]:
    """Rows of `ids` with those that were published up to a run and that this reading of the archive does not know."""
    known = {row["resource_id"] for row in ids if row["fate"] not in NOT_OF_A_STEP}
    unknown: dict[str, list[Mapping[str, Any]]] = {}
    for line in register:
        if line["resource_id"] not in known and line["run"] <= run:
            unknown.setdefault(line["resource_id"], []).append(line)
    if not unknown:
        return (row for row in ids if row["fate"] not in NOT_OF_A_STEP)
    rows = {row["resource_id"]: dict(row) for row in ids if row["fate"] not in NOT_OF_A_STEP}
    gone = {name: said for said in takedowns for name in said.resource_ids}
    owners = {
        name: row["now"][0] if row["fate"] == "merged" else row["resource_id"]
        for row in sorted(rows.values(), key=lambda row: row["fate"] != "merged")
        for name in row["known_by"]
    }
    titles: dict[str, str] = {}
    for row in resources:
        titles[row["title"]] = min(row["resource_id"], titles.get(row["title"], row["resource_id"]))
    for name, lines in unknown.items():
        if said := gone.get(name):
            rows[name] = _taken_down(lines, said)
            continue
        # what it went by last tells best where it went
        names = [
            name for line in reversed(lines) for known in line["known_by"] for name in (known, other_scheme(known))
        ]
        heirs = [owners[known] for known in names if known in owners]
        heirs += [titles[line["title"]] for line in reversed(lines) if line["title"] in titles]
        rows[name] = _replaced(lines, heirs[0] if heirs else name)
    return [rows[name] for name in sorted(rows)]


def _replaced(lines: Sequence[Mapping[str, Any]], heir: str) -> Row:
    first = lines[0]
    return {
        "resource_id": first["resource_id"],
        "now": [heir],
        "fate": REPLACED,
        "why": "published by an earlier reading of the archive",
        "known_by": sorted({known for line in lines for known in line["known_by"]}),
        "own": [],
        "first_seen_at": None,
        "minted_run": first["run"],
        "since_run": first["run"],
        "since_at": first["published_at"],
    }


def _taken_down(lines: Sequence[Mapping[str, Any]], said: Takedown) -> Row:
    why = f"taken down on {said.said_at:%Y-%m-%d}: {said.why}"
    since = {"since_run": said.after_run, "since_at": said.said_at}
    return {**_replaced(lines, lines[0]["resource_id"]), "fate": TAKEN_DOWN, "why": why, **since}

"""Published tables without a resource that was taken down: the same release, its rows gone, its digests renewed.

The folder is written anew aside; who calls puts it in the old one's place. Nothing else in it changes but where the
archive itself did: digests of pages that another record of the archive now holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from releases.store import MANIFEST, write_set
from releases.tables import lay_out, read_rows
from schema.disk import sync
from schema.errors import DamagedArchive
from schema.tables import PAGES, TABLES

Row = dict[str, Any]
Tables = dict[str, list[Row]]
_RENEWED = ("schema_version", "news_digest", "tables")
_LEAST_TITLE_CHARS = 8


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What is to leave tables.

    addresses and resource_ids: whose rows go. titles: what they were called. holds_text: whether a text has a passage
    of theirs in it. payloads: sha256 and size in bytes of the pages that the archive holds otherwise now, by file and
    offset; gone: those of which nothing is left. note: what is said of their pages. entry: of the list `takedowns` of
    release.json. inputs: sha256 of the archives that changed, by name.
    """

    addresses: frozenset[str]
    resource_ids: frozenset[str]
    titles: frozenset[str]
    holds_text: Callable[[str], bool]
    payloads: Mapping[tuple[str, int], tuple[str, int]]
    gone: frozenset[tuple[str, int]]
    note: str
    entry: Mapping[str, Any]
    inputs: Mapping[str, str]

    def speaks_of(self, text: str) -> bool:
        """Whether a text gives a title or a passage away."""
        return any(title in text for title in self.titles if len(title) >= _LEAST_TITLE_CHARS) or self.holds_text(text)


def withdraw(tables: Mapping[str, Sequence[Row]], what: Withdrawal) -> Tables:
    """Rows of a release without those of a resource; rows of `ids` and `pages` stay, without its words."""
    ids, addresses = what.resource_ids, what.addresses
    gone = {row["record_id"] for row in tables["records"] if _is_gone(row, what)}
    named = ids | gone

    def is_left(table: str, row: Row) -> bool:
        if table == "rejects":
            return row["page_url"] not in addresses and not what.speaks_of(row["excerpt"] + "\n" + row["message"])
        if table == "pairs":
            return not {row["left"], row["right"], row["left_id"], row["right_id"]} & named
        if table in ("records", "passages"):
            return row["record_id"] not in gone
        if table in ("resources", "changes", "history"):
            return row["resource_id"] not in ids and (table != "resources" or row["url"] not in addresses)
        return True

    left = {name: [row for row in rows if is_left(name, row)] for name, rows in tables.items()}
    left["ids"] = [_without_words(row, what) for row in left["ids"]]
    left["pages"] = withdraw_pages(left["pages"], what)
    left["records"] = [_renewed(row, what) for row in left["records"]]
    return left


def _is_gone(record: Row, what: Withdrawal) -> bool:
    is_own = record["resource_id"] in what.resource_ids or bool({record["url"], record["page_url"]} & what.addresses)
    return is_own or (record["warc_file"], record["warc_offset"]) in what.gone


def withdraw_pages(pages: Sequence[Row], what: Withdrawal) -> list[Row]:
    """Rows of `pages` with nothing but a note on those taken down, and the digests of what the archive holds now."""
    return [_noted(_renewed(row, what), what) for row in pages]


def stage_withdrawn(folder: Path, target: Path, what: Withdrawal) -> int:
    """Write the folder of a release, or of a held run, anew without a resource; how many rows went.

    Nothing is written where nothing would change, and 0 is returned.

    Raises:
        DamagedArchive: the folder cannot be read as it was written.
    """
    manifest = _read_json(folder / MANIFEST)
    old = {table.name: read_rows(table, folder / f"{table.name}.parquet") for table in TABLES}
    new = withdraw(old, what)
    archives = [{**one, "sha256": what.inputs.get(one["file"], one["sha256"])} for one in manifest.get("inputs", ())]
    if new == old and archives == manifest.get("inputs", []):
        return 0
    facts = {key: value for key, value in manifest.items() if key not in _RENEWED}
    told = [entry for entry in facts.get("takedowns", ()) if entry["url"] != what.entry["url"]]
    target.mkdir(parents=True)
    write_set(target, new, {**facts, "inputs": archives, "takedowns": [*told, what.entry]})
    _sync_all(target)
    return sum(len(old[name]) - len(new[name]) for name in old)


def stage_run(folder: Path, target: Path, what: Withdrawal) -> None:
    """Write a run's folder anew, where its pages speak of a resource or are held otherwise now."""
    pages = read_rows(PAGES, folder / "pages.parquet")
    new = withdraw_pages(pages, what)
    if new == pages:
        return
    target.mkdir(parents=True)
    lay_out(PAGES, new, target).copy_to(target / "pages.parquet")
    (target / "run.json").write_bytes((folder / "run.json").read_bytes())
    _sync_all(target)


def _noted(row: Row, what: Withdrawal) -> Row:
    if row["url"] in what.addresses and row["canonical_url"] is not None:
        return {**row, "notes": [what.note]}
    notes = [note for note in row["notes"] if not what.speaks_of(note)]
    return {**row, "notes": notes}


def _renewed(row: Row, what: Withdrawal) -> Row:
    found = what.payloads.get((row["warc_file"], row["warc_offset"]))
    if found is None:
        return row
    return {**row, "payload_digest": found[0], **({"size_bytes": found[1]} if "size_bytes" in row else {})}


def _without_words(row: Row, what: Withdrawal) -> Row:
    is_its_own = row["resource_id"] in what.resource_ids
    own = [] if is_its_own or any(what.speaks_of(field["value"]) for field in row["own"]) else row["own"]
    is_said = not is_its_own and what.speaks_of(row["why"])
    return {**row, "own": own, "why": what.note if is_said else row["why"]}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedArchive(f"{path}: cannot be read ({error}); restore it, or remove its folder") from None
    return values


def _sync_all(folder: Path) -> None:
    for path in (*sorted(folder.iterdir()), folder):
        sync(path)

"""The proof that a text is gone: everything kept of a source is opened and searched, whatever it is packed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from harvest.answers import BrokenAnswer
from harvest.members import Damage, WarcRecord, scan_records
from harvest.payloads import read_payload
from parsers.sought import Passages, find_sought
from schema.errors import DamagedArchive


def find_residue(folders: Iterable[Path], passages: Passages) -> list[str]:
    """Where passages, or teasers of them, still stand: files, with the offset of a record or the name of a column."""
    if not passages.keys:
        return []
    return [
        place
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
        for place, content in _contents(path)
        if find_sought(content, passages)
    ]


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if ".warc" in path.name:
        yield from _records(path)
    elif path.suffix == ".parquet":
        # cell by cell, for pages of a Parquet file are compressed; a text ends where its cell does
        for name, column in pq.read_table(path).to_pydict().items():
            yield f"{path}, {name}", "\n<hr>\n".join({text for cell in column for text in _words(cell)}).encode()
            # pieces of one text, as of the copy of a ledger
            yield f"{path}, {name}", b"".join(cell for cell in column if isinstance(cell, bytes))
    else:
        yield str(path), path.read_bytes()


def _records(path: Path) -> Iterator[tuple[str, bytes]]:
    for record in _sound(path):
        place = f"{path}, offset {record.offset}"
        yield place, record.block
        if record.kind in ("response", "resource", "conversion"):
            try:
                yield place, read_payload(path, record.offset).content
            except BrokenAnswer:
                continue


def _sound(path: Path) -> Iterator[WarcRecord]:
    """The records of a file that can be read; who calls says which cannot."""
    with suppress(DamagedArchive):
        yield from (record for record in scan_records(path) if not isinstance(record, Damage))


def _words(cell: Any) -> Iterator[str]:
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, dict):
        yield from (text for value in cell.values() for text in _words(value))
    elif isinstance(cell, list):
        yield from (text for value in cell for text in _words(value))

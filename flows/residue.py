"""The proof that a text is gone: everything kept of a source is opened and searched, whatever it is packed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from harvest.answers import BrokenAnswer
from harvest.members import Damage, scan_records
from harvest.payloads import read_payload
from parsers.sought import find_sought


def find_residue(folders: Iterable[Path], keys: frozenset[str]) -> list[str]:
    """Where passages of some keys still stand: files, with the offset of the record or the name of the column."""
    if not keys:
        return []
    return [
        place
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
        for place, content in _contents(path)
        if find_sought(content, keys)
    ]


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if ".warc" in path.name:
        yield from _records(path)
    elif path.suffix == ".parquet":
        # cell by cell: pages of a Parquet file are compressed
        for name, column in pq.read_table(path).to_pydict().items():
            yield f"{path}, {name}", "\n".join({text for cell in column for text in _words(cell)}).encode()
    else:
        yield str(path), path.read_bytes()


def _records(path: Path) -> Iterator[tuple[str, bytes]]:
    for record in scan_records(path):
        if isinstance(record, Damage):
            continue
        place = f"{path}, offset {record.offset}"
        yield place, record.block
        if record.kind in ("response", "resource", "conversion"):
            try:
                yield place, read_payload(path, record.offset).content
            except BrokenAnswer:
                continue


def _words(cell: Any) -> Iterator[str]:
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, dict):
        yield from (text for value in cell.values() for text in _words(value))
    elif isinstance(cell, list):
        yield from (text for value in cell for text in _words(value))

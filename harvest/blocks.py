"""Reading an archive: its records in order, one record by its place, the ledger that closes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harvest.members import Damage, WarcRecord, record_at, scan_records
from schema.errors import DamagedArchive

LEDGER_URI = "urn:moisson:ledger"
PART_SUFFIX = ".part"


@dataclass(frozen=True, slots=True)
class ArchivedBlock:
    """Where one record of a WARC lies, and what its header says of it."""

    path: Path
    offset: int
    length: int
    kind: str
    url: str
    archived_at: datetime
    content_type: str

    def read(self) -> bytes:
        """The bytes of the record's block.

        Raises:
            DamagedArchive: not what was written.
        """
        return read_block(self.path, self.offset)[1]


def scan(path: Path) -> Iterator[ArchivedBlock | Damage]:
    """The sound records of a WARC in order, `warcinfo` left out, and what is damaged between them.

    Raises:
        DamagedArchive: there is no such file, or it is no WARC at all.
    """
    for found in scan_records(path):
        if isinstance(found, Damage):
            yield found
        elif found.kind != "warcinfo":
            yield _described(path, found)


def read_blocks(path: Path) -> Iterator[ArchivedBlock]:
    """The records of a WARC in order, `warcinfo` left out.

    Raises:
        DamagedArchive: missing, not a WARC, not one gzip member a record, or damaged anywhere.
    """
    for found in scan(path):
        if isinstance(found, Damage):
            raise DamagedArchive(
                f"{path}: not a readable WARC: cut or damaged at offset {found.offset} ({found.reason}); "
                "restore it from a copy"
            )
        yield found


def read_block(path: Path, offset: int) -> tuple[ArchivedBlock, bytes]:
    """The record that starts at an offset, and its block, checked against its digest.

    Raises:
        DamagedArchive: no record starts there, it is cut, or its bytes are not those that were written.
    """
    record = record_at(path, offset)
    return _described(path, record), record.block


def read_ledger(path: Path) -> dict[str, Any] | None:
    """The ledger that closes a run's WARC; None when it holds none that is sound.

    Damage of other records is theirs: it is met by whoever reads them.
    """
    last = None
    for block in scan(path):
        if not isinstance(block, Damage) and block.kind == "metadata" and block.url == LEDGER_URI:
            last = block
    if last is None:
        return None
    ledger: dict[str, Any] = json.loads(last.read())
    return ledger


def _described(path: Path, record: WarcRecord) -> ArchivedBlock:
    content_type = record.header("content-type")
    return ArchivedBlock(path, record.offset, record.length, record.kind, record.url, record.archived_at, content_type)

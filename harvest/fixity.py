"""Whether the archives still hold what was written, record by record, and which rows rest on those that do not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from harvest.index import archives, read_index
from harvest.members import Damage, record_at, scan_records
from schema.errors import DamagedArchive

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A record, or a stretch between records (url empty), that is not what was written."""

    file: str
    offset: int
    url: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, offset {self.offset}{f', {self.url}' if self.url else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Dependents:
    """Rows that rest on faulty records, sorted."""

    urls: tuple[str, ...]
    record_ids: tuple[str, ...]
    resource_ids: tuple[str, ...]


def check(raw: Path, in_part: Collection[str] = ()) -> list[Fault]:
    """Everything in a source's archives that is not as the index says: changed, cut, missing, added.

    A damaged index is one fault; the archives are then checked by their own checksums alone, as are archives that the
    index does not know.

    Args:
        raw: folder of the archives.
        in_part: names of archives that are only to be looked for: whether they are there, as long as they were.
    """
    faults: list[Fault] = []
    try:
        rows = read_index(raw).sort_by([("file", "ascending"), ("offset", "ascending")]).to_pylist()
    except DamagedArchive as error:
        faults, rows = [Fault("index.parquet", 0, "", str(error))], []
    for file, group in groupby(rows, key=lambda row: str(row["file"])):
        told = list(group)
        faults += _check_size(raw / file, told) if file in in_part else _check_indexed(raw / file, told)
    indexed = {row["file"] for row in rows}
    for path in archives(raw):
        if path.name not in indexed and path.name not in in_part:
            faults += _check_alone(path)
    return faults


def check_tonight(raw: Path, night: int, most_bytes: int) -> list[Fault]:
    """What `check` finds in as many archives as so many bytes are: the newest, and others in turn, night by night.

    The newest, and one other, are read whatever they hold; every other archive is looked for and measured.

    Args:
        raw: folder of the archives.
        night: counts the nights.
        most_bytes: to be read in one of them.
    """
    paths = archives(raw)
    older = len(paths) - 1
    turn = paths[-1:] + [paths[(night + place) % older] for place in range(older)]
    sizes = [path.stat().st_size for path in turn]
    left_out = [path.name for place, path in enumerate(turn) if place > 1 and sum(sizes[: place + 1]) > most_bytes]
    return check(raw, left_out)


def dependent_rows(tables: Mapping[str, Iterable[Row]], faults: Iterable[Fault], index: pa.Table) -> Dependents:
    """The rows of a release that were read from faulty records, straight or through a revisit of one.

    Args:
        tables: rows with `warc_file` and `warc_offset`: `pages` gives urls, `records` record_ids and resource_ids.
        faults: what `check` found.
        index: of the same archives; tells which revisits repeat a faulty record.
    """
    places = _spread({(fault.file, fault.offset) for fault in faults}, index)

    def hit(table: str) -> list[Row]:
        return [row for row in tables.get(table, ()) if (row["warc_file"], row["warc_offset"]) in places]

    records = hit("records")
    return Dependents(
        urls=_sorted({row["url"] for row in hit("pages")} | {row["page_url"] for row in records}),
        record_ids=_sorted({row["record_id"] for row in records}),
        resource_ids=_sorted({row["resource_id"] for row in records}),
    )


def _sorted(values: set[str]) -> tuple[str, ...]:
    return tuple(sorted(values))


def _spread(places: set[tuple[str, int]], index: pa.Table) -> set[tuple[str, int]]:
    """Faulty places, and those of the records that refer to one, step by step."""
    columns = ("file", "offset", "refers_to_file", "refers_to_offset")
    links = [row for row in index.select(columns).to_pylist() if row["refers_to_file"] is not None]
    while True:
        more = {
            (row["file"], row["offset"]) for row in links if (row["refers_to_file"], row["refers_to_offset"]) in places
        }
        if more <= places:
            return places
        places = places | more


def _check_indexed(path: Path, rows: list[dict[str, Any]]) -> Iterator[Fault]:
    """Compare a file with its rows, which are sorted by offset."""
    try:
        with path.open("rb") as stream:
            for row in rows:
                stream.seek(row["offset"])
                if sha256(stream.read(row["length"])).hexdigest() != row["member_sha256"]:
                    yield Fault(path.name, row["offset"], row["url"], _why(path, row["offset"]))
            end = rows[-1]["offset"] + rows[-1]["length"]
            if (more := stream.seek(0, 2) - end) > 0:
                yield Fault(path.name, end, "", f"{more} bytes were added after the last record")
    except OSError as error:
        for row in rows:
            yield Fault(path.name, row["offset"], row["url"], f"the file cannot be read ({error.strerror})")


def _check_size(path: Path, rows: list[dict[str, Any]]) -> Iterator[Fault]:
    """Compare the length of a file with that of its rows; what is wrong is told record by record."""
    end = rows[-1]["offset"] + rows[-1]["length"]
    if not path.is_file() or path.stat().st_size != end:
        yield from _check_indexed(path, rows)


def _why(path: Path, offset: int) -> str:
    try:
        record_at(path, offset)
    except DamagedArchive as error:
        return str(error).rpartition(f"offset {offset} (")[2].removesuffix(")")
    return "its bytes are not those that were written (sha256 differs), though it can be read"


def _check_alone(path: Path) -> Iterator[Fault]:
    try:
        for found in scan_records(path):
            if isinstance(found, Damage):
                yield Fault(path.name, found.offset, "", f"{found.length} bytes that hold no record: {found.reason}")
    except DamagedArchive as error:
        yield Fault(path.name, 0, "", str(error))

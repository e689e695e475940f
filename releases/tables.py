"""Rows -> Parquet and back, by the declared schemas alone; and the logical digest of a table.

A table is at no time held as a whole: its rows are laid out some thousand at a time, in a file that is published as it
is, and made anew from it each time they are read. The logical digest is over sorted, typed rows without volatile
columns, written as JSON: it does not hang on the Parquet writer, its version or the machine.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice, pairwise
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from weakref import finalize

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schema.errors import Bug, DamagedArchive
from schema.lazily import MadeAnew
from schema.tables import Table

# a row group is held as a whole while it is written: as many rows, or as many bytes in Arrow
GROUP_ROWS = 122_880
GROUP_BYTES = 16 << 20
_CHUNK_ROWS = 1024
_IN_MEMORY_BYTES = 1 << 20

Row = dict[str, Any]


class TableRows(MadeAnew[Row]):
    """The rows of a table as plain values, made as they are read from its Parquet file: as dicts they weigh tenfold.

    The file is kept open, so that it may be removed meanwhile. For one row those before it are read too.
    """

    def __init__(self, table: Table, stream: IO[bytes], name: str = "") -> None:
        """Open a file.

        Raises:
            DamagedArchive: it is damaged, or not of the declared schema.
        """
        self.table, self._stream, self._name = table, stream, name or f"table {table.name}"
        finalize(self, stream.close)
        try:
            self._file = pq.ParquetFile(pa.PythonFile(stream, "r"), page_checksum_verification=True)
            schema = self._file.schema_arrow
        except (OSError, pa.ArrowException, ValueError) as error:
            raise self._damaged(error) from None
        if not schema.equals(table.schema, check_metadata=False):
            raise DamagedArchive(
                f"{self._name}: its columns are not those of the table {table.name}; `moisson rebuild` it"
            )

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def made(self, place: int) -> Row:
        """The row at a place."""
        return next(islice(self, place, None))

    def __iter__(self) -> Iterator[Row]:
        for batch in self._batches(None):
            yield from batch.to_pylist()

    def columns(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The values of some columns, row by row."""
        for batch in self._batches(names):
            yield from zip(*(batch[name].to_pylist() for name in names), strict=True)

    def _batches(self, names: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        count = 0
        try:
            for batch in self._file.iter_batches(_CHUNK_ROWS, columns=names and list(names), use_threads=False):
                count += len(batch)
                yield batch
        except (OSError, pa.ArrowException, ValueError) as error:
            raise self._damaged(error) from None
        if count != len(self):  # a footer has no checksum: where it is damaged, Arrow may end early
            raise self._damaged(f"it gives {count} of {len(self)} rows")

    def _damaged(self, error: object) -> DamagedArchive:
        return DamagedArchive(f"{self._name}: not a readable table ({error}); `moisson rebuild` makes it again")

    def copy_to(self, path: Path) -> None:
        """Write the file, as it is, under a name."""
        self._stream.seek(0)
        with path.open("wb") as out:
            shutil.copyfileobj(self._stream, out)


def lay_out(table: Table, rows: Iterable[Mapping[str, Any]], scratch: Path | None = None) -> TableRows:
    """The rows in a Parquet file of the declared schema that has no name yet, key checked.

    Args:
        table: what is declared.
        rows: each with every column. What is laid out already is given back.
        scratch: folder for files that are too large to be held in memory; the system's own if it is not given.

    Raises:
        Bug: a column is missing or of another type, a value is null where it may not be, or a key is there twice.
        OSError: no room in that folder.
    """
    if isinstance(rows, TableRows) and rows.table == table:
        return rows
    stream = SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(scratch) if scratch else None)  # noqa: SIM115  # see finalize
    try:
        is_sorted = _write(table, rows, stream)
        stream.seek(0)
        made = TableRows(table, stream)
    except BaseException:
        stream.close()
        raise
    if not is_sorted:
        _require_unique(made)
    return made


def _write(table: Table, rows: Iterable[Mapping[str, Any]], stream: Any) -> bool:
    """Write zstd, page checksums, dictionaries on closed lists only; whether each key is greater than the one before.

    A row group is closed by its rows alone, so that equal rows give equal files.
    """
    closed = [c.name for c in table.columns if pa.types.is_dictionary(c.type)]
    each, last, is_sorted = iter(rows), None, True
    with pq.ParquetWriter(
        pa.PythonFile(stream, "w"),
        table.schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=closed,
        write_page_checksum=True,
        write_page_index=True,
    ) as writer:
        parts: list[pa.Table] = [table.schema.empty_table()]
        while chunk := list(islice(each, _CHUNK_ROWS)):
            parts.append(_part(table, chunk))
            for row in chunk if is_sorted else ():
                key = tuple(row[name] for name in table.key)
                is_sorted, last = is_sorted and (last is None or last < key), key
            if sum(len(part) for part in parts) >= GROUP_ROWS or sum(part.nbytes for part in parts) >= GROUP_BYTES:
                _write_group(writer, parts)
                parts = []
        if parts:
            _write_group(writer, parts)
    return is_sorted


def _write_group(writer: pq.ParquetWriter, parts: Sequence[pa.Table]) -> None:
    group = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    writer.write_table(group, max(1, len(group)))


def _part(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Some rows of a table, each value checked."""
    names = [c.name for c in table.columns]
    if odd := next((row for row in rows if row.keys() != set(names)), None):
        wrong = ", ".join(sorted(odd.keys() ^ set(names)))
        raise Bug(f"table {table.name}: a row has other columns than declared: {wrong}")
    try:
        made = pa.Table.from_pylist([dict(row) for row in rows], schema=table.schema)
    except (pa.ArrowException, OverflowError, UnicodeError, ValueError, TypeError) as error:
        raise Bug(f"table {table.name}: {error}") from error
    for column in table.columns:
        if not column.is_nullable and made[column.name].null_count:
            raise Bug(f"table {table.name}: column {column.name} holds nulls")
        # Arrow cuts 3.7 to 3 and takes the letters of a text for a list
        if made[column.name].to_pylist() != [row[column.name] for row in rows]:
            raise Bug(f"table {table.name}: column {column.name} holds values that are not {column.type}")
        if pa.types.is_list(column.type) and pc.list_flatten(made[column.name]).null_count:
            raise Bug(f"table {table.name}: column {column.name} holds lists with nulls in them")
    return made


def _require_unique(rows: TableRows) -> None:
    if len(set(rows.columns(*rows.table.key))) != len(rows):
        raise Bug(f"table {rows.table.name}: the key {', '.join(rows.table.key)} is not unique")


def open_table(table: Table, path: Path) -> TableRows:
    """A table as it was published, its schema verified at once, and the checksum of each page when that is read.

    Raises:
        DamagedArchive: missing, damaged, or not of the declared schema.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DamagedArchive(f"{path}: not a readable table ({error}); `moisson rebuild` makes it again") from None
    return TableRows(table, stream, str(path))


def read_rows(table: Table, path: Path) -> list[Row]:
    """The rows of a published table as plain values.

    Raises:
        DamagedArchive: missing, damaged, or not of the declared schema.
    """
    return list(open_table(table, path))


def logical_digest(table: Table, rows: Iterable[Mapping[str, Any]], leave_out: Iterable[str] = ()) -> str:
    """sha256 over the rows, sorted by key, without volatile columns and those left out."""
    names = [name for name in table.lasting if name not in set(leave_out)]
    digest = sha256(json.dumps([table.name, names]).encode())
    for row in _by_key(table, rows):
        digest.update(json.dumps([row[name] for name in names], ensure_ascii=False, default=str).encode() + b"\n")
    return digest.hexdigest()


def _by_key(table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """The rows in the order of their keys; those that stand so already are not all held at once."""
    if isinstance(rows, TableRows) and all(one <= two for one, two in pairwise(rows.columns(*table.key))):
        return rows
    return sorted(rows, key=lambda row: tuple(row[name] for name in table.key))

"""Rows -> Arrow -> Parquet and back, by the declared schemas alone; and the logical digest of a table.

The logical digest is over sorted, typed rows without volatile columns, written as JSON: it does not hang on the Parquet
writer, its version or the machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, overload

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schema.errors import Bug, DamagedArchive
from schema.tables import Table

ROW_GROUP_ROWS = 122_880
_CHUNK_ROWS = 1024


class TableRows(Sequence[Mapping[str, Any]]):
    """The rows of a table as plain values, made as they are read: kept as dicts they weigh ten times as much."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        """One row, or several."""
        places = range(len(self))[place]
        rows: list[dict[str, Any]] = self.table.take([places] if isinstance(places, int) else list(places)).to_pylist()
        return rows[0] if isinstance(places, int) else rows

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for batch in self.table.to_batches(max_chunksize=_CHUNK_ROWS):
            yield from batch.to_pylist()


def to_arrow(table: Table, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The rows as an Arrow table of the declared schema, key checked; some thousand rows at a time.

    Raises:
        Bug: a column is missing or of another type, a value is null where it may not be, or a key is there twice.
    """
    if isinstance(rows, TableRows) and rows.table.schema.equals(table.schema):
        return rows.table
    each = iter(rows)
    parts = list(iter(lambda: _part(table, list(islice(each, _CHUNK_ROWS))), None))
    made = pa.concat_tables([table.schema.empty_table(), *parts]).unify_dictionaries().combine_chunks()
    _check_key(table, made)
    return made


def _part(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table | None:
    """Some rows of a table, each value checked; None when there are none."""
    if not rows:
        return None
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


def _check_key(table: Table, made: pa.Table) -> None:
    keys = made.select(list(table.key))
    plain = pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in keys.schema])
    if keys.cast(plain).group_by(list(table.key)).aggregate([]).num_rows != len(made):
        raise Bug(f"table {table.name}: the key {', '.join(table.key)} is not unique")


def write_parquet(table: Table, made: pa.Table, path: Path) -> None:
    """Write a table: zstd, page checksums, dictionaries on closed lists only."""
    closed = [c.name for c in table.columns if pa.types.is_dictionary(c.type)]
    pq.write_table(
        made,
        path,
        compression="zstd",
        compression_level=3,
        use_dictionary=closed,
        write_page_checksum=True,
        write_page_index=True,
        row_group_size=ROW_GROUP_ROWS,
    )


def read_parquet(table: Table, path: Path) -> pa.Table:
    """A table as it was published, its schema and page checksums verified.

    Raises:
        DamagedArchive: missing, damaged, or not of the declared schema.
    """
    try:
        read = pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DamagedArchive(f"{path}: not a readable table ({error}); `moisson rebuild` makes it again") from None
    if not read.schema.equals(table.schema, check_metadata=False):
        raise DamagedArchive(f"{path}: its columns are not those of the table {table.name}; `moisson rebuild` it")
    return read


def read_rows(table: Table, path: Path) -> list[dict[str, Any]]:
    """The rows of a published table as plain values."""
    rows: list[dict[str, Any]] = read_parquet(table, path).to_pylist()
    return rows


def logical_digest(table: Table, rows: Iterable[Mapping[str, Any]], leave_out: Iterable[str] = ()) -> str:
    """sha256 over the rows, sorted by key, without volatile columns and those left out."""
    names = [name for name in table.lasting if name not in set(leave_out)]
    digest = sha256(json.dumps([table.name, names]).encode())
    for row in _by_key(table, rows):
        digest.update(json.dumps([row[name] for name in names], ensure_ascii=False, default=str).encode() + b"\n")
    return digest.hexdigest()


def _by_key(table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """The rows in the order of their keys; those that stand so already are not all held at once."""

    def key(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in table.key)

    if isinstance(rows, TableRows) and all(key(one) <= key(two) for one, two in pairwise(rows)):
        return rows
    return sorted(rows, key=key)

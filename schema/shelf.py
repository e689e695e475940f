"""What was read and is not looked at now is put aside as bytes, and made anew when it is looked at.

A hundred thousand records weigh ten times as much as objects as what they say. Where the bytes lie is for the caller to
tell: nothing here touches the disk.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from schema.lazily import MadeAnew
from schema.nouns import Link, Passage, Record, Span

Row = Mapping[str, Any]


class Shelf(Protocol):
    """Bytes put aside, each found again by the number that it was given."""

    def put(self, data: bytes) -> int:
        """Put bytes aside; where they are."""

    def get(self, place: int) -> bytes:
        """The bytes at a place."""


class MemoryShelf:
    """Bytes put aside in memory; a large catalogue has them in a file (flows.shelves)."""

    def __init__(self) -> None:
        self._things: list[bytes] = []

    def put(self, data: bytes) -> int:
        """Put bytes aside; where they are."""
        self._things.append(data)
        return len(self._things) - 1

    def get(self, place: int) -> bytes:
        """The bytes at a place."""
        return self._things[place]


@dataclass(frozen=True, slots=True)
class ShelvedText:
    """A text put aside."""

    shelf: Shelf
    place: int

    def read(self) -> str:
        """The text."""
        return self.shelf.get(self.place).decode(errors="surrogatepass")


def shelve_text(text: str, shelf: Shelf) -> ShelvedText:
    """Put a text aside."""
    return ShelvedText(shelf, shelf.put(text.encode(errors="surrogatepass")))


class ShelvedRecords(MadeAnew[Record]):
    """Records put aside; heads: url and title of each."""

    __slots__ = ("_places", "_shelf", "heads")

    def __init__(self, records: Iterable[Record], shelf: Shelf) -> None:
        self._shelf = shelf
        each = [(shelf.put(_record_bytes(record)), (record.url, record.title)) for record in records]
        self._places = tuple(place for place, _ in each)
        self.heads = tuple(head for _, head in each)

    def __len__(self) -> int:
        return len(self._places)

    def made(self, place: int) -> Record:
        """The record at a place."""
        return _record(self._shelf.get(self._places[place]), *self.heads[place])


def _record_bytes(record: Record) -> bytes:
    """A record without its head; for this process alone."""
    return marshal.dumps(
        (
            record.page_url,
            record.position,
            record.type,
            record.is_private,
            [(p.kind, p.text) for p in record.body],
            [(p.kind, p.text) for p in record.resume],
            [(link.text, link.url) for link in record.links],
            (record.span.start, record.span.end),
            [(name, span.start, span.end) for name, span in record.part_spans.items()],
            record.block_digest,
            record.keywords,
            None if record.month is None else record.month.toordinal(),
        )
    )


def _record(data: bytes, url: str | None, title: str) -> Record:
    told: tuple[Any, ...] = marshal.loads(data)  # noqa: S302 - made by this process
    page_url, position, kind, is_private, body, resume, links, span, spans, digest, keywords, month = told
    return Record(
        page_url,
        position,
        url,
        title,
        kind,
        is_private,
        tuple(Passage(*passage) for passage in body),
        tuple(Passage(*passage) for passage in resume),
        tuple(Link(*link) for link in links),
        Span(*span),
        {name: Span(start, end) for name, start, end in spans},
        digest,
        keywords,
        None if month is None else date.fromordinal(month),
    )


def heads(records: Sequence[Record]) -> Iterable[tuple[str | None, str]]:
    """Url and title of each record."""
    return records.heads if isinstance(records, ShelvedRecords) else ((one.url, one.title) for one in records)


def _row_bytes(row: Row) -> bytes:
    """A row, its values plain but for dates; for this process alone."""
    dates = {name: value.isoformat() for name, value in row.items() if isinstance(value, date)}
    moments = [name for name, value in row.items() if isinstance(value, datetime)]
    return marshal.dumps(({**row, **dates}, moments, [name for name in dates if name not in moments]))


def _row(data: bytes) -> dict[str, Any]:
    row, moments, days = marshal.loads(data)  # noqa: S302 - made by this process
    for name in moments:
        row[name] = datetime.fromisoformat(row[name])
    for name in days:
        row[name] = date.fromisoformat(row[name])
    made: dict[str, Any] = row
    return made


class ShelvedRows(Mapping[str, dict[str, Any]]):
    """Rows by their key, put aside and made anew when they are looked at."""

    def __init__(self, shelf: Shelf, key: str, rows: Iterable[Row] = ()) -> None:
        self.shelf, self._key = shelf, key
        self._places: dict[str, int] = {}
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Put a row aside, in the place of one with its key."""
        self._places[row[self._key]] = self.shelf.put(_row_bytes(row))

    def __getitem__(self, key: str) -> dict[str, Any]:
        return _row(self.shelf.get(self._places[key]))

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def ordered(self) -> RowsInOrder:
        """The rows in the order of their keys."""
        return RowsInOrder(self, sorted(self._places))


class RowsInOrder(MadeAnew[dict[str, Any]]):
    """Rows that were put aside, in the order of some keys."""

    __slots__ = ("_keys", "_rows")

    def __init__(self, rows: ShelvedRows, keys: Sequence[str]) -> None:
        self._rows, self._keys = rows, keys

    def __len__(self) -> int:
        return len(self._keys)

    def made(self, place: int) -> dict[str, Any]:
        """The row at a place."""
        return self._rows[self._keys[place]]

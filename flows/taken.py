"""What persons had taken down, as a reader meets it again: the site may go on showing it, here or elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from flows.decisions import read_takedowns
from parsers.sought import sought_in
from schema.layout import Layout
from schema.nouns import PageReading, Record

NOTE = "taken down: its content is neither kept nor published"


@dataclass(frozen=True, slots=True)
class Taken:
    """Addresses of which nothing is read, asked or published any more, and prints of the passages that stood there."""

    addresses: frozenset[str] = frozenset()
    prints: frozenset[str] = frozenset()

    def as_values(self) -> list[list[str]]:
        """As plain values, always in one order."""
        return [sorted(self.addresses), sorted(self.prints)]

    def holds(self, record: Record) -> bool:
        """Whether a record states it: by its address or, wherever the site has it now, by half of its words."""
        return record.url in self.addresses or self.holds_words(record)

    def holds_words(self, record: Record) -> bool:
        """Whether at least half of a record's words are its."""
        prints = prints_of(sought_in(texts_of(record))) if self.prints else frozenset()
        return bool(prints) and len(prints & self.prints) * 2 >= len(prints)


def taken_down(layout: Layout) -> Taken:
    """All that was taken down of a source.

    Raises:
        DamagedArchive: what persons decided cannot be read.
    """
    said = read_takedowns(layout)
    return Taken(frozenset(a for one in said for a in one.addresses), frozenset(p for one in said for p in one.prints))


def prints_of(keys: Iterable[str]) -> frozenset[str]:
    """What passages are known again by once they are gone: no word can be read from it."""
    return frozenset(sha256(key.encode("utf-8", errors="replace")).hexdigest()[:20] for key in keys)


def texts_of(record: Record) -> Iterator[str]:
    """The passages of a record."""
    yield from (passage.text for passage in (*record.body, *record.resume))


def without_taken(page: PageReading, taken: Taken) -> PageReading:
    """The reading without records of what was taken down; of such an address's own page nothing is left.

    Positions of the other records stay: they tell the place on the page.
    """
    if not taken.addresses:
        return page
    if {page.page_url, page.canonical_url} & taken.addresses:
        bare = PageReading(page.page_url, page.page_url, notes=(NOTE,))
        return replace(bare, parser=page.parser, parser_version=page.parser_version)
    records = tuple(record for record in page.records if not taken.holds(record))
    return replace(page, records=records) if len(records) < len(page.records) else page

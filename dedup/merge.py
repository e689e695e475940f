"""Records of one resource -> its row: each value from the best record, by one rule.

The best record is one of the resource's own page, that is of the page whose address or canonical address is its own;
then one of a listing; then one that another page shows (a card of `related resources`); then the newest imported copy.
Among equals it is the one that says most, by the characters of its text; then the first by address of the page without
its query, by query, and by position, so that neither the place on a listing nor its pages decide. It gives title, type,
privacy, text and links together, so that a row never mixes two moments of one resource; themes come from all listings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from dedup.collapse import Collapsed, Decision
from dedup.identity import group_key
from schema.folding import fold
from schema.nouns import Reading, Record, Visit
from schema.shelf import Shelf, ShelvedText, shelve_text

PARAGRAPH_BREAK = "\n\n"
# what a reader of values sees; times and counts left out
CONTENT_COLUMNS = (
    "url", "title", "type", "is_private", "summary", "themes", "keywords", "published_month", "links", "state",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What a record says, collapsed: its text (None when there is none), put aside, and what became of its passages."""

    text: ShelvedText | None
    decisions: tuple[Decision, ...]


def tell(collapsed: Collapsed, shelf: Shelf) -> Told:
    """The text of a collapse put aside, and its decisions."""
    text = PARAGRAPH_BREAK.join(p.text for p in collapsed.summary)
    return Told(shelve_text(text, shelf) if text else None, collapsed.decisions)


@dataclass(frozen=True, slots=True)
class Stated:
    """A record in its place: who states it, when, how it collapses, and whether the page is the resource's own.

    records, number: those of its page, and which of them it is; key: what the site itself knows it by. Record and text
    are read anew each time they are looked at.
    """

    records: Sequence[Record]
    number: int
    record_id: str
    key: str
    url: str | None
    title: str
    type: str | None
    is_private: bool | None
    page_url: str
    position: int
    visit: Visit
    told: Told
    theme: str | None
    is_copy: bool
    parser: str
    parser_version: str
    is_own: bool

    @classmethod
    def of(
        cls, reading: Reading, number: int, record: Record, record_id: str, told: Told, *, is_own: bool = False
    ) -> Stated:
        """A record of a page, by its number there; record is the same at its canonical address."""
        visit, page = reading.visit, reading.page
        return cls(
            page.records,
            number,
            record_id,
            group_key(record),
            record.url,
            record.title,
            record.type,
            record.is_private,
            # one text a page, not one a record
            visit.url if record.page_url == visit.url else record.page_url,
            record.position,
            visit,
            told,
            theme=page.heading if visit.role == "listing" else None,
            is_copy=visit.role == "copy",
            parser=page.parser,
            parser_version=page.parser_version,
            is_own=is_own,
        )

    @property
    def record(self) -> Record:
        """The whole record, at its canonical address."""
        record = self.records[self.number]
        return record if record.url == self.url else replace(record, url=self.url)

    @property
    def summary(self) -> str | None:
        """The collapsed text, None when there is none."""
        return self.told.text.read() if self.told.text else None

    @property
    def seen_at(self) -> datetime:
        """When the page was fetched or the copy made."""
        if self.visit.fetched_at is None:
            raise ValueError(f"{self.visit.url} was read without having been fetched")
        return self.visit.fetched_at


def best_first(stated: Iterable[Stated]) -> list[Stated]:
    """Records of one resource, the one that gives the row's values first."""

    def rank(s: Stated) -> tuple[object, ...]:
        age = -s.seen_at.timestamp() if s.is_copy else 0.0
        page, _, query = s.page_url.partition("?")
        is_listed = s.visit.role == "listing"
        # the texts as they are told: a listing cuts them (`Il a été…`)
        return (s.is_copy, not s.is_own, not is_listed, age, -len(s.summary or ""), page, query, s.position)

    return sorted(stated, key=rank)


def merge(
    resource_id: str,
    url: str | None,
    stated: Sequence[Stated],
    former: Mapping[str, Any] | None,
    first_seen_at: datetime | None = None,
) -> dict[str, Any]:
    """The row of a resource that pages state tonight (columns of schema.tables.RESOURCES).

    Args:
        resource_id: its identifier.
        url: its canonical address, None for a text copy.
        stated: its records, at least one, the best first.
        former: its row as of the night before, None for a new one.
        first_seen_at: when it was first seen before tonight, None when it was not.
    """
    best, record = stated[0], stated[0].record
    first = min([s.seen_at for s in stated] + ([first_seen_at] if first_seen_at else []))
    last = max(s.seen_at for s in stated)
    row: dict[str, Any] = {
        "resource_id": resource_id,
        "url": url,
        "title": best.title,
        "type": best.type,
        "is_private": best.is_private,
        "summary": best.summary,
        "themes": sorted({s.theme for s in stated if s.theme}),
        "keywords": list(record.keywords),
        "published_month": record.month,
        "links": [{"text": link.text, "url": link.url} for link in record.links],
        "record_count": len(stated),
        "best_record_id": best.record_id,
        "absent_nights": 0,
        "state": "listed" if any(s.visit.role == "listing" for s in stated) else "unlisted",
        "first_seen_at": min(first, former["first_seen_at"]) if former else first,
        "last_seen_at": max(last, former["last_seen_at"]) if former else last,
    }
    is_new = former is None and first_seen_at is None
    return finish(row, former, changed_at=first if is_new else last)


def with_copies(former: Mapping[str, Any], copies: Sequence[Stated]) -> dict[str, Any]:
    """The row of a resource that only copies state: what it was, seen earlier where a copy is older.

    A copy made after the resource was last seen gives it its values; what the site shows tonight is not for it to say.
    """
    row = dict(former)
    if not copies:
        return row
    ordered = best_first(copies)
    newest = ordered[0]
    if newest.seen_at > former["last_seen_at"]:
        kept = {name: former[name] for name in ("state", "themes", "absent_nights")}
        row = merge(former["resource_id"], former["url"] or newest.url, ordered, former) | kept
        row = finish(row, former, changed_at=newest.seen_at)
    return {**row, "first_seen_at": min(former["first_seen_at"], *(s.seen_at for s in copies))}


def finish(row: dict[str, Any], former: Mapping[str, Any] | None, changed_at: datetime) -> dict[str, Any]:
    """The row with its digest, and the moment from which it has had these values."""
    digest = content_digest(row)
    is_same = former is not None and former["content_digest"] == digest
    moment = former["last_changed_at"] if former is not None and is_same else changed_at
    return {**row, "last_changed_at": moment, "content_digest": digest}


def content_digest(row: Mapping[str, Any]) -> str:
    """sha256 over the values a reader sees, written as JSON: the same on every machine and library version."""
    values = [row[name] for name in CONTENT_COLUMNS]
    return sha256(json.dumps(values, ensure_ascii=False, default=str).encode()).hexdigest()


def differences(stated: Sequence[Stated]) -> list[str]:
    """Sentences about what the records of one resource state differently, typography aside."""
    ordered = best_first(s for s in stated if not s.is_copy)
    notes = []
    for other in ordered[1:]:
        best = ordered[0]
        fields = {
            "title": (fold(best.title), fold(other.title)),
            "type": (best.type, other.type),
            "is_private": (best.is_private, other.is_private),
            "summary": (fold(best.summary or ""), fold(other.summary or "")),
        }
        named = [name for name, (a, b) in fields.items() if a != b]
        if named:
            notes.append(f"{other.page_url} states another {', '.join(named)}")
    return notes

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
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from dedup.collapse import Collapsed
from schema.folding import fold
from schema.nouns import Record, Visit

PARAGRAPH_BREAK = "\n\n"
# what a reader of values sees; times and counts left out
CONTENT_COLUMNS = (
    "url", "title", "type", "is_private", "summary", "themes", "keywords", "published_month", "links", "state",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stated:
    """A record in its place: who states it, when, how it collapses, and whether the page is the resource's own."""

    record: Record
    record_id: str
    visit: Visit
    collapsed: Collapsed
    theme: str | None
    is_copy: bool
    parser: str
    parser_version: str
    is_own: bool = False

    @property
    def seen_at(self) -> datetime:
        """When the page was fetched or the copy made."""
        if self.visit.fetched_at is None:
            raise ValueError(f"{self.visit.url} was read without having been fetched")
        return self.visit.fetched_at

    @property
    def summary(self) -> str | None:
        """The collapsed text, None when there is none."""
        return PARAGRAPH_BREAK.join(p.text for p in self.collapsed.summary) or None


def best_first(stated: Iterable[Stated]) -> list[Stated]:
    """Records of one resource, the one that gives the row's values first."""

    def rank(s: Stated) -> tuple[object, ...]:
        age = -s.seen_at.timestamp() if s.is_copy else 0.0
        page, _, query = s.record.page_url.partition("?")
        is_listed = s.visit.role == "listing"
        # the texts as they are told: a listing cuts them (`Il a été…`)
        return (s.is_copy, not s.is_own, not is_listed, age, -len(s.summary or ""), page, query, s.record.position)

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
    best = stated[0]
    first = min([s.seen_at for s in stated] + ([first_seen_at] if first_seen_at else []))
    last = max(s.seen_at for s in stated)
    row: dict[str, Any] = {
        "resource_id": resource_id,
        "url": url,
        "title": best.record.title,
        "type": best.record.type,
        "is_private": best.record.is_private,
        "summary": best.summary,
        "themes": sorted({s.theme for s in stated if s.theme}),
        "keywords": list(best.record.keywords),
        "published_month": best.record.month,
        "links": [{"text": link.text, "url": link.url} for link in best.record.links],
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
        row = merge(former["resource_id"], former["url"] or newest.record.url, ordered, former) | kept
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
            "title": (fold(best.record.title), fold(other.record.title)),
            "type": (best.record.type, other.record.type),
            "is_private": (best.record.is_private, other.record.is_private),
            "summary": (fold(best.summary or ""), fold(other.summary or "")),
        }
        named = [name for name, (a, b) in fields.items() if a != b]
        if named:
            notes.append(f"{other.record.page_url} states another {', '.join(named)}")
    return notes

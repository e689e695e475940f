"""Rows of the tables that say what was read: records, passages, pairs, pages, rejects. Columns: schema.tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isinf
from typing import Any

from dedup.deciding import COLUMNS
from dedup.matching import PairTable
from dedup.merge import PARAGRAPH_BREAK, Stated
from schema.nouns import Night, Reading, Reject, Visit

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LazyRows:
    """Rows that are made anew each time they are read: all at once they weigh more than what they are made from."""

    make: Callable[[], Iterable[Row]]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.make())


def record_row(stated: Stated, resource_id: str) -> Row:
    """The row of a record, as the resource it was recognised as."""
    record, visit = stated.record, stated.visit
    spans = {}
    for part in ("title", "type", "is_private", "body", "resume"):
        span = record.part_spans.get(part)
        spans[f"{part}_start"] = span.start if span else None
        spans[f"{part}_end"] = span.end if span else None
    return {
        "record_id": stated.record_id,
        "resource_id": resource_id,
        "page_url": record.page_url,
        "url": record.url,
        "position": record.position,
        "title": record.title,
        "type": record.type,
        "is_private": record.is_private,
        "body": PARAGRAPH_BREAK.join(p.text for p in record.body) or None,
        "resume": PARAGRAPH_BREAK.join(p.text for p in record.resume) or None,
        "links": [{"text": link.text, "url": link.url} for link in record.links],
        "block_start": record.span.start,
        "block_end": record.span.end,
        **spans,
        "block_digest": record.block_digest,
        "is_copy": stated.is_copy,
        "fetched_at": stated.seen_at,
        "warc_file": visit.pointer.file if visit.pointer else None,
        "warc_offset": visit.pointer.offset if visit.pointer else None,
        "payload_digest": visit.payload_digest,
        "parser": stated.parser,
        "parser_version": stated.parser_version,
    }


def passage_rows(stated: Stated) -> Iterable[Row]:
    """A row for each passage of a record, with what the collapse made of it."""
    record = stated.record
    texts = {"body": record.body, "resume": record.resume}
    for decision in stated.told.decisions:
        passage = texts[decision.section][decision.position]
        yield {
            "record_id": stated.record_id,
            "section": decision.section,
            "position": decision.position,
            "kind": passage.kind,
            "text": passage.text,
            "is_kept": decision.is_kept,
            "summary_position": decision.summary_position,
            "into_section": decision.into_section,
            "into_positions": list(decision.into_positions),
            "method": decision.method,
            "score": decision.score,
        }


def pair_rows(pairs: PairTable, names: Mapping[str, str]) -> Iterable[Row]:
    """A row for each compared pair; names gives the resource_id by key of the matcher, itself where it has none."""
    for row in pairs.rows():
        yield {
            "left": row["left"],
            "right": row["right"],
            "left_id": names.get(row["left"], row["left"]),
            "right_id": names.get(row["right"], row["right"]),
            "block": row["block"],
            "features": [{"name": name, "value": row[name]} for name in COLUMNS],
            "score": row["score"],
            "needed": None if isinf(row["needed"]) else row["needed"],
            "verdict": row["verdict"],
            "rule": row["rule"],
            "flips_at": row["flips_at"],
            "held": row["held"] or None,
        }


def page_rows(night: Night, readings: Sequence[Reading], differ: Mapping[str | None, list[str]]) -> list[Row]:
    """A row for each address met; differ: what the records of a resource state differently, by its address."""
    # a copy of a page that was visited too: the visit is the row
    read = {reading.visit.url: reading for reading in reversed(readings)}
    visits = {reading.visit.url: reading.visit for reading in readings} | {v.url: v for v in night.visits}
    listings = {listing.url: listing for listing in night.listings}
    rows = []
    for url, visit in visits.items():
        reading = read.get(url)
        gap = listings[url].gap if url in listings else None
        notes = [*(reading.page.notes if reading else ()), *differ.get(url, ())]
        rows.append(_page_row(visit, reading, [*notes, *([f"listing incomplete: {gap}"] if gap else [])]))
    return rows


def _page_row(visit: Visit, reading: Reading | None, notes: list[str]) -> Row:
    page = reading.page if reading else None
    return {
        "url": visit.url,
        "role": visit.role,
        "outcome": visit.outcome,
        "status": visit.status,
        "reason": visit.reason,
        "via": visit.via,
        "canonical_url": page.canonical_url if page else None,
        "redirect_url": visit.redirect_url,
        "attempts": visit.attempts,
        "record_count": len(page.records) if page else 0,
        "reject_count": len(page.rejects) if page else 0,
        "notes": notes,
        "media_type": visit.media_type,
        "size_bytes": visit.size_bytes,
        "payload_digest": visit.payload_digest,
        "fetched_at": visit.fetched_at,
        "elapsed_s": visit.elapsed_s,
        "warc_file": visit.pointer.file if visit.pointer else None,
        "warc_offset": visit.pointer.offset if visit.pointer else None,
        "warc_length": visit.pointer.length if visit.pointer else None,
    }


def reject_rows(readings: Sequence[Reading]) -> Iterable[Row]:
    """A row for each reject; equal ones on one page are told apart by a counter, not by their place."""
    counts: Counter[tuple[str, ...]] = Counter()
    for reading in readings:
        for reject in reading.page.rejects:
            words = (reject.page_url, reject.reason, reject.excerpt[:200])
            yield _reject_row(reading, reject, "\n".join((*words, str(counts[words]))))
            counts[words] += 1


def _reject_row(reading: Reading, reject: Reject, words: str) -> Row:
    span, pointer = reject.span, reading.visit.pointer
    return {
        "reject_id": "x" + sha256(words.encode()).hexdigest()[:16],
        "page_url": reject.page_url,
        "reason": reject.reason,
        "message": reject.message,
        "start": span.start if span else None,
        "end": span.end if span else None,
        "excerpt": reject.excerpt,
        "fetched_at": reading.visit.fetched_at,
        "warc_file": pointer.file if pointer else None,
        "warc_offset": pointer.offset if pointer else None,
    }

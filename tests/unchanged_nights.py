"""Nights on which nothing changed: the bundled sample, sent again or confirmed with 304, night after night."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.ledger import FORMAT, Ledger, to_json
from harvest.answers import split_head
from harvest.archive import ArchiveWriter, read_blocks
from harvest.index import known_originals, write_index
from schema.nouns import Original, Pointer, Visit

SAMPLE = Path(__file__).parent.parent / "sources" / "sample" / "night1.warc.gz"
FIRST_NIGHT = datetime(2026, 11, 23, 2, 0, 1, 250_000, tzinfo=UTC)


def sample_night() -> list[tuple[str, bytes, bytes]]:
    asked = {b.url: b.read() for b in read_blocks(SAMPLE) if b.kind == "request"}
    return [(b.url, asked.get(b.url, b""), b.read()) for b in read_blocks(SAMPLE) if b.kind == "response"]


def dated(head: bytes, when: datetime) -> bytes:
    return re.sub(rb"(?m)^Date: [^\r]*", when.strftime("Date: %a, %d %b %Y %H:%M:%S GMT").encode(), head)


def sent_again(got: bytes, when: datetime) -> bytes:
    head, body = split_head(got)
    return dated(head, when) + body


def not_modified(got: bytes, when: datetime) -> bytes:
    """The 304 that Drupal sends: the head without what tells of a body."""
    lines = dated(split_head(got)[0], when).split(b"\r\n")[1:-2]
    kept = [line for line in lines if not line.lower().startswith((b"content-", b"transfer-"))]
    return b"\r\n".join([b"HTTP/1.1 304 Not Modified", *kept, b"", b""])


def conditional(asked: bytes, got: bytes) -> bytes:
    tag = re.search(rb"(?m)^ETag: ([^\r]*)", got)
    return asked[:-2] + b"If-None-Match: " + (tag[1] if tag else b"-") + b"\r\n\r\n"


Again = Callable[[ArchiveWriter, tuple[str, bytes, bytes], datetime, Original], Pointer]


def by_body(archive: ArchiveWriter, exchange: tuple[str, bytes, bytes], when: datetime, _: Original) -> Pointer:
    url, asked, got = exchange
    return archive.add_exchange(url, asked, sent_again(got, when), when)


def by_304(archive: ArchiveWriter, exchange: tuple[str, bytes, bytes], when: datetime, original: Original) -> Pointer:
    url, asked, got = exchange
    return archive.add_revisit(url, conditional(asked, got), not_modified(got, when), when, original)


def nights(raw: Path, exchanges: list[tuple[str, bytes, bytes]], again: Again, count: int) -> list[list[Pointer]]:
    """A first night, and unchanged ones after it; where each answer lies."""
    pointers = [write_night(raw, 1, lambda a, e, w, n: a.add_exchange(*e, w), exchanges, [])]
    for run in range(2, count + 2):
        pointers.append(write_night(raw, run, again, exchanges, pointers[0]))
    return pointers


def write_night(
    raw: Path,
    run: int,
    add: Callable[[ArchiveWriter, tuple[str, bytes, bytes], datetime, Original], Pointer],
    exchanges: list[tuple[str, bytes, bytes]],
    originals: list[Pointer],
) -> list[Pointer]:
    began = FIRST_NIGHT + timedelta(days=run)
    visits = []
    with ArchiveWriter(raw / f"{run:06d}.warc.gz", "essai", known_originals(write_index(raw))) as archive:
        for number, exchange in enumerate(exchanges):
            when = began + timedelta(seconds=1.25 * number)
            place = originals[number] if originals else Pointer("", 0, 0)
            pointer = add(archive, exchange, when, Original(place.file, place.offset, exchange[0], FIRST_NIGHT, ""))
            visit = Visit(exchange[0], "resource", "fetched", 200, attempts=1, fetched_at=when, elapsed_s=0.21)
            visits.append(replace(visit, pointer=pointer, size_bytes=30_000, payload_digest="0" * 64))
        ledger = Ledger(FORMAT, "refresh", run, "essai", began, began, tuple(visits))
        archive.add_ledger(to_json(ledger), began)
    return [visit.pointer for visit in visits if visit.pointer]

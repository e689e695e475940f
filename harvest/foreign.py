"""Pages out of WARCs that other programs wrote: any version, compressed by record, as a whole, or not at all.

Only pages of the source come through: HTML or text, answered with 200 and whole, or saved without headers. All else is
passed over, each with its reason.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from io import BufferedIOBase
from pathlib import Path

from harvest.answers import BrokenAnswer, read_answer, split_head
from harvest.members import MAX_RECORD_BYTES, Damage, Unreadable, WarcRecord, parse_head, require_digest, scan_records
from harvest.revisits import payload_digest
from schema.addresses import canonical_url, same_host
from schema.errors import DamagedArchive
from schema.sources import Source

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
_MAX_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ForeignPage:
    """A page of the source in a foreign WARC.

    url is its canonical address, stated_url the one in the record; kind is `response` (content is an HTTP answer, byte
    for byte) or `resource` (content is the page itself); content_type is the page's; record_id is the foreign record's.
    """

    url: str
    stated_url: str
    archived_at: datetime
    kind: str
    content: bytes
    content_type: str
    record_id: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A record that was not taken, and why; the address is empty where it could not be read."""

    url: str
    reason: str


@dataclass
class _Met:
    """What earlier records of the file held: pages taken, and bodies that revisits may repeat, compressed."""

    pages: set[tuple[str, datetime, str]] = field(default_factory=set)
    bodies: dict[str, bytes] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)


def foreign_pages(path: Path, source: Source) -> Iterator[ForeignPage | Passed]:
    """The pages of a source that a WARC holds, in its order, and what was passed over (requests and the like apart).

    Raises:
        DamagedArchive: no such file, or no WARC.
    """
    met = _Met()
    for record in foreign_records(path):
        if isinstance(record, Damage):
            yield Passed("", f"damaged at offset {record.offset}: {record.reason}")
        elif record.kind in ("response", "resource", "revisit"):
            try:
                yield _page(record, source, met)
            except (_NotTaken, BrokenAnswer) as reason:
                yield Passed(record.url, str(reason))


def foreign_records(path: Path) -> Iterator[WarcRecord | Damage]:
    """The records of any WARC; offsets are those in the unpacked text where the file is compressed as a whole."""
    first = next(scan_records(path), None)
    if not isinstance(first, Damage) or first.offset > 0:
        yield from scan_records(path)
        return
    try:
        with gzip.open(path) as stream:
            if stream.read(5) != b"WARC/":
                raise DamagedArchive(f"{path}: not a WARC; give a .warc or .warc.gz")
            stream.seek(0)
            yield from _stream_records(stream)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        # its first member is damaged, and there are others perhaps
        yield from scan_records(path)


class _NotTaken(ValueError):
    """A record that is no page of ours; the message says why."""


def _page(record: WarcRecord, source: Source, met: _Met) -> ForeignPage:
    url = _our_address(record.url, source)
    if record.kind == "resource":
        page = _of(record, url, "resource", record.block, record.header("content-type"))
    else:
        if not record.block.startswith(b"HTTP/"):
            raise _NotTaken("no HTTP answer")
        content = record.block if record.kind == "response" else _completed(record, met)
        answer = read_answer(content)
        if answer.status != 200:
            raise _NotTaken(f"status {answer.status}")
        page = _of(record, url, "response", content, answer.header("content-type") or "")
    if page.content_type.partition(";")[0].strip().lower() not in PAGE_TYPES:
        raise _NotTaken(f"media type {page.content_type or 'not stated'}")
    _require_new(record, page, met)
    return page


def _our_address(stated: str, source: Source) -> str:
    try:
        url = canonical_url(stated, schemes=source.schemes)
    except ValueError as error:
        raise _NotTaken(f"no address of a page ({error})") from None
    if not any(same_host(url, canonical_url(listing, schemes=source.schemes)) for listing in source.listings):
        raise _NotTaken("on another host")
    return url


def _of(record: WarcRecord, url: str, kind: str, content: bytes, content_type: str) -> ForeignPage:
    record_id = record.header("warc-record-id").strip("<>")
    return ForeignPage(url, record.url, record.archived_at, kind, content, content_type, record_id)


def _require_new(record: WarcRecord, page: ForeignPage, met: _Met) -> None:
    key = (page.url, page.archived_at, sha256(page.content).hexdigest())
    if key in met.pages:
        raise _NotTaken("the same as an earlier record")
    met.pages.add(key)
    if record.kind == "response":
        digest = payload_digest(record)
        met.bodies.setdefault(digest, zlib.compress(split_head(record.block)[1], 1))
        met.places[record.url, record.header("warc-date")] = digest


def _completed(revisit: WarcRecord, met: _Met) -> bytes:
    """The answer of a revisit, with the body of the earlier record of this file that it repeats."""
    if "server-not-modified" in revisit.header("warc-profile"):
        raise _NotTaken("an answer 304: the page was not sent")
    place = (revisit.header("warc-refers-to-target-uri").strip("<>"), revisit.header("warc-refers-to-date"))
    body = met.bodies.get(revisit.header("warc-payload-digest")) or met.bodies.get(met.places.get(place, ""))
    if body is None:
        raise _NotTaken("a revisit of a page that this file does not hold")
    return split_head(revisit.block)[0] + zlib.decompress(body)


def _stream_records(stream: BufferedIOBase) -> Iterator[WarcRecord | Damage]:
    """The records of an unpacked WARC that is read from its beginning to its end, or to the first that is cut."""
    place = 0
    while head := _head(stream):
        try:
            record = _record(stream, head, place)
        except Unreadable as error:
            yield Damage(place, len(head), str(error))
            return
        try:
            require_digest(record)
        except Unreadable as error:
            yield Damage(record.offset, record.length, str(error))
        else:
            yield record
        place += record.length


def _record(stream: BufferedIOBase, head: bytes, place: int) -> WarcRecord:
    headers, start, size = parse_head(head)
    if size > MAX_RECORD_BYTES:
        raise Unreadable(f"more than {MAX_RECORD_BYTES} bytes in one record")
    block = stream.read(size)
    if len(block) < size:
        raise Unreadable("the record is cut")
    return WarcRecord(place, start + size, headers, block)


def _head(stream: BufferedIOBase) -> bytes:
    """The next record's head, its blank line included; empty at the end."""
    lines: list[bytes] = []
    while line := stream.readline(_MAX_HEAD_BYTES):
        if line.strip() or lines:
            lines.append(line)
        if lines and not line.strip():
            break
    return b"".join(lines)

"""Pages out of WARCs that other programs wrote: public web archives, crawlers, browsers.

Only pages of the source come through: HTML or text, answered with 200 and whole, or saved without headers. All else is
left aside, each record with its reason: nothing is dropped in silence, and nothing is taken that another program cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from harvest.answers import (
    MAX_CONTENT_BYTES,
    Answer,
    BrokenAnswer,
    body_forms,
    read_answer,
    split_final,
    split_head,
    without_interim,
)
from harvest.members import DIGEST_DIFFERS, Damage, WarcRecord, digest_of, is_digest_of
from harvest.originals import DigestsDiffer, Kept, Originals, PageKey
from harvest.packings import foreign_records
from schema.addresses import canonical_url, same_host
from schema.sources import Source

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
# revisits that stand before their original wait for it; more of them would take too much memory
MAX_WAITING = 10_000
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})")

# the page that a revisit repeats, out of the archives: its key and its answer
Elsewhere = Callable[[WarcRecord], tuple[PageKey, bytes] | None]

Kind = Literal[
    "on another host",
    "not asked for",
    "no address of a page",
    "robots.txt",
    "status other than 200",
    "neither HTML nor text",
    "broken answer",
    "cut by who wrote it",
    "digest differs",
    "too large",
    "dated ahead",
    "original missing",
    "twice in the file",
    "archived already",
    "damaged",
    "beside the pages",
]


@dataclass(frozen=True, slots=True)
class ForeignPage:
    """A page of the source in a foreign WARC.

    url is its canonical address, stated_url and record_id are those of the foreign record; archived_at is UTC.
    kind is `response` (content is an HTTP answer, byte for byte), `resource` (content is the page itself) or `revisit`
    (content is an answer 304, and confirms the page that it says is unchanged, one that was given out before).
    content_type is the page's.
    """

    url: str
    stated_url: str
    archived_at: datetime
    kind: str
    content: bytes
    content_type: str
    record_id: str
    confirms: PageKey | None = None

    @property
    def key(self) -> PageKey:
        """What tells it from every other page."""
        content = without_interim(self.content)[1] if self.kind == "response" else self.content
        return self.stated_url, self.archived_at, digest_of(b"" if self.confirms else content)


@dataclass(frozen=True, slots=True)
class Passed:
    """A record that was not taken, and why: in a sentence, and in the words that count it.

    The address is empty where it could not be read.
    """

    url: str
    reason: str
    kind: Kind


@dataclass
class _Met:
    """What is read for, and what earlier records of the file held."""

    source: Source
    now: datetime
    originals: Originals
    elsewhere: Elsewhere
    pages: dict[tuple[str, datetime, str], Kept] = field(default_factory=dict)
    waiting: list[WarcRecord] = field(default_factory=list)


def nowhere(_revisit: WarcRecord) -> None:
    """No archive to look into."""
    return


def foreign_pages(
    path: Path, source: Source, now: datetime, elsewhere: Elsewhere = nowhere
) -> Iterator[ForeignPage | Passed]:
    """The pages of a source that a WARC holds, in its order, and what was left aside.

    A revisit that stands before its original comes last.

    Args:
        path: any WARC.
        source: whose pages.
        now: UTC; a page that is dated later is not believed.
        elsewhere: looks for the original of a revisit that the file does not hold: crawls are cut into many files.

    Raises:
        DamagedArchive: no such file, or no WARC.
    """
    with Originals() as originals:
        met = _Met(source, now, originals, elsewhere)
        for record in foreign_records(path):
            if isinstance(record, Damage):
                yield _damaged(record)
            elif (found := _read(record, met, may_wait=True)) is not None:
                yield found
        for record in met.waiting:
            if (found := _read(record, met, may_wait=False)) is not None:
                yield found


class _NotTaken(ValueError):
    """A record that is no page of ours; the message says why."""

    def __init__(self, reason: str, kind: Kind) -> None:
        super().__init__(reason)
        self.kind = kind


def _damaged(found: Damage) -> Passed:
    kind: Kind = "digest differs" if found.reason == DIGEST_DIFFERS else "damaged"
    kind = "too large" if found.reason.startswith("more than") else kind
    return Passed("", f"damaged at offset {found.offset}: {found.reason}", kind)


def _read(record: WarcRecord, met: _Met, *, may_wait: bool) -> ForeignPage | Passed | None:
    """A page, or why the record is none; None where that has to wait."""
    if record.kind not in ("response", "resource", "revisit"):
        return Passed(record.url, f"a {record.kind or 'nameless'} record", "beside the pages")
    try:
        return _page(record, met)
    except _NotTaken as reason:
        if may_wait and reason.kind == "original missing" and len(met.waiting) < MAX_WAITING:
            met.waiting.append(record)
            return None
        return Passed(record.url, str(reason), reason.kind)
    except BrokenAnswer as reason:
        is_large = str(reason).startswith("more than")
        return Passed(record.url, str(reason), "too large" if is_large else "broken answer")


def _page(record: WarcRecord, met: _Met) -> ForeignPage:
    url = _our_address(record.url, met.source)
    if record.archived_at > met.now:
        raise _NotTaken(f"dated {record.archived_at:%Y-%m-%d}, which is yet to come", "dated ahead")
    if record.kind == "revisit":
        # these may call themselves truncated: their body stands elsewhere
        return _revisited(record, url, met)
    for header in ("warc-truncated", "warc-segment-number"):
        if said := record.header(header):
            raise _NotTaken(f"not whole ({header}: {said})", "cut by who wrote it")
    if record.kind == "resource":
        _require_digest(record)
        return _new(record, _of(record, url, "resource", record.block, record.header("content-type")), met)
    if not record.block.startswith(b"HTTP/"):
        raise _NotTaken("no HTTP answer", "broken answer")
    _require_status(record.block)
    answer = read_answer(record.block)
    _require_digest(record)
    return _new(record, _answered(record, url, record.block, answer), met)


def _our_address(stated: str, source: Source) -> str:
    try:
        url = canonical_url(stated, schemes=source.schemes)
    except ValueError:
        raise _NotTaken("no address of a page", "no address of a page") from None
    if not any(same_host(url, canonical_url(listing, schemes=source.schemes)) for listing in source.listings):
        raise _NotTaken("on another host", "on another host")
    if urlsplit(url).path == "/robots.txt":
        raise _NotTaken("robots.txt", "robots.txt")
    return url


def _require_status(block: bytes) -> None:
    """Refuse an answer that is no page before its body is read; what has no status line is refused behind it."""
    status = _STATUS_LINE.match(block)
    if status and status[1] != b"200" and not status[1].startswith(b"1"):
        raise _NotTaken(f"status {status[1].decode()}", "status other than 200")


def _require_digest(record: WarcRecord) -> None:
    """Hold the page against the digest of its body, where no digest of the whole record was stated.

    Programs disagree about what to make it of: the body as it was sent, without chunks, or unpacked. Each will do.
    """
    stated = record.header("warc-payload-digest")
    if not stated or record.header("warc-block-digest"):
        return
    forms = body_forms(record.block) if record.kind == "response" else (record.block,)
    if not any(is_digest_of(stated, form) for form in forms):
        raise _NotTaken(f"its body is not that of digest {stated}", "digest differs")


def _answered(record: WarcRecord, url: str, content: bytes, answer: Answer) -> ForeignPage:
    if answer.status != 200:
        raise _NotTaken(f"status {answer.status}", "status other than 200")
    if len(answer.content) > MAX_CONTENT_BYTES:
        raise _NotTaken(f"more than {MAX_CONTENT_BYTES} bytes", "too large")
    return _of(record, url, "response", content, answer.header("content-type") or "")


def _of(record: WarcRecord, url: str, kind: str, content: bytes, content_type: str) -> ForeignPage:
    if content_type.partition(";")[0].strip().lower() not in PAGE_TYPES:
        raise _NotTaken(f"media type {content_type or 'not stated'}", "neither HTML nor text")
    if kind == "resource" and len(content) > MAX_CONTENT_BYTES:
        raise _NotTaken(f"more than {MAX_CONTENT_BYTES} bytes", "too large")
    record_id = record.header("warc-record-id").strip("<>")
    return ForeignPage(url, record.url, record.archived_at.astimezone(UTC), kind, content, content_type, record_id)


def _new(record: WarcRecord, page: ForeignPage, met: _Met, original: Kept | None = None) -> ForeignPage:
    """The page, where the file has not given it before; revisits find it from now on."""
    same = (page.url, page.archived_at, page.key[2])
    stated = record.header("warc-payload-digest")
    if same in met.pages:
        met.originals.name(met.pages[same], record, stated)
        raise _NotTaken("the same as an earlier record", "twice in the file")
    if original is None:
        kept = met.originals.keep(page.key, page.content_type, stated, page.content)
        body = page.content if page.kind == "resource" else split_head(page.content)[1]
        met.pages[same] = met.originals.name(kept, record, stated or digest_of(body))
    else:
        kept = original if page.confirms else replace(original, key=page.key)
        met.pages[same] = met.originals.name(kept, record, stated or original.digest)
    return page


def _revisited(revisit: WarcRecord, url: str, met: _Met) -> ForeignPage:
    """A page that an earlier record holds: its body sent again, or said to be unchanged."""
    is_unchanged = "server-not-modified" in revisit.header("warc-profile")
    if not is_unchanged:
        _require_status(revisit.block)
    try:
        kept = met.originals.find(revisit) or _found_elsewhere(revisit, met)
    except DigestsDiffer as error:
        raise _NotTaken(str(error), "digest differs") from None
    if kept is None:
        what = "an answer 304 that confirms" if is_unchanged else "a revisit of"
        raise _NotTaken(f"{what} a page which neither this file nor the archive holds", "original missing")
    if is_unchanged:
        page = _of(revisit, url, "revisit", revisit.block, kept.content_type)
        return _new(revisit, replace(page, confirms=kept.key), met, kept)
    head, body = split_final(met.originals.block_of(kept))
    content = (_head_of(revisit) or head) + body
    return _new(revisit, _answered(revisit, url, content, read_answer(content)), met, kept)


def _head_of(revisit: WarcRecord) -> bytes:
    """The head that a revisit holds, interim answers before it passed over; empty where it holds no other."""
    try:
        return split_final(revisit.block)[0]
    except BrokenAnswer:
        return b""


def _found_elsewhere(revisit: WarcRecord, met: _Met) -> Kept | None:
    """An archived page that a revisit repeats, if it is the one that the revisit means."""
    found = met.elsewhere(revisit)
    if found is None:
        return None
    key, block = found
    stated = revisit.header("warc-payload-digest")
    if stated and not any(is_digest_of(stated, form) for form in body_forms(block)):
        return None
    return met.originals.keep(key, read_answer(block).header("content-type") or "", stated, block)

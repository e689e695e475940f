"""Taking content out of an archive on purpose: a record is replaced by one of exactly as many stored bytes.

No other record moves, so that every pointer, offset and digest of the others holds. What is over in the new member
stands as spaces in the comment of its gzip header, which every reader of gzip passes over. The record keeps its type,
address, date and identifier, and says in a header of ours when it was redacted.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import IO

from harvest.answers import split_head
from harvest.compose import warc_date
from harvest.headers import REDACTED
from harvest.members import WarcRecord, digest_of, record_at
from schema.errors import Bug, DiskTrouble

_MAGIC = b"\x1f\x8b\x08"
_HEADER_REST = b"\0\0\0\0\x02\xff"
_COMMENTED = 0x10
_NAMES = {
    "warc-type": "WARC-Type", "warc-record-id": "WARC-Record-ID", "warc-target-uri": "WARC-Target-URI",
    "warc-date": "WARC-Date", "warc-payload-digest": "WARC-Payload-Digest", "warc-block-digest": "WARC-Block-Digest",
    "warc-profile": "WARC-Profile", "warc-refers-to": "WARC-Refers-To", "warc-filename": "WARC-Filename",
    "warc-refers-to-target-uri": "WARC-Refers-To-Target-URI", "warc-refers-to-date": "WARC-Refers-To-Date",
    "warc-concurrent-to": "WARC-Concurrent-To", "content-type": "Content-Type", "content-length": "Content-Length",
    "warc-truncated": "WARC-Truncated", "moisson-refers-to": "Moisson-Refers-To", "moisson-request": "Moisson-Request",
    "moisson-answer": "Moisson-Answer", "moisson-imported-from": "Moisson-Imported-From",
}  # fmt: skip
# what the page's interim answers said goes with it
_MADE_ANEW = ("content-length", "warc-block-digest", "warc-payload-digest", REDACTED.lower(), "moisson-interim")
# what goes where room is short, one after the other: the original of a revisit is named by address and date too
_CAN_GO = ("warc-refers-to", REDACTED.lower())
_GONE_PAGE = b"<!DOCTYPE html><title>Taken down</title>"
# of the head of an answer: what tells how its body went over the wire
_LEAST_HEAD = b"HTTP/1.1 451 Taken Down\r\n\r\n"
_OF_THE_WIRE = (b"transfer-encoding", b"content-encoding", b"content-length", b"content-md5", b"etag", b"digest",
                b"content-digest", b"repr-digest", b"trailer")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """What a tombstone says: why, and when it was said (UTC)."""

    why: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Redacted:
    """A record as it will be: its stored bytes, and what its payload (of a revisit: its original's) is, codings undone.

    payload_digest is the WARC's, payload_sha256 the one that ledgers and tables have; head is that of the HTTP answer;
    is_gone: nothing is left of the page.
    """

    stored: bytes
    head: bytes
    payload_digest: str
    payload_sha256: str
    size_bytes: int
    is_gone: bool


def is_tombstone(payload: bytes) -> bool:
    """Whether a payload is what `tombstone` puts in place of one."""
    return payload.startswith(_GONE_PAGE)


# --- one record -------------------------------------------------------------------------------------------------------


def tombstone(record: WarcRecord, note: Note) -> Redacted:
    """What stands in place of a record whose content is gone: an answer 451, or for a copy a page, that says so.

    Where the reason does not fit into the room that the record had, it is cut, or the page is empty: decisions.jsonl
    has it whole.

    Raises:
        Bug: not even the shortest fits.
    """
    is_copy = record.kind in ("resource", "conversion")
    for page in (*(_page(note, length) for length in (len(note.why), 200, 80, 0)), b""):
        heads = (b"",) if is_copy else (_head_451(page), *(() if page else (_LEAST_HEAD,)))
        for head in heads:
            if made := _redacted(record, head, page, note):
                return replace(made, is_gone=True)
    raise Bug(f"no tombstone fits into the {record.length} bytes of {record.url}: report it")


def without_passages(record: WarcRecord, payload: bytes, note: Note) -> Redacted | None:
    """The same answer or copy with another payload; None where it does not fit into the old one's room.

    Args:
        record: not a revisit.
        payload: codings undone; it is stored as it is or, where that does not fit, in gzip.
    """
    if record.kind in ("resource", "conversion"):
        return _redacted(record, b"", payload, note)
    # what is very regular gets smaller twice
    for body, coding in ((payload, ()), (gzip.compress(payload, mtime=0), (b"Content-Encoding: gzip",))):
        head = _plain_head(record.block, [*coding, b"Content-Length: %d" % len(body)])
        if made := _redacted(record, head, body, note):
            return replace(made, payload_sha256=sha256(payload).hexdigest(), size_bytes=len(payload))
    return None


def repeating(revisit: WarcRecord, original: Redacted, note: Note) -> Redacted:
    """A revisit of a record that was redacted: it states what its original holds now.

    Raises:
        Bug: it does not fit into the room it had.
    """
    heads: tuple[bytes, ...] = (b"",)  # of a 304 there is none
    if revisit.block:
        how = [
            line for line in original.head.split(b"\r\n") if line.startswith((b"Content-Encoding", b"Content-Length"))
        ]
        plain = _plain_head(revisit.block, how) or original.head
        heads = (original.head, plain, _LEAST_HEAD) if original.is_gone else (plain,)
    for head in heads:
        if stored := _fitted(revisit, head, original.payload_digest, note):
            return replace(original, stored=stored)
    raise Bug(f"no tombstone fits into the {revisit.length} bytes of a revisit of {revisit.url}: report it")


def rewritten(record: WarcRecord, block: bytes) -> bytes:
    """A record with another block, as short as it will be: only for the last one of an archive."""
    headers = [*_kept(record, ()), ("WARC-Block-Digest", digest_of(block))]
    return _shortest(_composed(headers, block))


def _redacted(record: WarcRecord, head: bytes, payload: bytes, note: Note) -> Redacted | None:
    digest = digest_of(payload)
    stored = _fitted(record, head + payload, digest, note)
    made = (head, digest, sha256(payload).hexdigest(), len(payload))
    return Redacted(stored, *made, is_gone=False) if stored else None


def _fitted(record: WarcRecord, block: bytes, payload_digest: str, note: Note) -> bytes | None:
    said = [("WARC-Payload-Digest", payload_digest), ("WARC-Block-Digest", digest_of(block))]
    for count in range(len(_CAN_GO) + 1):
        out = _CAN_GO[:count]
        mark = [] if REDACTED.lower() in out else [(REDACTED, warc_date(note.said_at))]
        stored = fitted_member(_composed([*_kept(record, out), *said, *mark], block), record.length)
        if stored is not None:
            return stored
    return None


def _kept(record: WarcRecord, but: Sequence[str]) -> list[tuple[str, str]]:
    left_out = (*_MADE_ANEW, *but)
    return [(_NAMES.get(name, name), value) for name, value in record.headers if name not in left_out]


def _composed(headers: Sequence[tuple[str, str]], block: bytes) -> bytes:
    lines = [*headers, ("Content-Length", str(len(block)))]
    return b"WARC/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines).encode() + b"\r\n" + block + b"\r\n\r\n"


def _page(note: Note, why_chars: int) -> bytes:
    why = note.why if len(note.why) <= why_chars else f"{note.why[:why_chars]}…" if why_chars else "see decisions.jsonl"
    when = f"{note.said_at:%Y-%m-%d %H:%M:%S} UTC"
    return _GONE_PAGE + f"<p>Taken down on {when}: {escape(why)}</p></html>\n".encode()


def _head_451(page: bytes) -> bytes:
    return (
        "HTTP/1.1 451 Unavailable For Legal Reasons\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(page)}\r\n\r\n"
    ).encode()


def _plain_head(block: bytes, how: Sequence[bytes]) -> bytes:
    """The head of an answer (interim ones before it left out), with other lines on how its body is sent.

    Empty where there is none: a revisit of an earlier archive may hold the head of an interim answer only.
    """
    head, body = split_head(block)
    while head.split(b" ", 2)[1].startswith(b"1"):
        if not body:
            return b""
        head, body = split_head(body)
    lines = head.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    kept: list[bytes] = []
    is_out = False
    for line in lines:
        # a folded line belongs to the one before
        is_out = is_out if line[:1] in (b" ", b"\t") else line.partition(b":")[0].strip().lower() in _OF_THE_WIRE
        if not is_out:
            kept.append(line)
    return b"\r\n".join([*kept, *how, b"", b""])


# --- a gzip member ----------------------------------------------------------------------------------------------------


def fitted_member(content: bytes, length: int) -> bytes | None:
    """A gzip member of exactly so many bytes; None where the content does not compress into them."""
    best = _shortest(content)
    room = length - len(best)
    if room < 0:
        return None
    if room == 0:
        return best
    head = _MAGIC + bytes([_COMMENTED]) + _HEADER_REST + b" " * (room - 1) + b"\0"
    return head + best[len(_MAGIC) + 1 + len(_HEADER_REST) :]


def _shortest(content: bytes) -> bytes:
    packed = min(_deflated(content), key=len)
    end = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return _MAGIC + b"\0" + _HEADER_REST + packed + end


def _deflated(content: bytes) -> Iterator[bytes]:
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_FIXED):
        for memory in (8, 9):
            packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, memory, strategy)
            yield packer.compress(content) + packer.flush()


# --- a whole file -----------------------------------------------------------------------------------------------------


def write_redacted(
    path: Path,
    target: Path,
    members: Mapping[int, bytes],
    last: tuple[int, bytes] | None = None,
    end: int | None = None,
) -> None:
    """Write an archive anew with other members at some offsets, and make it lasting.

    Args:
        path: the archive as it is.
        target: the new file, in a folder that is there.
        members: by offset; each as long as the one it stands for.
        last: offset and bytes of the record that closes the file, where that is another now.
        end: where the file ends, for one whose tail is torn.

    Raises:
        Bug: what was written holds no sound record where one was replaced.
        DiskTrouble: the disk would not take it.
    """
    try:
        with path.open("rb") as old, target.open("wb") as new:
            upto = last[0] if last else path.stat().st_size if end is None else end
            for offset in sorted(members):
                _copy(old, new, offset - old.tell())
                new.write(members[offset])
                old.seek(len(members[offset]), os.SEEK_CUR)
            _copy(old, new, upto - old.tell())
            if last:
                new.write(last[1])
            new.flush()
            os.fsync(new.fileno())
    except OSError as error:
        raise DiskTrouble(f"{target}: cannot be written ({error}); make room and take it down again") from error
    for offset in (*members, *([last[0]] if last else [])):
        record_at(target, offset)


def _copy(old: IO[bytes], new: IO[bytes], size_bytes: int) -> None:
    left = size_bytes
    while left > 0:
        piece = old.read(min(left, 1 << 20))
        if not piece:
            raise OSError("the archive is shorter than it was")
        new.write(piece)
        left -= len(piece)

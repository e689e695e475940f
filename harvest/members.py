"""WARC files member by member: every member's end and checksum is checked, and damage costs the record it hit.

Readers that read a WARC as one stream lose all that follows a damaged member, and take a cut last one for whole. Here
each record stands for itself: after damage the next sound one is looked for and the reading goes on from there.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from schema.errors import DamagedArchive

MAX_RECORD_BYTES = 64 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b\x08"

_READ_BYTES = 16 * 1024
_INFLATE_BYTES = 1024 * 1024
_SEARCH_BYTES = 1024 * 1024
_MAX_HEAD_BYTES = 64 * 1024
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_VERSION = re.compile(rb"WARC/(?:0\.1[78]|1\.[01])\r?\n")
_RECORD_END = b"\r\n\r\n"
# what is passed over of a record that is too large may be so many times as large as it is stored
_MAX_RATIO = 20
_MAX_DIGITS = 18

DIGEST_DIFFERS = "the record is not what was written: digest differs"


class Unreadable(ValueError):
    """No sound record lies there; the message says why."""


class Oversize(Unreadable):
    """A record lies there that is larger than we read; it takes length bytes of the file."""

    def __init__(self, length: int) -> None:
        super().__init__(f"more than {MAX_RECORD_BYTES} bytes in one record")
        self.length = length


class DigestDiffers(Unreadable):
    """A whole record lies there, and its block is not that of the digest it states."""

    def __init__(self, record: WarcRecord) -> None:
        super().__init__(DIGEST_DIFFERS)
        self.record = record


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a WARC that hold no readable record."""

    offset: int
    length: int
    reason: str


@dataclass(frozen=True, slots=True)
class WarcRecord:
    """One record: where it lies (as stored), its headers in order (names in lower case), its block."""

    offset: int
    length: int
    headers: tuple[tuple[str, str], ...]
    block: bytes

    def header(self, name: str) -> str:
        """The first value of a header (its name in lower case), empty when absent."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def kind(self) -> str:
        """The record's WARC-Type."""
        return self.header("warc-type")

    @property
    def url(self) -> str:
        """The record's address; some programs wrote it between brackets."""
        return self.header("warc-target-uri").strip("<>")

    @property
    def archived_at(self) -> datetime:
        """The record's date in UTC (checked when it was read)."""
        return read_date(self.header("warc-date"))


def read_date(text: str) -> datetime:
    """A WARC-Date; one without a zone is UTC.

    Raises:
        ValueError: no date, or one that the calendar does not have in UTC.
    """
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    try:
        when.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{error}") from None
    return when


def digest_of(content: bytes) -> str:
    """The digest that WARC readers check."""
    return "sha1:" + base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


# --- a whole file -----------------------------------------------------------------------------------------------------


def scan_records(path: Path, unchecked: Collection[str] = ()) -> Iterator[WarcRecord | Damage]:
    """Every record of a WARC in order, `warcinfo` too, and every stretch that holds none.

    Args:
        path: the file.
        unchecked: kinds of records whose digest is not looked at.

    Raises:
        DamagedArchive: the file cannot be opened, or is no WARC from its first bytes on.
    """
    try:
        with path.open("rb") as stream:
            read_at = _read_plain if _starts_plain(path, stream) else _read_member
            end, place = stream.seek(0, 2), 0
            while place < end:
                try:
                    found: WarcRecord | Damage = read_at(stream, place)
                except DigestDiffers as error:
                    is_kept = error.record.kind in unchecked
                    found = error.record if is_kept else Damage(place, error.record.length, str(error))
                except Oversize as error:
                    # what lies in it may look like records, and is none
                    found = Damage(place, error.length, str(error))
                except Unreadable as error:
                    found = Damage(place, _next_record(stream, place, end) - place, str(error))
                yield found
                place += found.length
    except FileNotFoundError:
        raise DamagedArchive(f"{path}: there is no such file; give the path of a .warc.gz") from None
    except OSError as error:
        raise DamagedArchive(f"{path}: cannot be read ({error})") from None


def record_at(path: Path, offset: int) -> WarcRecord:
    """The record that starts at an offset, checked against its checksum, its length and its digest.

    Raises:
        DamagedArchive: no sound record starts there.
    """
    try:
        with path.open("rb") as stream:
            return _read_any(stream, offset)
    except (OSError, Unreadable) as error:
        raise DamagedArchive(f"{path}: no readable record at offset {offset} ({error})") from None


def _starts_plain(path: Path, stream: IO[bytes]) -> bool:
    """Whether a file is an uncompressed WARC; damage of the very first bytes is damage, not another kind of file."""
    start = stream.read(_SEARCH_BYTES)
    if not start:
        raise DamagedArchive(f"{path}: the file is empty; give a .warc.gz that holds answers")
    if start.startswith(b"WARC/"):
        return True
    if not start.startswith(b"\x1f\x8b") and GZIP_MAGIC not in start[3:]:
        raise DamagedArchive(f"{path}: not a WARC (it starts with {start[:5]!r}); give a .warc or .warc.gz")
    return False


def _next_record(stream: IO[bytes], place: int, end: int) -> int:
    """Where the next sound record after a damaged one starts; the end of the file when there is none."""
    stream.seek(0)
    mark = GZIP_MAGIC if stream.read(5) != b"WARC/" else b"WARC/"
    for candidate in _places_of(mark, stream, place + 1):
        try:
            _read_any(stream, candidate)
        except Unreadable:
            continue
        return candidate
    return end


def _places_of(mark: bytes, stream: IO[bytes], start: int) -> Iterator[int]:
    base, kept = start, b""
    while True:
        stream.seek(base + len(kept))
        piece = stream.read(_SEARCH_BYTES)
        if not piece:
            return
        window = kept + piece
        found = window.find(mark)
        while found >= 0:
            yield base + found
            found = window.find(mark, found + 1)
        kept = window[-(len(mark) - 1) :]
        base += len(window) - len(kept)


# --- one record -------------------------------------------------------------------------------------------------------


def _read_any(stream: IO[bytes], offset: int) -> WarcRecord:
    stream.seek(offset)
    return (_read_plain if stream.read(5) == b"WARC/" else _read_member)(stream, offset)


def _read_member(stream: IO[bytes], offset: int) -> WarcRecord:
    content, length = _inflate(stream, offset)
    headers, start, size = parse_head(content)
    record = WarcRecord(offset, length, headers, content[start : start + size])
    if len(record.block) < size:
        raise Unreadable("the record is cut")
    if content[start + size :].strip(b"\r\n"):
        raise Unreadable("a gzip member that holds more than one record")
    require_digest(record)
    return record


def _inflate(stream: IO[bytes], offset: int) -> tuple[bytes, int]:
    """What one gzip member holds, and its length; its checksum and size are zlib's to check."""
    inflate, content = zlib.decompressobj(wbits=31), bytearray()
    stream.seek(offset)
    taken, passed_over, rest = 0, 0, b""
    while not inflate.eof:
        given = rest or stream.read(_READ_BYTES)
        taken += 0 if rest else len(given)
        try:
            piece = inflate.decompress(given, _INFLATE_BYTES)
        except zlib.error as error:
            raise Unreadable(f"not a sound gzip member: {error}") from None
        # at the end of the member zlib names what follows it twice: here too, and as unused_data
        rest = inflate.unconsumed_tail
        content += piece
        if len(content) > MAX_RECORD_BYTES:
            passed_over += len(content)
            content.clear()
        if passed_over > MAX_RECORD_BYTES + _MAX_RATIO * taken:
            raise Unreadable(f"more than {MAX_RECORD_BYTES} bytes in one record")
        if not given and not piece and not inflate.eof:
            raise Unreadable("cut within a gzip member" if taken else "no gzip member")
    if passed_over:
        raise Oversize(taken - len(inflate.unused_data))
    return bytes(content), taken - len(inflate.unused_data)


def _read_plain(stream: IO[bytes], offset: int) -> WarcRecord:
    stream.seek(offset)
    headers, start, size = parse_head(stream.read(_MAX_HEAD_BYTES))
    stream.seek(offset + start)
    block = stream.read(size) if size <= MAX_RECORD_BYTES else b""
    stream.seek(offset + start + size)
    end = stream.read(len(_RECORD_END))
    if end != _RECORD_END:
        raise Unreadable("the record is cut, or longer than it says")
    if len(block) < size:
        raise Oversize(start + size + len(end))
    record = WarcRecord(offset, start + size + len(end), headers, block)
    require_digest(record)
    return record


def parse_head(content: bytes) -> tuple[tuple[tuple[str, str], ...], int, int]:
    """The headers of the record that content starts with, where its block starts, and the block's size.

    Raises:
        Unreadable: no WARC record, or its length or date cannot be read.
    """
    end = _HEAD_END.search(content)
    if not _VERSION.match(content) or not end:
        raise Unreadable("no head of a WARC record")
    headers: list[tuple[str, str]] = []
    for raw in _LINE_END.split(content[: end.start()])[1:]:
        line = raw.decode("utf-8", "replace")
        if line[:1] in (" ", "\t") and headers:  # a folded line, as WARC 1.0 allows
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
        elif ":" in line:
            name, _, value = line.partition(":")
            headers.append((name.strip().lower(), value.strip()))
    said = dict(reversed(headers))
    length = said.get("content-length", "")
    if not (length.isascii() and length.isdecimal() and len(length) < _MAX_DIGITS):
        raise Unreadable(f"the head of the record cannot be read (Content-Length {length[:40]!r})")
    try:
        read_date(said.get("warc-date", ""))
    except ValueError:
        raise Unreadable(f"the head of the record cannot be read (WARC-Date {said.get('warc-date')!r})") from None
    return tuple(headers), end.end(), int(length)


def require_digest(record: WarcRecord) -> None:
    """Compare the stated digest with the block; an algorithm we do not know says nothing.

    Raises:
        DigestDiffers: they differ.
    """
    if not is_digest_of(record.header("warc-block-digest"), record.block):
        raise DigestDiffers(record)


def is_digest_of(stated: str, content: bytes) -> bool:
    """Whether a digest as WARCs state them may be that of some bytes; one that we cannot check may be."""
    algorithm, _, value = stated.partition(":")
    if algorithm.lower() not in ("sha1", "sha256", "md5") or not value:
        return True
    digest = hashlib.new(algorithm.lower(), content, usedforsecurity=False)
    return value.upper().rstrip("=") == base64.b32encode(digest.digest()).decode().rstrip("=") or (
        value.lower() == digest.hexdigest()
    )

"""The records of any WARC, however it is packed: compressed record by record, as a whole, or not at all.

What the standard asks for, a gzip member for each record, can be read on behind damage; of a file that was packed as a
whole, what stands before the damage is all that can be had.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import IO

from harvest.members import (
    GZIP_MAGIC,
    MAX_RECORD_BYTES,
    Damage,
    Unreadable,
    WarcRecord,
    parse_head,
    require_digest,
    scan_records,
)
from schema.errors import DamagedArchive

_MAX_HEAD_BYTES = 64 * 1024
_READ_BYTES = 16 * 1024
_STEP_BYTES = 1024 * 1024
_MARK = b"WARC/"
# wget states the digest of nothing, others that of the answer which is repeated: no reader checks it
_UNCHECKED = ("revisit",)


def is_warc(path: Path) -> bool:
    """Whether a file is a WARC by its first bytes; one that cannot be unpacked is by its name.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        start = stream.read(len(_MARK))
        if start == _MARK:
            return True
        if not start.startswith(GZIP_MAGIC[:2]):
            return False
        stream.seek(0)
        unpacked = next(_first_member(stream), b"")
    return unpacked.startswith(_MARK) or (not unpacked and path.name.endswith(".warc.gz"))


def foreign_records(path: Path) -> Iterator[WarcRecord | Damage]:
    """The records of any WARC; offsets are those in the unpacked text where the file is packed as a whole.

    Raises:
        DamagedArchive: no such file, or no WARC.
    """
    if not _is_packed_as_a_whole(path):
        yield from scan_records(path, _UNCHECKED)
        return
    with path.open("rb") as file, gzip.GzipFile(fileobj=file) as stream:
        yield from _stream_records(stream)


# --- packed as a whole ------------------------------------------------------------------------------------------------


def _is_packed_as_a_whole(path: Path) -> bool:
    """Whether the first gzip member goes on behind its first record, or ends before that record does; or the second.

    Some programs pack what they say of the file by itself, and all that it holds together.
    """
    try:
        with path.open("rb") as stream:
            if stream.read(2) != GZIP_MAGIC[:2]:
                return False
            stream.seek(0)
            return _goes_on(_first_member(stream), path) or _second_goes_on(stream, path)
    except OSError:
        # to be told by the one who reads it
        return False


def _second_goes_on(stream: IO[bytes], path: Path) -> bool:
    first = next(scan_records(path), None)
    if not isinstance(first, WarcRecord):
        return False
    stream.seek(first.length)
    try:
        return _goes_on(_first_member(stream), path)
    except DamagedArchive:  # to be told by its place
        return False


def _goes_on(pieces: Iterator[bytes], path: Path) -> bool:
    head, left = b"", -1
    for piece in pieces:
        text = piece
        if left < 0:
            head = text = head + piece
            if head[: len(_MARK)] != _MARK[: len(head)]:
                raise DamagedArchive(f"{path}: not a WARC; give a .warc or .warc.gz")
            try:
                _, start, size = parse_head(head)
            except Unreadable:
                if len(head) > _MAX_HEAD_BYTES:
                    return False
                continue
            left = start + size
        behind = text[left:]
        left -= len(text) - len(behind)
        if behind.strip(b"\r\n"):
            return True
    return False


def _first_member(stream: IO[bytes]) -> Iterator[bytes]:
    """What the first gzip member holds, piece by piece, up to its end or to its damage."""
    inflate = zlib.decompressobj(wbits=31)
    while not inflate.eof and (given := inflate.unconsumed_tail or stream.read(_READ_BYTES)):
        try:
            piece = inflate.decompress(given, _STEP_BYTES)
        except zlib.error:
            return
        if piece:
            yield piece


def _stream_records(stream: gzip.GzipFile) -> Iterator[WarcRecord | Damage]:
    """The records of a stream that is read from its beginning to its end, or to its first damage."""
    place = 0
    try:
        while head := _head(stream):
            place = stream.tell() - len(head)
            try:
                headers, start, size = parse_head(head)
            except Unreadable as error:
                yield Damage(place, len(head), f"{error}; what stands behind it cannot be told apart")
                return
            yield _record(stream, place, headers, start, size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield Damage(place, 0, f"the packed text breaks off ({error}); what stood behind it cannot be read")


def _record(
    stream: gzip.GzipFile, place: int, headers: tuple[tuple[str, str], ...], start: int, size: int
) -> WarcRecord | Damage:
    if size > MAX_RECORD_BYTES:
        stream.seek(place + start + size)
        return Damage(place, start + size, f"more than {MAX_RECORD_BYTES} bytes in one record")
    block = stream.read(size)
    if len(block) < size:
        return Damage(place, start + len(block), "the record is cut")
    record = WarcRecord(place, start + size, headers, block)
    try:
        if record.kind not in _UNCHECKED:
            require_digest(record)
    except Unreadable as error:
        return Damage(place, record.length, str(error))
    return record


def _head(stream: BufferedIOBase) -> bytes:
    """The next record's head, its blank line included; empty at the end."""
    lines: list[bytes] = []
    while line := stream.readline(_MAX_HEAD_BYTES):
        if line.strip() or lines:
            lines.append(line)
        if lines and not line.strip():
            break
        if sum(map(len, lines)) > _MAX_HEAD_BYTES:
            break
    return b"".join(lines)

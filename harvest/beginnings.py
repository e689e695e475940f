"""Of a robots.txt the beginning is enough: what lies behind it may be missing or damaged.

RFC 9309, 2.5 wants at least its first 500 KiB read, however long it is. A page is read whole or not at all
(harvest.answers).
"""

from __future__ import annotations

import zlib
from pathlib import Path

from harvest.answers import CHUNK_SIZE, INFLATE_STEP_BYTES, Answer, BrokenAnswer, read_answer, read_head
from harvest.revisits import effective_answer
from harvest.robots import MAX_ROBOTS_BYTES


def read_robots_answer(block: bytes) -> tuple[Answer, bool]:
    """The answer that the bytes of a response record hold, and whether it is a beginning only.

    Raises:
        BrokenAnswer: broken, and no more than MAX_ROBOTS_BYTES of content, codings undone, came before.
    """
    try:
        return read_answer(block), False
    except BrokenAnswer:
        head, body = read_head(block)
        content = _decoded(head, body)
        if len(content) <= MAX_ROBOTS_BYTES:
            raise
        return Answer(head.status, head.headers, content), True


def is_beginning(block: bytes) -> bool:
    """Whether an answer is broken, and enough of it came all the same."""
    try:
        return read_robots_answer(block)[1]
    except BrokenAnswer:
        return False


def archived_robots(archive: Path, offset: int) -> bytes:
    """The content of an archived robots.txt as far as it came, which may be further than it is read.

    Raises:
        DamagedArchive: the archive is not what was written.
        BrokenAnswer: not even its beginning came.
    """
    return read_robots_answer(effective_answer(archive, offset))[0].content


def _decoded(head: Answer, body: bytes) -> bytes:
    """As much of a body as can be decoded; of a coded one little more than is enough."""
    if head.all_of("transfer-encoding") == ["chunked"]:
        body = _dechunked(body)
    codings = [coding for coding in head.all_of("content-encoding") if coding != "identity"]
    if not codings:
        return body
    return _inflated(body) if codings in (["gzip"], ["x-gzip"]) else b""


def _dechunked(body: bytes) -> bytes:
    parts, place = list[bytes](), 0
    while (size := CHUNK_SIZE.match(body, place)) and (length := int(size[1], 16)):
        parts.append(body[size.end() : size.end() + length])
        place = min(size.end() + length, len(body))
        place += 2 * (body[place : place + 2] == b"\r\n")
    return b"".join(parts)


def _inflated(body: bytes) -> bytes:
    """What the first gzip member holds, as far as it can be read."""
    inflate, content, rest = zlib.decompressobj(wbits=31), bytearray(), body
    try:
        while rest and not inflate.eof and len(content) <= MAX_ROBOTS_BYTES:
            content += inflate.decompress(rest, INFLATE_STEP_BYTES)
            rest = inflate.unconsumed_tail
    except zlib.error:
        pass
    return bytes(content)

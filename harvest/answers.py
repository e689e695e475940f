"""From the bytes of an archived answer to its payload, refusing halves.

Live answers and foreign archives pass the same door. Foreign archives often keep the headers `Transfer-Encoding` and
`Content-Encoding` over a body that was already decoded: that is recognised by the body's first bytes. What starts
encoded must end encoded.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from email.message import Message

MAX_CONTENT_BYTES = 64 * 1024 * 1024

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"^HTTP/\d(?:\.\d)? (\d{3})")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_GZIP_MAGIC = b"\x1f\x8b"


class BrokenAnswer(ValueError):
    """The answer is cut, malformed or coded in a way we do not read; the message says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, headers in order (names in lower case), content with all codings undone."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header, None when absent."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def media_type(self) -> str:
        """Media type without parameters, lower case; empty when not stated."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset that the Content-Type header names."""
        message = Message()
        message["content-type"] = self.header("content-type") or ""
        value = message.get_param("charset")
        return value.strip() if isinstance(value, str) and value.strip() else None


def split_head(block: bytes) -> tuple[bytes, bytes]:
    """The head of an HTTP message, its blank line included, and the body."""
    end = _HEAD_END.search(block)
    if not end:
        raise BrokenAnswer("the answer ends within its headers")
    return block[: end.end()], block[end.end() :]


def read_answer(block: bytes) -> Answer:
    """The answer that the bytes of a response record hold.

    Raises:
        BrokenAnswer: cut short, malformed, coded in an unknown way or twice, or larger than MAX_CONTENT_BYTES.
    """
    head, body = split_head(block)
    status = _STATUS_LINE.match(head)
    if not status:
        raise BrokenAnswer(f"no HTTP status line: {head[:40]!r}")
    headers = tuple(_headers(head))
    answer = Answer(int(status[1]), headers, b"")
    body = _undo_transfer(answer, body)
    return Answer(answer.status, headers, _undo_coding(answer, body))


def _headers(head: bytes) -> list[tuple[str, str]]:
    lines = head.decode("latin-1").splitlines()[1:]
    pairs = (line.split(":", 1) for line in lines if ":" in line and line[:1] not in " \t")
    return [(name.strip().lower(), value.strip()) for name, value in pairs]


def _undo_transfer(answer: Answer, body: bytes) -> bytes:
    if "chunked" in (answer.header("transfer-encoding") or "").lower():
        return _dechunk(body) if _CHUNK_SIZE.match(body) else body
    length = answer.header("content-length")
    if length and length.isdecimal() and len(body) < int(length) and not answer.header("content-encoding"):
        raise BrokenAnswer(f"{len(body)} bytes of the {length} announced")
    return body


def _dechunk(body: bytes) -> bytes:
    parts: list[bytes] = []
    place = 0
    while True:
        size = _CHUNK_SIZE.match(body, place)
        if not size:
            raise BrokenAnswer("cut between two chunks")
        length = int(size[1], 16)
        if length == 0:
            return b"".join(parts)
        start = size.end()
        if len(body) < start + length:
            raise BrokenAnswer("cut within a chunk")
        parts.append(body[start : start + length])
        place = start + length + (2 if body[start + length : start + length + 2] == b"\r\n" else 1)


def _undo_coding(answer: Answer, body: bytes) -> bytes:
    coding = (answer.header("content-encoding") or "identity").strip().lower()
    if coding in ("", "identity") or (coding in ("gzip", "x-gzip") and not body.startswith(_GZIP_MAGIC)):
        return body
    if coding not in ("gzip", "x-gzip"):
        raise BrokenAnswer(f"content coding {coding!r}; only gzip is read")
    return _gunzip(body)


def _gunzip(body: bytes) -> bytes:
    """All members of a gzip body; httpx keeps the first and takes a cut one for whole."""
    parts: list[bytes] = []
    size = 0
    while body:
        inflate = zlib.decompressobj(wbits=31)
        try:
            parts.append(inflate.decompress(body, MAX_CONTENT_BYTES - size + 1))
        except zlib.error as error:
            raise BrokenAnswer(f"damaged gzip body: {error}") from None
        size += len(parts[-1])
        if size > MAX_CONTENT_BYTES:
            raise BrokenAnswer(f"more than {MAX_CONTENT_BYTES} bytes once decoded")
        if not inflate.eof:
            raise BrokenAnswer("gzip body cut before its end")
        body = inflate.unused_data
    return b"".join(parts)

"""From the bytes of an archived answer to its payload, refusing halves.

Live answers and foreign archives pass the same door. Foreign archives often keep the headers `Transfer-Encoding` and
`Content-Encoding` over a body that was already decoded: that is recognised by the body's first bytes, which must then
be text. What starts encoded must end encoded.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from email.message import Message

MAX_CONTENT_BYTES = 16 * 1024 * 1024
MAX_GZIP_MEMBERS = 1000
MAX_INTERIM_ANSWERS = 10
# longer ones stay where they came: a header of a WARC record has to hold the others
MAX_INTERIM_BYTES = 8 * 1024
INFLATE_STEP_BYTES = 64 * 1024

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})")
# as many digits as h11 takes, which reads the same bytes first
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,20})[ \t]*(?:;[^\r\n]*)?\r?\n")
_BODILESS = (204, 304)
_TRAILERS = re.compile(rb"(?:[^\r\n]+\r?\n)*\r?\n")
_GZIP = (["gzip"], ["x-gzip"])
_GZIP_MAGIC = b"\x1f\x8b"
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_LOOKED_AT_BYTES = 512
_LINE_END = re.compile(r"\r?\n")
# a longer one is no length of anything, and Python reads none of 4301 digits
_MAX_LENGTH_DIGITS = 20
_PAGE_END = re.compile(rb"</html\s*>", re.IGNORECASE)
_PAGE_END_WITHIN_BYTES = 4096
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
# what a page shows soon, where no header says that it is one
_PAGE_START = re.compile(rb"<(?:!doctype html|html|head|body|article|div|h1|p|a)\b", re.IGNORECASE)
_PAGE_START_WITHIN_BYTES = 1024


class BrokenAnswer(ValueError):
    """The answer is cut, malformed or coded in a way we do not read; the message says which."""


class TooLong(BrokenAnswer):
    """The content is longer than we read; asked for again, it would be as long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, headers in order (names in lower case), content with all codings undone."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header, None when absent."""
        return next((value for key, value in self.headers if key == name), None)

    def all_of(self, name: str) -> list[str]:
        """The parts of a header that may stand on several lines and hold several words, lower case."""
        values = ",".join(value for key, value in self.headers if key == name)
        return [part.strip().lower() for part in values.split(",") if part.strip()]

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


def split_final(block: bytes) -> tuple[bytes, bytes]:
    """The head of an answer, its blank line included, and the body; interim answers (1xx) before it are passed over.

    Raises:
        BrokenAnswer: the head is cut short, or more than MAX_INTERIM_ANSWERS come before it.
    """
    start, end = _final_head(block)
    return block[start:end], block[end:]


def without_interim(block: bytes) -> tuple[bytes, bytes]:
    """The interim answers (1xx) before an answer, and the answer; where they cannot be parted, all is the answer."""
    try:
        start, _ = _final_head(block)
    except BrokenAnswer:
        return b"", block
    return (block[:start], block[start:]) if start <= MAX_INTERIM_BYTES else (b"", block)


def _final_head(block: bytes) -> tuple[int, int]:
    """Where the head of the answer that is no interim one begins and ends."""
    start = 0
    for _ in range(MAX_INTERIM_ANSWERS + 1):
        end = _HEAD_END.search(block, start)
        if not end:
            raise BrokenAnswer("the answer ends within its headers")
        status = _STATUS_LINE.match(block, start)
        if not status or not status[1].startswith(b"1"):
            return start, end.end()
        start = end.end()
    raise BrokenAnswer(f"more than {MAX_INTERIM_ANSWERS} interim answers")


def read_answer(block: bytes) -> Answer:
    """The answer that the bytes of a response record hold; interim answers (1xx) before it are passed over.

    Raises:
        BrokenAnswer: cut short, malformed, coded in an unknown way or twice, or larger than MAX_CONTENT_BYTES.
    """
    answer, body = read_head(block)
    body = _undo_transfer(answer, body)
    return Answer(answer.status, answer.headers, _undo_coding(answer, body))


def read_head(block: bytes) -> tuple[Answer, bytes]:
    """The answer without its content, and its body as it went over the wire.

    Raises:
        BrokenAnswer: the head is cut short, or none, or too many interim answers (1xx) come before it.
    """
    head, body = split_final(block)
    status = _STATUS_LINE.match(head)
    if not status:
        raise BrokenAnswer(f"no HTTP status line: {head[:40]!r}")
    return Answer(int(status[1]), tuple(_headers(head)), b""), body


def body_forms(block: bytes) -> tuple[bytes, bytes, bytes]:
    """The body of an answer as it stands, without its transfer coding, without any coding: digests are made of each.

    Raises:
        BrokenAnswer: as for read_answer.
    """
    answer = read_answer(block)
    _, body = split_final(block)
    return body, _undo_transfer(answer, body), answer.content


def ends_exactly(block: bytes) -> bool:
    """Whether the bytes are one answer and nothing behind it, by the answer's own framing; in doubt they are not."""
    try:
        answer, body = read_head(block)
        transfer, lengths = answer.all_of("transfer-encoding"), answer.all_of("content-length")
        if answer.status in _BODILESS:
            return not body
        if transfer:
            return transfer == ["chunked"] and _TRAILERS.fullmatch(body, _chunks(body)[1]) is not None
    except BrokenAnswer:
        return False
    return lengths == [f"{len(body)}"]


def header_lines(head: bytes) -> list[str]:
    """The lines of the head of a message behind its first one, each folded one joined to the line that it goes on.

    h11, which reads the same bytes first, obeys folded lines: what we passed over it would have read.
    """
    lines: list[str] = []
    for line in _LINE_END.split(head.decode("latin-1"))[1:]:
        if line[:1] in (" ", "\t") and lines:
            lines[-1] = f"{lines[-1].rstrip()} {line.strip()}"
        elif line:
            lines.append(line)
    return lines


def _headers(head: bytes) -> list[tuple[str, str]]:
    pairs = (line.split(":", 1) for line in header_lines(head) if ":" in line)
    return [(name.strip().lower(), value.strip()) for name, value in pairs]


def _undo_transfer(answer: Answer, body: bytes) -> bytes:
    if answer.status in _BODILESS:  # whatever stands behind its head is nobody's
        return b""
    transfer = answer.all_of("transfer-encoding")
    if transfer and transfer not in (["chunked"], ["identity"]):
        raise BrokenAnswer(f"transfer coding {', '.join(transfer)!r}; only chunked is read")
    if transfer == ["chunked"]:
        return _dechunk(body) if CHUNK_SIZE.match(body) else body
    length = answer.header("content-length") or ""
    if length.isdecimal():
        if len(length) > _MAX_LENGTH_DIGITS:
            raise BrokenAnswer(f"{len(body)} bytes of an announced number of {len(length)} digits")
        return _of_length(answer, body, int(length))
    _require_end(answer, body)
    return body


def _of_length(answer: Answer, body: bytes, length: int) -> bytes:
    """The body as long as announced; an archive that kept the length of a coded body over the decoded one is let be.

    What lies behind a page that came to its end is not ours; behind anything else it may be the rest of it.
    """
    if _codings(answer) and body and not _GZIP_MAGIC.startswith(body[:2]):
        if len(body) > length:
            _require_end(answer, body)
        return body
    if len(body) < length:
        raise BrokenAnswer(f"{len(body)} bytes of the {length} announced")
    part, surplus = body[:length], body[length:].strip()
    if surplus and answer.status == 200 and not (_is_page(answer, part) and _has_end(part)):
        raise BrokenAnswer(f"{len(body)} bytes where {length} were announced: it may be cut")
    return part


def _require_end(answer: Answer, body: bytes) -> None:
    """Refuse a page whose length nothing tells and that does not come to its end; a gzip body has an end of its own."""
    is_text = not _codings(answer) or (_codings(answer) in _GZIP and _is_decoded(body))
    if answer.status == 200 and is_text and _is_page(answer, body) and not _has_end(body):
        raise BrokenAnswer("no length announced and no </html> at the end: it may have been cut")


def _is_decoded(body: bytes) -> bool:
    """Whether a body that is called gzip was decoded already, by what it begins with."""
    return not _GZIP_MAGIC.startswith(body[:2]) and not _NO_TEXT.search(body, 0, _LOOKED_AT_BYTES)


def _is_page(answer: Answer, body: bytes) -> bool:
    looks_like_one = not answer.media_type and _PAGE_START.search(body, 0, _PAGE_START_WITHIN_BYTES) is not None
    return looks_like_one or answer.media_type in _PAGE_TYPES


def _has_end(body: bytes) -> bool:
    return _PAGE_END.search(body[-_PAGE_END_WITHIN_BYTES:]) is not None


def _dechunk(body: bytes) -> bytes:
    return b"".join(_chunks(body)[0])


def _chunks(body: bytes) -> tuple[list[bytes], int]:
    """What the chunks of a body hold, and where the line of the last, empty one ends."""
    parts: list[bytes] = []
    place = 0
    while True:
        size = CHUNK_SIZE.match(body, place)
        if not size:
            raise BrokenAnswer("cut between two chunks")
        length = int(size[1], 16)
        if length == 0:
            return parts, size.end()
        start = size.end()
        if len(body) < start + length:
            raise BrokenAnswer("cut within a chunk")
        parts.append(body[start : start + length])
        place = start + length + (2 if body[start + length : start + length + 2] == b"\r\n" else 1)


def _codings(answer: Answer) -> list[str]:
    """The content codings that an answer names; `identity` is none."""
    return [coding for coding in answer.all_of("content-encoding") if coding != "identity"]


def _undo_coding(answer: Answer, body: bytes) -> bytes:
    codings = _codings(answer)
    if not codings:
        return body
    if codings not in _GZIP:
        raise BrokenAnswer(f"content coding {', '.join(codings)!r}; only gzip is read")
    # a page is never empty: a gzip body cut before its first byte is
    if not body and (answer.status in (204, 304) or (answer.status != 200 and answer.header("content-length") == "0")):
        return body
    if _GZIP_MAGIC.startswith(body[:2]):
        return _gunzip(body)
    if not _is_decoded(body):
        raise BrokenAnswer("called gzip, and neither that nor text")
    return body


def _gunzip(body: bytes) -> bytes:
    """All members of a gzip body; httpx keeps the first and takes a cut one for whole."""
    content, view = bytearray(), memoryview(body)
    for _ in range(MAX_GZIP_MEMBERS):
        view = view[_inflate_member(view, content) :]
        if not view:
            return bytes(content)
    raise BrokenAnswer(f"more than {MAX_GZIP_MEMBERS} gzip members")


def _inflate_member(view: memoryview, content: bytearray) -> int:
    """Append what the first member of a gzip body holds, in bounded steps; how many bytes it took."""
    inflate, rest = zlib.decompressobj(wbits=31), view
    while not inflate.eof:
        given = rest[:INFLATE_STEP_BYTES]
        try:
            piece = inflate.decompress(given, INFLATE_STEP_BYTES)
        except zlib.error as error:
            raise BrokenAnswer(f"damaged gzip body: {error}") from None
        content += piece
        if len(content) > MAX_CONTENT_BYTES:
            raise TooLong(f"more than {MAX_CONTENT_BYTES} bytes once decoded")
        # at the end of a member zlib names what follows it twice
        left = len(inflate.unused_data or inflate.unconsumed_tail)
        rest = rest[len(given) - left :]
        if not piece and not rest and not inflate.eof:
            raise BrokenAnswer("gzip body cut before its end")
    return len(view) - len(rest)

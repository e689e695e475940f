"""The lines of a plain-text copy, each with the bytes it stands in.

Spans count bytes and the words are read as text, so both are kept together from here on. A byte that the charset cannot
read becomes U+FFFD and keeps its place; which charset was used in place of the declared one is said, never kept quiet.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from schema.folding import fold, squeeze
from schema.nouns import Payload

_BULLET = re.compile(r"[•◦▪‣●]\s*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\W_a-zà-öø-ÿ]|\"|\()")


@dataclass(frozen=True)
class Line:
    """A line that is not blank: text without its bullet, bytes `[start, end)` with it, number counted from 1.

    is_alone says that blank lines surround it; rest is the byte where the words after its first colon begin.
    """

    text: str
    start: int
    end: int
    number: int
    is_item: bool
    is_alone: bool
    rest: int

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Its sentences as compared."""
        return tuple(unit.casefold() for unit in _SENTENCE_END.split(fold(self.text)))

    @cached_property
    def key(self) -> str:
        """Its text as compared: the sentences with the one space that folding leaves between words."""
        return " ".join(self.units)


def choose_codec(payload: Payload) -> tuple[str, list[str]]:
    """The codec to read the bytes with, and what is odd about it.

    Every codec returned gives the same bytes back when its text is encoded piece by piece: spans rest on that.
    """
    content, declared = payload.content, payload.charset
    if content.startswith(codecs.BOM_UTF8):
        declared = "utf-8"
    codec = _find_codec(declared, content) if declared else None
    if codec:
        broken = sum(map(_is_surrogate, content.decode(codec, "surrogateescape")))
        return codec, [f"{broken} bytes are not {declared}: read as U+FFFD"] if broken else []
    notes = [f"charset {declared!r} cannot be used: read as undeclared"] if declared else []
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252", [*notes, "no usable charset and not UTF-8: read as cp1252"]
    return "utf-8", notes


def _find_codec(name: str, content: bytes) -> str | None:
    """The codec that a charset's name stands for, None where it is unknown or cannot give the bytes back."""
    utf16 = "utf-16-be" if content.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
    try:
        codec = codecs.lookup(name.strip()).name
        # as browsers do: those who declare latin-1 write the quotes and dashes of cp1252
        codec = {"iso8859-1": "cp1252", "utf-8-sig": "utf-8", "utf-16": utf16}.get(codec, codec)
        text = content.decode(codec, "surrogateescape")
        return codec if text.encode(codec, "surrogateescape") == content else None
    except (LookupError, UnicodeError):
        return None


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def read_lines(content: bytes, codec: str) -> list[Line]:
    """The lines that are not blank, in order."""
    raws = list(io.StringIO(content.decode(codec, "surrogateescape"), newline=""))
    starts = accumulate((_count_bytes(raw, codec) for raw in raws), initial=0)
    blanks = [True, *(not _strip_blank(raw) for raw in raws), True]
    return [
        _read_line(raw, start, codec, number, is_alone=blanks[number - 1] and blanks[number + 1])
        for number, (raw, start) in enumerate(zip(raws, starts, strict=False), 1)
        if not blanks[number]
    ]


def _count_bytes(text: str, codec: str) -> int:
    return len(text.encode(codec, "surrogateescape"))


def _strip_blank(raw: str) -> str:
    """The line without blanks (a byte order mark is one) at its ends, empty where a bullet is all it has."""
    stripped = raw.strip().strip("\ufeff\u200b").strip()
    return "" if _BULLET.fullmatch(stripped) else stripped


def _read_line(raw: str, start: int, codec: str, number: int, *, is_alone: bool) -> Line:
    stripped = _strip_blank(raw)
    first = raw.index(stripped)
    last = first + len(stripped)
    places = (first, last - len(stripped.partition(":")[2].lstrip()), last)
    begin, rest, end = (start + _count_bytes(raw[:place], codec) for place in places)
    text = "".join("\ufffd" if _is_surrogate(c) else c for c in stripped)
    bullet = _BULLET.match(text)
    return Line(
        text=squeeze(text[bullet.end() :] if bullet else text),
        start=begin,
        end=end,
        number=number,
        is_item=bool(bullet),
        is_alone=is_alone,
        rest=rest,
    )

"""The lines of a plain-text copy, each with the bytes it stands in.

Spans count bytes and the words are read as text, so both are kept together from here on. A byte that the charset cannot
read becomes U+FFFD and keeps its place; which charset was used in place of the declared one is said, never kept quiet.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from parsers.marks import clean
from schema.charsets import Undecodable, find_charset
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


def choose_codec(payload: Payload) -> tuple[str, tuple[str, ...]]:
    """The codec to read the bytes with, and what is odd about it.

    Raises:
        Undecodable: a coding that we do not read, or whose text does not give the same bytes back: spans rest on that.
    """
    codec, notes = find_charset(payload, is_markup=False)
    if payload.content.decode(codec, "surrogateescape").encode(codec, "surrogateescape") != payload.content:
        raise Undecodable(f"coded in {codec}, which does not give its bytes back; save it in UTF-8")
    return codec, notes


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
    words = _words(stripped)
    return stripped if words and not _BULLET.fullmatch(words) else ""


def _words(text: str) -> str:
    """The text without control characters; those that are white space part words."""
    return squeeze(clean(squeeze(text)))


def _read_line(raw: str, start: int, codec: str, number: int, *, is_alone: bool) -> Line:
    stripped = _strip_blank(raw)
    first = raw.index(stripped)
    last = first + len(stripped)
    places = (first, last - len(stripped.partition(":")[2].lstrip()), last)
    begin, rest, end = (start + _count_bytes(raw[:place], codec) for place in places)
    text = _words(stripped)
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

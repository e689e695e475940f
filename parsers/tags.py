"""The tags of HTML bytes, with their places; one pass, linear in the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# possessive, so that no input makes it go back: linear in the size of the page
_ATTRIBUTES = rb"""(?:[\s/]++|[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+|=)*+"""
_TOKEN = re.compile(
    rb"<!--.*?(?:-->|$(?!\n))|<(?P<close>/?)(?P<tag>[a-zA-Z][^\s/>]*)(?P<rest>" + _ATTRIBUTES + rb")>?",
    re.DOTALL,
)
_RAW_TEXT = frozenset({b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes"})
VOID = frozenset(
    {b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"source", b"track", b"wbr"}
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag: its name in lower case and its bytes `[start, end)`; names_end is where the name ends."""

    name: bytes
    start: int
    names_end: int
    end: int
    is_end: bool


def tags(content: bytes, start: int = 0, end: int | None = None) -> Iterator[Tag]:
    """The tags of HTML bytes in order; what stands in comments, scripts and the like is no tag."""
    place, stop = start, len(content) if end is None else end
    while match := _TOKEN.search(content, place, stop):
        place = match.end()
        if match["tag"] is None:
            continue
        name = match["tag"].lower()
        yield Tag(name, match.start(), match.end("tag"), place, bool(match["close"]))
        if name in _RAW_TEXT and not match["close"]:
            close = re.compile(rb"</" + re.escape(name) + rb"[\s/>]", re.IGNORECASE).search(content, place, stop)
            place = close.start() if close else stop

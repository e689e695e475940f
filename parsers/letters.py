"""The letters of a page as its readers, of whatever kind, may see them, each with its place in the page's text.

White space, punctuation, accents and case are left out: what differs in these alone is the same to whoever reads it,
and the same letter is written in one character or in two, as an entity, as JSON writes it, or as an address does.
Hyphens count: the address of a page, made of the words of its title, is not that title.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from urllib.parse import unquote_to_bytes

from schema.folding import fold

_CODED = (
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[/nrt]"
)
_HEX = "%[0-9a-fA-F]{2}"
_IN_ADDRESS = rf"%[c-dC-D][0-9a-fA-F]{_HEX}|%[eE][0-9a-fA-F]{_HEX * 2}|%[fF][0-7]{_HEX * 3}|{_HEX}"
_TAG = re.compile(r"</?(?P<name>[A-Za-z][^\s<>/=]*+)(?:[^<>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')|=)*+>")
_MARKUP = re.compile(rf"<!--|{_TAG.pattern}")
_MARKS = re.compile(rf"<!--|-->|{_TAG.pattern}")
_HIDDEN_ENDS = {
    "<!--": re.compile("-->"),
    **{name: re.compile(f"</{name}[^<>]*>", re.IGNORECASE) for name in ("script", "style")},
}
# what stands within a text; any other tag ends it
_INLINE = frozenset(
    ("abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd",
     "label", "mark", "q", "s", "samp", "script", "small", "span", "strong", "style", "sub", "sup", "time", "tt", "u",
     "var", "wbr")
)  # fmt: skip
_VALUE_ENDS = re.compile(r"\"|'\s*/?>")
_NAME_CHARS = 40
_NEXT_VALUE = re.compile(r"&(?:amp;)?[\w.-]+=")


class View(Enum):
    """What is passed over: all but what a browser shows; tags; nothing, and then addresses are read too, or not."""

    SHOWN = "comments, scripts and tags"
    TAGGED = "tags"
    BYTES = "nothing"
    ADDRESSES = "nothing, and percents are undone"


_TOKENS = {
    view: re.compile(f"(?P<coded>{coded})|.", re.DOTALL)
    for view in View
    for coded in [f"{_IN_ADDRESS}|{_CODED}" if view is View.ADDRESSES else _CODED]
}
_CODES = {view: re.compile(f"{_IN_ADDRESS}|{_CODED}" if view is View.ADDRESSES else _CODED) for view in View}


class _Bare(dict[int, str]):
    def __missing__(self, code: int) -> str:
        apart = unicodedata.normalize("NFKD", fold(chr(code)).casefold())
        self[code] = bare = "".join(sign for sign in apart if sign.isalnum() or sign in "-_")
        return bare


_BARE = _Bare()


def bare(text: str) -> str:
    """The letters, digits and hyphens of a text, without accents or case."""
    return text.translate(_BARE)


def decoded(coded: str) -> str:
    """What an entity, an escape of JSON, or percents of an address stand for."""
    if coded.startswith("%"):
        raw = unquote_to_bytes(coded)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("cp1252", errors="replace")
    if coded.startswith("\\"):
        return chr(int(f"0x{coded[2:]}", base=16)) if coded[1] in "ux" else "/" if coded[1] == "/" else " "
    return html.unescape(coded)


def undone(text: str, view: View) -> str:
    """A text with its codes undone, once."""
    return html.unescape(_CODES[view].sub(lambda found: decoded(found[0]), text))


def seen(text: str, view: View) -> str:
    """The text as it is seen, its codes undone: what `bare` gives of it is `letters(text, view).bare`."""
    pieces = [text[start:end] for start, end in _stretches(text, view)]
    return undone("".join(pieces), view)


@dataclass(frozen=True, slots=True)
class Letters:
    """The bare letters of a text: starts and ends have the place of each in the text."""

    text: str
    view: View
    bare: str
    starts: list[int]
    ends: list[int]

    def spans(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Where the letters from first to last stand, with what is between them but what is passed over.

        Signs that belong to the text go with it.
        """
        start, end = self.starts[first], self.ends[last]
        while end < len(self.text) and self.text[end] in ".!?…»":
            end += 1
        while start > 0 and self.text[start - 1] == "«":
            start -= 1
        yield from _within(_stretches(self.text, self.view), start, end)

    def ends_after(self, last: int) -> bool:
        """Whether a text comes to its end behind a letter: by an ellipsis, a tag that is no part of a text, a quote."""
        upto = self.starts[last + 1] if last + 1 < len(self.starts) else len(self.text)
        gap = self.text[self.ends[last] : upto]
        if last + 1 == len(self.starts):
            return True
        plain = undone(_TAG.sub("", gap), self.view)
        if "…" in plain or "..." in plain:
            return True
        if self.view is View.SHOWN or self.view is View.TAGGED:
            return any(_is_end(tag) for tag in _TAG.finditer(gap))
        following = _NEXT_VALUE.search(self.text, self.ends[last], upto + _NAME_CHARS)
        is_value_over = self.view is View.ADDRESSES and following is not None and following.start() <= upto
        return is_value_over or bool(_VALUE_ENDS.search(gap))


def letters(text: str, view: View) -> Letters:
    """The letters of a text, with their places."""
    found: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for place, end in _stretches(text, view):
        for token in _TOKENS[view].finditer(text, place, end):
            here = bare(decoded(token[0]) if token["coded"] else token[0])
            found.append(here)
            starts += [token.start()] * len(here)
            ends += [token.end()] * len(here)
    return Letters(text, view, "".join(found), starts, ends)


def _is_end(tag: re.Match[str]) -> bool:
    name = tag["name"].lower()
    # a link within a text is a part of it; where one ends, its text does
    return name not in _INLINE and (name != "a" or tag[0].startswith("</"))


def _within(stretches: list[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    at = max(0, bisect_left(stretches, (start,)) - 1)
    for one_start, one_end in stretches[at:]:
        if one_start >= end:
            return
        if one_end > start:
            yield max(start, one_start), min(end, one_end)


def _stretches(text: str, view: View) -> list[tuple[int, int]]:
    """Where the text is that is not passed over, in order."""
    if view in (View.BYTES, View.ADDRESSES):
        return [(0, len(text))]
    out = _hidden(text) if view is View.SHOWN else (mark.span() for mark in _MARKS.finditer(text))
    edges = [0, *(edge for span in out for edge in span), len(text)]
    return [(start, end) for start, end in list(pairwise(edges))[::2] if start < end]


def _hidden(text: str) -> Iterator[tuple[int, int]]:
    """What a browser does not show: tags, and comments and scripts that come to an end."""
    place, endless = 0, set[str]()
    while found := _MARKUP.search(text, place):
        place = found.end()
        what = (found["name"] or found[0]).lower()
        if what in _HIDDEN_ENDS and not found[0].startswith("</") and what not in endless:
            closed = _HIDDEN_ENDS[what].search(text, place)
            if closed:
                place = closed.end()
            else:
                # looked for once: a page of nothing but beginnings must not take for ever
                endless.add(what)
        yield found.start(), place

"""Passages found wherever they stand in a page's bytes, and overwritten there without moving any other byte.

A page can hold a text that no reader of ours would read: between tags, in an attribute, in a comment, with its letters
as entities or as JSON writes them, in another charset than it says. All of these are looked at, spaces and typography
left out of the comparison.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schema.folding import fold, squeeze

# shorter ones are labels, turns of phrase: no text of their own
LEAST_CHARS, LEAST_TITLE_CHARS = 40, 20

_CODED = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?|\\u[0-9a-fA-F]{4}|\\/")
_TAG = r"</?[A-Za-z][^<>]*>"
_COMMENT = r"<!--.*?-->"
# what is passed over: whole comments and tags; only the marks of a comment, and tags; nothing at all
_VIEWS = tuple(re.compile(rule, re.DOTALL) for rule in (f"{_COMMENT}|{_TAG}", f"<!--|-->|{_TAG}", r"(?!)"))
_TOKENS = tuple(
    re.compile(f"(?P<out>{view.pattern})|(?P<coded>{_CODED.pattern})|(?P<plain>.)", re.DOTALL) for view in _VIEWS
)
_CHARSETS = ("utf-8", "cp1252")
_MOST_CODINGS = 4


class _Keys(dict[int, str]):
    """What each character is compared as: typography and case evened out, white space nothing."""

    def __missing__(self, code: int) -> str:
        self[code] = key = "".join(fold(chr(code)).split()).casefold()
        return key


_KEYS = _Keys()


def key_of(text: str) -> str:
    """A text as it is compared here: no white space at all, no typography, no case."""
    return text.translate(_KEYS)


def sought_in(texts: Iterable[str], titles: Iterable[str] = ()) -> frozenset[str]:
    """The keys of the texts and titles that are long enough to be somebody's own."""
    long = [text for text in texts if len(squeeze(text)) >= LEAST_CHARS]
    return frozenset(map(key_of, [*long, *(title for title in titles if len(squeeze(title)) >= LEAST_TITLE_CHARS)]))


@dataclass(frozen=True, slots=True)
class Blanked:
    """A page without some passages: its bytes, as many as before, and the keys that could not be overwritten."""

    content: bytes
    left: frozenset[str]


def find_sought(content: bytes, keys: frozenset[str], charset: str | None = None) -> frozenset[str]:
    """Those of some keys whose passages stand in the bytes of a page or of any text."""
    found: set[str] = set()
    for text in _texts(content, charset):
        for seen in _seen(text):
            found |= {key for key in keys - found if key in seen}
    return frozenset(found)


def blank_sought(content: bytes, keys: frozenset[str], charset: str | None = None) -> Blanked:
    """The bytes with spaces where passages of some keys stood; every other byte is where it was."""
    for encoding in _encodings(content, charset):
        text = content.decode(encoding, errors="surrogateescape")
        if text.encode(encoding, errors="surrogateescape") != content:
            continue
        for tokens in _TOKENS:
            text = _without(text, tokens, keys, encoding)
        content = text.encode(encoding, errors="surrogateescape")
    return Blanked(content, find_sought(content, keys, charset))


def blank_spans(content: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """The bytes with spaces in some spans `[start, end)`; line ends stay, so that lines keep their numbers."""
    made = bytearray(content)
    for start, end in spans:
        made[start:end] = re.sub(rb"[^\r\n]", b" ", bytes(made[start:end]))
    return bytes(made)


def _without(text: str, tokens: re.Pattern[str], keys: frozenset[str], encoding: str) -> str:
    places: list[tuple[int, int]] = []
    seen: list[str] = []
    for token in tokens.finditer(text):
        if token["out"] is None:
            letters = key_of(_decoded(token[0]) if token["coded"] else token[0])
            seen.append(letters)
            places += [token.span()] * len(letters)
    whole = "".join(seen)
    out = {place for key in keys for start in _starts(whole, key) for place in places[start : start + len(key)]}
    pieces, at = [], 0
    for start, end in sorted(out):
        pieces += [text[at:start], " " * len(text[start:end].encode(encoding, errors="surrogateescape"))]
        at = end
    return "".join([*pieces, text[at:]])


def _starts(text: str, key: str) -> Iterator[int]:
    place = text.find(key)
    while place >= 0:
        yield place
        place = text.find(key, place + 1)


def _texts(content: bytes, charset: str | None) -> Iterator[str]:
    for encoding in _encodings(content, charset):
        yield content.decode(encoding, errors="replace")


def _encodings(content: bytes, charset: str | None) -> list[str]:
    """The charset that is told, where there is such a one, and those that pages are in, told or not."""
    try:
        told = [charset] if charset and charset.lower() not in _CHARSETS and "".encode(charset) is not None else []
    except (LookupError, UnicodeError):
        told = []
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return [*told, *_CHARSETS]
    return [*told, "utf-8"]


def _seen(text: str) -> Iterator[str]:
    """The text as its readers, of whatever kind, may see it: a page may stand in a page, in JSON, in an attribute."""
    ways, before = set[str](), None
    for _ in range(_MOST_CODINGS):
        if text == before:
            break
        ways |= {view.sub("", text) for view in _VIEWS}
        before, text = text, html.unescape(_CODED.sub(lambda found: _decoded(found[0]), text))
    yield from map(key_of, {html.unescape(way) for way in ways})


def _decoded(coded: str) -> str:
    if coded == "\\/":
        return "/"
    return chr(int("0x" + coded[2:], base=16)) if coded.startswith("\\") else html.unescape(coded)

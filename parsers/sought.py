"""Passages found wherever they stand in a page's bytes, and overwritten there without moving any other byte.

A page can hold a text that no reader of ours would read: between tags, in an attribute, in a comment, in the address of
a link, with its letters as entities or as JSON writes them, in another charset than it says. All of these are looked at
(parsers.letters). A page may also hold but the beginning of a text: a teaser, cut where the site cuts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from parsers.letters import Letters, View, bare, letters, seen, undone
from schema.folding import fold, squeeze

# shorter ones are labels, turns of phrase: no text of their own
LEAST_CHARS, LEAST_TITLE_CHARS = 40, 20
# a text of fewer letters, of nothing but signs, is looked for nowhere
_LEAST_LETTERS = 12
# fewer letters may begin the texts of several
LEAST_TEASER_LETTERS = 60
_CHARSETS = ("utf-8", "cp1252")
_MOST_CODINGS = 4


class _Keys(dict[int, str]):
    """What each character is compared as: typography and case evened out, white space nothing."""

    def __missing__(self, code: int) -> str:
        self[code] = key = "".join(fold(chr(code)).split()).casefold()
        return key


_KEYS = _Keys()


def key_of(text: str) -> str:
    """A text as it is compared with another: no white space at all, no typography, no case, accents in one way."""
    return unicodedata.normalize("NFC", text).translate(_KEYS)


def sought_in(texts: Iterable[str], titles: Iterable[str] = ()) -> frozenset[str]:
    """The keys of the texts and titles that are long enough to be somebody's own."""
    long = [text for text in texts if len(squeeze(text)) >= LEAST_CHARS]
    return frozenset(map(key_of, [*long, *(title for title in titles if len(squeeze(title)) >= LEAST_TITLE_CHARS)]))


@dataclass(frozen=True, slots=True)
class Passages:
    """Passages to look for, by the letters of each: its key, and how many letters a beginning of it must have.

    Of one that is not in least only the whole is looked for.
    """

    keys: Mapping[str, str]
    least: Mapping[str, int]


Wanted = Passages | frozenset[str]


@dataclass(frozen=True, slots=True)
class Blanked:
    """A page without some passages: its bytes, as many as before, and the keys that could not be overwritten."""

    content: bytes
    left: frozenset[str]


def passages_of(keys: Iterable[str], others: Iterable[str] = ()) -> Passages:
    """What is looked for of some keys, beginnings too; not what others state: neither wholes nor beginnings.

    others are keys of all that others state.
    """
    stated = "\n".join(sorted(map(bare, others)))
    words = {bare(key): key for key in sorted(keys)}
    own = {word: key for word, key in words.items() if _is_wordy(word) and word not in stated}
    least = {word: _least(word, stated) for word in own}
    return Passages(own, {word: count for word, count in least.items() if count < len(word)})


def _is_wordy(word: str) -> bool:
    return sum(map(str.isalnum, word)) >= _LEAST_LETTERS


def _least(word: str, stated: str) -> int:
    """How many letters a beginning has at least that nobody else states; as many as there are where none is so."""
    low, high = min(LEAST_TEASER_LETTERS, len(word)), len(word)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if word[:middle] in stated else (low, middle)
    return low


@lru_cache(maxsize=64)
def _of_keys(keys: frozenset[str]) -> Passages:
    return passages_of(keys)


def _wanted(wanted: Wanted) -> Passages:
    return wanted if isinstance(wanted, Passages) else _of_keys(wanted)


def find_sought(content: bytes, wanted: Wanted, charset: str | None = None) -> frozenset[str]:
    """The keys of those passages that stand in the bytes of a page or of any text, or begin there.

    What begins there is the passage where it ends as a teaser does, or has half of its letters.
    """
    passages, found = _wanted(wanted), set[str]()
    for encoding in _encodings(content, charset):
        for text, view in _ways(content.decode(encoding, errors="replace")):
            shown = bare(seen(text, view))
            found |= {key for word, key in passages.keys.items() if word in shown}
            begun = {word for word, count in passages.least.items() if word[:count] in shown}
            if {passages.keys[word] for word in begun} - found:
                place = letters(text, view)
                found |= {passages.keys[word] for word in begun if any(_begun(place, word, passages.least[word]))}
    return frozenset(found)


def blank_sought(content: bytes, wanted: Wanted, charset: str | None = None) -> Blanked:
    """The bytes with spaces where passages, or beginnings of them, stood; every other byte is where it was."""
    passages = _wanted(wanted)
    for encoding in _encodings(content, charset):
        text = content.decode(encoding, errors="surrogateescape")
        if text.encode(encoding, errors="surrogateescape") != content:
            continue
        for view in View:
            text = _without(text, view, passages, encoding)
        content = text.encode(encoding, errors="surrogateescape")
    return Blanked(content, find_sought(content, passages, charset))


def blank_spans(content: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """The bytes with spaces in some spans `[start, end)`; line ends stay, so that lines keep their numbers."""
    made = bytearray(content)
    for start, end in spans:
        made[start:end] = re.sub(rb"[^\r\n]", b" ", bytes(made[start:end]))
    return bytes(made)


def _without(text: str, view: View, passages: Passages, encoding: str) -> str:
    shown = bare(seen(text, view))
    if not any(word[: passages.least.get(word)] in shown for word in passages.keys):
        return text
    place = letters(text, view)
    whole = [(start, start + len(word) - 1) for word in passages.keys for start in _starts(place.bare, word)]
    begun = [one for word, count in passages.least.items() for one in _begun(place, word, count)]
    out = sorted({span for first, last in (*whole, *begun) for span in place.spans(first, last)})
    pieces, at = [], 0
    for start, end in out:
        if end > at:
            from_here = max(start, at)
            pieces += [text[at:from_here], _spaces(text[from_here:end], encoding)]
            at = end
    return "".join([*pieces, text[at:]])


def _spaces(text: str, encoding: str) -> str:
    """White space that takes as many bytes; line ends stay."""
    lines = re.split(r"([\r\n]+)", text)
    # these two put their mark before every text
    encoding += "-le" if encoding.lower() in ("utf-16", "utf-32") else ""
    width = len(" ".encode(encoding))
    lines[::2] = [" " * (len(one.encode(encoding, errors="surrogateescape")) // width) for one in lines[::2]]
    return "".join(lines)


def _begun(place: Letters, word: str, least: int) -> Iterator[tuple[int, int]]:
    """First and last letter of each beginning of a passage that is a teaser of it, or half of it."""
    for start in _starts(place.bare, word[:least]):
        there = place.bare[start : start + len(word)]
        count = next((n for n, pair in enumerate(zip(there, word, strict=False)) if pair[0] != pair[1]), len(there))
        if count * 2 >= len(word):
            yield start, start + count - 1
            continue
        ends = (start + length - 1 for length in range(count, least - 1, -1))
        yield from ((start, last) for last in ends if place.ends_after(last))


def _starts(text: str, key: str) -> Iterator[int]:
    place = text.find(key)
    while place >= 0:
        yield place
        place = text.find(key, place + 1)


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


def _ways(text: str) -> Iterator[tuple[str, View]]:
    """The text and what its codes hide, in every view: a page may stand in a page, in JSON, in an attribute."""
    met = set[str]()
    layers = [text]
    for _ in range(_MOST_CODINGS):
        fresh = [layer for layer in dict.fromkeys(layers) if layer not in met]
        met |= set(fresh)
        for layer in fresh:
            yield from ((layer, view) for view in View)
        layers = [undone(layer, view) for layer in fresh for view in (View.BYTES, View.ADDRESSES)]

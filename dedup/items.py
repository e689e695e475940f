"""What the matcher is given, and the same as it is compared: words as characters, so that rapidfuzz reads whole texts.

Every word of the corpus gets one character (a code point), and a text becomes a string of words: a comparison of two
texts word by word is then one call on two short strings. Nothing here is published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from sys import intern

import numpy as np

from dedup.titling import plain_words, read_title
from schema.shelf import ShelvedText

_FIRST_CODE_POINT = 0xE000  # above the surrogates, which no string may hold when it is printed
_CODE_POINTS = 0x10FFFF - _FIRST_CODE_POINT
_MIN_CODE_DIGITS = 4
_MIN_CODE_CHARS = 5
_NO_FACETS: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Item:
    """One record as the matcher sees it.

    key: unique, and the same tomorrow. night, listing: when and where it stands; a resource stands at most once in a
    night and listing (both None: nothing is known). scope: only records of one scope are compared. facets: short
    attributes, any of which may be missing (None or empty). url: the address of the resource itself, canonical.
    known_as: the resource it is known to be from before, by other evidence than its words; None when it is new.
    was_at: of what no page states now, the address it was last found at. pages: the pages that state it, each with the
    time: what one page states twice is two. text may lie aside: it is read once.
    """

    key: str
    title: str
    text: str | ShelvedText = ""
    night: str | None = None
    listing: str | None = None
    scope: str | None = None
    type: str | None = None
    facets: Mapping[str, str | None] = field(default_factory=dict)
    url: str | None = None
    known_as: str | None = None
    was_at: str | None = None
    pages: tuple[str, ...] = ()

    @property
    def slot(self) -> tuple[str | None, str | None] | None:
        """The night and listing in which a resource stands at most once; None when neither is known."""
        return None if self.night is None and self.listing is None else (self.night, self.listing)


def are_told_two(one: Item, two: Item) -> bool:
    """Whether the site itself gives two: at two addresses of one night, or of now and of before, or on one page."""
    if not set(one.pages).isdisjoint(two.pages):
        return True
    at, other = one.was_at or one.url, two.was_at or two.url
    is_one_step = one.night == two.night or bool(one.was_at or two.was_at)
    return is_one_step and None not in (at, other) and at != other


@dataclass(frozen=True, slots=True)
class Reading:
    """An item as compared.

    title: its words, plain, numbers evened; title_chars, text: one character a word; about: characters of type and
    facets; codes: characters of long codes in title and text;
    names: characters of the capitalised words of the title; compounds: of its names of several parts, each as one
    string; facets: plain values by name.
    """

    item: Item
    title: tuple[str, ...]
    title_chars: str
    text: str
    about: str
    codes: frozenset[str]
    names: frozenset[str]
    compounds: frozenset[str]
    facets: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class Lexicon:
    """The words of a corpus: character of each, in how many records each stands, and a number drawn from its letters.

    uncapped: characters of words met in lower case, which a capital at the head of a title does not make names. raw and
    sets serve while records are read.
    """

    chars: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    uncapped: set[str] = field(default_factory=set)
    raw: set[str] = field(default_factory=set)
    sets: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)
    records: int = 0

    def spell(self, words: Iterable[str]) -> str:
        """The words as characters; new ones are taken in."""
        known = self.chars
        return "".join([known[w] if w in known else self._add(w) for w in words])

    def shared(self, chars: Iterable[str]) -> frozenset[str]:
        """A set of characters, equal ones being one object: small sets weigh more than the words in them."""
        made = frozenset(chars)
        return self.sets.setdefault(made, made)

    def _add(self, word: str) -> str:
        char = chr(_FIRST_CODE_POINT + len(self.words) % _CODE_POINTS)
        self.words.append(word)
        self.chars[word] = char
        return char

    def hashes(self) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        """A 64-bit number for each word, the same in every run and order."""
        digests = b"".join(blake2b(w.encode(), digest_size=8).digest() for w in self.words)
        return np.frombuffer(digests, dtype=np.uint64)


def is_code(word: str) -> bool:
    """Whether a plain word is a long code: 14107, cerfa12345, 201911345."""
    return len(word) >= _MIN_CODE_CHARS and sum(map(str.isdigit, word)) >= _MIN_CODE_DIGITS


def read_items(items: Sequence[Item]) -> tuple[list[Reading], Lexicon]:
    """Every item as compared, in the order given, and the words of them all."""
    lexicon = Lexicon(records=len(items))
    codes = _Codes()
    readings = [_read(item, lexicon, codes) for item in items]
    lexicon.uncapped.update(lexicon.spell(plain_words(" ".join(lexicon.raw))))
    lexicon.raw.clear()
    lexicon.sets.clear()
    return readings, lexicon


class _Codes(dict[str, bool]):
    """Whether a word is a code, asked once a word."""

    def __missing__(self, word: str) -> bool:
        self[word] = is_code(word)
        return self[word]


def _read(item: Item, lexicon: Lexicon, codes: _Codes) -> Reading:
    title = read_title(item.title)
    whole = item.text if isinstance(item.text, str) else item.text.read()
    words = plain_words(whole)
    facets = {name: tuple(plain_words(value)) for name, value in item.facets.items() if value}
    kind = plain_words(item.type) if item.type else []
    about = [*kind, *(w for value in facets.values() for w in value)]
    text, title_chars = lexicon.spell(words), lexicon.spell(title.words)
    lexicon.counts.update(set(text) | set(title_chars))
    capped = lexicon.shared(lexicon.chars[w] for w in title.names)
    lexicon.uncapped.update(set(title_chars) - capped)
    lexicon.raw.update(w for w in set(whole.split()) if w.islower() and w.isalpha())
    found = lexicon.shared(lexicon.chars[w] for w in {*words, *title.words} if codes[w])
    plain = tuple(map(intern, title.words))  # a word is one object however often it stands
    compounds = lexicon.shared(map(lexicon.spell, title.compounds))
    about_chars = lexicon.spell(about)
    return Reading(item, plain, title_chars, text, about_chars, found, capped, compounds, facets or _NO_FACETS)

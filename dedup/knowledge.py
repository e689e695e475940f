"""What a corpus teaches of its words: which are common, which are no names, which state a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

from dedup.facts import plain_word
from dedup.items import Lexicon
from dedup.wording import FUNCTION_WORDS

FUNCTION = frozenset(plain_word(w).rstrip("'") for w in FUNCTION_WORDS)
_BACKGROUND = 400  # records; a page of a listing has ten, a night some hundreds
_MAX_BITS = 12.0
_ROMAN = re.compile(r"[ivxl]{2,}$")
_SHORT_CODE = 3  # T2, v3, 2e: a number with its letter


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the corpus teaches of words, by their character.

    words: their letters; bits: what the sight of each is worth (0..12); uncapped: those met in lower case, no names;
    numeric: those that state a number in a title.
    """

    words: Mapping[str, str]
    bits: Mapping[str, float]
    uncapped: frozenset[str]
    numeric: frozenset[str]


def learn_words(lexicon: Lexicon) -> Knowledge:
    """How much each word of the corpus is worth: -log2 of the share of records it stands in.

    A small corpus teaches little, so it counts as if it stood among `_BACKGROUND` others in which function words are
    common and all others are not.
    """
    total = lexicon.records + _BACKGROUND
    words = {char: word for word, char in lexicon.chars.items()}
    bits = {}
    for char, word in words.items():
        common = _BACKGROUND / 4 if word in FUNCTION else 0.5
        bits[char] = max(0.0, min(_MAX_BITS, log2((total + 1) / (lexicon.counts[char] + common))))
    numeric = frozenset(char for char, word in words.items() if is_numeric(word))
    return Knowledge(words, bits, frozenset(lexicon.uncapped), numeric)


def is_numeric(word: str) -> bool:
    """Whether a plain word of a title states a number: 45, 3e, T2, XIV, 2014, or the B of `lot B`."""
    if word[0].isdigit() or _ROMAN.match(word) or word.isupper():
        return True
    return len(word) <= _SHORT_CODE and any(map(str.isdigit, word))

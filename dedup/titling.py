"""A title as it is compared: its words, plain; which are names, which names have several parts, which mark a part.

A capital is all that tells a name here. It tells nothing at the head of a title or of what follows a colon, in an
acronym, or where nearly every word has one (a title in capitals, an English one).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from dedup.tokens import even_tokens, is_word
from dedup.wording import FUNCTION_WORDS
from schema.folding import fold, strip_accents

_KEEP = bytes(c if chr(c).isalnum() else 32 for c in range(128)) + b" " * 128
_LIGATURES = (("œ", "oe"), ("æ", "ae"), ("ß", "ss"), ("ø", "o"), ("’", " "))
# signs that are read as words: what is 40 % is not 40 €
_READ_OUT = (("%", " pourcent "), ("€", " euros "), ("pour cent", "pourcent"))
_NO_WORD = re.compile(r"[\W_]+")
_WRITTEN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")  # a word as it is written, hyphens and all
_OPENINGS = '.:!?-"([/|'  # signs after which a word has a capital whatever it is
_MAX_NAMES_SHARE = 0.5
_FEW_NAMES = 2
# what tells a part of a series: a letter by itself (`lot B`; A, I, O and Y are words before others), or `un` at an end
_MARK = re.compile(
    r"""(?:(?<=[^\W_][ ])|(?<=[("°])|(?<=°[ ]))([A-Z])(?![\w'°]|[ ]?[&/]|-\w|[.][ ]?\w|(?<=[AIOY])[ ]\w)
    | (?<=[^\W\d_][ ])(?<!\bet[ ])(?<!\bcent[ ])(?<!\bmille[ ])(une?)(?=[ ]?(?:[:,;.!?)\]]|$|-[ ]))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Title:
    """The words of a title.

    words: plain, numbers in one spelling (`vingt` as 20, `3ème` as 3e), signs left out; a letter that marks a part
    (`lot B`) is a capital, `tome I` is 1. names: words with a capital; none where capitals tell nothing. compounds: the
    plain words of each name of several parts (`Haute-Savoie`).
    """

    words: tuple[str, ...]
    names: frozenset[str]
    compounds: frozenset[tuple[str, ...]]


def plain_words(text: str) -> list[str]:
    """The words and figures of a text, lower case, without accents and signs; amounts of money and shares as words."""
    text = text.lower()
    for sign, word in _READ_OUT:
        if sign in text:
            text = text.replace(sign, word)
    if text.isascii():
        return text.encode().translate(_KEEP).decode().split()
    for sign, plain in _LIGATURES:
        text = text.replace(sign, plain)
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore")
    if len(ascii_only) >= 0.9 * len(text):  # else it is written in other letters
        return ascii_only.translate(_KEEP).decode().split()
    return _NO_WORD.sub(" ", strip_accents(text)).split()


def read_title(title: str) -> Title:
    """A title as it is compared; any text."""
    folded = fold(title)
    words: list[str] = []
    names: list[str] = []
    end = 0
    for mark in (*_MARK.finditer(folded), None):
        for token in even_tokens(folded[end : mark.start() if mark else None]):
            plain = plain_words(token)
            words.extend(plain)
            if _is_capped(token):
                names.extend(plain)
        if mark:
            words.append("1" if mark[1] in (None, "I") else mark[1])
            end = mark.end()
    is_telling = len(names) <= _FEW_NAMES or _tell_capitals(folded)
    return Title(tuple(words), frozenset(names if is_telling else ()), frozenset(_compounds(folded)))


def _is_capped(token: str) -> bool:
    return len(token) > 1 and is_word(token) and token != token.lower() and token.lower() not in FUNCTION_WORDS


def _tell_capitals(folded: str) -> bool:
    """Whether a capital tells a name: some word has none, and few have one that need not."""
    capped, counted, has_small = 0, 0, False
    for match in _WRITTEN.finditer(folded):
        word = match[0]
        has_small |= any(part.islower() for part in word.split("-"))
        is_acronym = len(word) > 1 and word.isupper()
        if is_acronym or folded[: match.start()].rstrip()[-1:] in _OPENINGS:  # the head of a title too
            continue
        counted += 1
        capped += word[0].isupper() and word.lower() not in FUNCTION_WORDS
    return has_small and (capped <= _MAX_NAMES_SHARE * counted or capped <= _FEW_NAMES)


def _compounds(folded: str) -> Iterator[tuple[str, ...]]:
    """The names of several parts, of which two at least have a capital and are no acronyms."""
    for match in _WRITTEN.finditer(folded):
        parts = match[0].split("-")
        if sum(part[0].isupper() and not part[1:].isupper() for part in parts) > 1:
            yield tuple(word for part in parts for word in plain_words(part))

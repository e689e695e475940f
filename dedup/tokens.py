"""A text as the words, numbers and signs it is made of, with numbers in one spelling.

One reading for facts and for wording, so that the veto and the comparison cannot disagree on what a word is. It knows
no grammar: a token is a string, and its first character tells what it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dedup.numerals import NUMERALS, is_numeral, read_number, read_ordinal
from schema.folding import strip_accents

_TOKEN = re.compile(
    r"""
    (?:https?://|www\.)[^\s"<>]*[^\s"<>.,;:!?)\]]      # an address
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                     # an e-mail address
    | (?:(?<![\w.,)\]])[-+])?(?:                       # a sign belongs to its number, a hyphen in R-2 does not
          (?<![\d.,])\d{1,3}(?:[ ]\d{3})+(?!\d)(?:,\d+)?  # 20 000 and 1 234,5
        | \d+(?:[.,]\d+)+                              # 2,5 and 1.2.3
        | \d+(?:\^\d+)?(?:[^\W\d_]+)?                  # 20, 3e, 10^2, 20h
      )
    | [^\W\d_]+\d[\w]*                                 # m2, CO2
    | (?:aujourd'hui|quelqu'un|presqu'île)
    | [^\W\d_]{1,8}'(?=\w)                             # l', qu', lorsqu'
    | [^\W\d_]+
    | \.\.\.
    | \S
    """,
    re.VERBOSE | re.IGNORECASE,
)
PUNCTUATION = frozenset((".", ",", ";", ":", "!", "?", "(", ")", "[", "]", '"', "'", "-", "...", "•", "_"))
_PERCENT = ("pour", "cent")
_EURO = frozenset(("euro", "euros", "eur"))
_READ = frozenset((*_EURO, *_PERCENT, *NUMERALS))  # words that need a look
_ACCENTED = {strip_accents(word): word for word in NUMERALS}
_PLAIN_RANK = re.compile(r"(?<=[a-z]{2})iemes?$")
_PLAIN_FIRST = re.compile(r"^1eres?$")
_ONE = frozenset(("un", "une"))
UNIT_SIGNS = frozenset(("%", "€"))
_HOURS = frozenset(("heure", "heures"))
_GLUED_UNIT = re.compile(r"^([-+]?\d+)([^\W\d_]+)$")


def split_tokens(folded: str) -> list[str]:
    """The tokens of a folded text, in order, as written."""
    return _TOKEN.findall(folded)


def even_tokens(folded: str) -> list[str]:
    """The tokens of a folded text, numbers in one spelling.

    Numbers in figures, ranks as `3e`, `euros` as €, `pour cent` as %,
    `20 heures` as 20 h; case is kept.

    A sign is part of its number (`-3`), a unit is not (`20`, `h`).
    """
    raw = split_tokens(folded)
    low = [token.lower() for token in raw]
    out: list[str] = []
    place = 0
    while place < len(raw):
        word = low[place]
        if word.isalpha() and not is_read(word):
            is_hour = word in _HOURS and bool(out) and is_number(out[-1])
            out.append("h" if is_hour else raw[place])  # most words stay as they are
            place += 1
        else:
            evened, place = _read_at(raw, low, place)
            out.extend(evened)
    return out


def even_plain(words: Sequence[str]) -> list[str]:
    """Words without case, accents and signs, numbers in one spelling: `cent vingt` and `1 000` as 120 and 1000."""
    spelled = [_ACCENTED.get(word) or _PLAIN_RANK.sub("ième", _PLAIN_FIRST.sub("1re", word)) for word in words]
    return even_tokens(" ".join(spelled))


def is_same_count(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether evened tokens are the same but for `un`, which may be the number, and for a unit that one leaves out."""
    ours, theirs = (["1" if token in _ONE else token for token in side] for side in (left, right))
    if ours == theirs:
        return True
    bare, other = ([token for token in side if token not in UNIT_SIGNS] for side in (ours, theirs))
    return bare == other and (len(bare) == len(ours) or len(other) == len(theirs))


def is_read(word: str) -> bool:
    """Whether a word, or the words it opens, may state a number."""
    return word in _READ or word.endswith(("ième", "ièmes"))


def is_number(token: str) -> bool:
    """Whether an evened token is a number or a rank."""
    return token[0].isdigit() or (len(token) > 1 and token[0] in "+-" and token[1].isdigit())


def is_word(token: str) -> bool:
    """Whether an evened token is made of letters (elided words included)."""
    return token[0].isalpha() and "@" not in token and "/" not in token


def _read_at(raw: list[str], low: list[str], place: int) -> tuple[list[str], int]:
    """The evened tokens that begin at `place`, and the place after them."""
    word = low[place]
    if word[-1].isdigit() or word[0].isdigit() or (len(word) > 1 and word[0] in "+-"):
        return _read_figures(raw[place]), place + 1
    if word in _EURO:
        return ["€"], place + 1
    if word == _PERCENT[0] and low[place + 1 : place + 2] == [_PERCENT[1]]:
        return ["%"], place + 2
    if is_numeral(word):
        figures, end = read_number(low, place)
        return ([figures], end) if figures else ([raw[place]], place + 1)
    rank = read_ordinal(word)
    return ([raw[place]] if rank is None else [f"{rank}e"]), place + 1


def _read_figures(word: str) -> list[str]:
    """`3ème` as 3e, `20h` as 20 and h, `20 000` as 20000, `2,5` as 2.5; a word with figures (`m2`) as it is."""
    if not (word[0].isdigit() or word[0] in "+-"):
        return [word]
    rank = read_ordinal(word.lower())
    if rank is not None:
        return [f"{rank}e"]
    if glued := _GLUED_UNIT.match(word):
        return [glued[1], glued[2]]
    return [word.replace(" ", "").replace(",", ".")]

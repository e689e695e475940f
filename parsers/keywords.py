"""The keywords and the month that a resource states in its own text, in one line of a settled form.

Reads `Mots-clés : emploi ; insertion ; transition énergétique - Mai 2022` and its spellings. Refuses to guess keywords
from running text: the passage must open with the label and its colon.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from schema.folding import fold, squeeze
from schema.nouns import Passage

_DASH = r"[-‐‑‒–—―−]"
_LABEL = re.compile(rf"mots?(?:\s|{_DASH})*cl(?:[ée]s?|efs?)\s*[:：]\s*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_MONTHS = (
    r"janv(?:ier|\.)?",
    r"f[ée]v(?:rier|r?\.)?",
    r"mars",
    r"avr(?:il|\.)?",
    r"mai",
    r"juin",
    r"juil(?:let|\.)?",
    r"ao[uû]t",
    r"sept(?:embre|\.)?",
    r"oct(?:obre|\.)?",
    r"nov(?:embre|\.)?",
    r"d[ée]c(?:embre|\.)?",
)
_MONTH = "|".join(f"(?P<m{number}>{pattern})" for number, pattern in enumerate(_MONTHS, 1))
_DAY = r"(?:(?:1er|\d{1,2})\s+)?"
# a month alone needs a spaced dash before it ("co-mars" is a word); with its year, a separator of any kind will do
_DATED = re.compile(
    rf"(?:^|(?:\s*{_DASH}|[;,])\s*){_DAY}(?:{_MONTH})\s+(?P<year>(?:19|20)\d\d)\s*\.?\s*$", re.IGNORECASE
)
_UNDATED = re.compile(rf"(?:^|\s){_DASH}\s+(?:{'|'.join(_MONTHS)})\s*\.?\s*$", re.IGNORECASE)


def read_keywords(passages: Sequence[Passage]) -> tuple[tuple[str, ...], date | None]:
    """The keywords in their order, no two alike, and the first day of the month stated beside them.

    Args:
        passages: the collapsed summary of a resource; where several passages bear the label, the first that says
            anything counts.

    Returns:
        `((), None)` where no passage bears the label. A month without a year is neither a date nor a keyword.
    """
    for passage in passages:
        label = _LABEL.match(squeeze(unicodedata.normalize("NFC", passage.text)))
        if label:
            words, month = _part_month(label["rest"])
            keywords = _part_words(words)
            if keywords or month:
                return keywords, month
    return (), None


def _part_month(text: str) -> tuple[str, date | None]:
    """The text without the month at its end, and the first day of that month."""
    dated = _DATED.search(text)
    if dated is None:
        return _UNDATED.sub("", text), None
    month = next(number for number in range(1, 13) if dated[f"m{number}"])
    return text[: dated.start()], date(int(dated["year"]), month, 1)


def _part_words(text: str) -> tuple[str, ...]:
    """The keywords between the semicolons, or between the commas where there is no semicolon."""
    text = text.rstrip(" .;,")
    words = [squeeze(word) for word in text.split(";" if ";" in text else ",")]
    first_spelling = {fold(word).casefold(): word for word in reversed(words) if word}
    return tuple(word for word in dict.fromkeys(words) if first_spelling.get(fold(word).casefold()) == word)

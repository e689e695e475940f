"""Characters that no text of a page needs: which are taken out, which are let stand and told.

Control characters are taken out, and one spelling of each accented letter is kept (NFC). What was lost or decoded twice
before it came to us, and marks that turn or hide text, stay as they are and are noted: a reader must see the page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

# tab, line feed, form feed and carriage return are white space of a page, and are evened out elsewhere
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# UTF-8 read as cp1252, as far as it gives letters and signs that French has: É + no-break space is none of it
_TWICE = re.compile("Ã[\u00a0-¿\u20acƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ‚]|Â[\u00a0-¿]|Å[“’¸]|â€|â‚¬|ï»¿")
_ODD = {
    "holds U+FFFD: characters that were lost": re.compile("\ufffd"),
    "holds text that was decoded twice": _TWICE,
    "holds marks that turn the direction of text": re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"),
    "holds marks without width": re.compile("[\u200b-\u200d\u2060\ufeff\U000e0000-\U000e007f]"),
}
_AROUND_CHARS = 20


def clean(text: str) -> str:
    """The text without control characters, lone surrogates as U+FFFD, accented letters in one character (NFC)."""
    if text.isascii() and text.isprintable():
        return text
    text = _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def quote_controls(url: str) -> str:
    """The address with its control characters as `%XX`, as a browser would send it."""
    return _CONTROLS.sub(lambda sign: quote(sign[0]), url)


def note_odd_characters(texts: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each kind of odd character in some texts, with the first place where it stands, in ASCII."""
    whole = [text for text in texts if not text.isascii()]
    found = ((words, next(filter(None, map(pattern.search, whole)), None)) for words, pattern in _ODD.items())
    return tuple(f"{words}: {_place(match)}" for words, match in found if match)


def _place(match: re.Match[str]) -> str:
    start, end = max(0, match.start() - _AROUND_CHARS), match.end() + _AROUND_CHARS
    return ascii(match.string[start:end])

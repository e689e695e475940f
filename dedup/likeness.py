"""Whether what stood at two times is one resource, by title and text alone: what an address or an absence is asked.

A text that is no evidence (none, or one that many resources bear) is given as an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz.distance import OSA

from schema.folding import fold, strip_accents

LEAST_TITLE = 0.7
LEAST_RUNS = 0.15
LEAST_WORDS = 0.5
_TELLING_CHARS = 4
_MISSPELT_CHARS = 5  # shorter words are one letter from many others


def is_another(title: str, text: str, other_title: str, other_text: str) -> bool:
    """Whether what stands at one address at two times is two resources: neither title nor text says that it is one.

    Where the texts are not alike, no word of one title may stand for another of the other: calls of two years, reports
    of two groups. Where one of them has no text, the titles must be alike: a node number alone is no evidence.
    """
    if title == other_title:  # so it is with nearly all of them every night
        return False
    if text and other_text:
        return not is_title_kept(title, other_title) and not is_text_alike(text, other_text)
    return not is_title_alike(title, other_title)


def is_another_led_to(title: str, text: str, other_title: str, other_text: str) -> bool:
    """The same of what stands where an address leads: that is the site's own word, and is doubted by texts only."""
    return bool(text and other_text) and is_another(title, text, other_title, other_text)


def is_another_after_absence(title: str, text: str, other_title: str, other_text: str) -> bool:
    """The same of what was not seen in between: where both have a text, the text must be alike, else the title kept."""
    if text and other_text:
        return not is_text_alike(text, other_text)
    return not is_title_kept(title, other_title)


def is_title_alike(left: str, right: str) -> bool:
    """Whether two titles share most words of the shorter."""
    one, two = frozenset(_telling(left)), frozenset(_telling(right))
    return len(one & two) >= LEAST_TITLE * max(1, min(len(one), len(two)))


def is_title_kept(left: str, right: str) -> bool:
    """Whether no word, number or letter of one title stands for another of the other.

    Words may be added, or left out; one may be spelt otherwise, or stand in the plural.
    """
    one, two = _marks(left), _marks(right)
    return any(
        all(any(_is_spelling(word, other) for other in more - less) for word in less - more)
        for less, more in ((one, two), (two, one))
    )


def is_text_alike(left: str, right: str) -> bool:
    """Whether two texts share runs of words, or most of their words.

    Runs are three neighbouring words that tell (of four letters or more; all where there are none): two French texts
    share up to half of the words of the shorter, and hardly a run. Measured on real listings.
    """
    one, two = _telling(left), _telling(right)
    runs, others = (set(zip(words, words[1:], words[2:], strict=False)) for words in (one, two))
    if len(runs & others) >= LEAST_RUNS * max(1, min(len(runs), len(others))):
        return True
    words, more = frozenset(one), frozenset(two)
    return len(words & more) >= LEAST_WORDS * max(1, len(words), len(more))


def _is_spelling(one: str, two: str) -> bool:
    """Whether two words are one, spelt otherwise: a plural, or one letter, not the first, in a word long enough."""
    if any(c.isdigit() for c in one + two) or min(len(one), len(two)) < _TELLING_CHARS:
        return False
    if one.startswith(two) or two.startswith(one):
        return abs(len(one) - len(two)) <= 2  # s, es, ne
    is_long = min(len(one), len(two)) >= _MISSPELT_CHARS
    return is_long and one[0] == two[0] and OSA.distance(one, two, score_cutoff=1) <= 1


def _marks(title: str) -> frozenset[str]:
    """What tells titles of one series apart: words of four letters or more, figures, and short ones in capitals."""
    short = {w.casefold() for w in _split(strip_accents(fold(title))) if w.isupper() and not title.isupper()}
    words = frozenset(_words(title))
    return frozenset(w for w in words if len(w) >= _TELLING_CHARS or any(map(str.isdigit, w)) or w in short) or words


def _telling(text: str) -> list[str]:
    words = list(_words(text))
    return [word for word in words if len(word) >= _TELLING_CHARS] or words


def _words(text: str) -> Iterable[str]:
    return _split(strip_accents(fold(text)).casefold())


def _split(plain: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in plain).split()

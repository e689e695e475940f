"""French numbers written in letters, read as figures, so that `vingt` and `20` can be compared.

It reads whole numbers up to 999,999 and their ordinals; `un` and `une` alone are articles, not numbers, and fractions
or rounded counts (`demi`, `dizaine`) stay words.
"""

# ruff: noqa: SIM905 - lists of words are easier to read as text

from __future__ import annotations

import re

_SMALL = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split()
_UNITS = {word: value for value, word in enumerate(_SMALL)} | {"une": 1}
_TENS = {
    "vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60,
    "septante": 70, "huitante": 80, "octante": 80, "nonante": 90,
}  # fmt: skip
_PLURALS = {"vingts": "vingt", "cents": "cent"}
_ORDINAL_STEMS = {"cinqu": "cinq", "neuv": "neuf"}
_FIRST = {"premier", "première", "premiers", "premières"}
_SECOND = {"second", "seconde", "secondes", "seconds"}
_AFTER_ET = {"un", "une", "onze", "unième", "unièmes", "onzième", "onzièmes"}
_CARDINAL_WORDS = frozenset((*_UNITS, *_TENS, *_PLURALS, "cent", "mille"))
NUMERALS = _CARDINAL_WORDS - {"un", "une"} | _FIRST | _SECOND  # ranks in -ième are told by their ending
_ORDINAL_TAIL = re.compile(r"ièmes?$")
_ORDINAL_FIGURES = re.compile(r"^(\d+)(?:ers?|res?|ères?|es?|èmes?|emes?|nds?|n?des?)$")


def read_ordinal(word: str) -> int | None:
    """The rank that one lower-case word states (`3e`, `troisième`, `premier`), else None."""
    if word in _FIRST:
        return 1
    if word in _SECOND:
        return 2
    if figures := _ORDINAL_FIGURES.match(word):
        return int(figures[1])
    cardinal = _ordinal_root(word)
    return None if cardinal is None else _step(0, cardinal)


def read_number(words: list[str], start: int) -> tuple[str, int]:
    """The longest number in letters from `words[start]`, as figures, and the index after it.

    Words are lower case, hyphens words of their own. An ordinal ends in `e` (`vingt et unième` is `21e`). Nothing read
    is the empty string and `start`.
    """
    thousands, group, end = 0, 0, start
    place = start
    while place < len(words):
        place = _skip_link(words, place) if place > start else place
        word = words[place] if place < len(words) else ""
        root = _ordinal_root(word)
        if root == "mille" or word == "mille":
            if thousands:
                break
            thousands, group = max(group, 1) * 1000, 0
        else:
            grown = _step(group, root or _PLURALS.get(word, word))
            if grown is None or (grown == 1 and group == 0 and root is None and not thousands):
                break
            group = grown
        place = end = place + 1
        if root:
            return f"{thousands + group}e", end
    if end == start:
        return "", start
    return str(thousands + group), end


def is_numeral(word: str) -> bool:
    """Whether a lower-case word can open a number or a rank in letters."""
    return (word in _CARDINAL_WORDS and word not in {"un", "une"}) or _ordinal_root(word) is not None


def _ordinal_root(word: str) -> str | None:
    if not _ORDINAL_TAIL.search(word):
        return None
    stem = _ORDINAL_TAIL.sub("", word)
    for root in (_ORDINAL_STEMS.get(stem, stem), stem + "e"):
        if root in _CARDINAL_WORDS:
            return root
    return None


def _skip_link(words: list[str], place: int) -> int:
    """The index after what may stand inside a number: hyphens, and `et` before un and onze."""
    if words[place] == "-":
        place += 1
    if words[place : place + 1] == ["et"]:
        after = place + 2 if words[place + 1 : place + 2] == ["-"] else place + 1
        return after if after < len(words) and words[after] in _AFTER_ET else place
    return place


def _step(group: int, word: str) -> int | None:
    """The number below 1000 that `group` becomes when `word` follows it, else None."""
    hundreds, rest = divmod(group, 100)
    if word == "cent":
        return 100 * max(rest, 1) if not hundreds and rest < 10 and rest != 1 else None
    if word == "vingt" and rest == 4:
        return hundreds * 100 + 80
    if word in _TENS:
        return group + _TENS[word] if rest == 0 else None
    return _add_unit(group, rest, _UNITS.get(word))


def _add_unit(group: int, rest: int, unit: int | None) -> int | None:
    """soixante-dix and quatre-vingt-dix take ten to sixteen, ten takes seven to nine, other tens one to nine."""
    if unit is None or (unit == 0 and group):
        return None
    if rest == 0:
        return group + unit
    if rest in {60, 80} and unit < 17:
        return group + unit
    if rest in {10, 70, 90} and unit in {7, 8, 9}:
        return group + unit
    return group + unit if rest in _TENS.values() and unit < 10 else None

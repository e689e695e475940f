"""What two records say alike and what they say differently: field by field, agree, conflict or nothing to compare.

What differs between two titles is told by kind (numbers, negations, names, words), each weighed by how rare its words
are in the corpus, and a word of one title is excused when the other record states it elsewhere. Texts are compared
whole, word by word. Nothing is decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import fsum

from rapidfuzz.distance import Indel

from dedup.clashing import LEAD_WORDS, NEGATIVE, Clash, title_clash, unstated
from dedup.facts import DATES
from dedup.items import Reading
from dedup.knowledge import Knowledge
from dedup.wording import is_slip

_PARTLY = 0.34
_MIN_ABBREVIATION = 3


class Level(IntEnum):
    """How far a field agrees; NOTHING is nothing to compare."""

    NOTHING = -1
    CONFLICT = 0
    PARTLY = 1
    WITHIN = 2
    AGREE = 3


@dataclass(frozen=True, slots=True)
class Features:
    """What is alike in two records and what is not. Ratios 0..1, weights in bits; 0 where there is nothing to compare.

    shared, only_left, only_right: words of both titles, and those that one title has and the other record states
    nowhere; near, far: those it states in its opening words or attributes, or further down; both: the lesser of what
    each title has alone; strongest: the rarest unstated word; numbers: figures that each title has alone, bare ones
    unstated; turns: negations and dates among the words not shared; order: likeness of the two in their order.
    """

    shared: float
    only_left: float
    only_right: float
    near: float
    far: float
    both: float
    strongest: float
    numbers: int
    one_sided_numbers: bool
    bare_numbers: int
    turns: int
    is_equal_title: bool
    order: float
    has_text: bool
    text_ratio: float
    lead_ratio: float
    text_overlap: float
    text_within: float
    is_same_text: bool
    shared_codes: float
    has_other_codes: bool
    is_same_night: bool
    is_same_url: Level
    clash: Clash
    levels: tuple[Level, ...] = field(default=())


class Comparer:
    """Compares readings of one corpus; it remembers only what it has already worked out."""

    def __init__(self, readings: Sequence[Reading], knowledge: Knowledge, fields: Sequence[str]) -> None:
        self.readings = readings
        self.knowledge = knowledge
        self.fields = fields
        self._weights: dict[int, float] = {}
        self._last: tuple[int, frozenset[str]] = (-1, frozenset())
        self._values: dict[tuple[tuple[str, ...], tuple[str, ...]], Level] = {}

    def compare(self, i: int, j: int) -> Features:
        """The features of two records, by place; levels stand in the order of `fields`, the type last."""
        left, right = self.readings[i], self.readings[j]
        text = self._compare_texts(i, j)
        codes = left.codes & right.codes
        split = split_titles(left, right, self.knowledge)
        return Features(
            *compare_titles(left, right, split, self.knowledge),
            has_text=bool(left.text and right.text),
            text_ratio=text[0],
            lead_ratio=text[1],
            text_overlap=text[2],
            text_within=text[3],
            is_same_text=bool(left.text) and left.text == right.text,
            shared_codes=max((self.knowledge.bits[c] for c in codes), default=0.0),
            has_other_codes=bool(left.codes and right.codes and not codes),
            is_same_night=left.item.night == right.item.night,
            is_same_url=_same(left.item.url, right.item.url),
            clash=title_clash(left, right, split[1:], self.knowledge),
            levels=(
                *(self._level(left.facets.get(name), right.facets.get(name)) for name in self.fields),
                _same(left.item.type, right.item.type),
            ),
        )

    def _compare_texts(self, i: int, j: int) -> tuple[float, float, float, float]:
        """Likeness of the whole texts, of their openings, share of the weight of common words in all, in the lesser."""
        left, right = self.readings[i].text, self.readings[j].text
        if not (left and right):
            return 0.0, 0.0, 0.0, 0.0
        if self._last[0] != i:  # pairs come sorted; all bags kept would take more memory than the texts
            self._last = (i, frozenset(left))
        shared = self._weigh(self._last[1].intersection(right))
        ours, theirs = self._weigh_text(i), self._weigh_text(j)
        return (
            Indel.normalized_similarity(left, right),
            Indel.normalized_similarity(left[:LEAD_WORDS], right[:LEAD_WORDS]),
            shared / max(ours + theirs - shared, 0.01),
            shared / max(min(ours, theirs), 0.01),
        )

    def _weigh_text(self, place: int) -> float:
        if place not in self._weights:
            self._weights[place] = self._weigh(set(self.readings[place].text))
        return self._weights[place]

    def _weigh(self, chars: Iterable[str]) -> float:
        # sets have no order, and a plain sum hangs on it in its last digit
        return fsum(map(self.knowledge.bits.__getitem__, chars))

    def _level(self, ours: tuple[str, ...] | None, theirs: tuple[str, ...] | None) -> Level:
        if not (ours and theirs):
            return Level.NOTHING
        if ours == theirs:
            return Level.AGREE
        key = (ours, theirs) if ours < theirs else (theirs, ours)
        if key not in self._values:
            self._values[key] = compare_values(*key)
        return self._values[key]


def _same(ours: str | None, theirs: str | None) -> Level:
    if not (ours and theirs):
        return Level.NOTHING
    return Level.AGREE if ours == theirs else Level.CONFLICT


def compare_values(ours: Sequence[str], theirs: Sequence[str]) -> Level:
    """How far two short attributes agree: the same words, one within the other, partly, or a conflict.

    Initials are left out where there are longer words; where there are figures only they count.
    """
    left, right = _telling(ours), _telling(theirs)
    if left == right:
        return Level.AGREE
    shared = len(left & right) + _abbreviated(left - right, right - left)
    if not shared:
        return Level.CONFLICT
    if shared == min(len(left), len(right)):
        return Level.WITHIN
    return Level.PARTLY if shared / (len(left) + len(right) - shared) >= _PARTLY else Level.CONFLICT


def _abbreviated(left: Iterable[str], right: Iterable[str]) -> int:
    """How many words of one side are another of the other side cut short (`surg endosc`, `surgical endoscopy`)."""
    free = sorted(right)
    count = 0
    for word in sorted(left):
        for other in free:
            short, long = sorted((word, other), key=len)
            if len(short) >= _MIN_ABBREVIATION and short.isalpha() and long.startswith(short):
                free.remove(other)
                count += 1
                break
    return count


def _telling(words: Sequence[str]) -> frozenset[str]:
    figures = frozenset(w for w in words if w.isdigit())
    return figures or frozenset(w for w in words if len(w) > 1) or frozenset(words)


def compare_titles(
    left: Reading, right: Reading, split: tuple[float, list[str], list[str]], knowledge: Knowledge
) -> tuple[float, float, float, float, float, float, float, int, bool, int, int, bool, float]:
    """What two titles share and what only one says: the first fields of `Features`, in their order."""
    bits = knowledge.bits
    shared, ours, theirs = split
    bare_ours, far_ours = unstated(ours, right)
    bare_theirs, far_theirs = unstated(theirs, left)
    alone, other = _sum(ours, bits), _sum(theirs, bits)
    bare, bare_other, far = _sum(bare_ours, bits), _sum(bare_theirs, bits), _sum((*far_ours, *far_theirs), bits)
    numbers = [sum(map(knowledge.numeric.__contains__, part)) for part in (ours, theirs, bare_ours, bare_theirs)]
    return (
        shared,
        bare,
        bare_other,
        max(0.0, alone + other - bare - bare_other - far),
        far,
        min(alone, other),
        max((bits[c] for c in (*bare_ours, *bare_theirs)), default=0.0),
        min(numbers[:2]),
        min(numbers[:2]) == 0 < max(numbers[:2]),
        min(numbers[2:]),
        len({knowledge.words[c] for c in (*ours, *theirs)} & (NEGATIVE | DATES)),
        not (ours or theirs) and bool(left.title),
        Indel.normalized_similarity(left.title_chars, right.title_chars) if left.title and right.title else 0.0,
    )


def split_titles(left: Reading, right: Reading, knowledge: Knowledge) -> tuple[float, list[str], list[str]]:
    """What two titles share (bits), and the words that only one has; slips of the pen and inflections set aside."""
    mine, other = left.title_chars, right.title_chars
    ours, theirs = dict.fromkeys(mine), dict.fromkeys(other)
    if len(ours) == len(mine) and len(theirs) == len(other):
        # no word twice: nothing to count
        shared = _sum([c for c in mine if c in theirs], knowledge.bits)
        only_ours, only_theirs = [c for c in mine if c not in theirs], [c for c in other if c not in ours]
    else:
        shared, only_ours, only_theirs = _split_counted(mine, other, knowledge)
    if only_ours and only_theirs:
        shared += _pair_slips(only_ours, only_theirs, left.names | right.names, knowledge)
    return shared, only_ours, only_theirs


def _split_counted(mine: str, other: str, knowledge: Knowledge) -> tuple[float, list[str], list[str]]:
    ours, theirs = Counter(mine), Counter(other)
    shared = sum(knowledge.bits[c] * n for c, n in (ours & theirs).items())
    return shared, list((ours - theirs).elements()), list((theirs - ours).elements())


def _sum(chars: Iterable[str], bits: Mapping[str, float]) -> float:
    return sum(map(bits.__getitem__, chars))


def _pair_slips(ours: list[str], theirs: list[str], names: frozenset[str], knowledge: Knowledge) -> float:
    """Take out of both lists the words that are one word written otherwise; returns what they weigh together."""
    words = knowledge.words
    shared = _join(ours, theirs, knowledge) + _join(theirs, ours, knowledge)
    for char in list(ours):
        word = words[char]
        if not word.isalpha():
            continue
        for other in theirs:
            if words[other][0] != word[0] or (char in names and other in names):
                continue  # Dupont and Dupond are two people
            if is_slip(word, words[other]):
                ours.remove(char)
                theirs.remove(other)
                shared += min(knowledge.bits[char], knowledge.bits[other])
                break
    return shared


def _join(ours: list[str], theirs: list[str], knowledge: Knowledge) -> float:
    """Take out words of one list that two or three neighbours of the other spell together: HPV 16, HPV16."""
    words, shared = knowledge.words, 0.0
    openings = tuple([words[c] for c in theirs[:-1]])
    for char in list(ours):
        whole = words[char]
        if not whole.startswith(openings):
            continue
        for at in range(len(theirs) - 1):
            if not whole.startswith(words[theirs[at]]):
                continue
            width = next((n for n in (2, 3) if whole == "".join(words[c] for c in theirs[at : at + n])), 0)
            if width:
                del theirs[at : at + width]
                ours.remove(char)
                shared += knowledge.bits[char]
                break
    return shared

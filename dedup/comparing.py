"""What two records say alike and what they say differently: field by field, agree, conflict or nothing to compare.

What differs between two titles is told by kind (numbers, negations, names, words), each weighed by how rare its words
are in the corpus, and a word of one title is excused when the other record states it elsewhere. Texts are compared
whole, word by word. Nothing is decided here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import fsum, log2

from rapidfuzz.distance import Indel, Levenshtein

from dedup.facts import DATES, FACT_WORDS, NEGATIONS, plain_word
from dedup.items import Lexicon, Reading
from dedup.numerals import NUMERALS, is_numeral
from dedup.wording import FUNCTION_WORDS, is_slip

_FUNCTION = frozenset(plain_word(w).rstrip("'") for w in FUNCTION_WORDS)
_BACKGROUND = 400  # records; a page of a listing has ten, a night some hundreds
_LEAD_WORDS = 40
_MAX_BITS = 12.0
_FOREIGN_NEGATIONS = frozenset(("not", "without", "never"))
_NEGATIVE = NEGATIONS | _FOREIGN_NEGATIONS
_TURNED_MAX_WORDS = 4  # `n'est pas` beside `est`: a negation counts where little else differs
_PARTLY = 0.34
_MIN_ABBREVIATION = 3
_ROMAN = re.compile(r"[ivxl]{2,}$")
_REWORDED_WORDS, _REWORDED_SHARE = 3, 0.02  # of a text; more that differs is another wording, not another fact
_EDITION_DIGITS = 2
_NUMERALS = frozenset(map(plain_word, NUMERALS))
_RANK = re.compile(r"iemes?$")
_RARE_BITS = 9.0  # one record in five hundred
_SHORT_CODE = 3  # T2, v3, 2e: a number with its letter


class Level(IntEnum):
    """How far a field agrees; NOTHING is nothing to compare."""

    NOTHING = -1
    CONFLICT = 0
    PARTLY = 1
    WITHIN = 2
    AGREE = 3


class Clash(IntEnum):
    """What two records state differently, so that they cannot be one resource of one night however alike.

    WORD is the least of them: one ordinary word in the place of another, which a person may know better.
    """

    NONE = 0
    NUMBERS = 1
    NAMES = 2
    NEGATION = 3
    DATES = 4
    TEXT = 5
    WORD = 6


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


def learn_words(lexicon: Lexicon) -> Knowledge:
    """How much each word of the corpus is worth: -log2 of the share of records it stands in.

    A small corpus teaches little, so it counts as if it stood among `_BACKGROUND` others in which function words are
    common and all others are not.
    """
    total = lexicon.records + _BACKGROUND
    words = {char: word for word, char in lexicon.chars.items()}
    bits = {}
    for char, word in words.items():
        common = _BACKGROUND / 4 if word in _FUNCTION else 0.5
        bits[char] = max(0.0, min(_MAX_BITS, log2((total + 1) / (lexicon.counts[char] + common))))
    numeric = frozenset(char for char, word in words.items() if is_numeric(word))
    return Knowledge(words, bits, frozenset(lexicon.uncapped), numeric)


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
            Indel.normalized_similarity(left[:_LEAD_WORDS], right[:_LEAD_WORDS]),
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
    bare_ours, far_ours = _unstated(ours, right)
    bare_theirs, far_theirs = _unstated(theirs, left)
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
        len({knowledge.words[c] for c in (*ours, *theirs)} & (_NEGATIVE | DATES)),
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


def _unstated(chars: Sequence[str], other: Reading) -> tuple[list[str], list[str]]:
    """Of words that the other title lacks: those its record states nowhere, and those it states only far down."""
    lead = other.text[:_LEAD_WORDS]
    rest = [c for c in chars if c not in lead and c not in other.about and c not in other.codes]
    return [c for c in rest if c not in other.text], [c for c in rest if c in other.text]


def is_numeric(word: str) -> bool:
    """Whether a plain word of a title states a number: 45, 3e, T2, XIV, 2014."""
    if word[0].isdigit() or _ROMAN.match(word):
        return True
    return len(word) <= _SHORT_CODE and any(map(str.isdigit, word))


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


def title_clash(left: Reading, right: Reading, alone: tuple[list[str], list[str]], knowledge: Knowledge) -> Clash:
    """What two titles state differently: both a number, both a date or both a name that the other lacks, or a negation.

    alone: the words that only one title has. What only one states is no clash (it may be left out), a negation apart.
    """
    ours, theirs = alone
    if not ours and not theirs:
        return Clash.NONE
    mine, other = ({knowledge.words[c] for c in side} for side in (ours, theirs))
    if _own_numbers(ours, right, knowledge) and _own_numbers(theirs, left, knowledge):
        is_renewed = left.item.night != right.item.night and _share_leading_code(left, right, knowledge)
        return Clash.NONE if is_renewed else Clash.NUMBERS
    if mine & DATES and other & DATES:
        return Clash.DATES
    if (mine | other) & _NEGATIVE and len(ours) + len(theirs) <= _TURNED_MAX_WORDS:
        return Clash.NEGATION
    if _has_name(ours, left, knowledge) and _has_name(theirs, right, knowledge):
        return Clash.NAMES
    return Clash.NONE


def _own_numbers(chars: Sequence[str], other: Reading, knowledge: Knowledge) -> bool:
    """Whether one of the words is a number that the other record does not give as a code, nor its edition (`*02`)."""
    uncoded = [c for c in chars if c not in other.codes]
    least = _EDITION_DIGITS + 1 if len(uncoded) < len(chars) else 1
    return any(c in knowledge.numeric and len(knowledge.words[c]) >= least for c in uncoded)


def _share_leading_code(left: Reading, right: Reading, knowledge: Knowledge) -> bool:
    """Whether both records open with one rare long code: a form keeps its number from year to year."""
    openings = (left.title_chars + left.text[:_LEAD_WORDS], right.title_chars + right.text[:_LEAD_WORDS])
    shared = (code for code in left.codes & right.codes if all(code in opening for opening in openings))
    return any(knowledge.bits[code] >= _RARE_BITS for code in shared)


def _has_name(chars: Sequence[str], reading: Reading, knowledge: Knowledge) -> bool:
    return any(c in reading.names and (c not in knowledge.uncapped) for c in chars)


def text_clash(left: Reading, right: Reading, knowledge: Knowledge) -> Clash:
    """Whether two texts that are nearly equal state different numbers, dates, negations or words in one place.

    One word put in the place of one other counts, slips of the pen aside (`assurance auto`, `assurance habitation`:
    what is an ordinary word here is the whole difference there), and so do words that state numbers or dates on both
    sides; a negation counts alone. Two listings of one night may word one resource in two ways: there it is
    a clash only when hardly anything else differs.
    """
    found, other = Clash.NONE, 0
    for op in Levenshtein.opcodes(left.text, right.text):
        if op.tag == "equal":
            continue
        ours = left.text[op.src_start : op.src_end]
        theirs = right.text[op.dest_start : op.dest_end]
        clash = _states(ours, theirs, knowledge)
        if not clash:
            other += max(len(ours), len(theirs))
        elif found is not Clash.TEXT:
            found = clash
    room = max(_REWORDED_WORDS, _REWORDED_SHARE * min(len(left.text), len(right.text)))
    is_reworded = left.item.slot is not None and right.item.slot is not None and other > room
    return Clash.NONE if is_reworded else found


def _states(ours: str, theirs: str, knowledge: Knowledge) -> Clash:
    """What is stated by words of one text where the other has others."""
    mine, other = both = [knowledge.words[c] for c in ours], [knowledge.words[c] for c in theirs]
    if {*mine, *other} & _NEGATIVE and len(mine) + len(other) <= _TURNED_MAX_WORDS:
        return Clash.TEXT
    if all(any(map(is_numeric, side)) for side in both) or all(DATES.intersection(side) for side in both):
        return Clash.TEXT
    if not (len(mine) == len(other) == 1) or is_slip(mine[0], other[0]):
        return Clash.NONE
    is_ordinary = knowledge.uncapped.issuperset((ours, theirs)) and not any(map(_is_fact, (*mine, *other)))
    return Clash.WORD if is_ordinary else Clash.TEXT


def _is_fact(word: str) -> bool:
    """Whether a plain word bounds, dates, measures or numbers, in letters too: `apres`, `seul`, `six`, `troisieme`."""
    return word in FACT_WORDS or word in _NUMERALS or is_numeral(_RANK.sub("ième", word))

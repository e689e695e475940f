"""What two records state differently, so that no likeness makes them one: numbers, dates, names, negations.

Titles are held against each other by the words that only one has, texts by what stands in one place of both. Nothing is
weighed here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from enum import IntEnum
from itertools import groupby

from rapidfuzz.distance import Levenshtein, Opcode

from dedup.facts import DATES, FACT_WORDS, NEGATIONS, plain_word
from dedup.items import Reading
from dedup.knowledge import FUNCTION, Knowledge, is_numeric
from dedup.numerals import NUMERALS, is_numeral
from dedup.tokens import UNIT_SIGNS, even_plain, is_same_count
from dedup.wording import is_slip

LEAD_WORDS = 40
_FOREIGN_NEGATIONS = frozenset(("not", "without", "never"))
NEGATIVE = NEGATIONS | _FOREIGN_NEGATIONS
_TURNED_MAX_WORDS = 4  # `n'est pas` beside `est`: a negation counts where little else differs
_REWORDED_WORDS, _REWORDED_SHARE = 3, 0.02  # of a text; more that differs is another wording, not another fact
_EDITION_DIGITS = 2
_NUMERALS = frozenset(map(plain_word, NUMERALS))
_RANK = re.compile(r"iemes?$")
_ELIDED = frozenset("cdjlmnst")
_RARE_BITS = 9.0  # one record in five hundred
_OWN_BITS = 2.0  # one record in four


class Clash(IntEnum):
    """What two records state differently, so that they cannot be one resource of one night however alike.

    WORD and TITLE are the least of them, which a person may know better: one ordinary word of a text in the place of
    another, and words of its own in each of two titles.
    """

    NONE = 0
    NUMBERS = 1
    NAMES = 2
    NEGATION = 3
    DATES = 4
    TEXT = 5
    WORD = 6
    TITLE = 7


def title_clash(left: Reading, right: Reading, alone: tuple[list[str], list[str]], knowledge: Knowledge) -> Clash:
    """What two titles state differently: both a number, both a date or both a name that the other lacks, or a negation.

    alone: the words that only one title has. What only one states is no clash (it may be left out), a negation apart.
    """
    ours, theirs = alone
    if not ours and not theirs:
        return Clash.NONE
    mine, other = ({knowledge.words[c] for c in side} for side in (ours, theirs))
    is_lettered = bool(mine and other) and all(map(_is_letter, mine | other))
    if is_lettered or (_own_numbers(ours, right, knowledge) and _own_numbers(theirs, left, knowledge)):
        is_renewed = left.item.night != right.item.night and _share_leading_code(left, right, knowledge)
        return Clash.NONE if is_renewed else Clash.NUMBERS
    if mine & DATES and other & DATES:
        return Clash.DATES
    if (mine | other) & NEGATIVE and len(ours) + len(theirs) <= _TURNED_MAX_WORDS:
        return Clash.NEGATION
    names, others = _names(ours, left, knowledge), _names(theirs, right, knowledge)
    # where only one record states the name in the other's title, that title may say the same thing anew
    if names and others and _states_one(right, names) == _states_one(left, others):
        return Clash.NAMES
    return Clash.NAMES if _has_other_compound(left, right) or _has_other_compound(right, left) else Clash.NONE


def unstated(chars: Sequence[str], other: Reading) -> tuple[list[str], list[str]]:
    """Of words that the other title lacks: those its record states nowhere, and those it states only far down."""
    lead = other.text[:LEAD_WORDS]
    rest = [c for c in chars if c not in lead and c not in other.about and c not in other.codes]
    return [c for c in rest if c not in other.text], [c for c in rest if c in other.text]


def has_own_words(
    left: Reading, right: Reading, alone: tuple[Sequence[str], Sequence[str]], knowledge: Knowledge
) -> bool:
    """Whether each of two titles has words of its own for what it is about: `clauses sociales`, `environnementales`.

    alone: the words that only one title has. Those that the other record states elsewhere are no difference (a title is
    worded anew from the text), unless they stand in one place of one frame and both records state them.
    """
    ours, theirs = ([c for c in side if knowledge.words[c] not in FUNCTION] for side in alone)
    bare_ours, bare_theirs = unstated(ours, right)[0], unstated(theirs, left)[0]
    if not (bare_ours or bare_theirs) and ours and theirs:
        changes = [op for op in Levenshtein.opcodes(left.title_chars, right.title_chars) if op.tag != "equal"]
        return [op.tag for op in changes] == ["replace"]
    return all(sum(map(knowledge.bits.__getitem__, side)) >= _OWN_BITS for side in (bare_ours, bare_theirs))


def _own_numbers(chars: Sequence[str], other: Reading, knowledge: Knowledge) -> bool:
    """Whether one of the words is a number that the other record does not give as a code, nor its edition (`*02`)."""
    uncoded = [c for c in chars if c not in other.codes]
    least = _EDITION_DIGITS + 1 if len(uncoded) < len(chars) else 1
    return any(c in knowledge.numeric and len(knowledge.words[c]) >= least for c in uncoded)


def _is_letter(word: str) -> bool:
    """Whether a word is a letter that may tell a part (`lot a`), no elided word (`l'`, `d'`)."""
    return len(word) == 1 and word.isalpha() and word not in _ELIDED


def _share_leading_code(left: Reading, right: Reading, knowledge: Knowledge) -> bool:
    """Whether both records open with one rare long code: a form keeps its number from year to year."""
    openings = (left.title_chars + left.text[:LEAD_WORDS], right.title_chars + right.text[:LEAD_WORDS])
    shared = (code for code in left.codes & right.codes if all(code in opening for opening in openings))
    return any(knowledge.bits[code] >= _RARE_BITS for code in shared)


def _names(chars: Sequence[str], reading: Reading, knowledge: Knowledge) -> list[str]:
    return [c for c in chars if c in reading.names and c not in knowledge.uncapped]


def _states_one(reading: Reading, chars: Sequence[str]) -> bool:
    return any(c in reading.text for c in chars)


def _has_other_compound(one: Reading, two: Reading) -> bool:
    """Whether one has a name of several parts of which two has some in another name: Haute-Savoie, Savoie."""
    lacking = [name for name in one.compounds if name not in two.title_chars and name not in two.text]
    if not lacking:
        return False
    rest = two.title_chars
    for name in one.compounds & two.compounds:
        rest = rest.replace(name, "")
    alone = two.names.intersection(rest)
    return any(not alone.isdisjoint(name) for name in lacking)


def text_clash(left: Reading, right: Reading, knowledge: Knowledge) -> Clash:
    """Whether two texts that are nearly equal state different numbers, dates, negations or words in one place.

    One word put in the place of one other counts, slips of the pen aside (`assurance auto`, `assurance habitation`:
    what is an ordinary word here is the whole difference there), and so do words that state numbers or dates on both
    sides; a negation counts alone. Two listings of one night may word one resource in two ways: there it is
    a clash only when hardly anything else differs.
    """
    found, other = Clash.NONE, 0
    ops = Levenshtein.opcodes(left.text, right.text)
    for is_equal, group in groupby(ops, key=lambda op: op.tag == "equal"):
        if is_equal:
            continue
        changes = list(group)
        clash = _numbers_clash(left.text, right.text, changes, knowledge)
        if clash is None:  # one number, written in two ways
            continue
        found = clash or found
        for op in changes:
            ours, theirs = left.text[op.src_start : op.src_end], right.text[op.dest_start : op.dest_end]
            stated = _states(ours, theirs, knowledge)
            if not (stated or clash):
                other += max(len(ours), len(theirs))
            elif found is not Clash.TEXT:
                found = stated
    room = max(_REWORDED_WORDS, _REWORDED_SHARE * min(len(left.text), len(right.text)))
    is_reworded = left.item.slot is not None and right.item.slot is not None and other > room
    return Clash.NONE if is_reworded else found


def _numbers_clash(left: str, right: str, changes: Sequence[Opcode], knowledge: Knowledge) -> Clash | None:
    """TEXT where two texts state other numbers in one place; None where they differ in how these are written alone.

    A number is read whole, with what both texts have beside it: of `cent vingt` and `vingt` only `cent` differs.
    """
    starts, ends = (changes[0].src_start, changes[0].dest_start), (changes[-1].src_end, changes[-1].dest_end)
    while min(starts) and _may_count(knowledge.words[left[starts[0] - 1]]):
        starts = starts[0] - 1, starts[1] - 1
    while ends[0] < len(left) and ends[1] < len(right) and _may_count(knowledge.words[left[ends[0]]]):
        ends = ends[0] + 1, ends[1] + 1
    ours, theirs = (
        even_plain([knowledge.words[char] for char in text[start:end]])
        for text, start, end in zip((left, right), starts, ends, strict=True)
    )
    if is_same_count(ours, theirs):
        return None
    numbers, others = (Counter(t for t in side if is_numeric(t) or t in UNIT_SIGNS) for side in (ours, theirs))
    return Clash.TEXT if numbers - others and others - numbers else Clash.NONE


def _may_count(word: str) -> bool:
    return word[0].isdigit() or word in _NUMERALS or bool(_RANK.search(word))


def _states(ours: str, theirs: str, knowledge: Knowledge) -> Clash:
    """What is stated by words of one text where the other has others."""
    mine, other = both = [knowledge.words[c] for c in ours], [knowledge.words[c] for c in theirs]
    if {*mine, *other} & NEGATIVE and len(mine) + len(other) <= _TURNED_MAX_WORDS:
        return Clash.TEXT
    if all(DATES.intersection(side) for side in both):
        return Clash.TEXT
    if not (len(mine) == len(other) == 1) or is_slip(mine[0], other[0]):
        return Clash.NONE
    is_ordinary = knowledge.uncapped.issuperset((ours, theirs)) and not any(map(_is_fact, (*mine, *other)))
    return Clash.WORD if is_ordinary else Clash.TEXT


def _is_fact(word: str) -> bool:
    """Whether a plain word bounds, dates, measures or numbers, in letters too: `apres`, `seul`, `six`, `troisieme`."""
    return word in FACT_WORDS or word in _NUMERALS or is_numeral(_RANK.sub("ième", word))

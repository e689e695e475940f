"""Two texts side by side, word by word, what differs marked: for a person who is to say whether they are one.

Typography alone is no difference here (quotes, dashes, spaces), as nowhere in the comparing. Texts come from the site:
what cannot be seen is written out before any colour is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from rich.cells import cell_len, chop_cells

from receipts.printable import printable
from schema.folding import fold

GAP = " | "
_PARAGRAPH = "\n\n"
_LEAST_ALIKE = 3  # words in a row; fewer between two differences (`de la`) say nothing and only tear them up


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a paragraph break, and whether the other text lacks it."""

    text: str
    is_other: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands before and after words that the other text lacks, and whether that takes up room on the line."""

    left: tuple[str, str]
    right: tuple[str, str]
    is_wide: bool


PLAIN = Marks(("[-", "-]"), ("{+", "+}"), is_wide=True)
COLOURED = Marks(("\x1b[31m", "\x1b[0m"), ("\x1b[32m", "\x1b[0m"), is_wide=False)


def side_by_side(left: str, right: str, width: int, marks: Marks = PLAIN) -> list[str]:
    """Lines of two columns, each wrapped on words; paragraphs that both have stand beside each other.

    Args:
        left: a text, its paragraphs parted by a blank line.
        right: the other.
        width: of both columns and the gap, in cells of the terminal.
        marks: how differences are shown.
    """
    room = (width - len(GAP)) // 2
    lines = []
    for ours, theirs in _rows(_words(left), _words(right)):
        columns = _wrap(ours, room, marks.left, marks), _wrap(theirs, room, marks.right, marks)
        lines += [_beside(one, two, room) for one, two in zip_longest(*columns, fillvalue=("", 0))]
    return lines


def _words(text: str) -> list[str]:
    words: list[str] = []
    for number, paragraph in enumerate(text.split(_PARAGRAPH)):
        words += [_PARAGRAPH] if number else []
        words += [printable(word) for word in paragraph.split()]
    return words


def _rows(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[list[Word], list[Word]]]:
    """What stands beside what: split at each paragraph break that both have, and after paragraphs that one lacks."""
    ours: list[Word] = []
    theirs: list[Word] = []
    for is_alike, one, two in _compare(left, right):
        ours += [Word(text, not is_alike) for text in one]
        theirs += [Word(text, not is_alike) for text in two]
        is_alone = not (ours and theirs) and [*ours, *theirs][-1].text == _PARAGRAPH
        if is_alone or (is_alike and one[-1] == _PARAGRAPH):
            yield ours, theirs
            ours, theirs = [], []
    yield ours, theirs


def _compare(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[bool, Sequence[str], Sequence[str]]]:
    """Stretches of words in order, alike or not; one that is alike ends at each paragraph break."""
    plain = [[fold(word) or word for word in words] for words in (left, right)]
    codes = SequenceMatcher(None, plain[0], plain[1], autojunk=False).get_opcodes()
    for number, (tag, i, end, j, other_end) in enumerate(codes):
        is_between = 0 < number < len(codes) - 1
        start = i
        for stop in range(i + 1, end + 1):
            if tag == "equal" and (stop == end or left[stop - 1] == _PARAGRAPH):
                one, two = left[start:stop], right[j + start - i : j + stop - i]
                is_short = is_between and end - i < _LEAST_ALIKE and _PARAGRAPH not in one
                yield not is_short, one, two
                start = stop
        if tag != "equal":
            yield False, left[i:end], right[j:other_end]


def _wrap(words: Sequence[Word], room: int, mark: tuple[str, str], marks: Marks) -> list[tuple[str, int]]:
    """Lines of one column, each with its width in cells; a paragraph break is an empty line."""
    cost = sum(map(len, mark)) if marks.is_wide else 0
    lines: list[tuple[str, int]] = []
    line: list[Word] = []
    used = 0
    for word in _fitting(words, room - cost):
        if word.text == _PARAGRAPH:
            lines += [_drawn(line, mark, used), ("", 0)] if line else [("", 0)]
            line, used = [], 0
            continue
        needs = _cells(word, line, cost)
        if line and used + needs > room:
            lines.append(_drawn(line, mark, used))
            line, used = [], 0
            needs = _cells(word, line, cost)
        line.append(word)
        used += needs
    return [*lines, _drawn(line, mark, used)] if line else lines


def _cells(word: Word, line: Sequence[Word], cost: int) -> int:
    """What a word adds to the width of a line: its cells, a space, and the mark where a difference begins."""
    begins = word.is_other and not (line and line[-1].is_other)
    return cell_len(word.text) + bool(line) + (cost if begins else 0)


def _fitting(words: Sequence[Word], room: int) -> Iterator[Word]:
    """The words, those wider than a line (addresses) cut."""
    for word in words:
        if word.text == _PARAGRAPH or cell_len(word.text) <= room:
            yield word
            continue
        for piece in chop_cells(word.text, room):
            yield Word(piece, word.is_other)


def _drawn(line: Sequence[Word], mark: tuple[str, str], used: int) -> tuple[str, int]:
    parts = []
    for is_other, words in groupby(line, key=lambda word: word.is_other):
        text = " ".join(word.text for word in words)
        parts.append(f"{mark[0]}{text}{mark[1]}" if is_other else text)
    return " ".join(parts), used


def _beside(left: tuple[str, int], right: tuple[str, int], room: int) -> str:
    return f"{left[0]}{' ' * (room - left[1])}{GAP}{right[0]}".rstrip(" ")

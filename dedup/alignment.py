"""Where the text of one section stands in the other: equal passages, the same text cut differently, text cut short.

It only finds; what is kept and what is dropped is decided elsewhere. Texts are compared *tight*: folded, without
bullets and without white space, so that `5 %` equals `5%`; a space between two digits that groups no thousands stays a
mark, so that `1 2` is not `12`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from schema.folding import fold

GAP = "\x1f"  # stands for a space between digits
_BULLETS = frozenset("•▪◦●·*-")
_BULLET = re.compile(r"^(?:[•▪◦●·*] ?|- (?!\d))")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?!\d)")
_DIGIT_GAP = re.compile(r" (?<=\d )(?=\d)")  # opens with the letter sought: 3x faster to scan
_ELLIPSIS = re.compile(r"[ ,;:]*(?:\.\.\.|\[\.\.\.\]|\(\.\.\.\))$")
_INSIDE_NUMBER = re.compile(r"(?<=\d)[.,:/^-](?=\d)|" + GAP)
# an edge of a word, or a space the site left out («fin.Début», «lienTélécharger»)
_EDGE = re.compile(r"\b|(?<=\W)(?=\W)|(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")


@dataclass(frozen=True, slots=True)
class Run:
    """Passages `[start, end)` of one section, next to one another."""

    start: int
    end: int


def fold_passage(text: str) -> str:
    """A passage as read for comparing: folded, without the bullet in front."""
    return _strip_bullet(fold(text))


def _strip_bullet(folded: str) -> str:
    return _BULLET.sub("", folded, count=1) if folded[:1] in _BULLETS else folded


def tighten(folded: str) -> str:
    """A folded text without white space; GAP where a space keeps two numbers apart."""
    if " " not in folded:
        return folded
    return _mark_gaps(folded).replace(" ", "")


def join_tight(texts: Sequence[str]) -> str:
    """Tight texts as one; figures of two passages never become one number."""
    joined = ""
    for text in texts:
        joined += GAP + text if joined[-1:].isdigit() and text[:1].isdigit() else text
    return joined


def word_edges(folded: str) -> frozenset[int]:
    """Places in the tight text where a site may have cut it: between words, never inside a number; both ends too."""
    edges, offset = {0}, 0
    for word in _mark_gaps(folded).split(" "):
        barred = {place for m in _INSIDE_NUMBER.finditer(word) for place in m.span()}
        edges |= {offset + m.start() for m in _EDGE.finditer(word) if m.start() not in barred}
        offset += len(word)
        edges.add(offset)
    return frozenset(edges)


def text_before(folded: str, place: int) -> str:
    """What stands in a folded text before a place of its tight form."""
    marked = _mark_gaps(folded)
    for at, char in enumerate(marked):
        if place == 0:
            return marked[:at].replace(GAP, " ")
        place -= char != " "
    return marked.replace(GAP, " ")


def strip_ellipsis(folded: str) -> str | None:
    """The text before the ellipsis it ends in, else None."""
    if not folded.endswith(("...", "...]", "...)")):
        return None
    match = _ELLIPSIS.search(folded)
    return folded[: match.start()].rstrip() if match and match.start() else None


def pair_equal(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs (place in ours, place in theirs) of equal texts, one to one: those in the same order, then the moved."""
    codes: dict[str, int] = {}
    left, right = ([codes.setdefault(text, len(codes)) for text in side] for side in (ours, theirs))
    free_left, free_right = set(range(len(left))), set(range(len(right)))
    for block in LCSseq.opcodes(left, right):
        if block.tag == "equal":
            ours_equal, theirs_equal = range(block.src_start, block.src_end), range(block.dest_start, block.dest_end)
            free_left.difference_update(ours_equal)
            free_right.difference_update(theirs_equal)
            yield from zip(ours_equal, theirs_equal, strict=True)
    moved = defaultdict(list)
    for place in sorted(free_right, reverse=True):
        moved[right[place]].append(place)
    for place in sorted(free_left):
        if moved[left[place]]:
            yield place, moved[left[place]].pop()


def free_runs(free: Sequence[int]) -> list[Run]:
    """The runs that sorted positions form."""
    runs: list[Run] = []
    for place in free:
        if runs and runs[-1].end == place:
            runs[-1] = Run(runs[-1].start, place + 1)
        else:
            runs.append(Run(place, place + 1))
    return runs


def match_recut(ours: Sequence[str], theirs: Sequence[str]) -> tuple[int, int] | None:
    """How many tight texts of each side, from the first, hold the same text; None when they part before that.

    The shortest such stretch. One text against one is no recut.
    """
    i = j = 1
    left, right = ours[0], theirs[0]
    while left != right:
        if len(left) < len(right):
            if not right.startswith(left) or i == len(ours):
                return None
            left = join_tight((left, ours[i]))
            i += 1
        else:
            if not left.startswith(right) or j == len(theirs):
                return None
            right = join_tight((right, theirs[j]))
            j += 1
    return None if (i, j) == (1, 1) else (i, j)


def offsets(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Where each tight text stands in their join: [start, end)."""
    found, end = [], 0
    for place, text in enumerate(texts):
        gap = bool(place and texts[place - 1][-1:].isdigit() and text[:1].isdigit())
        found.append((end + gap, end + gap + len(text)))
        end = found[-1][1]
    return found


def _mark_gaps(folded: str) -> str:
    """The text with 20 000 as 20000, and GAP between two other numbers."""
    if not _DIGIT_GAP.search(folded):
        return folded
    return _DIGIT_GAP.sub(GAP, _THOUSANDS.sub(lambda match: match[0].replace(" ", ""), folded))

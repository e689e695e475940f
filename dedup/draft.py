"""What is decided so far about one record: which passages are gone, into which, and which must stay.

One object per collapse, made and dropped inside it; the steps write into it in turn. A passage that others point at is
held: it never goes itself, so every pointer ends at a passage that is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dedup.alignment import fold_passage, tighten
from schema.nouns import BODY, RESUME, Passage, Section

_MAX_TYPOGRAPHY_CHARS = 16
Method = Literal["same", "typography", "recut", "trimmed", "near"]


class Pointer(NamedTuple):
    """Why a passage is gone: places in the other section of those that stand for it, how, how alike (0..100)."""

    into: tuple[int, ...]
    method: Method
    score: float


@dataclass(slots=True)
class Side:
    """One section, its texts folded when first asked for."""

    section: Section
    passages: Sequence[Passage]
    gone: dict[int, Pointer] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    bonds: set[int] = field(default_factory=set)  # place: nothing may come between it and the next
    exact: set[int] = field(default_factory=set)  # found whole in the other section, as it is or cut differently
    _folded: dict[int, str] = field(default_factory=dict)
    _tight: dict[int, str] = field(default_factory=dict)

    def folded(self, place: int) -> str:
        """The folded text of a passage."""
        text = self._folded.get(place)
        if text is None:
            text = self._folded[place] = fold_passage(self.passages[place].text)
        return text

    def tight(self, place: int) -> str:
        """The folded text of a passage without white space."""
        text = self._tight.get(place)
        if text is None:
            text = self._tight[place] = tighten(self.folded(place))
        return text

    def loose(self) -> list[int]:
        """Places of passages that were not found in the other section so far, in order."""
        return [p for p in range(len(self.passages)) if p not in self.exact and p not in self.gone]

    def is_kept(self, place: int) -> bool:
        """Whether a passage stands in the summary."""
        return place not in self.gone


@dataclass(slots=True)
class Draft:
    """Both sections of one record."""

    body: Side
    resume: Side

    def other(self, side: Side) -> Side:
        """The section that is not this one."""
        return self.resume if side is self.body else self.body

    def drop(self, side: Side, place: int, pointer: Pointer) -> None:
        """Let one passage go into passages of the other section, which are held, together if they are several."""
        side.gone[place] = pointer
        other = self.other(side)
        other.held.update(pointer.into)
        other.bonds.update(pointer.into[:-1])

    def are_matched(self, side: Side, place: int, other_place: int) -> bool:
        """Whether a passage of one section and one of the other stand for the same text."""
        ours, theirs = side.gone.get(place), self.other(side).gone.get(other_place)
        return (ours is not None and other_place in ours.into) or (theirs is not None and place in theirs.into)

    def is_repeat(self, side: Side, place: int) -> bool:
        """Whether the other section has the very text, so that this is one more of what its own section repeats."""
        other, text = self.other(side), side.tight(place)
        length = len(side.passages[place].text)
        return any(
            other.tight(p) == text
            for p in other.exact
            # typography moves few letters: whoever is much longer or shorter need not be folded
            if abs(len(other.passages[p].text) - length) <= _MAX_TYPOGRAPHY_CHARS + length // 8
        )


def start_draft(body: Sequence[Passage], resume: Sequence[Passage]) -> Draft:
    """Nothing decided."""
    return Draft(Side(BODY, body), Side(RESUME, resume))

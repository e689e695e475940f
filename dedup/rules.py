"""The numbers that say how alike passages must be, with where they come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """When a passage counts as found in the other section.

    near_min_score: least rapidfuzz ratio (0..100) of two folded passages to be compared word by word; the words
    decide, so it is low enough for `quatre-vingt-dix` beside `90` in a line of text. near_min_shared: least share
    (0..1) of words that stand in both letter for letter: one correction in five words. trimmed_min_chars: least length
    of a piece that is looked for anywhere in the other section without an ellipsis to show that it was cut; headings
    such as `Points d'attention` are shorter and stand on their own.
    """

    near_min_score: float = 80.0
    near_min_shared: float = 0.8
    trimmed_min_chars: int = 25


DEFAULT_RULES = Rules()

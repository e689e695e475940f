"""Texts that many resources bear (`Compte rendu réservé aux adhérents.`), and that therefore tell nothing of one.

The matcher leaves them out of its comparisons by itself. Where an address, or what was known before, is asked whether
it still is what it was, they must count for nothing either: two reports are not one because both are reserved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dedup.merge import Stated
from schema.folding import fold, text_digest

# records of one resource may give it two titles, and one that is known has one
_FREE_TITLES, _KNOWN_TITLES = 2, 1
_FOLDED_SHARE = 2  # folding makes no text shorter than half of it: runs of white space are evened out before


@dataclass(frozen=True, slots=True)
class Commonplaces:
    """Such texts, folded, and the characters of the longest."""

    texts: frozenset[str] = frozenset()
    longest: int = 0

    def hold(self, text: str | None) -> bool:
        """Whether a text is one of them."""
        if not text or len(text) > _FOLDED_SHARE * self.longest:  # most are longer, and need not be folded
            return False
        return fold(text) in self.texts


NONE_COMMON = Commonplaces()


def common_texts(stated: Iterable[Stated], known: Iterable[tuple[str, str]]) -> Commonplaces:
    """The texts that stand under three titles tonight, or under two of those of known resources.

    Args:
        stated: tonight's records.
        known: title and text of each known resource.
    """
    live = ((one.title, one.summary or "") for one in stated if not one.is_copy)
    texts = frozenset((*_several(live, _FREE_TITLES), *_several(known, _KNOWN_TITLES)))
    return Commonplaces(texts, max(map(len, texts), default=0))


def _several(titled: Iterable[tuple[str, str]], most: int) -> list[str]:
    first: dict[bytes, str] = {}  # by digest: all texts once more would weigh as much as the records
    titles: dict[str, set[str]] = {}  # of the few texts that stand under several
    for title, text in titled:
        if text and (former := first.setdefault(text_digest(text), title)) != title:
            titles.setdefault(text, {former}).add(title)
    return [fold(text) for text, under in titles.items() if len({*map(fold, under)}) > most]

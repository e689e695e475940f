"""Texts that many resources bear (`Compte rendu réservé aux adhérents.`), and that therefore tell nothing of one.

The matcher leaves them out of its comparisons by itself. Where an address, or what was known before, is asked whether
it still is what it was, they must count for nothing either: two reports are not one because both are reserved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dedup.merge import Stated
from schema.folding import fold

# records of one resource may give it two titles, and one that is known has one
_FREE_TITLES, _KNOWN_TITLES = 2, 1


def common_texts(stated: Iterable[Stated], known: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The texts, folded, that stand under three titles tonight, or under two of those of known resources.

    Args:
        stated: tonight's records.
        known: title and text of each known resource.
    """
    live = ((one.record.title, one.summary or "") for one in stated if not one.is_copy)
    return frozenset((*_several(live, _FREE_TITLES), *_several(known, _KNOWN_TITLES)))


def _several(titled: Iterable[tuple[str, str]], most: int) -> Iterable[str]:
    titles: dict[str, set[str]] = {}
    for title, text in titled:
        if text:
            titles.setdefault(text, set()).add(title)
    # to fold them all would take longer than all the rest
    return (fold(text) for text, under in titles.items() if len(under) > most and len({*map(fold, under)}) > most)


def is_common(text: str | None, common: Collection[str]) -> bool:
    """Whether a text is one of those."""
    return bool(common and text) and fold(text or "") in common

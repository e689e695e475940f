"""Text that the site cut short, or that stands whole inside longer passages of the other section.

The longer ones are kept, whichever section they are of. What the shortened one leaves out is no difference; a piece
that an earlier word of its sentence negates there, or whose number goes on there, says something else and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz

from dedup.alignment import free_runs, join_tight, offsets, strip_ellipsis, text_before, tighten, word_edges
from dedup.draft import Draft, Pointer, Side
from dedup.facts import LIMITS, NEGATIONS, facts, includes, plain_word
from dedup.rules import Rules
from dedup.tokens import split_tokens
from schema.nouns import Section

_SENTENCE_END = re.compile(r"[.!?:;](?=\s|$)")


class Find(NamedTuple):
    """Where a piece stands in the other section: the passages, whether it opens the first, what is before it."""

    places: tuple[int, ...]
    is_opening: bool
    before: str


class _Stretch(NamedTuple):
    """Passages next to one another that were not found whole in the other section, and their joined tight text."""

    places: range
    joined: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A passage as looked for elsewhere: its text without the ellipsis it may end in."""

    side: Side
    place: int
    text: str
    tight: str
    is_cut: bool


def drop_trimmed(draft: Draft, rules: Rules) -> None:
    """Drop what is cut short or stands whole in longer passages of the other section; longest first."""
    loose = [(side, place) for side in (draft.body, draft.resume) for place in side.loose()]
    loose.sort(key=lambda item: -len(item[0].tight(item[1])))
    stretches = _read_stretches(draft)
    for side, place in loose:
        piece = _read_piece(side, place)
        there = [s for s in stretches[draft.other(side).section] if piece.tight in s.joined]
        if not there or place in side.held:
            continue
        pointer = _find_longer(draft, piece, there, rules)
        if pointer and not _stands_in_own(piece) and not draft.is_repeat(side, place):
            draft.drop(side, place, pointer)
            stretches = _read_stretches(draft)


def _read_stretches(draft: Draft) -> dict[Section, list[_Stretch]]:
    """What is left of both sections."""
    found: dict[Section, list[_Stretch]] = {}
    for side in (draft.body, draft.resume):
        runs = [range(run.start, run.end) for run in free_runs(side.loose())]
        found[side.section] = [_Stretch(places, join_tight([side.tight(p) for p in places])) for places in runs]
    return found


def _read_piece(side: Side, place: int) -> _Piece:
    folded = side.folded(place)
    cut = strip_ellipsis(folded)
    return (
        _Piece(side, place, folded, side.tight(place), is_cut=False)
        if cut is None
        else _Piece(side, place, cut, tighten(cut), is_cut=True)
    )


def _find_longer(draft: Draft, piece: _Piece, stretches: Sequence[_Stretch], rules: Rules) -> Pointer | None:
    """The passages of the other section that hold all of the piece: as few, as near as can be."""
    other = draft.other(piece.side)
    finds = [
        f for f in _find_all(other, piece, stretches) if _is_told(draft, piece, f, rules) and not _is_turned(f.before)
    ]
    finds.sort(key=lambda f: (len(f.places), not f.is_opening, abs(f.places[0] - piece.place), f.places))
    for find in finds:
        longer = " ".join(other.folded(p) for p in find.places)
        if includes(facts(longer), facts(piece.text), is_cut=piece.is_cut):
            return Pointer(find.places, "trimmed", fuzz.ratio(piece.side.folded(piece.place), longer))
    return None


def _find_all(other: Side, piece: _Piece, stretches: Sequence[_Stretch]) -> Iterator[Find]:
    """Every place where the piece stands between edges of words in stretches of the other section."""
    for places, joined in stretches:
        spans = dict(zip(places, offsets([other.tight(p) for p in places]), strict=True))
        start = joined.find(piece.tight)
        while start >= 0:
            find = _read_find(other, spans, start, start + len(piece.tight))
            if find and (piece.is_cut or joined[slice(*_reach(spans, find))] != piece.tight):
                yield find
            start = joined.find(piece.tight, start + 1)


def _read_find(other: Side, spans: dict[int, tuple[int, int]], start: int, end: int) -> Find | None:
    """The passages that [start, end) reaches into, when it is cut at edges of words; spans are by place."""
    places = tuple(p for p, (left, right) in spans.items() if left < end and start < right)
    first, last = places[0], places[-1]
    opening, closing = start - spans[first][0], end - spans[last][0]
    if opening not in word_edges(other.folded(first)) or closing not in word_edges(other.folded(last)):
        return None
    return Find(places, opening == 0, text_before(other.folded(first), opening))


def _reach(spans: dict[int, tuple[int, int]], find: Find) -> tuple[int, int]:
    return spans[find.places[0]][0], spans[find.places[-1]][1]


def _is_told(draft: Draft, piece: _Piece, find: Find, rules: Rules) -> bool:
    """Whether there is reason to take the piece for the longer text: its length, or the site's cut."""
    if len(piece.text) >= rules.trimmed_min_chars:
        return True
    if not find.is_opening or piece.side.passages[piece.place].kind == "cell":
        return False
    return piece.is_cut or draft.are_matched(piece.side, piece.place - 1, find.places[0] - 1)


def _is_turned(before: str) -> bool:
    """Whether the sentence before the piece negates or bounds it: «ne pas | utiliser les crédits»."""
    sentence = _SENTENCE_END.split(before)[-1]
    return any(plain_word(word) in NEGATIONS | LIMITS for word in split_tokens(sentence))


def _stands_in_own(piece: _Piece) -> bool:
    """Whether a longer passage of its own section holds the piece too: then it is repeated on purpose."""
    side = piece.side
    texts = (side.tight(p) for p in range(len(side.passages)) if p != piece.place)
    return any(len(piece.tight) < len(text) and piece.tight in text for text in texts)

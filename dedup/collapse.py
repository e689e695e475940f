"""One summary from the two sections of a record: what stands in both stands once, and nothing is lost.

Four steps, from the surest to the least sure, each on what the former left: equal passages (typography aside), the
same text cut differently, text cut short by the site, text worded almost alike. A veto on facts (`dedup.facts`) bars
the last two. Every passage is kept, or points at passages of the other section that are kept themselves. No state
outlives a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from dedup.draft import Draft, Method, Side, start_draft
from dedup.exactness import drop_equal, drop_recut
from dedup.nearness import drop_near
from dedup.ordering import order_summary
from dedup.rules import DEFAULT_RULES, Rules
from dedup.trimming import drop_trimmed
from schema.nouns import BODY, RESUME, Passage, Section

__all__ = ["Collapsed", "Decision", "Method", "Rules", "collapse", "uncollapse"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one passage: kept at a place of the summary, or collapsed into passages of the other section.

    position and into_positions count from 0 in their sections; score is how alike it and what stands for it are,
    0..100.
    """

    section: Section
    position: int
    is_kept: bool
    summary_position: int | None
    into_section: Section | None
    into_positions: tuple[int, ...]
    method: Method | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Collapsed:
    """The summary, and one decision per passage: the body's first, then the résumé's, by position."""

    summary: tuple[Passage, ...]
    decisions: tuple[Decision, ...]


_TEXT = attrgetter("text")
# 17 in 20 records have two equal sections; their decisions depend on the position alone
_COMMON_LENGTH = 64
_BODY_KEPT = tuple(Decision(BODY, i, True, i, None, (), None, None) for i in range(_COMMON_LENGTH))  # noqa: FBT003
_RESUME_SAME = tuple(Decision(RESUME, i, False, None, BODY, (i,), "same", 100.0) for i in range(_COMMON_LENGTH))  # noqa: FBT003


def collapse(body: Sequence[Passage], resume: Sequence[Passage], rules: Rules = DEFAULT_RULES) -> Collapsed:
    """The summary of a record, and what became of each passage. Either section may be empty.

    The kept passages stand as the page has them, kinds and typography included. Deterministic: nothing but the
    arguments counts. Collapsing a summary with itself, or with nothing, gives the same summary.
    """
    if len(body) <= _COMMON_LENGTH and list(map(_TEXT, body)) == list(map(_TEXT, resume)):
        return Collapsed(tuple(body), _BODY_KEPT[: len(body)] + _RESUME_SAME[: len(body)])
    draft = start_draft(body, resume)
    drop_equal(draft)
    if draft.body.loose() and draft.resume.loose():
        drop_recut(draft)
        drop_trimmed(draft, rules)
        drop_near(draft, rules)
    return _conclude(draft)


def uncollapse(rows: Iterable[Mapping[str, Any]]) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """Body and résumé of one record, from its rows of the table `passages` in any order.

    Exact, because every row keeps its own text, collapsed or not.

    Raises:
        ValueError: a position of a section is missing or stands twice.
    """
    sections: dict[str, dict[int, Passage]] = {BODY: {}, RESUME: {}}
    count = 0
    for row in rows:
        count += 1
        sections[row["section"]][int(row["position"])] = Passage(row["kind"], row["text"])
    body, resume = (_in_order(sections[section]) for section in (BODY, RESUME))
    if len(body) + len(resume) != count:
        raise ValueError("a position of a section stands twice: not the rows of one record")
    return body, resume


def _in_order(passages: dict[int, Passage]) -> tuple[Passage, ...]:
    if sorted(passages) != list(range(len(passages))):
        raise ValueError(f"positions {sorted(passages)} do not count from 0 without a gap: not the rows of one record")
    return tuple(passages[position] for position in range(len(passages)))


def _conclude(draft: Draft) -> Collapsed:
    spots = order_summary(draft)
    sides = {BODY: draft.body, RESUME: draft.resume}
    places = {spot: index for index, spot in enumerate(spots)}
    summary = tuple(sides[section].passages[place] for section, place in spots)
    return Collapsed(summary, tuple(d for side in sides.values() for d in _decide(side, places)))


def _decide(side: Side, places: dict[tuple[Section, int], int]) -> Iterable[Decision]:
    other: Section = RESUME if side.section == BODY else BODY
    for position in range(len(side.passages)):
        gone = side.gone.get(position)
        if gone is None:
            yield Decision(side.section, position, True, places[side.section, position], None, (), None, None)  # noqa: FBT003
        else:
            yield Decision(side.section, position, False, None, other, *gone)  # noqa: FBT003

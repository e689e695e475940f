"""Runs of links whose words are numbers counting up: which of them are the pages around this one. Pure.

Each must turn this page's address as far as its words do, and the run must hold a neighbour of this page: years, days
of a month and how many to a page do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from schema.turns import Turn

MONTH = range(28, 32)


@dataclass(frozen=True, slots=True)
class PagerLink:
    """A link to a page of the same host: how it turns this page's address, and what it says."""

    url: str
    turn: Turn | None
    number: int | None
    says: str
    is_worded: bool
    is_in_pager: bool
    is_in_calendar: bool


def find_runs(links: list[PagerLink]) -> Iterator[list[PagerLink]]:
    """Links of one place whose words count up, in page order; a pager above and one below the records are two."""
    by_place: dict[str, list[list[PagerLink]]] = {}
    for link in links:
        if link.number is None or link.turn is None:
            continue
        runs = by_place.setdefault(link.turn.place, [[]])
        if runs[-1] and link.number <= said_number(runs[-1][-1]):
            runs.append([])
        runs[-1].append(link)
    # the first page may be named without any number
    yield from (run for runs in by_place.values() for run in runs if any(_turns(link) for link in run))


def _turns(link: PagerLink) -> bool:
    return link.turn is not None and link.turn.after is not None


def said_number(link: PagerLink) -> int:
    """The number that a link says; 0 where it says none."""
    return link.number or 0


def is_pager(run: list[PagerLink], block_count: int) -> bool:
    """Whether a run of numbers leads to the pages around this one."""
    if any(link.is_in_calendar for link in run):
        return False
    is_named = any(link.is_in_pager for link in run)
    numbers = [said_number(link) for link in run]
    if not is_named and (len(run) < 2 or (len(run) >= MONTH[0] - 1 and numbers[-1] in MONTH)):
        return False
    gaps = [place for place, (a, b) in enumerate(pairwise(numbers)) if b - a > 1]
    has_holes = any(not (place == len(run) - 2 or numbers[place] == 1) for place in gaps)
    count = _counting(run, block_count)
    if count is None or (has_holes and not is_named):
        return False
    first, step = count
    before = run[0].turn.before if run[0].turn else None
    here = 1 if before is None else (before - first) // step + 1
    return here - 1 in numbers or here + 1 in numbers


def _counting(run: list[PagerLink], block_count: int) -> tuple[int, int] | None:
    """The number that a run gives the first page, and by how much it counts; None where words and addresses differ."""
    pairs = {(said_number(link), link.turn.after) for link in run if link.turn and link.turn.after is not None}
    found = sorted(pairs)
    said, number = found[0]
    step = (found[-1][1] - number) // (found[-1][0] - said) if found[-1][0] > said else _step_of_one(said, number)
    first = number - step * (said - 1)
    if step < 1 or first not in (0, 1) or (step > 1 and step != block_count and not run[0].is_in_pager):
        return None
    return (first, step) if all(n == first + step * (s - 1) for s, n in found) else None


def _step_of_one(said: int, number: int) -> int:
    """By how much a link counts that stands alone."""
    return 1 if number in (said, said - 1) else number // max(said - 1, 1)


def is_beyond(link: PagerLink) -> bool:
    """Whether a link of a run leads further than this page."""
    return link.turn is not None and link.turn.is_forward and link.number != 1

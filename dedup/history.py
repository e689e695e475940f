"""What changed since a release, and which value a field had when: rows of `changes` and `history`.

An interval opens on the run that first states a value and closes on the run that first states another. A word of a
person is a step behind the run after which it was said: runs and the words heard so far order the intervals, clocks
only date them. Values are written as text: a list as JSON, a truth as `true` or `false`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from heapq import merge
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Any, Literal

from schema.errors import Bug

Row = dict[str, Any]
Cause = Literal["source", "parser", "collapse", "dedup", "person"]
Causes = Mapping[tuple[str, str], Cause]

TRACKED = (
    "title", "url", "type", "is_private", "summary", "themes", "keywords", "published_month", "links", "state",
)  # fmt: skip


def as_text(value: Any) -> str | None:
    """A value as `changes` and `history` write it; None for a null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def as_value(field: str, text: str) -> Any:
    """What a value that was written as text was."""
    if field in ("is_private", "themes", "keywords", "links"):
        return json.loads(text)
    return date.fromisoformat(text) if field == "published_month" else text


def find_changes(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], causes: Causes) -> list[Row]:
    """One row for each tracked field that changed, columns of schema.tables.CHANGES, sorted by key.

    A resource that is new, or that came back, is one row: its state, from null. One that left the table is one row too:
    its state, to null.

    Args:
        before: rows of `resources` of the former release, sorted by resource_id.
        after: rows of `resources` now, sorted as well; neither side is held as a whole.
        causes: why a field of a resource changed, by resource_id and field; the source where it is not named.

    Raises:
        Bug: a side is not sorted.
    """
    marked = [((row["resource_id"], row, None) for row in before), ((row["resource_id"], None, row) for row in after)]
    return [
        {"resource_id": name, "field": field, "before": was, "after": now, "cause": causes.get((name, field), "source")}
        for name, both in groupby(_ascending(*marked), key=itemgetter(0))
        for field, was, now in sorted(_differences(*_sides(both)))
    ]


def _ascending(*marked: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Several iterables as one, in the order of what comes first in each."""
    last = None
    for one in merge(*marked, key=itemgetter(0)):
        if last is not None and one[0] < last:
            raise Bug(f"rows are not sorted: {one[0]} stands behind {last}")
        last = one[0]
        yield one


def _sides(
    both: Iterable[tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]],
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    old = new = None
    for _, was, now in both:
        old, new = old or was, new or now
    return old, new


def _differences(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterable[tuple[str, str | None, str | None]]:
    if old is None or new is None:
        yield "state", as_text(old["state"]) if old else None, as_text(new["state"]) if new else None
        return
    for field in TRACKED:
        was, now = as_text(old[field]), as_text(new[field])
        if was != now:
            yield field, was, now


def extend_history(
    history: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], run: int, at: datetime, words: int = 0
) -> Iterator[Row]:
    """The intervals as of a run: those whose value still holds stay open, the others close, new values open new ones.

    Args:
        history: intervals as of the run before, columns of schema.tables.HISTORY, sorted by key.
        after: rows of `resources` as of the run, sorted by resource_id; one that is not there has no values any more.
        run: number of the run.
        at: when it started (UTC).
        words: how many words of persons were heard by then.

    Raises:
        Bug: a side is not sorted.

    Yields:
        Sorted by key. Neither side is held as a whole: there are ten intervals a resource, and more each year.
    """
    marked = [(((row["resource_id"], 0), row) for row in history), (((row["resource_id"], 1), row) for row in after)]
    for name, group in groupby(_ascending(*marked), key=lambda item: item[0][0]):
        intervals, values = [], {}
        for (_, is_now), row in group:
            if is_now:
                values = {field: as_text(row[field]) for field in TRACKED if row[field] is not None}
            else:
                intervals.append(row)
        yield from _extended(name, intervals, values, (run, words), at)


def _extended(
    name: str,
    intervals: Sequence[Mapping[str, Any]],
    values: Mapping[str, str | None],
    place: tuple[int, int],
    at: datetime,
) -> list[Row]:
    """The intervals of one resource as of a run; values are those that it has."""
    rows: list[Row] = []
    run, words = place
    places: dict[str, int] = {}
    still = set()
    for interval in intervals:
        field = interval["field"]
        places[field] = max(places.get(field, -1), interval["place"])
        row = dict(interval)
        if row["is_open"] and values.get(field) == row["value"]:
            still.add(field)
        elif row["is_open"]:
            row |= {"is_open": False, "to_run": run, "to_words": words, "valid_to": at}
        rows.append(row)
    opened = {"is_open": True, "from_run": run, "from_words": words, "valid_from": at}
    opened |= dict.fromkeys(("to_run", "to_words", "valid_to"))
    rows += [
        {"resource_id": name, "field": field, "value": value, "place": places.get(field, -1) + 1, **opened}
        for field, value in values.items()
        if field not in still
    ]
    return sorted(rows, key=lambda row: (row["field"], row["place"]))


def as_of(history: Iterable[Mapping[str, Any]], run: int, words: int | None = None) -> dict[str, dict[str, str]]:
    """The values that held after a run: by resource_id, then by field; a null has no interval.

    Args:
        history: columns of schema.tables.HISTORY.
        run: number of the run; of a release: `run` of its release.json.
        words: how many words of persons were heard, `judgements` of its release.json; all that were said before the
            next run where it is not given.
    """
    place = (run, inf if words is None else words)
    values: dict[str, dict[str, str]] = {}
    for row in history:
        is_begun = (row["from_run"], row["from_words"]) <= place
        if is_begun and (row["is_open"] or (row["to_run"], row["to_words"]) > place):
            values.setdefault(row["resource_id"], {})[row["field"]] = row["value"]
    return values

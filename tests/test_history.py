"""Which value a field had when: intervals that follow each other, and the days that they give again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dedup.history import TRACKED, as_of, as_text, extend_history, find_changes
from schema.errors import Bug
from tests.simulated_year import Year, overlaps

START = datetime(2026, 1, 1, tzinfo=UTC)
Row = dict[str, Any]
BLANK: Row = dict.fromkeys(TRACKED) | {"themes": [], "keywords": [], "links": []}


def resource(name: str, **values: Any) -> Row:
    return {**BLANK, "resource_id": name, "title": f"Titre de {name}", "state": "listed", **values}


def told(*nights: Sequence[Row]) -> list[Row]:
    """The history after some nights, the first of which is run 1."""
    history: list[Row] = []
    for run, rows in enumerate(nights, start=1):
        history = list(extend_history(history, rows, run, START + timedelta(days=run)))
    return history


def intervals(history: Sequence[Row], field: str) -> list[tuple[str, int, int | None]]:
    return [(row["value"], row["from_run"], row["to_run"]) for row in history if row["field"] == field]


def test_what_was_away_has_two_intervals_under_one_id() -> None:
    history = told([resource("r1")], [], [resource("r1")])
    assert intervals(history, "title") == [("Titre de r1", 1, 2), ("Titre de r1", 3, None)]
    assert [row["place"] for row in history if row["field"] == "title"] == [0, 1]
    assert as_of(history, 2) == {}


def test_where_one_value_changes_only_its_interval_moves() -> None:
    before, after = resource("r1", type="Guide"), resource("r1", type="Vidéo")
    history = told([before], [before], [after])
    assert intervals(history, "type") == [("Guide", 1, 3), ("Vidéo", 3, None)]
    moved = {row["field"] for row in history if row["from_run"] == 3 or row["to_run"] == 3}
    assert moved == {"type"}
    assert {row["from_run"] for row in history if row["field"] != "type"} == {1}


def test_a_value_that_comes_and_goes_is_no_interval_while_it_is_null() -> None:
    history = told([resource("r1")], [resource("r1", type="Guide")], [resource("r1")])
    assert intervals(history, "type") == [("Guide", 2, 3)]


def test_the_clock_dates_intervals_and_runs_order_them() -> None:
    late, early = START + timedelta(days=9), START
    first = extend_history([], [resource("r1")], 1, late)
    history = list(extend_history(first, [resource("r1", title="Neuf")], 2, early))
    assert intervals(history, "title") == [("Titre de r1", 1, 2), ("Neuf", 2, None)]
    assert [row["valid_from"] for row in history if row["field"] == "title"] == [late, early]


def test_a_word_behind_a_run_is_a_step_of_its_own() -> None:
    history: list[Row] = []
    for run, words, title in ((1, 0, "a"), (1, 1, "b"), (1, 2, "c"), (2, 2, "d"), (2, 3, "e"), (3, 3, "e")):
        history = list(extend_history(history, [resource("r1", title=title)], run, START, words))
    held = {(run, words): as_of(history, run, words)["r1"]["title"] for run in (1, 2, 3) for words in range(4)}
    assert [held[place] for place in ((1, 0), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3))] == list("abcdee")
    # a run by itself: with all that was said before the next
    assert [as_of(history, run)["r1"]["title"] for run in (1, 2, 3)] == list("cee")
    assert {row["field"] for row in history if row["from_words"]} == {"title"}


def test_an_interval_that_overlaps_is_seen() -> None:
    history = told([resource("r1")], [resource("r1", title="Neuf")])
    assert overlaps(history) == []
    broken = [{**row, "to_run": None} if row["value"] == "Titre de r1" else row for row in history]
    assert len(overlaps(broken)) == 1


@pytest.mark.parametrize("seed", [7, 8])
def test_every_night_of_a_site_can_be_had_again(seed: int) -> None:
    year = Year(seed, 20, 3)
    published: dict[int, dict[str, Mapping[str, Any]]] = {}
    for run in range(1, 16):
        year.spend(run)
        published[run] = {row["resource_id"]: dict(row) for row in year.now.resources}
    history = list(year.now.history)
    assert overlaps(history) == []
    for run, rows in published.items():
        held = as_of(history, run)
        assert held.keys() == rows.keys()
        for name, values in held.items():
            assert values == {f: as_text(rows[name][f]) for f in TRACKED if rows[name][f] is not None}
    # what changed between two nights is what history says of them
    for run in range(2, 16):
        changes = find_changes(published[run - 1].values(), published[run].values(), {})
        kept = [row for row in changes if row["resource_id"] in published[run - 1].keys() & published[run].keys()]
        old, new = as_of(history, run - 1), as_of(history, run)
        for row in kept:
            name, field = row["resource_id"], row["field"]
            assert (old[name].get(field), new[name].get(field)) == (row["before"], row["after"])


def test_rows_that_are_not_sorted_are_a_bug_and_no_change() -> None:
    ordered = [resource("r1"), resource("r2")]
    assert find_changes(ordered, ordered, {}) == []
    for before, after in ((ordered[::-1], ordered), (ordered, ordered[::-1])):
        with pytest.raises(Bug, match="not sorted: r1 stands behind r2"):
            find_changes(before, after, {})
    with pytest.raises(Bug, match="not sorted"):
        list(extend_history((), ordered[::-1], 1, START))

"""What an answer of a resource's address proves of a resource that no listing shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dedup.merge import CONTENT_COLUMNS
from dedup.states import carry
from schema.nouns import ListingVisit, Night, Visit

URL, NOW = "https://rtes.example/friche", datetime(2026, 1, 5, tzinfo=UTC)
LISTING = ListingVisit("https://rtes.example/theme", ("https://rtes.example/theme",), "Thème", 1, None)
ROW: dict[str, Any] = dict.fromkeys(CONTENT_COLUMNS) | {
    "resource_id": "r1",
    "url": URL,
    "state": "not_found",
    "absent_nights": 2,
    "content_digest": "",
    "last_changed_at": NOW,
}


@pytest.mark.parametrize(
    ("outcome", "state", "nights"),
    [
        ("fetched", "not_found", 0),
        ("not_modified", "not_found", 0),
        ("failed", "not_found", 2),
        ("http_error", "not_found", 2),
        ("soft_failure", "not_found", 2),
    ],
)
def test_only_an_answer_with_the_page_ends_the_count_of_nights(outcome: str, state: str, nights: int) -> None:
    night = Night(5, NOW, (Visit(URL, "known", outcome, fetched_at=NOW),), (LISTING,), ())
    carried = carry(night, [ROW], retire_after_nights=9)
    (row,) = carried.rows
    assert (row["state"], row["absent_nights"]) == (state, nights)


@pytest.mark.parametrize("outcome", ["not_found", "gone", "forbidden"])
def test_each_answer_that_it_is_not_there_counts(outcome: str) -> None:
    night = Night(5, NOW, (Visit(URL, "known", outcome, fetched_at=NOW),), (LISTING,), ())
    (row,) = carry(night, [ROW], retire_after_nights=9).rows
    assert (row["state"], row["absent_nights"]) == (outcome, 3)
    assert carry(night, [ROW], retire_after_nights=3).retired == {"r1": (outcome, None)}


@pytest.mark.parametrize("outcome", ["redirected", "fetched", "gone"])
def test_what_its_address_answers_for_another_is_no_evidence_of_one_that_lost_it(outcome: str) -> None:
    target = f"{URL}-2" if outcome == "redirected" else None
    night = Night(5, NOW, (Visit(URL, "known", outcome, fetched_at=NOW, redirect_url=target),), (LISTING,), ())
    (row,) = carry(night, [ROW], retire_after_nights=9, ousted={"r1"}).rows
    assert (row["state"], row["absent_nights"]) == ("not_found", 3)
    assert carry(night, [ROW], retire_after_nights=3, ousted={"r1"}).retired == {"r1": ("not_found", None)}


@pytest.mark.parametrize(
    ("answer", "hour"), [(Visit(URL, "known", "gone", fetched_at=NOW.replace(hour=3)), 3), (None, 2)]
)
def test_a_state_is_dated_by_its_evidence_not_by_the_clock_of_a_replay(answer: Visit | None, hour: int) -> None:
    read = [Visit(f"{LISTING.url}?page={n}", "listing", "fetched", fetched_at=NOW.replace(hour=n)) for n in (1, 2)]
    visits = (*read, *([answer] if answer else []))
    night = Night(5, datetime(2031, 7, 1, tzinfo=UTC), visits, (LISTING,), ())
    (row,) = carry(night, [ROW | {"state": "listed"}], retire_after_nights=9).rows
    assert row["last_changed_at"] == NOW.replace(hour=hour)

"""When the next request may go, and how long a site is left alone: the arithmetic, without a network."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.limits import MAX_FAILURES, Breaker, Budget
from harvest.pace import MAX_DELAY_S, Pace, Turns, skipped_pace
from harvest.retrying import backoff_s, read_http_date, retry_after_s
from schema.errors import SiteUnreachable
from schema.sources import Pace as Load
from tests.site_server import Hourglass

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


# --- turns


def make_turns(delay_s: float) -> tuple[Turns, Hourglass]:
    time_ = Hourglass()
    return Turns(Pace(delay_s, time_.wait, time_.clock)), time_


def ask(turns: Turns, time_: Hourglass, lasts_s: float = 0.0) -> None:
    turns.begin()
    turns.leave()
    time_.now += lasts_s
    turns.end()


def test_the_delay_counts_from_the_end_of_the_answer() -> None:
    turns, time_ = make_turns(2.0)
    ask(turns, time_, lasts_s=10.0)
    ask(turns, time_)
    assert time_.waits == [0.0, 2.0]
    assert turns.smallest_gap_s == 2.0


def test_the_smallest_gap_is_known_from_the_second_request_on() -> None:
    turns, time_ = make_turns(2.0)
    gaps = [turns.smallest_gap_s]
    ask(turns, time_)
    gaps.append(turns.smallest_gap_s)
    time_.now += 9.0
    for _ in range(2):
        ask(turns, time_)
        gaps.append(turns.smallest_gap_s)
    assert gaps == [None, None, 9.0, 2.0]


def test_a_turn_in_which_nothing_goes_out_is_no_gap() -> None:
    turns, time_ = make_turns(0.0)
    ask(turns, time_)
    for _ in range(2):
        time_.now += 1.0
        turns.begin()
        turns.end()
    assert turns.smallest_gap_s is None
    time_.now += 3.0
    ask(turns, time_)
    assert turns.smallest_gap_s == 5.0


def test_a_pause_is_kept_from_now_on_and_never_shortened() -> None:
    turns, time_ = make_turns(1.0)
    turns.begin()
    turns.pause(30.0)
    turns.pause(5.0)
    turns.end()
    turns.begin()
    assert time_.waits == [0.0, 30.0]


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(0, 50)), max_size=20), st.floats(0, 20))
def test_no_request_goes_before_its_time(steps: list[tuple[float, float, float]], delay_s: float) -> None:
    turns, time_ = make_turns(delay_s)
    free_at = 0.0
    for lasts_s, pause_s, idle_s in steps:
        turns.begin()
        assert time_.now >= free_at - 1e-9
        time_.now += lasts_s
        turns.pause(pause_s)
        turns.end()
        free_at = time_.now + max(delay_s, pause_s)
        time_.now += idle_s


@pytest.mark.parametrize("delay_s", [0.0, 1.0, MAX_DELAY_S])
def test_a_delay_that_a_night_has_room_for_is_kept(delay_s: float) -> None:
    turns, _ = make_turns(0.5)
    turns.slow_down(delay_s)
    assert turns.delay_s == max(0.5, delay_s)


def test_a_delay_that_no_night_has_room_for_postpones_the_run() -> None:
    turns, _ = make_turns(0.5)
    with pytest.raises(SiteUnreachable, match=r"asks for 301 s between requests.*postponed") as caught:
        turns.slow_down(301.0)
    assert caught.value.is_retryable


def test_a_replay_waits_by_its_own_clock_only() -> None:
    turns, started = Turns(skipped_pace(100.0)), time.monotonic()
    for _ in range(3):
        turns.begin()
        turns.leave()
        turns.end()
    assert time.monotonic() - started < 1.0
    assert turns.smallest_gap_s is not None
    assert turns.smallest_gap_s >= 100.0


# --- how long to stay away


@pytest.mark.parametrize(
    ("stated", "pause_s"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("007", 7.0),
        ("315360000", 315_360_000.0),
        ("9" * 5000, 1e9),
        ("Mon, 23 Nov 2026 02:01:30 GMT", 90.0),
        ("Monday, 23-Nov-26 02:01:30 GMT", 90.0),
        ("Mon Nov 23 02:01:30 2026", 90.0),
        ("Mon, 23 Nov 2026 03:01:30 +0100", 90.0),
        ("Mon, 23 Nov 2026 01:00:00 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
    ],
)
def test_a_pause_is_stated_in_seconds_or_as_a_date(stated: str, pause_s: float) -> None:
    assert retry_after_s(stated, NOW) == pause_s


@pytest.mark.parametrize(
    "stated",
    [None, "", " ", "-1", "-120", "+5", "1.5", "1e3", "inf", "nan", "dans une heure", "12 s", "٣", "²", "0x10",
     "Mon, 99", "Mon, 23 Nov 99999 02:01:30 GMT", "Mon, 45 Nov 2026 99:01:30 GMT", "\x00", "120, 60"],
)  # fmt: skip
def test_what_is_neither_seconds_nor_a_date_states_nothing(stated: str | None) -> None:
    assert retry_after_s(stated, NOW) is None


@given(st.text(max_size=60))
def test_no_text_can_break_the_reading(stated: str) -> None:
    pause_s = retry_after_s(stated, NOW)
    assert pause_s is None or pause_s >= 0.0


@given(st.integers(0, 7_258_118_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_a_date_is_read_as_it_was_written(when: datetime) -> None:
    written = format_datetime(when, usegmt=True)
    assert read_http_date(written) == when
    assert retry_after_s(written, NOW) == max(0.0, (when - NOW) / timedelta(seconds=1))


def test_each_pause_is_twice_the_last_and_up_to_as_long_again() -> None:
    assert [backoff_s(5.0, attempt, 0.0) for attempt in (1, 2, 3)] == [5.0, 10.0, 20.0]
    assert backoff_s(5.0, 1, 0.999) == pytest.approx(10.0, abs=0.01)


# --- where a run stops


def test_the_breaker_opens_at_its_number_of_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(MAX_FAILURES - 1):
        breaker.note("a", has_failed=True)
    breaker.require_closed("a")
    breaker.note("a", has_failed=True)
    with pytest.raises(SiteUnreachable, match=r"failed 10 times in a row.*breaker open.*postponed") as caught:
        breaker.require_closed("a")
    assert caught.value.is_retryable
    breaker.require_closed("b")


def test_one_answer_closes_the_count() -> None:
    breaker = Breaker()
    for _ in range(5):
        for _ in range(MAX_FAILURES - 1):
            breaker.note("a", has_failed=True)
        breaker.note("a", has_failed=False)
    breaker.require_closed("a")


def test_the_breaker_opens_within_ten() -> None:
    assert MAX_FAILURES <= 10


def test_a_budget_refuses_from_its_last_request_or_byte_on() -> None:
    budget = Budget(Load(max_requests=3, max_bytes=1000))
    assert budget.refusal() is None
    budget.requests = 2
    budget.received_bytes = 999
    assert budget.refusal() is None
    budget.received_bytes = 1000
    assert budget.refusal() == "budget: 1000 bytes received, and `max_bytes` of [pace] is 1000"
    budget.requests = 3
    assert budget.refusal() == "budget: 3 requests, as many as `max_requests` of [pace] allows"

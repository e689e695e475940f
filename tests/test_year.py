"""Identity across nights, on a simulated site: nothing lost, nothing re-used, nothing retired without evidence."""

from __future__ import annotations

import os

import pytest

from tests.simulated_editors import EVENTS
from tests.simulated_year import Year, step

IS_LONG = os.environ.get("MOISSON_LONG") == "1"
# seed, resources, nights, whether pages tell their node number
YEARS = [(n, 100, 120, n % 2 == 0) for n in range(41, 46)] if IS_LONG else [(1, 60, 40, True), (4, 60, 40, False)]


@pytest.mark.parametrize(("seed", "size", "nights", "has_shortlinks"), YEARS)
def test_no_identity_is_lost_or_given_twice(seed: int, size: int, nights: int, *, has_shortlinks: bool) -> None:
    report = Year(seed, size, 4, has_shortlinks=has_shortlinks).live(nights)
    assert report.faults == []
    assert report.figures["retired"] > 5
    assert report.figures["nights of noise only"] > 0
    assert len(report.events) > len(EVENTS) - 4


def test_the_judge_sees_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    year = Year(3, 30, 3)
    monkeypatch.setattr("tests.simulated_year.step", lambda night, before: step(night, type(before)()))
    report = year.live(12)  # each night starts from nothing: ids come out of addresses alone
    assert report.kinds["lost"]
    assert report.kinds["history"]


def test_the_judge_sees_a_resource_retired_too_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    year = Year(3, 30, 4)
    monkeypatch.setattr("tests.simulated_year.RETIRE_AFTER", 2)
    judged = year.judge._judge_absences

    def with_three(*arguments: object) -> None:
        monkeypatch.setattr("tests.simulated_year.RETIRE_AFTER", 3)
        judged(*arguments)  # type: ignore[arg-type]  # handed on as it came
        monkeypatch.setattr("tests.simulated_year.RETIRE_AFTER", 2)

    monkeypatch.setattr(year.judge, "_judge_absences", with_three)
    assert year.live(25).kinds["false retirement"]

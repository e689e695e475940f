"""A rest that a site asks for holds for the runs after: no request before the time that it named."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.jobs import refresh
from flows.resting import NAME, note_rest, require_rested
from harvest.answers import read_answer
from harvest.retrying import MAX_REST, NEXT_NIGHT, RestAsked, asked_pause
from schema.errors import SiteUnreachable
from schema.layout import Layout
from schema.sources import read_source
from tests.site_server import SiteServer, answer, listing, make_source, resource
from tests.small_site import LISTING, source_file, warc

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SLUGS = ("a", "b", "c")


def busy(stated: str) -> bytes:
    return answer("x", f"Retry-After: {stated}", status="503 S")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harvest.client.RETRY_PAUSE_S", 0.0)


@pytest.mark.parametrize("path", ["/robots.txt", "/liste", "/b"])
def test_a_site_that_wants_an_hour_is_asked_nothing_by_the_next_starts(tmp_path: Path, path: str) -> None:
    scripts = {"/liste": listing("Liste", SLUGS), **{f"/{slug}": resource(slug) for slug in SLUGS}}
    with SiteServer({**scripts, path: busy("3600")}) as server:
        source, layout = make_source(server.origin), Layout(tmp_path, "essai")
        with pytest.raises(SiteUnreachable) as first:
            refresh(source, tmp_path)
        asked = server.targets()
        assert asked[-1] == path
        for is_dry in (False, True, False):
            with pytest.raises(SiteUnreachable, match=r"no request before .* UTC.*postponed.*remove ") as again:
                refresh(source, tmp_path, is_dry=is_dry)
            assert str(again.value).startswith(str(first.value))
            assert (again.value.exit_code, again.value.is_retryable) == (3, True)
        assert server.targets() == asked
        assert layout.last_begun() == 1
        # a person knows better
        (layout.clean / NAME).unlink()
        server.scripts |= scripts
        server.scripts.pop("/robots.txt", None)
        assert "release 1" in refresh(source, tmp_path).verdict


def test_the_time_that_was_named_ends_the_rest(tmp_path: Path) -> None:
    with SiteServer({"/liste": busy("3600")}) as server:
        source, layout = make_source(server.origin), Layout(tmp_path, "essai")
        with pytest.raises(RestAsked) as caught:
            refresh(source, tmp_path)
    until = caught.value.not_before
    assert until is not None
    assert abs(until - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=20)
    with pytest.raises(SiteUnreachable):
        require_rested(source, layout, until - timedelta(milliseconds=1))
    require_rested(source, layout, until)


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("901", timedelta(seconds=901)),
        (f"{MAX_REST.total_seconds():.0f}", MAX_REST),
        (f"{MAX_REST.total_seconds() + 1:.0f}", NEXT_NIGHT),
        (f"{365 * 86400}", NEXT_NIGHT),
        ("9" * 60, NEXT_NIGHT),
    ],
)
def test_a_rest_is_kept_unless_it_is_too_long_to_be_meant(stated: str, kept: timedelta) -> None:
    with pytest.raises(RestAsked, match=r"no request before \d{4}-") as caught:
        asked_pause("https://rtes.example/a", read_answer(busy(stated)), NOW)
    assert caught.value.not_before == NOW + kept
    assert ("too far" in str(caught.value)) is (kept == NEXT_NIGHT)
    assert kept < timedelta(days=1) or kept < MAX_REST + timedelta(seconds=1)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own


def test_a_replay_is_no_visit_and_names_no_time(tmp_path: Path) -> None:
    source_path = source_file(tmp_path, warc(tmp_path / "busy.warc.gz", {LISTING: busy("3600")}))
    with pytest.raises(RestAsked):
        refresh(read_source(source_path), tmp_path)
    assert not list(tmp_path.rglob(NAME))
    replayed = make_source("https://rtes.example", name="rtes", replay=str(tmp_path / "busy.warc.gz"))
    layout = Layout(tmp_path, "rtes")
    layout.clean.mkdir(parents=True, exist_ok=True)
    said = {"not_before": (NOW + timedelta(hours=1)).isoformat(), "verdict": "plus tard"}
    (layout.clean / NAME).write_text(json.dumps(said), encoding="utf-8")
    require_rested(replayed, layout, NOW)
    with pytest.raises(SiteUnreachable, match="plus tard"):
        require_rested(make_source("https://rtes.example", name="rtes"), layout, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"not_before": 3, "verdict": "x"}',
        '{"not_before": "hier", "verdict": "x"}',
        '{"not_before": "2026-11-23T03:00:00", "verdict": "sans fuseau"}',
        '{"not_before": "2027-11-23T02:00:00+00:00", "verdict": "by a clock that was wrong"}',
        '{"not_before": "2026-11-23T01:59:59+00:00", "verdict": "past"}',
    ],
)
def test_what_names_no_time_to_come_stops_nothing(tmp_path: Path, text: str) -> None:
    source, layout = make_source("https://rtes.example"), Layout(tmp_path, "essai")
    require_rested(source, layout, NOW)
    layout.clean.mkdir(parents=True)
    (layout.clean / NAME).write_text(text, encoding="utf-8")
    require_rested(source, layout, NOW)


def test_only_a_rest_that_was_asked_for_is_noted(tmp_path: Path) -> None:
    source, layout = make_source("https://rtes.example"), Layout(tmp_path, "essai")
    layout.clean.mkdir(parents=True)
    note_rest(source, layout, SiteUnreachable("failed 10 times in a row"))
    assert not (layout.clean / NAME).exists()
    note_rest(source, layout, RestAsked("plus tard", NOW))
    assert (layout.clean / NAME).exists()

"""The politeness receipt is honest, and there whatever became of the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import harvest.client as client_module
from flows.jobs import refresh
from harvest.archive import ArchiveWriter
from harvest.client import Client
from harvest.limits import MAX_FAILURES
from harvest.pace import Pace
from harvest.tape import Limits
from harvest.wire import NetworkTransport
from releases.store import latest_release, run_state
from schema.errors import Forbidden, HeldByGate, MoissonError, SiteUnreachable
from schema.layout import Layout
from tests.own_questions import without_own
from tests.site_server import Answer, Script, SiteServer, answer, free_port, listing, make_source, resource

BUSY = answer("", status="503 Later")


@pytest.fixture
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)


# --- bytes, of whatever became nothing too

WHOLE = answer("b" * 5000)


@pytest.mark.usefixtures("_no_pause")
@pytest.mark.parametrize(
    ("script", "tries", "bytes_each"),
    [
        ((WHOLE[:-1000], "close"), 3, len(WHOLE) - 1000),
        ((WHOLE[:-1000], 0.05, "reset"), 3, len(WHOLE) - 1000),
        ((WHOLE[:-1000], 3600.0), 1, len(WHOLE) - 1000),
        (b"rien du HTTP\r\n\r\n", 3, 16),
        (answer("b" * 5000, "Content-Encoding: br"), 3, len(WHOLE) + 22),
        (BUSY, 3, len(BUSY)),
        (WHOLE, 1, len(WHOLE)),
        ((b"", "close"), 3, 0),
    ],
    ids=["broken off", "reset", "silent", "no HTTP", "refused", "busy", "whole", "nothing"],
)
def test_bytes_of_answers_that_came_to_nothing_are_counted(
    tmp_path: Path, script: Answer, tries: int, bytes_each: int
) -> None:
    with SiteServer({"/a": script}) as site, cut_at(tmp_path, site.origin, Limits(exchange_s=0.3)) as client:
        visit = client.fetch(site.origin + "/a", "resource")[-1]
        receipt = client.receipt()
    assert (visit.attempts, receipt.requests) == (tries, tries)
    assert receipt.bytes_received == tries * bytes_each


@contextmanager
def cut_at(folder: Path, origin: str, limits: Limits, **load: Any) -> Iterator[Client]:
    with (
        ArchiveWriter(folder / "000001.warc.gz", "essai") as archive,
        Client(make_source(origin, pace=load), NetworkTransport(limits), archive, Pace(0.0)) as client,
    ):
        yield client


def test_bytes_of_a_page_that_is_too_large_are_counted_as_far_as_they_came(tmp_path: Path) -> None:
    huge = b"HTTP/1.1 200 OK\r\n\r\n"
    with (
        SiteServer({"/a": (huge, *[b"x" * 2**16] * 100)}) as site,
        cut_at(tmp_path, site.origin, Limits(page_bytes=200_000)) as client,
    ):
        assert client.fetch(site.origin + "/a", "resource")[-1].reason == "more than 200000 bytes"
        # the piece in which the cap lay had come
        assert 200_000 < client.receipt().bytes_received <= 200_000 + 2**16


@pytest.mark.usefixtures("_no_pause")
def test_answers_that_break_off_use_the_budget_up(tmp_path: Path) -> None:
    script: Answer = (WHOLE[:-1000], "close")
    with SiteServer({"/a": script}) as site, cut_at(tmp_path, site.origin, Limits(), max_bytes=6000) as client:
        visit = client.fetch(site.origin + "/a", "resource")[-1]
        after = client.fetch(site.origin + "/b", "resource")[-1]
    assert visit.attempts == 2
    assert after.outcome == "not_asked"
    assert len(site.asked) == 2


# --- there, whatever became of the run

SLUGS = [f"r{n}" for n in range(12)]
SITE: Mapping[str, Script] = {"/liste": listing("Liste", SLUGS), **{f"/{slug}": resource(slug) for slug in SLUGS}}
RETRY_AFTER = answer("", "Retry-After: 86400", status="503 Later")
DENIAL = answer("User-agent: *\nDisallow: /\n", media_type="text/plain")


def told(folder: Path, run: int = 1) -> dict[str, Any]:
    """The report of a run."""
    report: dict[str, Any] = json.loads((Layout(folder, "essai").run(run) / "run.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.usefixtures("_no_pause")
@pytest.mark.parametrize(
    ("scripts", "load", "error", "requests"),
    [
        ({"/robots.txt": BUSY}, {}, SiteUnreachable, 3),
        ({"/robots.txt": RETRY_AFTER}, {}, SiteUnreachable, 1),
        ({"/robots.txt": DENIAL}, {}, Forbidden, 1),
        # robots, the probe, the listing: the breaker opens at the tenth failure in a row
        ({slug: BUSY for slug in SITE if slug != "/liste"}, {}, SiteUnreachable, 4 + MAX_FAILURES),
        ({}, {"max_requests": 2}, SiteUnreachable, 2),
        ({"/liste": listing("Liste", SLUGS, "/liste?page=1")}, {"max_requests": 3}, HeldByGate, 3),
    ],
    ids=["robots 5xx", "postponed", "denied", "breaker", "budget before the listing", "budget within the listing"],
)
def test_a_run_that_fails_leaves_its_receipt(
    tmp_path: Path, scripts: Mapping[str, Script], load: Mapping[str, int], error: type[MoissonError], requests: int
) -> None:
    with SiteServer({**SITE, **scripts}) as site, pytest.raises(error):
        refresh(make_source(site.origin, pace={"delay_s": 0.0, **load}), tmp_path)
    report = told(tmp_path)
    assert report["exit_code"] == error.exit_code
    assert report["courtesy"]["requests"] == len(site.asked) == requests
    assert (error is Forbidden) == any(r["url"].endswith("/liste") for r in report["courtesy"]["refusals"])


@pytest.mark.usefixtures("_no_pause")
def test_a_host_that_nobody_answers_at_leaves_a_receipt_of_the_tries(tmp_path: Path) -> None:
    with pytest.raises(SiteUnreachable):
        refresh(make_source(f"http://127.0.0.1:{free_port()}"), tmp_path)
    courtesy = told(tmp_path)["courtesy"]
    assert (courtesy["requests"], courtesy["answers"], courtesy["bytes_received"]) == (3, 0, 0)


def stop_at(count: int, kind: type[BaseException]) -> Any:
    """A display that stops the run after so many pages."""

    def progress(_stage: str, done: int, _wanted: int) -> None:
        if done >= count:
            raise kind

    return progress


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, OSError])
def test_a_run_that_is_stopped_leaves_its_receipt_and_is_gone_on_with(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    with SiteServer(SITE) as site:
        source = make_source(site.origin)
        with pytest.raises(kind):
            refresh(source, tmp_path, progress=stop_at(7, kind))
        report, asked = told(tmp_path), len(site.asked)
        assert (report["state"], report["courtesy"]["requests"]) == ("interrupted", asked)
        assert report["courtesy"]["bytes_received"] > 0
        assert latest_release(Layout(tmp_path, "essai")) is None
        refresh(source, tmp_path)
    assert run_state(Layout(tmp_path, "essai"), 1) == "published"
    assert len(without_own(site.targets())) == len(set(without_own(site.targets()))), "nothing is asked twice"
    assert told(tmp_path)["courtesy"]["requests"] == len(site.asked), "both parts of the run are told of"


def test_the_smallest_gap_of_a_run_gone_on_with_is_between_requests_that_went_out(tmp_path: Path) -> None:
    with SiteServer(SITE) as site:
        source = make_source(site.origin, pace={"delay_s": 0.1})
        with pytest.raises(KeyboardInterrupt):
            refresh(source, tmp_path, progress=stop_at(9, KeyboardInterrupt))
        before, asked = told(tmp_path)["courtesy"]["smallest_gap_s"], len(site.asked)
        refresh(source, tmp_path)
    after = told(tmp_path)["courtesy"]["smallest_gap_s"]
    seen = [later.at - earlier.at for earlier, later in pairwise(site.asked[asked:])]
    assert len(seen) >= 2
    assert 0.1 <= before < 1.0
    assert 0.1 <= after <= min(seen) + 0.001


def test_a_run_that_a_bug_ends_leaves_its_receipt_and_is_not_gone_on_with(tmp_path: Path) -> None:
    with SiteServer(SITE) as site:
        source = make_source(site.origin)
        with pytest.raises(ZeroDivisionError):
            refresh(source, tmp_path, progress=stop_at(7, ZeroDivisionError))
        report, asked = told(tmp_path), len(site.asked)
        assert (report["state"], report["courtesy"]["requests"]) == ("failed", asked)
        assert report["verdict"].startswith("broken off by ZeroDivisionError")
        refresh(source, tmp_path)
    assert run_state(Layout(tmp_path, "essai"), 1) == "failed"
    assert run_state(Layout(tmp_path, "essai"), 2) == "published"
    assert told(tmp_path, 2)["courtesy"]["requests"] == len(site.asked) - asked, "every answer is a new one"


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_a_command_that_is_stopped_leaves_its_receipt(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    slow: Script = lambda target: (resource(target[1:])[:50], 0.1, resource(target[1:])[50:])  # noqa: E731 - a script
    with SiteServer({"/liste": SITE["/liste"], **{f"/{slug}": slow for slug in SLUGS}}) as site:
        path = tmp_path / "essai.toml"
        path.write_text(
            f'name = "essai"\nlistings = ["{site.origin}/liste"]\nparser = "labelled-blocks"\n'
            'contact = "mailto:essai@example.org"\n[labels]\ntype = ["Type de ressource"]\n[pace]\ndelay_s = 0.0\n',
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "flows.cli", "refresh", str(path), "--data", str(tmp_path), "--direct"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ}) as process:
            until = time.monotonic() + 30
            while len(site.asked) < 6 and time.monotonic() < until:
                time.sleep(0.01)
            process.send_signal(sent)
            assert process.wait(30) == code
        assert told(tmp_path)["state"] == "interrupted"
        assert told(tmp_path)["courtesy"]["requests"] == len(site.asked)

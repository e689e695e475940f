"""The politeness receipt is honest, and there whatever became of the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import harvest.client as client_module
from harvest.archive import ArchiveWriter
from harvest.client import Client
from harvest.pace import Pace
from harvest.tape import Limits
from harvest.wire import NetworkTransport
from tests.site_server import Answer, SiteServer, answer, make_source

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
        ((WHOLE[:-1000], 3600.0), 3, len(WHOLE) - 1000),
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
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
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

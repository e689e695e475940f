"""How a run treats a site, as the site sees it: gaps, pauses, storms, robots in every state, and the receipt."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

import harvest.client as client_module
from flows.jobs import refresh
from flows.ledger import Ledger, read_ledgers
from flows.stages import harvest
from harvest.archive import ArchiveWriter, read_blocks
from harvest.client import MAX_ATTEMPTS, Client
from harvest.limits import MAX_FAILURES
from harvest.pace import Pace
from harvest.retrying import MAX_RETRY_AFTER_S
from harvest.robots import MAX_ROBOTS_BYTES
from harvest.tape import Limits
from harvest.wire import NetworkTransport
from releases.store import latest_release
from schema.errors import SiteUnreachable
from schema.layout import Layout
from schema.nouns import Visit
from schema.sources import Pace as Load
from tests.own_questions import own_questions, without_own
from tests.site_server import (
    Answer,
    Hourglass,
    Script,
    SiteServer,
    Step,
    answer,
    chunked,
    free_port,
    listing,
    make_source,
    redirect,
    resource,
)

SLUGS = [f"r{n}" for n in range(30)]
SITE: Mapping[str, Script] = {
    "/liste": listing("Liste", SLUGS),
    **{f"/{slug}": resource(slug) for slug in SLUGS},
}
# the listing's one page is full: the page behind it is asked for, and is not there
BEHIND = "/liste?page=1"
RULES = "User-agent: *\nDisallow: /r3\n"


def text(content: str | bytes) -> bytes:
    return answer(content, media_type="text/plain")


def busy(*headers: str, status: int = 503) -> bytes:
    return answer("", *headers, status=f"{status} Later")


@dataclass
class Asker:
    """A client before a server; its clock moves by waiting only."""

    site: SiteServer
    client: Client
    time: Hourglass

    def fetch(self, path: str) -> Visit:
        return self.client.fetch(self.site.origin + path, "resource")[-1]


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    time_ = Hourglass()
    with (
        SiteServer() as site,
        make_client(tmp_path, site.origin, Pace(1.0, time_.wait, time_.clock, lambda: 0.0)) as client,
    ):
        yield Asker(site, client, time_)


@contextmanager
def make_client(folder: Path, origin: str, pace: Pace, **load: Any) -> Iterator[Client]:
    source = make_source(origin, pace=load)
    with (
        ArchiveWriter(folder / "000001.warc.gz", "essai") as archive,
        Client(source, NetworkTransport(), archive, pace) as client,
    ):
        yield client


@pytest.fixture
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)


# --- gaps, on the server's clock


def test_the_server_never_sees_two_requests_closer_than_the_delay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.01)
    page = answer("bonjour")
    scripts: dict[str, Script] = {
        "/a": page,
        "/slow": (page[:50], 0.2, page[50:]),
        "/cut": (page[:-1], "close"),
        "/reset": (b"", "reset"),
        "/busy": [busy("Retry-After: 0"), page],
        "/moved": redirect("/a"),
    }
    with SiteServer(scripts) as site, make_client(tmp_path, site.origin, Pace(0.05)) as client:
        for path in (*scripts, "/absent", "/a"):
            client.fetch(site.origin + path, "resource")
        gap_s = client.receipt().smallest_gap_s
    gaps = {(b.target, a.target): b.at - a.at for a, b in pairwise(site.asked)}
    assert len(site.asked) == 14
    assert min(gaps.values()) >= 0.05
    assert gaps["/cut", "/slow"] >= 0.25, "the delay counts from the end of the answer"
    assert site.open_at_once == 1
    assert gap_s is not None
    assert 0.05 <= gap_s < 0.1


def test_what_robots_asks_for_between_requests_holds_from_the_first_page_on(tmp_path: Path) -> None:
    robots = text("User-agent: *\nCrawl-delay: 0.06\n")
    scripts = {"/liste": listing("Liste", SLUGS[:6]), **{f"/{s}": resource(s) for s in SLUGS}, "/robots.txt": robots}
    with SiteServer(scripts) as site:
        ledger = harvest(make_source(site.origin, pace={"delay_s": 0.01}), Layout(tmp_path, "essai"), 1, [])
    assert len(without_own(site.targets())) == 9, "with the page after the listing, which may be longer"
    assert len(own_questions(site.targets())) == 1
    assert min(b.at - a.at for a, b in pairwise(site.asked)) >= 0.06
    assert site.open_at_once == 1
    assert ledger.courtesy is not None
    assert ledger.courtesy["delay_s"] == 0.06
    assert ledger.courtesy["smallest_gap_s"] >= 0.06


def test_robots_that_asks_for_days_between_requests_postpones_the_run(tmp_path: Path) -> None:
    with SiteServer({**SITE, "/robots.txt": text("User-agent: *\nCrawl-delay: 86400\n")}) as site:
        with pytest.raises(SiteUnreachable, match="postponed"):
            harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, [])
        assert site.targets() == ["/robots.txt"]


# --- Retry-After


def date_in(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("stated", "pause_s"),
    [
        (lambda: "40", 40.0),
        (lambda: str(int(MAX_RETRY_AFTER_S)), MAX_RETRY_AFTER_S),
        (lambda: date_in(40), 40.0),
        (lambda: "0", 5.0),
        (lambda: date_in(-3600), 5.0),
        (lambda: "-40", 5.0),
        (lambda: "bientôt", 5.0),
        (lambda: "", 5.0),
    ],
    ids=["seconds", "the most", "date", "zero", "past", "negative", "words", "empty"],
)
def test_the_host_is_left_alone_for_as_long_as_it_says(
    asker: Asker, status: int, stated: Callable[[], str], pause_s: float
) -> None:
    asker.site.scripts["/a"] = [busy(f"Retry-After: {stated()}", status=status), answer("ici")]
    visit = asker.fetch("/a")
    assert (visit.outcome, visit.attempts) == ("fetched", 2)
    assert asker.time.waits[1] == pytest.approx(pause_s, abs=3.0)


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_every_status_that_is_tried_again_is_left_alone_for_as_long_as_it_says(asker: Asker, status: int) -> None:
    asker.site.scripts["/a"] = [busy("Retry-After: 40", status=status), answer("ici")]
    assert asker.fetch("/a").attempts == 2
    assert asker.time.waits == [0.0, 40.0]


@pytest.mark.parametrize("status", [403, 408, 413, 425])
def test_a_refusal_may_ask_for_a_pause_of_the_host(asker: Asker, status: int) -> None:
    asker.site.scripts |= {"/a": busy("Retry-After: 40", status=status), "/b": answer("ici")}
    assert (asker.fetch("/a").attempts, asker.fetch("/b").attempts) == (1, 1)
    assert asker.time.waits == [0.0, 40.0]


@pytest.mark.parametrize("status", [200, 204, 400, 404, 410, 451])
def test_what_speaks_of_one_page_pauses_no_host(asker: Asker, status: int) -> None:
    asker.site.scripts |= {"/a": busy("Retry-After: 40", status=status), "/b": answer("ici")}
    assert (asker.fetch("/a").attempts, asker.fetch("/b").attempts) == (1, 1)
    assert asker.time.waits == [0.0, 1.0]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("stated", ["901", "315360000", "9" * 60, date_in(3600), date_in(10 * 365 * 86400)])
def test_a_host_that_wants_a_longer_rest_is_left_for_another_night(asker: Asker, status: int, stated: str) -> None:
    asker.site.scripts["/a"] = [busy(f"Retry-After: {stated}", status=status), answer("ici")]
    with pytest.raises(
        SiteUnreachable, match=r"no request before \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC.*postponed"
    ) as caught:
        asker.fetch("/a")
    assert caught.value.is_retryable
    assert asker.site.targets() == ["/a"]


def test_the_pause_is_the_hosts_and_not_the_addresss(asker: Asker) -> None:
    asker.site.scripts |= {"/a": busy("Retry-After: 60"), "/b": answer("ici")}
    asker.fetch("/a")
    asker.fetch("/b")
    assert asker.time.waits == [0.0, 60.0, 60.0, 60.0]


def test_a_host_that_wants_rest_again_and_again_is_left_for_another_night(asker: Asker) -> None:
    for n in range(5):
        asker.site.scripts[f"/{n}"] = [busy("Retry-After: 900"), answer("ici")]
    for n in range(4):
        assert asker.fetch(f"/{n}").outcome == "fetched"
    with pytest.raises(SiteUnreachable, match="postponed"):
        asker.fetch("/4")


def test_a_redirection_may_ask_for_a_pause_too(asker: Asker) -> None:
    asker.site.scripts |= {
        "/a": answer("", "Location: /b", "Retry-After: 33", status="302 Found"),
        "/b": answer("ici", "Retry-After: 600"),
    }
    asker.fetch("/a")
    asker.fetch("/b")
    assert asker.time.waits == [0.0, 33.0, 1.0]


def test_a_date_is_meant_by_the_clock_of_the_site(asker: Asker) -> None:
    # this server lives in 1999: its date is 20 seconds away, not past
    date, until = "Fri, 31 Dec 1999 23:59:00 GMT", "Fri, 31 Dec 1999 23:59:20 GMT"
    asker.site.scripts["/a"] = [busy(f"Date: {date}", f"Retry-After: {until}"), answer("ici")]
    asker.fetch("/a")
    assert asker.time.waits[1] == 20.0


def test_of_fifty_pauses_none_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)
    # a second of the client is a fiftieth of ours
    pace = Pace(0.0, lambda pause_s: time.sleep(pause_s / 50), lambda: time.monotonic() * 50)
    scripts: dict[str, Script] = {f"/{n}": [busy("Retry-After: 1"), answer("ici")] for n in range(50)}
    with SiteServer(scripts) as site, make_client(tmp_path, site.origin, pace) as client:
        for path in scripts:
            client.fetch(site.origin + path, "resource")
        receipt = client.receipt()
    gaps = [second.at - first.at for first, second in zip(site.asked[::2], site.asked[1::2], strict=True)]
    assert len(gaps) == 50
    assert sum(gap < 1 / 50 for gap in gaps) == 0
    assert (receipt.retries, len(receipt.pauses), receipt.pauses[0].pause_s) == (50, 50, 1.0)


def test_asking_goes_on_within_a_second_of_the_time_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)
    until: list[datetime] = []

    def say_when(_target: str) -> Answer:
        if until:
            return answer("ici")
        until.append(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2))
        return busy(f"Date: {date_in(0)}", f"Retry-After: {format_datetime(until[0], usegmt=True)}")

    with SiteServer({"/a": say_when}) as site, make_client(tmp_path, site.origin, Pace(0.0)) as client:
        client.fetch(f"{site.origin}/a", "resource")
        came_at = datetime.now(UTC) - timedelta(seconds=time.monotonic() - site.asked[1].at)
    assert timedelta(0) <= came_at - until[0] <= timedelta(seconds=1.1)


# --- storms


@pytest.mark.usefixtures("_no_pause")
@pytest.mark.parametrize(
    "trouble", [busy(), busy(status=500), busy(status=429), (b"", "close"), (b"", "reset"), (answer("x")[:-1], "close")]
)
def test_a_storm_ends_the_run_within_ten_requests(tmp_path: Path, trouble: Answer) -> None:
    scripts = {**SITE, **{f"/{slug}": trouble for slug in SLUGS}}
    with SiteServer(scripts) as site:
        with pytest.raises(SiteUnreachable, match="breaker open"):
            harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, [])
        stormy = [target for target in without_own(site.targets(), BEHIND) if target not in ("/robots.txt", "/liste")]
        assert site.targets().count("/liste") == 1 + (len(stormy) > MAX_FAILURES)
    # a listing that answers still, out of a cache perhaps, buys time once; not from a host that says it is busy
    bought = 0 if trouble in (busy(), busy(status=429)) else MAX_FAILURES - 1
    assert len(stormy) == MAX_FAILURES + bought
    assert max(Counter(stormy).values()) <= MAX_ATTEMPTS


@pytest.mark.usefixtures("_no_pause")
@pytest.mark.parametrize("trouble", [busy(), busy(status=500), busy(status=429), (b"", "close"), (b"", "reset")])
@pytest.mark.parametrize("well", [0, 3])
def test_a_storm_over_the_whole_site_ends_the_run_within_ten_requests(
    tmp_path: Path, trouble: Answer, well: int
) -> None:
    scripts: dict[str, Script] = {**SITE, **{f"/{slug}": trouble for slug in SLUGS[well:]}}
    scripts["/liste"] = [listing("Liste", SLUGS), trouble]
    scripts |= {f"/{slug}": [resource(slug), trouble] for slug in SLUGS[:well]}
    with SiteServer(scripts) as site:
        with pytest.raises(SiteUnreachable, match="breaker open"):
            harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, [])
        asked = [target for target in without_own(site.targets(), BEHIND) if target != "/robots.txt"]
    assert len(asked) == 1 + well + MAX_FAILURES
    assert max(Counter(asked).values()) <= MAX_ATTEMPTS


@pytest.mark.usefixtures("_no_pause")
def test_a_host_that_is_gone_is_given_up(tmp_path: Path) -> None:
    time_, port = Hourglass(), free_port()
    with make_client(tmp_path, f"http://127.0.0.1:{port}", Pace(0.0, time_.wait, time_.clock)) as client:
        for n in range(3):
            assert client.fetch(f"http://127.0.0.1:{port}/{n}", "resource")[-1].outcome == "failed"
        with pytest.raises(SiteUnreachable, match="breaker open"):
            client.fetch(f"http://127.0.0.1:{port}/4", "resource")
        assert client.receipt().requests == MAX_FAILURES
        for n in range(5):
            with pytest.raises(SiteUnreachable):
                client.fetch(f"http://127.0.0.1:{port}/{n}", "resource")
        assert client.receipt().requests == MAX_FAILURES


def test_failures_between_answers_open_no_breaker(asker: Asker) -> None:
    for n in range(20):
        asker.site.scripts[f"/{n}"] = [busy(), busy(), answer("ici")]
        assert asker.fetch(f"/{n}").outcome == "fetched"


def test_addresses_that_nobody_could_ask_for_are_not_the_hosts_fault(asker: Asker) -> None:
    asker.site.scripts["/a"] = answer("ici")
    for n in range(MAX_FAILURES):
        asker.client.fetch(f"{asker.site.origin}/\x7f{n}", "resource")
    assert asker.fetch("/a").outcome == "fetched"


@pytest.mark.usefixtures("_no_pause")
def test_a_storm_leaves_the_published_data_as_it_was(tmp_path: Path) -> None:
    with SiteServer(SITE) as site:
        source = make_source(site.origin)
        refresh(source, tmp_path)
        layout = Layout(tmp_path, source.name)
        before = {p: p.read_bytes() for p in layout.releases.rglob("*") if p.is_file()}
        site.scripts = {**SITE, **{f"/{slug}": busy() for slug in SLUGS}}
        with pytest.raises(SiteUnreachable):
            refresh(source, tmp_path)
    assert {p: p.read_bytes() for p in layout.releases.rglob("*") if p.is_file()} == before


# --- the budget


def crawl_with(folder: Path, load: Mapping[str, Any]) -> tuple[SiteServer, Ledger]:
    with SiteServer(SITE) as site:
        source = make_source(site.origin, pace={"delay_s": 0.0, **load})
        return site, harvest(source, Layout(folder, "essai"), 1, [f"{site.origin}/ancienne"])


def test_beyond_the_budget_of_requests_addresses_are_ledgered_and_not_asked(tmp_path: Path) -> None:
    site, ledger = crawl_with(tmp_path, {"max_requests": 12})
    assert len(site.asked) == 12
    assert len(own_questions(site.targets(), BEHIND)) == 2
    left = [visit for visit in ledger.visits if visit.outcome == "not_asked"]
    assert len(left) == 33 - (12 - 2)
    assert {(v.reason, v.attempts) for v in left} == {
        ("budget: 12 requests, as many as `max_requests` of [pace] allows", 0)
    }
    assert f"{site.origin}/ancienne" in {v.url for v in left}


def test_a_listing_beyond_the_budget_names_it_as_its_gap(tmp_path: Path) -> None:
    with SiteServer({"/liste": listing("Liste", ["r1"], "?page=1"), "/liste?page=1": listing("Liste", ["r2"])}) as site:
        source = make_source(site.origin, pace={"max_requests": 3, "delay_s": 0.0})
        ledger = harvest(source, Layout(tmp_path, "essai"), 1, [])
    assert without_own(site.targets()) == ["/robots.txt", "/liste"]
    (read,) = ledger.listings
    assert read.gap is not None
    assert read.gap.startswith(f"{site.origin}/liste?page=1: budget: 3 requests")


def test_beyond_the_budget_of_bytes_nothing_more_is_asked(tmp_path: Path) -> None:
    site, ledger = crawl_with(tmp_path, {"max_bytes": 15_000})
    assert ledger.courtesy is not None
    received = ledger.courtesy["bytes_received"]
    largest = max(len(v) for v in SITE.values() if isinstance(v, bytes))
    assert 15_000 <= received < 15_000 + largest
    assert len(site.asked) < 32
    assert {(v.reason or "")[:6] for v in ledger.visits if v.outcome == "not_asked"} == {"budget"}


def test_within_the_budget_everything_is_asked(tmp_path: Path) -> None:
    site, ledger = crawl_with(tmp_path, {"max_requests": 35})
    assert len(site.asked) == 35
    assert len(without_own(site.targets(), BEHIND)) == 33
    assert "not_asked" not in {v.outcome for v in ledger.visits}


def test_a_second_try_is_not_made_beyond_the_budget(tmp_path: Path) -> None:
    time_ = Hourglass()
    pace = Pace(0.0, time_.wait, time_.clock)
    with (
        SiteServer({"/a": busy()}) as site,
        make_client(tmp_path, site.origin, pace, max_requests=2) as client,
    ):
        (visit,) = client.fetch(f"{site.origin}/a", "resource")
        retries = client.receipt().retries
    assert (visit.outcome, visit.status, visit.attempts, len(site.asked)) == ("http_error", 503, 2, 2)
    assert retries == 1


def test_a_source_file_without_a_budget_has_a_generous_one() -> None:
    assert (Load().max_requests, Load().max_bytes) == (20_000, 2 * 1024**3)


# --- robots.txt in every state


def plain_head(*headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/plain", *headers, "", ""]
    return "\r\n".join(lines).encode()


@dataclass
class Huge:
    """A body of 100 MB behind its first lines; knows how much of it could be sent."""

    head: bytes
    first: bytes = RULES.encode()
    sent_bytes: int = 0

    def __call__(self, _target: str) -> Iterator[Step]:
        for part in (self.head + self.first, *[b"Disallow: /r1\n" * 4681] * 1526):
            yield part
            self.sent_bytes += len(part)


def robots_run(
    folder: Path, robots: Script, more: Mapping[str, Script] | None = None, sitemap: str | None = None
) -> tuple[list[str], Ledger | str]:
    """What was asked, and the ledger, or why the run was postponed."""
    scripts = {**SITE, "/robots.txt": robots, **(more or {})}
    with SiteServer(scripts) as site:
        try:
            ledger = harvest(make_source(site.origin, sitemap=sitemap), Layout(folder, "essai"), 1, [])
        except SiteUnreachable as error:
            return site.targets(), str(error)
        return site.targets(), ledger


@pytest.mark.parametrize(
    ("robots", "denied"),
    [
        (text(RULES), ["/r3"]),
        (text("\ufeff" + RULES), ["/r3"]),
        (text(RULES.replace("\n", "\r\n")), ["/r3"]),
        (text(RULES + "\x00\xff" * 200_000), ["/r3"]),
        (text(bytes(range(256)) * 3000), []),
        (answer("<html><body><p>Page introuvable</p></body></html>"), []),
        (text(""), []),
        (answer("", status="404 Not Found"), []),
        (answer("", status="403 Forbidden"), []),
        (answer("", status="401 Unauthorized"), []),
        (answer("", status="410 Gone"), []),
    ],
    ids=["200", "mark", "crlf", "noise", "garbage", "html", "empty", "404", "403", "401", "410"],
)
def test_robots_that_can_be_had_or_is_not_there_lets_the_run_go_on(
    tmp_path: Path, robots: Script, denied: list[str]
) -> None:
    denied = [f"/{slug}" for slug in SLUGS if any(f"/{slug}".startswith(path) for path in denied)]
    asked, ledger = robots_run(tmp_path, robots)
    assert isinstance(ledger, Ledger)
    assert set(without_own(asked, BEHIND)) == {"/robots.txt", "/liste", *(f"/{slug}" for slug in SLUGS)} - set(denied)


@pytest.mark.usefixtures("_no_pause")
@pytest.mark.parametrize(
    "robots",
    [
        busy(status=500),
        busy(status=503),
        busy("Retry-After: 86400"),
        (b"", "close"),
        (b"", "reset"),
        (text(RULES)[:-3], "close"),
        (3600.0,),
        text(RULES).replace(b"\r\n\r\n", b"\r\nContent-Encoding: br\r\n\r\n", 1),
        b"rien du HTTP\r\n\r\n",
        redirect("/robots.txt"),
        redirect("ftp://127.0.0.1/robots.txt"),
        redirect("http://127.0.0.1:1/robots.txt"),
    ],
    ids=["500", "503", "rest", "close", "reset", "cut", "hang", "coding", "words", "loop", "ftp", "dead"],
)
def test_robots_that_cannot_be_had_postpones_the_run(
    tmp_path: Path, robots: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harvest.wire.TIMEOUT", httpx.Timeout(0.2))
    asked, ledger = robots_run(tmp_path, robots)
    assert isinstance(ledger, str)
    assert "postponed" in ledger
    assert set(asked) == {"/robots.txt"}


ANNOUNCED = plain_head("Content-Length: 100000000")
PLENTY = b"#" * 79 + b"\n"
ENOUGH = RULES.encode() + PLENTY * (2 * MAX_ROBOTS_BYTES // 80)


@pytest.mark.parametrize("head", [ANNOUNCED, plain_head()], ids=["announced", "to the end of the connection"])
def test_of_a_robots_of_100_mb_the_beginning_is_read_and_the_run_goes_on(tmp_path: Path, head: bytes) -> None:
    huge, started = Huge(head), time.monotonic()
    tracemalloc.start()
    asked, ledger = robots_run(tmp_path, huge)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.monotonic() - started < 10.0
    assert isinstance(ledger, Ledger)
    assert ledger.courtesy is not None
    assert set(without_own(asked, BEHIND)) == {"/robots.txt", "/liste", *(f"/{slug}" for slug in SLUGS)} - {
        *(path for path in SITE if path.startswith(("/r1", "/r3")))
    }
    assert Limits().robots_bytes < ledger.courtesy["bytes_received"] < 1.3 * Limits().robots_bytes
    # what lies between is in the buffers of both sides
    assert huge.sent_bytes < 16 * 2**20
    assert peak_bytes < 20 * 2**20
    (told,) = ledger.courtesy["robots_cut"].items()
    assert told == (f"{asked_host(ledger)}", MAX_ROBOTS_BYTES)


def asked_host(ledger: Ledger) -> str:
    return urlsplit(ledger.visits[0].url).netloc


@pytest.mark.parametrize(
    "robots",
    [
        answer(ENOUGH, media_type="text/plain"),
        answer(gzip.compress(ENOUGH), "Content-Encoding: gzip", media_type="text/plain"),
        chunked(ENOUGH, PLENTY * 20_000, media_type="text/plain"),
        answer(gzip.compress(ENOUGH + b"#" * (20 * 2**20)), "Content-Encoding: gzip", media_type="text/plain"),
        answer(gzip.compress(ENOUGH)[:-9], "Content-Encoding: gzip", media_type="text/plain"),
    ],
    ids=["whole", "coded", "chunked", "bomb", "damaged behind it"],
)
def test_robots_that_is_longer_than_what_is_read_says_so(tmp_path: Path, robots: bytes) -> None:
    asked, ledger = robots_run(tmp_path, robots)
    assert isinstance(ledger, Ledger)
    assert ledger.courtesy is not None
    assert ledger.courtesy["robots_cut"] == {asked_host(ledger): MAX_ROBOTS_BYTES}
    assert "/r3" not in asked
    assert "/r4" in asked


def test_robots_that_is_read_whole_is_not_called_cut(tmp_path: Path) -> None:
    whole = RULES.encode() + b"#" * (MAX_ROBOTS_BYTES - len(RULES))
    _, ledger = robots_run(tmp_path, text(whole))
    assert isinstance(ledger, Ledger)
    assert ledger.courtesy is not None
    assert ledger.courtesy["robots_cut"] == {}


def test_robots_without_content_has_no_rule(tmp_path: Path) -> None:
    asked, ledger = robots_run(tmp_path, b"HTTP/1.1 204 No Content\r\n\r\n")
    assert isinstance(ledger, Ledger)
    assert "/r1" in asked
    assert ledger.courtesy is not None
    assert list(ledger.courtesy["robots_digest"].values()) == [None]
    assert {(v.outcome, v.status) for v in ledger.visits if v.role == "robots"} == {("fetched", 204)}


@pytest.mark.parametrize(("status", "goes_on"), [("404 Not Found", True), ("503 Later", False)], ids=["absent", "busy"])
@pytest.mark.usefixtures("_no_pause")
def test_a_huge_answer_that_is_no_robots_means_what_its_status_says(
    tmp_path: Path,
    status: str,
    goes_on: bool,  # noqa: FBT001 - a case
) -> None:
    asked, ledger = robots_run(tmp_path, Huge(plain_head("Content-Length: 100000000", status=status)))
    assert isinstance(ledger, Ledger) == goes_on
    assert ("/r3" in asked) == goes_on


def test_a_robots_that_was_cut_is_archived_as_cut_and_replays_as_it_was(tmp_path: Path) -> None:
    with SiteServer({**SITE, "/robots.txt": Huge(ANNOUNCED)}) as site:
        source = make_source(site.origin)
        first = harvest(source, Layout(tmp_path, "essai"), 1, [])
        again = harvest(source, Layout(tmp_path, "essai"), 2, [])
    archive = Layout(tmp_path, "essai").archive(1)
    played = source.model_copy(update={"replay": str(archive)})
    replayed = harvest(played, Layout(tmp_path / "again", "essai"), 1, [])
    (robots,) = (block for block in read_blocks(archive) if block.kind == "response" and "robots" in block.url)
    assert len(robots.read()) == Limits().robots_bytes
    assert b"WARC-Truncated: length\r\n" in gzip.decompress(archive.read_bytes()[robots.offset :][: robots.length])
    told = [night.courtesy and (night.courtesy["robots_cut"], night.courtesy["refusals"]) for night in (first, again)]
    assert (
        told[0] == told[1] == (replayed.courtesy and (replayed.courtesy["robots_cut"], replayed.courtesy["refusals"]))
    )
    assert (Layout(tmp_path, "essai").archive(2)).stat().st_size < archive.stat().st_size


@pytest.mark.usefixtures("_no_pause")
def test_robots_that_no_tls_leads_to_postpones_the_run(tmp_path: Path) -> None:
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak_plainly() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        came.append(connection.recv(4096))
                        connection.sendall(text(""))

        thread = threading.Thread(target=speak_plainly, daemon=True)
        thread.start()
        with pytest.raises(SiteUnreachable, match=r"SSL.*postponed"):
            harvest(make_source(f"https://127.0.0.1:{server.getsockname()[1]}"), Layout(tmp_path, "essai"), 1, [])
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5.0)
    assert len(came) == MAX_ATTEMPTS
    assert not any(b"GET" in hello for hello in came), "nothing is asked without TLS"


def test_robots_is_followed_five_times_and_no_more(tmp_path: Path) -> None:
    hops = {f"/n{n}": redirect(f"/n{n + 1}") for n in range(1, 9)}
    asked, ledger = robots_run(tmp_path, redirect("/n1"), {**hops, "/n5": text(RULES)})
    assert isinstance(ledger, Ledger)
    assert asked[:6] == ["/robots.txt", "/n1", "/n2", "/n3", "/n4", "/n5"]
    assert "/r3" not in asked
    asked, ledger = robots_run(tmp_path / "more", redirect("/n1"), {**hops, "/n6": text(RULES)})
    assert isinstance(ledger, str)
    assert "postponed" in ledger
    assert asked == ["/robots.txt", "/n1", "/n2", "/n3", "/n4", "/n5"]


def test_robots_on_another_host_is_that_of_the_site(tmp_path: Path) -> None:
    with SiteServer({"/regles": text(RULES), "/robots.txt": text("User-agent: *\nDisallow: /\n")}) as other:
        # the source file names that host too, as its sitemap's
        asked, ledger = robots_run(tmp_path, redirect(f"{other.origin}/regles"), sitemap=f"{other.origin}/sitemap.xml")
        assert other.targets() == ["/regles"]
    assert isinstance(ledger, Ledger)
    assert "/r3" not in asked
    assert "/r4" in asked


# --- the receipt


def test_the_receipt_tells_what_was_asked_and_what_was_left_alone(tmp_path: Path) -> None:
    robots = text(RULES)
    with SiteServer({**SITE, "/robots.txt": robots, "/r1": [busy("Retry-After: 0"), resource("r1")]}) as site:
        source = make_source(site.origin)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(client_module, "RETRY_PAUSE_S", 0.0)
            refresh(source, tmp_path)
        layout = Layout(tmp_path, source.name)
    (ledger,) = read_ledgers(layout)
    told = ledger.courtesy
    assert told is not None
    assert told["requests"] == told["answers"] == len(site.asked) == 32 + 2
    assert len(own_questions(site.targets(), BEHIND)) == 2
    assert told["user_agent"] == "moisson/0.1.0 (+mailto:essai@example.org)"
    assert {asked.header("user-agent") for asked in site.asked} == {told["user_agent"]}
    whole = [*(v for path, v in SITE.items() if path != "/r3"), robots, busy("Retry-After: 0")]
    whole += [answer("", status="404 Not Found")] * 2  # to our own questions
    assert told["bytes_received"] == sum(len(v) for v in whole if isinstance(v, bytes))
    assert told["retries"] == 1
    assert told["pauses"] == [{"url": f"{site.origin}/r1", "status": 503, "pause_s": 0.0}]
    digest = sha256(RULES.encode()).hexdigest()
    assert told["robots_digest"] == {f"127.0.0.1:{site.port}": digest}
    assert told["refusals"] == [{"url": f"{site.origin}/r3", "rule": "robots.txt: Disallow: /r3"}]
    assert (told["not_modified"], told["share_not_modified"]) == (0, 0.0)
    report = (layout.run(1) / "run.json").read_text(encoding="utf-8")
    assert '"courtesy"' in report
    assert digest in report
    assert latest_release(layout) is not None


def test_a_host_without_robots_has_no_digest(tmp_path: Path) -> None:
    asked, ledger = robots_run(tmp_path, answer("", status="404 Not Found"))
    assert isinstance(ledger, Ledger)
    assert ledger.courtesy is not None
    assert list(ledger.courtesy["robots_digest"].values()) == [None]
    assert len(asked) == ledger.courtesy["requests"]


def test_before_anything_is_asked_there_is_nothing_to_tell(asker: Asker) -> None:
    receipt = asker.client.receipt()
    assert (receipt.requests, receipt.smallest_gap_s, receipt.share_not_modified) == (0, None, None)

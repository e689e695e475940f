"""The client: its pace, its second tries, and how far it follows a site that sends it on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from harvest.archive import ArchiveWriter, read_blocks
from harvest.client import MAX_ATTEMPTS, MAX_HOPS, RETRY_PAUSE_S, Client, Pace
from harvest.wire import NetworkTransport
from schema.nouns import Visit
from tests.site_server import Hourglass, SiteServer, answer, chunked, make_source, redirect


@dataclass
class Visitor:
    """A client before a server, with a clock that only waiting moves."""

    site: SiteServer
    client: Client
    time: Hourglass
    writer: ArchiveWriter

    def fetch(self, path: str) -> list[Visit]:
        return self.client.fetch(self.site.origin + path, "resource", via=f"{self.site.origin}/liste")


def unhurried(delay_s: float, time_: Hourglass) -> Pace:
    """A pace without chance, whose clock only waiting moves."""
    return Pace(delay_s, time_.wait, time_.clock, lambda: 0.0)


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    time_ = Hourglass()
    with (
        SiteServer() as site,
        ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive,
        Client(make_source(site.origin), NetworkTransport(), archive, unhurried(2.0, time_)) as client,
    ):
        yield Visitor(site, client, time_, archive)


# --- what a visit tells


def test_a_page_that_answers_is_told_in_full(visitor: Visitor) -> None:
    visitor.site.scripts["/a"] = chunked(b"<p>", b"a</p>", media_type="Text/HTML; charset=utf-8")
    (visit,) = visitor.fetch("/a")
    assert (visit.url, visit.role, visit.outcome, visit.status) == (
        f"{visitor.site.origin}/a",
        "resource",
        "fetched",
        200,
    )
    assert (visit.via, visit.attempts, visit.reason) == (f"{visitor.site.origin}/liste", 1, None)
    assert (visit.media_type, visit.size_bytes) == ("text/html", 8)
    assert visit.payload_digest == sha256(b"<p>a</p>").hexdigest()
    assert visit.fetched_at is not None
    assert visit.fetched_at.utcoffset() is not None
    assert visit.elapsed_s is not None
    assert 0 < visit.elapsed_s < 5
    payload = visitor.client.read(visit)
    assert (payload.url, payload.content, payload.charset) == (visit.url, b"<p>a</p>", "utf-8")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("200 OK", "fetched"),
        ("204 No Content", "http_error"),
        ("302 Found", "http_error"),
        ("400 Bad Request", "http_error"),
        ("401 Unauthorized", "forbidden"),
        ("403 Forbidden", "forbidden"),
        ("404 Not Found", "not_found"),
        ("410 Gone", "gone"),
    ],
)
def test_each_status_has_its_outcome_at_the_first_try(visitor: Visitor, status: str, outcome: str) -> None:
    visitor.site.scripts["/a"] = answer("", status=status)
    (visit,) = visitor.fetch("/a")
    assert (visit.outcome, visit.status, visit.attempts) == (outcome, int(status[:3]), 1)
    assert visit.pointer is not None


def test_what_was_not_archived_cannot_be_read(visitor: Visitor) -> None:
    with pytest.raises(ValueError, match="was not archived"):
        visitor.client.read(Visit("http://x.fr/", "resource", "not_asked"))


# --- what is sent


def test_a_request_says_who_asks_and_nothing_more(visitor: Visitor) -> None:
    visitor.site.scripts["/a"] = answer("a")
    visitor.fetch("/a")
    lines = visitor.site.asked[0].head.decode().split("\r\n")
    assert lines[0] == "GET /a HTTP/1.1"
    assert dict(line.split(": ", 1) for line in lines[1:] if line) == {
        "Host": f"127.0.0.1:{visitor.site.port}",
        "User-Agent": "moisson/0.1.0 (+mailto:essai@example.org)",
        "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
        "Accept-Language": "fr",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
    }


def test_no_cookie_is_ever_sent_back(visitor: Visitor) -> None:
    visitor.site.scripts |= {"/a": answer("a", "Set-Cookie: session=1; Path=/"), "/b": answer("b")}
    visitor.fetch("/a")
    visitor.fetch("/b")
    assert visitor.site.asked[1].header("cookie") is None


def test_no_referer_nor_credentials_are_sent_after_a_redirection(visitor: Visitor) -> None:
    visitor.site.scripts |= {
        "/a": redirect(f"http://user:secret@127.0.0.1:{visitor.site.port}/b"),
        "/b": answer("b"),
    }
    assert visitor.fetch("/a")[-1].outcome == "fetched"
    assert [visitor.site.asked[1].header(name) for name in ("authorization", "referer", "cookie")] == [None] * 3


def test_proxies_of_the_environment_are_passed_over(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    visitor.site.scripts["/a"] = answer("a")
    assert visitor.fetch("/a")[-1].outcome == "fetched"


# --- pace


def test_two_requests_are_never_closer_than_the_delay(visitor: Visitor) -> None:
    visitor.site.scripts |= {f"/{n}": answer("x") for n in range(4)}
    for n in range(4):
        visitor.fetch(f"/{n}")
        visitor.time.now += 0.5  # what reading a page takes
    assert visitor.time.waits == [0.0, 1.5, 1.5, 1.5]


def test_time_that_has_passed_anyway_is_not_waited_for_again(visitor: Visitor) -> None:
    visitor.site.scripts["/a"] = answer("x")
    visitor.fetch("/a")
    visitor.time.now += 60.0
    visitor.fetch("/a")
    assert visitor.time.waits == [0.0, 0.0]


def test_hops_are_paced_like_any_request(visitor: Visitor) -> None:
    visitor.site.scripts |= {"/a": redirect("/b"), "/b": redirect("/c"), "/c": answer("x")}
    visitor.fetch("/a")
    assert visitor.time.waits == [0.0, 2.0, 2.0]


def test_the_delay_only_grows_when_robots_asks_for_one(visitor: Visitor) -> None:
    visitor.site.scripts["/a"] = answer("x")
    visitor.client.slow_down(0.5)
    visitor.fetch("/a")
    visitor.fetch("/a")
    visitor.client.slow_down(7.0)
    visitor.fetch("/a")
    visitor.fetch("/a")
    assert visitor.time.waits == [0.0, 2.0, 7.0, 7.0]


def test_the_server_sees_the_gap_on_its_own_clock(tmp_path: Path) -> None:
    with (
        SiteServer({"/a": answer("x"), "/b": (answer("xy")[:-1], "close"), "/c": redirect("/a")}) as site,
        ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive,
        Client(make_source(site.origin), NetworkTransport(), archive, Pace(0.05)) as client,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("harvest.client.RETRY_PAUSE_S", 0.0)
        for path in ("/a", "/b", "/c", "/absent"):
            client.fetch(site.origin + path, "resource")
        times = [asked.at for asked in site.asked]
    assert len(times) == 7
    assert min(b - a for a, b in pairwise(times)) >= 0.05
    assert site.open_at_once == 1


# --- second tries


BUSY = ["429 Too Many Requests", "500 Oops", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"]


@pytest.mark.parametrize("status", BUSY)
def test_a_server_error_is_tried_again_and_then_said(visitor: Visitor, status: str) -> None:
    visitor.site.scripts["/a"] = answer("x", status=status)
    (visit,) = visitor.fetch("/a")
    assert (visit.outcome, visit.status, visit.attempts) == ("http_error", int(status[:3]), MAX_ATTEMPTS)
    assert visitor.site.targets() == ["/a"] * MAX_ATTEMPTS
    assert visitor.time.waits == [0.0, RETRY_PAUSE_S, 2 * RETRY_PAUSE_S]


def test_a_server_that_recovers_is_read(visitor: Visitor) -> None:
    visitor.site.scripts["/a"] = [answer("", status="503 Busy"), (b"", "close"), answer("here")]
    (visit,) = visitor.fetch("/a")
    assert (visit.outcome, visit.status, visit.attempts) == ("fetched", 200, 3)
    assert visitor.client.read(visit).content == b"here"


def test_the_last_try_alone_says_what_became_of_a_page(visitor: Visitor) -> None:
    visitor.site.scripts |= {
        "/recovers": [(b"", "close"), answer("here")],
        "/breaks": [answer("busy", status="503 Busy"), (b"", "close")],
    }
    assert visitor.fetch("/recovers")[0].reason is None
    (broken,) = visitor.fetch("/breaks")
    assert (broken.outcome, broken.status, broken.pointer) == ("failed", None, None)


def test_every_answer_is_archived_those_of_earlier_tries_too(visitor: Visitor) -> None:
    visitor.site.scripts["/a"] = [answer("busy", status="503 Busy"), answer("here")]
    visitor.fetch("/a")
    got = [b.read() for b in read_blocks(visitor.writer.path) if b.kind == "response"]
    assert got == [answer("busy", status="503 Busy"), answer("here")]


def test_of_the_pause_and_the_delay_the_longer_one_is_kept(tmp_path: Path) -> None:
    time_ = Hourglass()
    with (
        SiteServer({"/a": answer("", status="500 Oops")}) as site,
        ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive,
        Client(make_source(site.origin), NetworkTransport(), archive, unhurried(7.0, time_)) as client,
    ):
        client.fetch(f"{site.origin}/a", "resource")
    assert time_.waits == [0.0, 7.0, 2 * RETRY_PAUSE_S]


def test_second_tries_are_spread_by_chance(tmp_path: Path) -> None:
    time_ = Hourglass()
    chances = iter([0.5, 0.25])
    with (
        SiteServer({"/a": answer("", status="500 Oops")}) as site,
        ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive,
        Client(
            make_source(site.origin),
            NetworkTransport(),
            archive,
            Pace(0.0, time_.wait, time_.clock, lambda: next(chances)),
        ) as client,
    ):
        client.fetch(f"{site.origin}/a", "resource")
    assert time_.waits == [0.0, 1.5 * RETRY_PAUSE_S, 2.5 * RETRY_PAUSE_S]


# --- redirections


def told(visitor: Visitor, visits: list[Visit]) -> list[tuple[str, str]]:
    return [(visit.url.removeprefix(visitor.site.origin), visit.outcome) for visit in visits]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_followed_hop_by_hop(visitor: Visitor, status: int) -> None:
    visitor.site.scripts |= {"/a": redirect("/b?x=1#y", f"{status} Go"), "/b?x=1": answer("here")}
    first, second = visitor.fetch("/a")
    assert (first.outcome, first.status, first.redirect_url) == ("redirected", status, f"{visitor.site.origin}/b?x=1")
    assert (second.outcome, second.via, second.redirect_url) == ("fetched", first.url, None)
    assert [b.url for b in read_blocks(visitor.writer.path) if b.kind == "response"] == [first.url, second.url]


def test_a_chain_is_followed_up_to_its_limit(visitor: Visitor) -> None:
    visitor.site.scripts |= {f"/{n}": redirect(f"/{n + 1}") for n in range(MAX_HOPS)} | {f"/{MAX_HOPS}": answer("x")}
    assert told(visitor, visitor.fetch("/0")) == [*((f"/{n}", "redirected") for n in range(5)), ("/5", "fetched")]


def test_a_chain_beyond_the_limit_ends_as_failed(visitor: Visitor) -> None:
    visitor.site.scripts |= {f"/{n}": redirect(f"/{n + 1}") for n in range(100)}
    visits = visitor.fetch("/0")
    assert told(visitor, visits) == [*((f"/{n}", "redirected") for n in range(5)), ("/5", "failed")]
    assert visits[-1].reason == "more than 5 redirections"
    assert len(visitor.site.asked) == 6


@pytest.mark.parametrize("targets", [["/a"], ["/b", "/a"], ["/b", "/c", "/b"]])
def test_a_loop_ends_where_it_closes(visitor: Visitor, targets: list[str]) -> None:
    paths = ["/a", *targets[:-1]]
    visitor.site.scripts |= {path: redirect(target) for path, target in zip(paths, targets, strict=True)}
    visits = visitor.fetch("/a")
    assert {visit.outcome for visit in visits} == {"redirected"}
    assert visitor.site.targets() == paths


@pytest.mark.parametrize("written", ["/a/", "/a?page=0"])
def test_an_address_that_the_site_writes_otherwise_is_asked_as_it_writes_it(visitor: Visitor, written: str) -> None:
    visitor.site.scripts |= {"/a": redirect(written), written: answer("here")}
    (visit,) = visitor.fetch("/a")
    assert (visit.outcome, visit.url.endswith("/a"), visit.attempts) == ("fetched", True, 2)
    assert visitor.site.targets() == ["/a", written]


def test_a_site_that_wants_its_slash_and_does_not_is_a_loop(visitor: Visitor) -> None:
    visitor.site.scripts |= {"/a": redirect("/a/"), "/a/": redirect("/a")}
    assert visitor.fetch("/a")[-1].outcome == "redirected"
    assert visitor.site.targets() == ["/a", "/a/"]


@pytest.mark.parametrize("target", ["http://127.0.0.2:{port}/b", "http://127.0.0.1:1/b", "http://autre.example/b"])
def test_another_host_is_ledgered_and_not_asked(visitor: Visitor, target: str) -> None:
    target = target.format(port=visitor.site.port)
    visitor.site.scripts |= {"/a": redirect(target), "/b": answer("x")}
    (visit,) = visitor.fetch("/a")
    assert (visit.outcome, visit.redirect_url) == ("redirected", target)
    assert visitor.site.targets() == ["/a"]


NO_WEB_ADDRESSES = [
    "http://[rtes", "http://rtes.example:99999/", "file:///etc/passwd", "ftp://127.0.0.1/b", "data:text/html,x",
    "gopher://127.0.0.1/", "javascript:alert(1)", "mailto:a@b.fr",
]  # fmt: skip


@pytest.mark.parametrize("target", NO_WEB_ADDRESSES)
def test_a_target_that_is_no_web_address_is_a_failed_visit(visitor: Visitor, target: str) -> None:
    visitor.site.scripts["/a"] = redirect(target)
    (visit,) = visitor.fetch("/a")
    assert (visit.outcome, visit.redirect_url) == ("failed", None)
    assert visit.reason
    assert set(visitor.site.targets()) == {"/a"}


@pytest.mark.parametrize("target", ["data:text/html,x", "javascript:alert(1)", "mailto:a@b.fr"])
def test_an_answer_that_sends_to_no_web_address_is_archived_all_the_same(visitor: Visitor, target: str) -> None:
    visitor.site.scripts["/a"] = redirect(target)
    assert visitor.fetch("/a")[0].status == 301
    assert redirect(target) in [block.read() for block in read_blocks(visitor.writer.path)]


@pytest.mark.parametrize(
    "target", ["/\xe9t\xe9", "/\x85", "b", "?page=1", "../../b", "/a b", "//127.0.0.1:{port}/b", "/%zz"]
)
def test_an_odd_target_on_the_same_host_is_asked_at_most_once(visitor: Visitor, target: str) -> None:
    visitor.site.scripts["/a"] = redirect(target.format(port=visitor.site.port))
    visits = visitor.fetch("/a")
    assert visits[0].outcome in ("redirected", "failed")
    assert len(visits) <= 2


def test_a_redirection_without_a_target_is_no_page(visitor: Visitor) -> None:
    visitor.site.scripts["/a"] = answer("x", status="301 Moved")
    assert told(visitor, visitor.fetch("/a")) == [("/a", "http_error")]


@pytest.mark.parametrize("written", ["http://LOCALHOST:{port}/liste", "http://localhost.:{port}/liste"])
def test_a_host_is_ours_however_the_source_file_writes_it(tmp_path: Path, written: str) -> None:
    time_ = Hourglass()
    with (
        SiteServer({"/a": redirect("/b"), "/b": answer("here")}) as site,
        ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive,
        Client(
            make_source("", [written.format(port=site.port)]), NetworkTransport(), archive, Pace(0.0, time_.wait)
        ) as client,
    ):
        assert client.fetch(f"http://localhost:{site.port}/a", "resource")[-1].outcome == "fetched"

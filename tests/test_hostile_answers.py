"""Answers that no site means to give, through a whole run: nothing hangs, nothing half is called whole."""

from __future__ import annotations

import gzip
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.jobs import refresh
from flows.ledger import Ledger, read_ledgers
from harvest.answers import BrokenAnswer, read_answer
from harvest.archive import ArchiveWriter
from harvest.beginnings import read_robots_answer
from harvest.client import Client
from harvest.pace import skipped_pace
from harvest.wire import Exchange
from releases.store import latest_release
from schema.errors import HeldByGate, SiteUnreachable
from schema.layout import Layout
from tests.site_server import (
    Answer,
    Script,
    SiteServer,
    answer,
    chunk,
    chunked,
    listing,
    make_source,
    redirect,
    resource,
)
from tests.small_site import warc

SLUGS = ("a", "b", "c")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harvest.client.RETRY_PAUSE_S", 0.0)


def site(**more: Script) -> dict[str, Script]:
    """Three resources and their listing; `more` by path, its first slash left out."""
    scripts: dict[str, Script] = {"/liste": listing("Liste", SLUGS)}
    return scripts | {f"/{slug}": resource(slug) for slug in SLUGS} | {f"/{path}": more[path] for path in more}


def night(server: SiteServer, data: Path, **values: Any) -> Ledger:
    """The ledger of one more run, published or held; `values` of its source file."""
    with suppress(HeldByGate):
        refresh(make_source(server.origin, **values), data)
    return read_ledgers(Layout(data, "essai"))[-1]


# --- a head whose lines are folded, which h11 takes


def test_a_folded_head_is_read_as_it_is_obeyed(tmp_path: Path) -> None:
    body = {slug: resource(slug).partition(b"\r\n\r\n")[2] for slug in SLUGS}
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
    packed = gzip.compress(body["b"], mtime=0)
    folded: dict[str, Script] = {
        "a": ok + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + chunk(body["a"][:300], body["a"][300:]),
        "b": ok + b"Content-Encoding:\r\n\tgzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed,
        "c": b"HTTP/1.1 301 Moved\r\nLocation:\r\n /d\r\nContent-Length: 0\r\n\r\n",
        "d": resource("c"),
    }
    with SiteServer(site(**folded)) as server:
        visits = {visit.url.removeprefix(server.origin): visit for visit in night(server, tmp_path).visits}
    assert [visits[f"/{name}"].outcome for name in "abcd"] == ["fetched", "fetched", "redirected", "fetched"]
    assert [visits[f"/{name}"].payload_digest for name in "abd"] == [sha256(body[slug]).hexdigest() for slug in SLUGS]


# --- a listing that leads round in a circle


@pytest.mark.parametrize(
    "circle", [{"liste": redirect("/liste")}, {"liste": redirect("/x"), "x": redirect("/liste")}], ids=["one", "two"]
)
def test_a_listing_that_leads_back_to_itself_ends_the_run_by_name(tmp_path: Path, circle: dict[str, Script]) -> None:
    with SiteServer(site(**circle)) as server, pytest.raises(SiteUnreachable, match=r"/liste: leads on to .* no page"):
        night(server, tmp_path)
    assert len(server.asked) < 10


def test_a_listing_in_a_circle_beside_a_good_one_is_a_gap_by_name(tmp_path: Path) -> None:
    scripts = site(autre=redirect("/x"), x=redirect("/autre"))
    with SiteServer(scripts) as server:
        told = night(server, tmp_path, listings=["/liste", "/autre"])
    good, circle = told.listings
    assert (good.gap, good.record_count) == (None, 3)
    assert circle.gap == f"{server.origin}/autre: leads on to {server.origin}/x, and to no page"


# --- a listing that is cut between two of its blocks, which nothing in its markup shows


MANY = [f"r{number}" for number in range(12)]
WHOLE = listing("Liste", MANY)
BODY = WHOLE.partition(b"\r\n\r\n")[2]
CUT = BODY[: BODY.index(b'<article><h2><a href="/r9"')]
CLOSED = b"HTTP/1.0 200 OK\r\n"
HTML = CLOSED + b"Content-Type: text/html; charset=utf-8\r\n"


def many(shown: Script) -> dict[str, Script]:
    return {"/liste": shown, **{f"/{slug}": resource(slug) for slug in MANY}}


@pytest.mark.parametrize(
    "cut",
    [
        WHOLE.replace(b"Content-Length: %d" % len(BODY), b"Content-Length: %d" % len(CUT)),
        WHOLE.replace(b"Content-Length: %d" % len(BODY), b"Content-Encoding: gzip\r\nContent-Length: 40")[:-20],
        (CLOSED + b"\r\n" + CUT, "close"),
        (HTML + b"\r\n" + CUT, "close"),
        (HTML + b"Content-Encoding: identity\r\n\r\n" + CUT, "close"),
        (HTML + b"Content-Encoding: gzip\r\n\r\n" + CUT, "close"),
    ],
    ids=["short length", "short length, gzip said", "no type", "no length", "identity", "gzip said"],
)
def test_a_listing_that_may_be_cut_is_asked_again_and_never_called_whole(tmp_path: Path, cut: Answer) -> None:
    with SiteServer(many([cut, WHOLE])) as server:
        told = night(server, tmp_path / "once")
        assert told.visits[[v.url for v in told.visits].index(f"{server.origin}/liste")].attempts > 1
        assert (told.listings[0].gap, told.listings[0].record_count) == (None, len(MANY))
    with SiteServer(many(cut)) as server, pytest.raises(SiteUnreachable, match=r"may (have been|be) cut"):
        night(server, tmp_path / "ever")


@pytest.mark.parametrize(
    "whole",
    [
        (CLOSED + b"\r\n" + BODY, "close"),
        (HTML + b"Content-Encoding: identity\r\n\r\n" + BODY, "close"),
        (HTML + b"Content-Encoding: gzip\r\n\r\n" + BODY, "close"),
        WHOLE + b"\r\n<!-- 0.3 s -->",
    ],
    ids=["no type", "identity", "gzip said", "a word behind"],
)
def test_a_listing_that_comes_to_its_end_is_whole(tmp_path: Path, whole: Script) -> None:
    with SiteServer(many(whole)) as server:
        told = night(server, tmp_path)
    assert (told.listings[0].gap, told.listings[0].record_count) == (None, len(MANY))


# --- answers that no arithmetic of ours was made for


LAST_DAY = "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"


@pytest.mark.parametrize("path", ["/robots.txt", "/b"])
@pytest.mark.parametrize("behind", [timedelta(0), timedelta(minutes=2), timedelta(days=20_000)], ids=str)
def test_a_rest_to_the_end_of_the_calendar_postpones_the_run(tmp_path: Path, path: str, behind: timedelta) -> None:
    date = f"Date: {format_datetime(datetime.now(UTC) - behind, usegmt=True)}"
    with SiteServer(site() | {path: answer("", date, LAST_DAY, status="503 Later")}) as server:
        with pytest.raises(SiteUnreachable, match=r"asks for no request before .* postponed"):
            night(server, tmp_path)
        assert server.targets().count(path) == 1


@pytest.mark.parametrize("target", ["http://xn--/robots.txt", "http://xn--a/", "//xn--/"])
def test_robots_sent_to_a_name_that_is_none_postpones_the_run(tmp_path: Path, target: str) -> None:
    with SiteServer(site() | {"/robots.txt": redirect(target)}) as server:
        with pytest.raises(SiteUnreachable, match="cannot be had"):
            night(server, tmp_path)
        server.scripts.pop("/robots.txt")
        assert night(server, tmp_path).listings[0].record_count == len(SLUGS)


def test_a_length_of_five_thousand_digits_is_refused_in_a_warc_too(tmp_path: Path) -> None:
    huge = resource("a").replace(b"Content-Length: ", b"Content-Length: " + b"9" * 5000)
    with pytest.raises(BrokenAnswer, match=r"announced number of 500. digits"):
        read_answer(huge)
    origin = "http://example.org"
    answers = {f"{origin}/liste": listing("Liste", SLUGS), f"{origin}/a": huge, f"{origin}/b": resource("b")}
    source = make_source(origin, replay=str(warc(tmp_path / "night.warc.gz", answers)))
    refresh(source, tmp_path)
    outcomes = {v.url: v.outcome for v in read_ledgers(Layout(tmp_path, "essai"))[-1].visits}
    assert (outcomes[f"{origin}/a"], outcomes[f"{origin}/b"]) == ("failed", "fetched")


def test_a_page_number_of_five_thousand_digits_is_a_gap_and_no_exception(tmp_path: Path) -> None:
    with SiteServer(site(liste=listing("Liste", SLUGS, "/liste?page=" + "9" * 5000))) as server:
        told = night(server, tmp_path)
    assert (told.listings[0].gap or "").endswith("9: 404")


# --- answers that nobody asked for


EVIL = resource("evil")


@pytest.mark.parametrize(
    "sent",
    [
        resource("a") + EVIL,
        b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL,
        redirect("/liste") + EVIL,
        chunked(b"<html>a</html>") + EVIL,
        (resource("a"), 0.05, EVIL),
        resource("a") + EVIL[:30],
        resource("a") + b"\r\n\r\n",
    ],
    ids=["behind a page", "behind 204", "behind a redirection", "behind chunks", "later", "half", "blank"],
)
def test_an_answer_behind_an_answer_is_nobodys(tmp_path: Path, sent: Script) -> None:
    with SiteServer(site(a=sent)) as server:
        told = night(server, tmp_path, pace={"delay_s": 0.15})
        assert server.targets().count("/b") == 1
    evil = sha256(EVIL.partition(b"\r\n\r\n")[2]).hexdigest()
    digests = {v.url.removeprefix(server.origin): v.payload_digest for v in told.visits}
    assert evil not in digests.values()
    assert not any(v.size_bytes for v in told.visits if v.status == 204)
    for slug in ("b", "c"):
        assert digests[f"/{slug}"] == sha256(resource(slug).partition(b"\r\n\r\n")[2]).hexdigest()


def test_an_answer_that_ends_where_it_says_keeps_its_connection(tmp_path: Path) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    trailed = chunked(b"<html>", b"b</html>")[:-2] + b"X-Trailer: 1\r\n\r\n"
    gone = b"HTTP/1.1 204 No Content\r\n\r\n"
    with SiteServer(site(a=early + resource("a"), b=trailed, c=gone)) as server:
        night(server, tmp_path)
        assert (server.connections, len(server.asked)) == (1, 6)


def test_an_answer_without_a_head_is_a_failed_visit(tmp_path: Path) -> None:
    class Headless(httpx.BaseTransport):
        def handle_request(self, _request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, extensions={"exchange": Exchange(b"", b"", datetime.now(UTC), 0.0)})

    source, pace = make_source("http://example.org"), skipped_pace(0.0)
    with ArchiveWriter(tmp_path / "1.warc.gz", "essai") as archive, Client(source, Headless(), archive, pace) as client:
        visit = client.fetch("http://example.org/a", "resource")[-1]
    assert (visit.outcome, visit.attempts, visit.reason) == ("failed", 3, "the answer ends within its headers")


# --- what robots.txt denies is not asked, however the site comes to name it


DENIES = answer("User-agent: *\nDisallow: /b/\nDisallow: /*?utm_source\n", media_type="text/plain")


@pytest.mark.parametrize(
    ("slug", "written", "rule"),
    [("b", "/b/", "Disallow: /b/"), ("c", "/c?utm_source=x", "Disallow: /*?utm_source")],
)
def test_a_spelling_that_robots_denies_is_not_asked_and_named(
    tmp_path: Path, slug: str, written: str, rule: str
) -> None:
    scripts = site() | {"/robots.txt": DENIES, f"/{slug}": redirect(written), written: resource(slug)}
    with SiteServer(scripts) as server:
        told = night(server, tmp_path)
        assert (server.targets().count(f"/{slug}"), server.targets().count(written)) == (1, 0)
    (visit,) = (v for v in told.visits if v.url == f"{server.origin}/{slug}")
    assert (visit.outcome, visit.reason, visit.attempts) == ("refused_by_robots", f"robots.txt: {rule}", 1)
    assert told.courtesy is not None
    assert told.courtesy["refusals"] == [{"url": visit.url, "rule": visit.reason}]


@pytest.mark.parametrize("written", ["/a/", "/a?utm_medium=x"])
def test_a_spelling_that_robots_allows_is_asked(tmp_path: Path, written: str) -> None:
    with SiteServer(site() | {"/robots.txt": DENIES, "/a": redirect(written), written: resource("a")}) as server:
        told = night(server, tmp_path)
        assert written in server.targets()
    assert [v.outcome for v in told.visits if v.url == f"{server.origin}/a"] == ["fetched"]


# --- a page that robots.txt or a sitemap led to first


PAGED = {"/liste": listing("Liste", ["a", "b"], "/liste?page=1"), "/liste?page=1": listing("Liste", ["c"])}


@pytest.mark.parametrize(
    ("scripts", "values"),
    [
        ({"/robots.txt": redirect("/liste", "302 Found")}, {}),
        ({"/robots.txt": redirect("/x", "302 Found"), "/x": redirect("/liste", "302 Found")}, {}),
        ({"/robots.txt": redirect("/liste?page=1", "302 Found")}, {}),
        ({"/sitemap.xml": redirect("/liste?page=1", "302 Found")}, {"sitemap": "/sitemap.xml"}),
        ({"/robots.txt": redirect("/c", "302 Found")}, {}),
        ({"/robots.txt": redirect("/neu", "302 Found"), "/liste": redirect("/neu"), "/neu": PAGED["/liste"]}, {}),
    ],
    ids=["robots", "robots, two hops", "robots to the second page", "sitemap", "robots to a resource", "both to one"],
)
def test_a_page_that_was_first_met_by_the_way_is_read_as_what_it_is(
    tmp_path: Path, scripts: dict[str, Script], values: dict[str, str]
) -> None:
    def rows(data: Path, more: dict[str, Script], **said: Any) -> tuple[Ledger, list[tuple[str, str]]]:
        with SiteServer(site() | PAGED | more) as server:
            told = night(server, data, **{key: server.origin + path for key, path in said.items()})
            assert sum(v.attempts for v in told.visits) == len(server.asked)
            release = latest_release(Layout(data, "essai"))
            assert release is not None
            pages = [row["page_url"].removeprefix(server.origin) for row in release.rows("records")]
            return told, sorted(zip(pages, (row["title"] for row in release.rows("records")), strict=True))

    told, records = rows(tmp_path / "odd", scripts, **values)
    _, plain = rows(tmp_path / "plain", {})
    assert sorted((page.replace("/neu", "/liste"), title) for page, title in records) == plain
    assert (told.listings[0].gap, told.listings[0].record_count) == (None, 3)
    roles = {v.url.rpartition("/")[2]: v.role for v in told.visits}
    assert (roles["liste"], roles["liste?page=1"], roles["c"]) == ("listing", "listing", "resource")


@pytest.mark.parametrize("kind", ["sitemap", "liste"])
def test_what_robots_led_to_and_was_cut_there_is_read_whole(tmp_path: Path, kind: str) -> None:
    """Of a robots.txt 1 MB is taken: a page that it led to is asked for again, and has room for ten."""
    body = BODY.replace(b"</body>", b"<p>" + b"mot " * 300_000 + b"</p></body>")
    long = answer(body, media_type="text/html; charset=utf-8")
    scripts = many(long) | {"/robots.txt": redirect(f"/{kind}", "302 Found"), "/sitemap": long}
    with SiteServer(scripts) as server:
        told = night(server, tmp_path, sitemap=f"{server.origin}/sitemap")
        assert server.targets().count(f"/{kind}") == 2
    assert (told.listings[0].gap, told.listings[0].record_count) == (None, len(MANY))


# --- where a site sends us, in bytes that no address has


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ("/café".encode(), "/caf%C3%A9"),
        ("/café".encode("latin-1"), "/caf%E9"),
        (b"/caf%c3%a9", "/caf%C3%A9"),
        ("/café?q=été%20".encode(), "/caf%C3%A9?q=%C3%A9t%C3%A9+"),
        ("/b/é/".encode(), "/b/%C3%A9"),
    ],
)
def test_a_location_is_asked_for_as_it_was_sent(tmp_path: Path, sent: bytes, asked: str) -> None:
    moved = b"HTTP/1.1 301 Moved\r\nLocation: " + sent + b"\r\nContent-Length: 0\r\n\r\n"
    with SiteServer(site() | {"/b": moved, asked: resource("b")}) as server:
        told = night(server, tmp_path)
        assert server.targets().count(asked) == 1
    assert [v.outcome for v in told.visits if v.url == server.origin + asked] == ["fetched"]


def test_a_spelling_in_utf_8_is_asked_for_as_it_was_sent(tmp_path: Path) -> None:
    moved = b"HTTP/1.1 301 Moved\r\nLocation: " + "/été/".encode() + b"\r\nContent-Length: 0\r\n\r\n"
    named = listing("Liste", ["a", "b", "%C3%A9t%C3%A9"])
    scripts = site(liste=named) | {"/%C3%A9t%C3%A9": moved, "/%C3%A9t%C3%A9/": resource("c")}
    with SiteServer(scripts) as server:
        told = night(server, tmp_path)
        assert server.targets()[-1] == "/%C3%A9t%C3%A9/"
    assert told.visits[-1].outcome == "fetched"


# --- chunks


def padded(body: bytes, digits: int, announced: int | None = None) -> bytes:
    """A page in one chunk whose size is written with so many digits."""
    size = f"{len(body) if announced is None else announced:0{digits}x}".encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + size + b"\r\n" + body + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("digits", [4, 15, 16, 18, 20, 21])
def test_what_h11_takes_for_a_chunk_is_read_as_one(tmp_path: Path, digits: int) -> None:
    body = resource("b").partition(b"\r\n\r\n")[2]
    with SiteServer(site(b=padded(body, digits))) as server:
        told = night(server, tmp_path)
    (visit,) = (v for v in told.visits if v.url == f"{server.origin}/b")
    if digits > 20:
        assert (visit.outcome, visit.pointer) == ("failed", None)
    else:
        assert (visit.outcome, visit.size_bytes, visit.payload_digest) == (
            "fetched",
            len(body),
            sha256(body).hexdigest(),
        )


@pytest.mark.parametrize("size", [16**15, 16**20 - 1])
def test_a_chunk_of_more_than_there_is_is_cut(size: int) -> None:
    sent = padded(b"User-agent: *\n" * 50_000, 20, announced=size)
    with pytest.raises(BrokenAnswer, match="cut within a chunk"):
        read_answer(sent)
    # of a robots.txt what came is enough
    kept, is_cut = read_robots_answer(sent)
    assert (is_cut, kept.content[:14]) == (True, b"User-agent: *\n")

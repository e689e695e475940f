"""The wire: what is archived is what was sent, whatever the server does to us; and a replay never opens a socket."""

from __future__ import annotations

import gzip
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.jobs import refresh
from flows.ledger import read_ledgers
from flows.stages import harvest
from harvest import answers
from harvest.answers import read_answer
from harvest.archive import ArchiveWriter, read_block, read_blocks
from harvest.client import Client, Pace
from harvest.index import known_originals, write_index
from harvest.tape import Limits
from harvest.wire import Exchange, NetworkTransport, NotArchived, ReplayTransport
from releases.store import latest_release
from schema.errors import DamagedArchive
from schema.layout import Layout
from schema.nouns import Visit
from schema.sources import Source, read_source
from tests.drupal_server import DrupalServer, body_of
from tests.site_server import (
    Hourglass,
    Script,
    SiteServer,
    answer,
    chunked,
    free_port,
    listing,
    make_source,
    redirect,
    resource,
)

SAMPLE = Path(__file__).parent.parent / "sources" / "sample.toml"
WHEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ODD = (
    b"HTTP/1.1 200 D'accord\r\nx-lower:a\r\nX-UPPER:   b\r\nContent-Length: 5\r\nX-Lower: c\r\nx-lower: d\r\n"
    b"content-TYPE: text/html\r\n\r\nh\xe9llo"
)

Fetch = Callable[[str], Visit]


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer() as server:
        yield server


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[ArchiveWriter]:
    """The archive of the run, still open."""
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive:
        yield archive


@pytest.fixture
def fetch(site: SiteServer, writer: ArchiveWriter) -> Iterator[Fetch]:
    """Asks the server for a path, as the client does, without its pauses; the last visit."""
    with Client(make_source(site.origin), NetworkTransport(), writer, no_pause()) as client:
        yield lambda path: client.fetch(site.origin + path, "resource")[-1]


@contextmanager
def held_to(site: SiteServer, writer: ArchiveWriter, limits: Limits) -> Iterator[Fetch]:
    """As `fetch`, within limits."""
    with Client(make_source(site.origin), NetworkTransport(limits), writer, no_pause()) as client:
        yield lambda path: client.fetch(site.origin + path, "resource")[-1]


def no_pause() -> Pace:
    time_ = Hourglass()
    return Pace(0.0, time_.wait, time_.clock)


def archived(writer: ArchiveWriter) -> list[tuple[str, str, bytes]]:
    return [(b.kind, b.url, b.read()) for b in read_blocks(writer.path)]


# --- byte for byte


@pytest.mark.parametrize(
    "sent",
    [
        ODD,
        answer("<p>é</p>"),
        chunked(b"<p>", b"x" * 5000, b"</p>"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n000\r\nX-Trailer: 1\r\n\r\n",
        answer(bytes(range(256)) * 300, media_type="application/octet-stream"),
        answer("", status="404 Pas trouv\xe9"),
        b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["odd", "length", "chunks", "trailer", "binary", "missing", "gone"],
)
def test_what_is_archived_is_what_was_sent(site: SiteServer, fetch: Fetch, writer: ArchiveWriter, sent: bytes) -> None:
    site.scripts["/a"] = sent
    visit = fetch("/a")
    assert visit.outcome in ("fetched", "not_found", "gone")
    url = f"{site.origin}/a"
    assert archived(writer) == [("response", url, sent), ("request", url, site.asked[0].head)]


def test_an_answer_that_comes_byte_by_byte_is_archived_the_same(
    site: SiteServer, fetch: Fetch, writer: ArchiveWriter
) -> None:
    sent = chunked(b"abc", b"defgh")
    site.scripts["/a"] = tuple(step for byte in sent for step in (bytes((byte,)), 0.0005))
    assert fetch("/a").outcome == "fetched"
    assert archived(writer)[0][2] == sent


def test_an_answer_that_ends_with_the_connection_is_archived(
    site: SiteServer, fetch: Fetch, writer: ArchiveWriter
) -> None:
    sent = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html><p>tout</p></html>"
    site.scripts["/a"] = (sent, "close")
    assert fetch("/a").outcome == "fetched"
    assert archived(writer)[0][2] == sent


def test_one_connection_carries_two_exchanges_that_are_kept_apart(
    site: SiteServer, fetch: Fetch, writer: ArchiveWriter
) -> None:
    site.scripts |= {"/a": chunked(b"first"), "/b": answer("second")}
    first, second = fetch("/a"), fetch("/b")
    assert site.connections == 1
    assert [content for _, _, content in archived(writer)] == [
        chunked(b"first"),
        site.asked[0].head,
        answer("second"),
        site.asked[1].head,
    ]
    assert first.pointer is not None
    assert second.pointer is not None
    assert read_block(writer.path, second.pointer.offset)[1] == answer("second")
    assert first.payload_digest != second.payload_digest


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(site: SiteServer, fetch: Fetch) -> None:
    site.scripts |= {"/a": (answer("first"), "close"), "/b": answer("second")}
    assert [fetch("/a").outcome, fetch("/b").outcome] == ["fetched", "fetched"]
    assert site.open_at_once == 1


def test_an_early_hint_is_not_the_answer(site: SiteServer, fetch: Fetch) -> None:
    site.scripts["/a"] = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" + answer("<p>a</p>")
    visit = fetch("/a")
    assert (visit.outcome, visit.status) == ("fetched", 200)


def test_bytes_behind_the_announced_length_are_no_part_of_the_page(site: SiteServer, fetch: Fetch) -> None:
    site.scripts["/a"] = (answer("hello") + b"HTTP/1.1 200 OK\r\n\r\nnot asked for", "close")
    visit = fetch("/a")
    assert visit.outcome == "failed" or visit.size_bytes == 5


# --- what fails


def refused(visit: Visit, writer: ArchiveWriter, reason: str, attempts: int = 3) -> None:
    assert (visit.outcome, visit.status, visit.pointer, visit.attempts) == ("failed", None, None, attempts)
    assert visit.reason is not None
    assert reason in visit.reason
    assert "\n" not in visit.reason
    assert list(read_blocks(writer.path)) == []


def test_a_refused_connection_is_a_failed_visit(writer: ArchiveWriter) -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    with Client(make_source(origin), NetworkTransport(), writer, no_pause()) as client:
        visit = client.fetch(f"{origin}/a", "resource")[-1]
    refused(visit, writer, "Connection refused")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
@pytest.mark.parametrize("ending", ["reset", "close"])
@pytest.mark.parametrize("whole", [answer("x" * 999), chunked(b"x" * 500, b"y" * 499)], ids=["length", "chunks"])
def test_a_body_that_breaks_off_is_a_failed_visit(
    site: SiteServer, fetch: Fetch, writer: ArchiveWriter, share: float, ending: Any, whole: bytes
) -> None:
    part = whole[: int(len(whole) * share)]
    site.scripts["/a"] = (part, 0.02, ending) if ending == "reset" else (part, ending)
    refused(fetch("/a"), writer, "Error: ")
    assert site.targets() == ["/a"] * 3


def test_a_body_that_breaks_off_once_is_asked_again(site: SiteServer, fetch: Fetch, writer: ArchiveWriter) -> None:
    site.scripts["/a"] = [(answer("whole")[:-1], "close"), answer("whole")]
    visit = fetch("/a")
    assert (visit.outcome, visit.attempts) == ("fetched", 2)
    assert [kind for kind, _, _ in archived(writer)] == ["response", "request"]


def test_a_server_that_never_answers_is_given_up(site: SiteServer, writer: ArchiveWriter) -> None:
    site.scripts["/a"] = (5.0, answer("too late"))
    with held_to(site, writer, Limits(read_s=0.1)) as fetch:
        started = time.monotonic()
        refused(fetch("/a"), writer, "deadline: nothing came for 0.1 s", attempts=1)
    assert time.monotonic() - started < 2.0


def test_a_request_may_ask_for_less_time_than_the_limits_give(
    site: SiteServer, writer: ArchiveWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harvest.wire.TIMEOUT", httpx.Timeout(0.1))
    site.scripts["/a"] = (5.0, answer("too late"))
    with held_to(site, writer, Limits()) as fetch:
        refused(fetch("/a"), writer, "deadline: nothing came for 0.1 s", attempts=1)


def test_a_request_cannot_ask_for_more_time_than_the_limits_give(
    site: SiteServer, writer: ArchiveWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harvest.wire.TIMEOUT", httpx.Timeout(None))
    site.scripts["/a"] = (5.0, answer("too late"))
    with held_to(site, writer, Limits(read_s=0.1)) as fetch:
        refused(fetch("/a"), writer, "deadline: nothing came for 0.1 s", attempts=1)


def test_a_drip_beyond_the_deadline_is_cut(site: SiteServer, writer: ArchiveWriter) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
    site.scripts["/a"] = (head, *((0.02, b"x") * 400))
    with held_to(site, writer, Limits(exchange_s=0.15)) as fetch:
        started = time.monotonic()
        refused(fetch("/a"), writer, "deadline: no end after 0.15 s", attempts=1)
    assert time.monotonic() - started < 2.0


def test_a_server_that_falls_silent_is_cut_at_the_deadline(site: SiteServer, writer: ArchiveWriter) -> None:
    site.scripts["/a"] = (answer("hello")[:-1], 0.5, "close")
    with held_to(site, writer, Limits(exchange_s=0.1)) as fetch:
        started = time.monotonic()
        refused(fetch("/a"), writer, "deadline: no end after 0.1 s", attempts=1)
    assert time.monotonic() - started < 1.0


@pytest.mark.parametrize("make", [answer, chunked])
def test_a_body_beyond_the_cap_is_cut(site: SiteServer, writer: ArchiveWriter, make: Callable[[bytes], bytes]) -> None:
    site.scripts |= {"/a": make(b"x" * 3_000_000), "/b": answer(b"x" * 90_000)}
    with held_to(site, writer, Limits(page_bytes=100_000)) as fetch:
        refused(fetch("/a"), writer, "more than 100000 bytes", attempts=1)
        assert fetch("/b").outcome == "fetched"


def test_a_body_that_is_announced_as_too_large_is_refused_at_its_head(site: SiteServer, writer: ArchiveWriter) -> None:
    with held_to(site, writer, Limits(page_bytes=100_000)) as fetch:
        for length in ("100001", "9" * 19):
            site.scripts["/a"] = (f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode(), 5.0, b"x" * 1000)
            started = time.monotonic()
            refused(fetch("/a"), writer, f"more than 100000 bytes: {length} are announced", attempts=1)
            assert time.monotonic() - started < 2.0
        site.scripts["/b"] = answer(b"x" * 99_900)
        assert fetch("/b").outcome == "fetched"


def test_an_announced_length_that_tells_of_no_body_is_let_be(site: SiteServer, writer: ArchiveWriter) -> None:
    site.scripts |= {
        "/a": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 999999999\r\n\r\n",
        "/b": answer("b"),
    }
    with held_to(site, writer, Limits(page_bytes=100_000)) as fetch:
        visit = fetch("/a")
        assert (visit.status, visit.reason) == (304, "304 without being asked for it")
        assert fetch("/b").outcome == "fetched"


def test_an_endless_body_is_cut_at_the_cap(site: SiteServer, writer: ArchiveWriter) -> None:
    site.scripts["/a"] = (b"HTTP/1.1 200 OK\r\n\r\n", *((b"x" * 65536,) * 1000))
    with held_to(site, writer, Limits(page_bytes=200_000)) as fetch:
        refused(fetch("/a"), writer, "more than 200000 bytes", attempts=1)


def test_a_page_that_may_have_been_cut_is_not_taken_for_whole(site: SiteServer, fetch: Fetch) -> None:
    site.scripts["/a"] = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body><p>la premi", "close")
    visit = fetch("/a")
    assert visit.outcome != "fetched" or visit.reason


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"hello",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello",
    ],
    ids=["nothing", "words", "ssh", "status", "header", "huge", "lengths", "chunk", "huge-chunk"],
)
def test_what_is_no_http_is_a_failed_visit(site: SiteServer, fetch: Fetch, writer: ArchiveWriter, sent: bytes) -> None:
    site.scripts |= {"/a": (sent, "close"), "/b": answer("still here")}
    refused(fetch("/a"), writer, "Error")
    assert fetch("/b").outcome == "fetched"


def test_a_coded_body_is_archived_as_sent_and_read_decoded(
    site: SiteServer, fetch: Fetch, writer: ArchiveWriter
) -> None:
    sent = answer(gzip.compress(b"<p>a</p>") + gzip.compress(b"<p>b</p>"), "Content-Encoding: gzip")
    site.scripts["/a"] = sent
    visit = fetch("/a")
    assert (visit.outcome, visit.size_bytes) == ("fetched", 16)
    assert archived(writer)[0][2] == sent


def test_a_bomb_is_a_failed_visit(site: SiteServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_CONTENT_BYTES", 100_000)
    site.scripts["/a"] = answer(gzip.compress(bytes(5_000_000)), "Content-Encoding: gzip")
    visit = fetch("/a")
    assert (visit.outcome, visit.reason) == ("failed", "more than 100000 bytes once decoded")
    assert (visit.status, visit.size_bytes, visit.payload_digest) == (None, None, None)


def test_an_unknown_coding_is_archived_and_not_read(site: SiteServer, fetch: Fetch, writer: ArchiveWriter) -> None:
    site.scripts["/a"] = answer(b"\x1b\x0b", "Content-Encoding: br")
    visit = fetch("/a")
    assert (visit.outcome, visit.status) == ("failed", None)
    assert visit.reason is not None
    assert "content coding 'br'" in visit.reason
    assert visit.pointer is not None
    assert read_block(writer.path, visit.pointer.offset)[1] == answer(b"\x1b\x0b", "Content-Encoding: br")


# --- replay


Watched = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture(scope="module")
def watched() -> Watched:
    """A context in which every socket that this process makes or names is noted, but not a line to a worker."""
    notes: list[list[str]] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        is_local = event == "socket.__new__" and arguments[1] == socket.AF_UNIX
        is_seen = event in ("socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.bind")
        if notes and is_seen and not is_local:
            notes[-1].append(event)

    sys.addaudithook(watch)

    @contextmanager
    def watching() -> Iterator[list[str]]:
        notes.append([])
        try:
            yield notes[-1]
        finally:
            notes.clear()

    return watching


def test_the_watch_over_sockets_sees_one(watched: Watched) -> None:
    with watched() as seen:
        socket.create_server(("127.0.0.1", 0)).close()
    assert "socket.__new__" in seen


def test_a_replay_never_opens_a_socket(tmp_path: Path, watched: Watched) -> None:
    source = read_source(SAMPLE)
    with watched() as seen:
        ledger = harvest(source, Layout(tmp_path, source.name), 1, ["https://rtes.example/jamais-vue"])
    assert seen == []
    assert sum(visit.outcome == "fetched" for visit in ledger.visits) > 60


def make_replay(path: Path, held: dict[str, bytes]) -> ReplayTransport:
    with ArchiveWriter(path, "essai") as archive:
        for url, got in held.items():
            archive.add_exchange(url, b"GET / HTTP/1.1\r\n\r\n", got, WHEN)
        archive.add_ledger({}, WHEN)
    return ReplayTransport(path)


def ask(transport: ReplayTransport, url: str) -> tuple[int, bytes, Exchange]:
    with httpx.Client(transport=transport, trust_env=False) as http:
        response = http.get(url)
    exchange = response.extensions["exchange"]
    told = read_answer(exchange.response)
    return told.status, told.content, exchange


def test_a_replay_hands_out_the_archived_exchange(tmp_path: Path) -> None:
    with make_replay(tmp_path / "a.warc.gz", {"https://rtes.example/a": chunked(b"<p>", b"a</p>")}) as transport:
        status, content, exchange = ask(transport, "https://rtes.example/a")
    assert (status, content) == (200, b"<p>a</p>")
    assert exchange == Exchange(b"GET / HTTP/1.1\r\n\r\n", chunked(b"<p>", b"a</p>"), WHEN, 0.0)


def test_an_archive_without_requests_is_replayed_without_them(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with ArchiveWriter(path, "essai") as archive:
        archive.add_exchange("https://rtes.example/a", b"", answer("a"), WHEN)
        archive.add_ledger({}, WHEN)
    with ReplayTransport(path) as transport:
        assert ask(transport, "https://rtes.example/a")[2].request == b""


@pytest.mark.parametrize("status", ["200 OK", "301 Moved", "403 Forbidden", "404 Not Found", "410 Gone", "503 Busy"])
def test_a_replay_keeps_the_status(tmp_path: Path, status: str) -> None:
    url = "https://rtes.example/a"
    with make_replay(tmp_path / "a.warc.gz", {url: answer("x", status=status)}) as transport:
        assert ask(transport, url)[0] == int(status[:3])


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("https://rtes.example/liste?page=0", "https://rtes.example/liste"),
        ("https://rtes.example/liste", "https://rtes.example/liste?page=0"),
        ("http://rtes.example/liste", "https://rtes.example/liste"),
        ("https://rtes.example/liste", "http://rtes.example/liste"),
        ("http://RTES.example:80/liste/", "https://rtes.example/liste"),
        ("https://rtes.example/liste?utm_source=a&page=0#b", "https://rtes.example/liste"),
    ],
)
def test_a_replay_finds_a_page_however_its_address_was_written(tmp_path: Path, held: str, wanted: str) -> None:
    with make_replay(tmp_path / "a.warc.gz", {held: answer("a")}) as transport:
        assert ask(transport, wanted)[1] == b"a"


def test_a_replay_prefers_the_address_as_it_is_asked(tmp_path: Path) -> None:
    held = {"http://rtes.example/a": redirect("https://rtes.example/a"), "https://rtes.example/a": answer("a")}
    with make_replay(tmp_path / "a.warc.gz", held) as transport:
        assert ask(transport, "https://rtes.example/a")[1] == b"a"
        assert ask(transport, "http://rtes.example/a")[0] == 301


@pytest.mark.parametrize(
    "url",
    ["https://rtes.example/b", "https://rtes.example/a?page=1", "https://www.rtes.example/a", "https://b.example/"],
)
def test_an_address_that_the_archive_lacks_is_not_archived(tmp_path: Path, url: str) -> None:
    source = make_source("https://rtes.example", ["/a"])
    transport = make_replay(tmp_path / "a.warc.gz", {"https://rtes.example/a": answer("a")})
    with pytest.raises(NotArchived):
        ask(transport, url)
    visit = replayed(tmp_path, source, transport, url)
    assert (visit.outcome, visit.status, visit.attempts, visit.pointer) == ("not_archived", None, 1, None)
    assert visit.reason == "the WARC that is replayed does not hold it"


def replayed(folder: Path, source: Source, transport: ReplayTransport, url: str) -> Visit:
    pace = Pace(9.0, wait=lambda pause_s: None)
    with (
        ArchiveWriter(folder / "000009.warc.gz", "essai") as archive,
        Client(source, transport, archive, pace) as client,
    ):
        return client.fetch(url, "resource")[-1]


def test_an_archived_answer_that_is_cut_is_a_failed_visit(tmp_path: Path) -> None:
    url = "https://rtes.example/a"
    transport = make_replay(tmp_path / "a.warc.gz", {url: answer("hello")[:-1]})
    visit = replayed(tmp_path, make_source("https://rtes.example", ["/a"]), transport, url)
    assert (visit.outcome, visit.reason) == ("failed", "4 bytes of the 5 announced")
    assert visit.pointer is not None, "what was answered is archived, cut or not"


def test_a_damaged_archive_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    make_replay(path, {"https://rtes.example/a": answer("a")})
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DamagedArchive):
        ReplayTransport(path)


def test_a_night_with_a_second_try_is_replayed_as_it_was(tmp_path: Path) -> None:
    url, path = "https://rtes.example/a", tmp_path / "a.warc.gz"
    with ArchiveWriter(path, "essai") as archive:
        archive.add_exchange(url, b"", answer("busy", status="503 Busy"), WHEN)
        archive.add_exchange(url, b"", answer("here"), WHEN)
        archive.add_ledger({}, WHEN)
    source = make_source("https://rtes.example", ["/a"])
    assert replayed(tmp_path, source, ReplayTransport(path), url).outcome == "fetched"


def test_a_night_replayed_from_its_own_archive_gives_the_same_ledger(tmp_path: Path) -> None:
    scripts: dict[str, Script] = {
        "/liste": listing("Liste", ["a", "b"], "?page=1"),
        "/liste?page=1": listing("Liste", ["c"]),
        "/a": resource("a"),
        "/b": redirect("/c"),
        "/c": resource("c"),
    }
    with SiteServer(scripts) as site:
        source = make_source(site.origin)
        live = harvest(source, Layout(tmp_path, "live"), 1, [])
    again = source.model_copy(update={"replay": str(Layout(tmp_path, "live").archive(1))})
    played = harvest(again, Layout(tmp_path, "again"), 1, [])
    told = [
        [
            (v.url, v.role, v.outcome, v.status, v.via, v.redirect_url, v.payload_digest, v.fetched_at)
            for v in ledger.visits
        ]
        for ledger in (live, played)
    ]
    assert told[0] == told[1]
    assert live.listings == played.listings


def test_a_night_of_304_is_replayed_as_the_pages_it_confirmed(tmp_path: Path) -> None:
    pages = {
        "/robots.txt": b"User-agent: *\nDisallow: /admin\n",
        "/liste": body_of(listing("Liste", [f"r{n}" for n in range(15)], "?page=1")),
        "/liste?page=1": body_of(listing("Liste", ["r15", "r16"])),
        **{f"/r{n}": body_of(resource(f"r{n}")) for n in range(17)},
    }
    with DrupalServer(pages) as site:
        source, live = make_source(site.origin), tmp_path / "live"
        refresh(source, live)
        refresh(source, live)
        asked = len(site.statuses)
        assert Counter(status for _, status in site.statuses)[304] == asked / 2
        again = source.model_copy(update={"replay": str(Layout(live, "essai").archive(2))})
        refresh(again, tmp_path / "again")
        assert len(site.statuses) == asked
    second = read_ledgers(Layout(live, "essai"))[1]
    (played,) = read_ledgers(Layout(tmp_path / "again", "essai"))
    assert [(v.url, v.role, v.attempts, v.payload_digest, v.fetched_at) for v in played.visits] == [
        (v.url, v.role, v.attempts, v.payload_digest, v.fetched_at) for v in second.visits
    ]
    assert {v.outcome for v in played.visits} == {"fetched", "not_found"}
    assert played.listings == second.listings
    first, other = (latest_release(Layout(tmp_path / name, "essai")) for name in ("live", "again"))
    assert first is not None
    assert other is not None
    for release in (first, other):
        assert len(release.rows("resources")) == 17
    told = [[(r["url"], r["title"], r["content_digest"]) for r in x.rows("resources")] for x in (first, other)]
    assert told[0] == told[1]


def test_a_revisit_whose_page_is_in_no_file_is_not_archived(tmp_path: Path) -> None:
    url, body = "https://rtes.example/a", answer("x" * 2000)
    for run in (1, 2):
        with ArchiveWriter(tmp_path / f"{run:06d}.warc.gz", "essai", known_originals(write_index(tmp_path))) as archive:
            archive.add_exchange(url, b"GET / HTTP/1.1\r\n\r\n", body, WHEN)
            archive.add_ledger({}, WHEN)
    with ReplayTransport(tmp_path / "000002.warc.gz") as transport:
        assert ask(transport, url)[2] == Exchange(b"GET / HTTP/1.1\r\n\r\n", body, WHEN, 0.0)
        (tmp_path / "000001.warc.gz").unlink()
        with pytest.raises(NotArchived, match="offset"):
            ask(transport, url)

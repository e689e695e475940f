"""Nothing half, nothing hostile: the wire against a server that means harm, on real sockets."""

from __future__ import annotations

import gzip
import random
import socket
import sys
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import certifi
import httpcore
import pytest

from harvest import reach
from harvest.archive import ArchiveWriter, read_blocks
from harvest.client import MAX_ATTEMPTS, MAX_HOPS, Client, Pace
from harvest.tape import Limits
from harvest.wire import NetworkTransport
from schema.nouns import Visit
from tests.hostile_server import (
    BAD_HEAD_LINES,
    FOREIGN_SCHEMES,
    HEAD,
    PRIVATE_FORMS,
    Authority,
    HostileServer,
    Trap,
    bad_head,
    bomb,
    chain,
    coded,
    cut_at,
    drip,
    endless,
    endless_head,
    gzip_clipped,
    hang,
    hang_after,
    huge_header,
    loop,
    reset_at,
    send_to,
    unannounced,
)
from tests.site_server import Hourglass, Script, answer, chunked, free_port, make_source, page, redirect

GOOD = "/good"
PAGE = b"<!DOCTYPE html><html><body><p>" + "Une épicerie itinérante.".encode() * 12 + b"</p></body></html>"
QUICK = Limits(connect_s=0.3, read_s=0.3, exchange_s=1.0, grace_s=0.4, floor_bytes_per_s=200.0)


class Visitor:
    """A client before a hostile server, whose pauses take no time; one good page is served beside all else."""

    def __init__(self, site: HostileServer, folder: Path, limits: Limits) -> None:
        time_ = Hourglass()
        site.scripts.setdefault(GOOD, page("<p>good</p>"))
        self.site, self.writer = site, ArchiveWriter(folder / "000001.warc.gz", "essai")
        pace = Pace(0.0, time_.wait, time_.clock)
        self.client = Client(make_source(site.origin), NetworkTransport(limits), self.writer, pace)

    def fetch(self, path: str, script: Script | None = None, role: str = "resource") -> Visit:
        """The last visit for a path or an address."""
        if script is not None:
            self.site.scripts[path] = script
        return self.client.fetch(self.site.origin + path if path.startswith("/") else path, role)[-1]

    def is_well(self) -> bool:
        """Whether the next page is had as if nothing had been."""
        return self.fetch(GOOD).outcome == "fetched"


@pytest.fixture(autouse=True)
def _no_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of broken answers in a row are wanted here: the run does not give the host up."""
    monkeypatch.setattr("harvest.limits.MAX_FAILURES", 1_000_000)


@pytest.fixture
def site() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


@pytest.fixture
def visitor(site: HostileServer, tmp_path: Path) -> Iterator[Visitor]:
    """With limits so short that tests may wait for them."""
    visitor = Visitor(site, tmp_path, QUICK)
    with visitor.writer, visitor.client:
        yield visitor


@pytest.fixture
def patient(site: HostileServer, tmp_path: Path) -> Iterator[Visitor]:
    """With the limits of the product."""
    visitor = Visitor(site, tmp_path, Limits())
    with visitor.writer, visitor.client:
        yield visitor


# --- time: every hung address ends within its deadline and a second


def test_the_limits_of_the_product_are_those_promised() -> None:
    assert (Limits().connect_s, Limits().read_s, Limits().exchange_s) == (10.0, 20.0, 60.0)
    assert (Limits().page_bytes, Limits().robots_bytes) == (10 * 2**20, 2**20)
    # a byte a second is cut long before the deadline
    assert Limits().grace_s <= 15.0
    assert Limits().floor_bytes_per_s > 1.0


@pytest.mark.parametrize(
    ("script", "reason", "bound_s"),
    [
        (hang(), "deadline: nothing came for 0.3 s", 0.3),
        (hang_after(HEAD), "deadline: nothing came for 0.3 s", 0.3),
        (hang_after(answer(PAGE)[:-20]), "deadline: nothing came for 0.3 s", 0.3),
        (drip(pause_s=0.1), "deadline: too slow", 0.9),
        (drip(b"1\r\nx\r\n", 0.1, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"), "deadline: too slow", 1.0),
        (drip(b"X", 0.1, b"HTTP/1.1 200 OK\r\n"), "deadline: too slow", 0.4),
        (drip(b"x" * 50, 0.1), "deadline: no end after 1 s", 1.0),
        (drip(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.1, b""), "deadline: no end after 1 s", 1.0),
    ],
    ids=["silent", "in-head", "in-body", "drip", "chunk-drip", "head-drip", "steady", "interim"],
)
def test_whatever_keeps_us_waiting_is_cut(visitor: Visitor, script: Script, reason: str, bound_s: float) -> None:
    started = time.monotonic()
    visit = visitor.fetch("/a", script)
    took_s = time.monotonic() - started
    assert (visit.outcome, visit.attempts, visit.pointer) == ("failed", 1, None)
    assert visit.reason is not None
    assert visit.reason.startswith(reason)
    assert took_s < bound_s + 0.5
    assert visitor.client.put_aside() == (visit.url,)
    assert visitor.is_well()


def test_a_slow_page_that_keeps_above_the_floor_is_had(visitor: Visitor) -> None:
    whole = answer(PAGE)
    steps = tuple(step for at in range(0, len(whole), 60) for step in (whole[at : at + 60], 0.06))
    visit = visitor.fetch("/a", steps)
    assert (visit.outcome, visit.attempts) == ("fetched", 1)
    assert visit.elapsed_s is not None
    assert visit.elapsed_s > QUICK.grace_s, "long enough that the floor was looked at"


def test_one_hung_address_costs_the_others_no_more_than_its_deadline(visitor: Visitor) -> None:
    visitor.site.scripts |= {f"/{n}": hang() if n % 10 == 0 else page("<p>a</p>") for n in range(50)}
    started = time.monotonic()
    outcomes = [visitor.fetch(f"/{n}").outcome for n in range(50)]
    assert outcomes.count("failed") == 5
    assert outcomes.count("fetched") == 45
    assert time.monotonic() - started < 5 * QUICK.read_s + 3.0


def test_a_listing_that_hangs_is_asked_again_at_once(visitor: Visitor) -> None:
    visit = visitor.fetch("/a", [hang(), page("<p>a</p>")], role="listing")
    assert (visit.outcome, visit.attempts) == ("fetched", 2)
    assert visitor.client.put_aside() == ()


def test_a_server_that_never_ends_its_handshake_is_cut(visitor: Visitor) -> None:
    # the trap's like: it accepts, and says nothing at all
    silent = visitor.site
    silent.scripts["/"] = hang()
    address = f"https://127.0.0.1:{silent.port}/"
    started = time.monotonic()
    visit = visitor.fetch(address)
    assert (visit.outcome, visit.pointer) == ("failed", None)
    assert visit.reason is not None
    assert "TLS with 127.0.0.1" in visit.reason
    assert time.monotonic() - started < (QUICK.connect_s + 0.5) * MAX_ATTEMPTS


def test_a_name_server_that_hangs_is_not_waited_for(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2.0))
    started = time.monotonic()
    visit = visitor.fetch("http://rtes.example/")
    assert visit.reason == "deadline: the name rtes.example was not looked up within 0.3 s"
    assert time.monotonic() - started < (QUICK.connect_s + 0.5) * MAX_ATTEMPTS


def test_a_name_without_an_address_is_told_and_tried_again(visitor: Visitor) -> None:
    visit = visitor.fetch("http://nowhere.invalid/")
    assert (visit.outcome, visit.attempts) == ("failed", MAX_ATTEMPTS)
    assert visit.reason is not None
    assert visit.reason.startswith("the name nowhere.invalid has no address: ")


def test_a_refused_connection_is_told_and_tried_again(tmp_path: Path) -> None:
    port, time_ = free_port(), Hourglass()
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as writer:
        source = make_source(f"http://127.0.0.1:{port}")
        with Client(source, NetworkTransport(), writer, Pace(0.0, time_.wait, time_.clock)) as client:
            visit = client.fetch(f"http://127.0.0.1:{port}/", "resource")[-1]
    assert (visit.outcome, visit.attempts) == ("failed", MAX_ATTEMPTS)
    assert visit.reason == f"no connection to 127.0.0.1:{port}: Connection refused"


# --- halves: none is accepted, each is tried again


def accepted(visitor: Visitor, scripts: Mapping[str, Script]) -> list[str]:
    """Which of some scripts were taken for a page, or were not tried as often as may be."""
    visits = {path: visitor.fetch(path, script) for path, script in scripts.items()}
    return [path for path, v in visits.items() if (v.outcome, v.attempts) != ("failed", MAX_ATTEMPTS)]


def test_a_gzip_body_clipped_at_every_byte_is_never_accepted(patient: Visitor) -> None:
    chance = random.Random(5)  # noqa: S311 -- words that hardly get smaller, the same each time
    words = " ".join(f"{chance.getrandbits(40):x}" for _ in range(100)).encode()
    content = PAGE.replace(b"</p>", words + b"</p>")
    whole = len(gzip.compress(content, mtime=0))
    assert whole >= 500
    assert accepted(patient, {f"/{n}": gzip_clipped(content, n) for n in range(whole)}) == []
    assert patient.fetch("/whole", gzip_clipped(content)).outcome == "fetched"


def test_a_chunked_body_cut_at_any_point_is_never_accepted(patient: Visitor) -> None:
    whole = chunked(PAGE[:90], PAGE[90:200], PAGE[200:])
    points = range(0, len(whole), max(1, len(whole) // 220))
    assert len(points) >= 200
    scripts = {f"/{n}": reset_at(whole, n, 0.001) if n % 2 else cut_at(whole, n) for n in points}
    assert accepted(patient, scripts) == []
    assert patient.fetch("/whole", whole).outcome == "fetched"


def test_a_body_shorter_than_announced_is_never_accepted(patient: Visitor) -> None:
    whole = answer(PAGE)
    scripts = {f"/{n}": cut_at(whole, n) for n in range(0, len(whole), 5)}
    assert accepted(patient, scripts) == []


def test_a_body_of_unannounced_length_is_never_accepted_without_its_end(patient: Visitor) -> None:
    points = random.Random(4).sample(range(len(PAGE)), 100)  # noqa: S311 -- any hundred places, the same each time
    assert accepted(patient, {f"/{n}": unannounced(PAGE[:n]) for n in points}) == []
    assert patient.fetch("/whole", unannounced(PAGE)).outcome == "fetched"


def test_all_members_of_a_gzip_body_are_read(patient: Visitor) -> None:
    body = gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:])
    visit = patient.fetch("/a", coded(body, "gzip"))
    assert patient.client.read(visit).content == PAGE


@pytest.mark.parametrize("place", [0, 1, 2, 20, -6, -1])
def test_a_damaged_gzip_body_is_never_accepted(patient: Visitor, place: int) -> None:
    damaged = bytearray(gzip.compress(PAGE, mtime=0))
    damaged[place] ^= 0x11
    assert accepted(patient, {"/a": coded(bytes(damaged), "gzip")}) == []


@pytest.mark.parametrize("codings", [("br",), ("zstd",), ("deflate",), ("rot13",), ("gzip", "gzip"), ("gzip", "br")])
def test_a_coding_that_is_unknown_or_not_alone_is_refused_by_name(patient: Visitor, codings: tuple[str, ...]) -> None:
    visit = patient.fetch("/a", coded(gzip.compress(gzip.compress(PAGE)), *codings))
    assert (visit.outcome, visit.payload_digest) == ("failed", None)
    assert visit.reason == f"content coding {', '.join(codings)!r}; only gzip is read"


# --- size


def test_an_endless_body_is_read_no_further_than_the_cap(patient: Visitor) -> None:
    announced = b"Content-Length: 1073741824\r\n\r\n"
    for head, also in ((b"\r\n", ""), (announced, ": 1073741824 are announced")):
        visit = patient.fetch("/a", endless(head=HEAD + head))
        assert visit.reason == f"more than 10485760 bytes{also}"
        assert visit.pointer is None
    assert patient.is_well()


def test_a_robots_file_has_a_cap_of_its_own(patient: Visitor) -> None:
    body = b"User-agent: *\nDisallow: /x\n" * 40_000
    assert 2**20 < len(body) < 10 * 2**20
    cut = patient.fetch("/robots.txt", answer(body, media_type="text/plain"), "robots")
    assert cut.outcome == "fetched"
    assert 2**20 - 200 < (cut.size_bytes or 0) < 2**20
    assert patient.fetch("/a", answer(body, media_type="text/plain")).outcome == "fetched"
    small = answer(body[: 2**20 - 500], media_type="text/plain")
    assert patient.fetch("/robots.txt", small, "robots").outcome == "fetched"


@pytest.mark.parametrize("size_bytes", [60_000, 200_000])
def test_a_huge_header_costs_one_address_at_most(patient: Visitor, size_bytes: int) -> None:
    visit = patient.fetch("/a", huge_header(size_bytes))
    assert visit.outcome == ("fetched" if size_bytes < 100_000 else "failed")
    assert patient.is_well()


def test_a_head_without_end_is_cut(patient: Visitor) -> None:
    assert patient.fetch("/a", endless_head()).outcome == "failed"
    assert patient.is_well()


@pytest.mark.parametrize("line", BAD_HEAD_LINES)
def test_a_malformed_head_costs_one_address(patient: Visitor, line: bytes) -> None:
    visit = patient.fetch("/a", bad_head(line))
    assert (visit.outcome, visit.attempts) == ("failed", MAX_ATTEMPTS)
    assert patient.is_well()


def test_a_bomb_is_asked_for_once(patient: Visitor) -> None:
    visit = patient.fetch("/a", answer(gzip.compress(b"x" * 20_000_000), "Content-Encoding: gzip"))
    assert (visit.outcome, visit.attempts) == ("failed", 1)
    assert "once decoded" in (visit.reason or "")


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "301 Moved Permanently"])
def test_a_bomb_is_stopped_with_little_memory(patient: Visitor, status: str) -> None:
    patient.site.scripts["/a"] = bomb(200_000_000, status)
    assert patient.is_well()
    tracemalloc.start()
    visit = patient.fetch("/a")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (visit.outcome, visit.reason) == ("failed", "more than 16777216 bytes once decoded")
    assert peak_bytes < 32 * 2**20


# --- where the request goes


class Spy:
    """Counts the connections that are attempted to any address but those of a server that may be reached."""

    def __init__(self, allowed_port: int) -> None:
        self.allowed_port = allowed_port
        self.attempts: list[object] = []

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "socket.connect":
            place = arguments[1]
            if isinstance(place, tuple) and place[1] != self.allowed_port:
                self.attempts.append(place)


@pytest.fixture
def spy(site: HostileServer) -> Iterator[Spy]:
    """An audit hook cannot be taken away again, so it is told to do nothing at the end."""
    spy = Spy(site.port)
    is_on = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if is_on:
            spy.hear(event, arguments)

    sys.addaudithook(hook)
    yield spy
    is_on = False


def test_no_form_of_a_private_address_is_connected_to(patient: Visitor, spy: Spy) -> None:
    assert len(PRIVATE_FORMS) >= 25
    outcomes = {}
    with Trap() as trap:
        for form in PRIVATE_FORMS:
            visit = patient.fetch(form.format(port=trap.port))
            outcomes[form] = visit.outcome
            assert visit.pointer is None
        assert (trap.accepted, spy.attempts) == (0, [])
    assert set(outcomes.values()) <= {"not_asked", "failed"}
    assert sum(outcome == "not_asked" for outcome in outcomes.values()) >= 25


def test_no_redirection_leads_to_a_private_address(patient: Visitor, spy: Spy) -> None:
    with Trap() as trap:
        for form in PRIVATE_FORMS:
            patient.fetch("/a", send_to(form.format(port=trap.port)))
        assert (trap.accepted, spy.attempts) == (0, [])
    assert patient.is_well()


def test_no_redirection_on_a_listed_host_leads_to_a_private_address(
    site: HostileServer, tmp_path: Path, spy: Spy
) -> None:
    """Even where the client would follow: the source lists those hosts, and the transport does not let them."""
    with Trap() as trap, ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as writer:
        forms = [form.format(port=trap.port) for form in PRIVATE_FORMS if "//127.0.0.1:" not in form]
        listed = [form for form in forms if not reach.named_loopbacks([form])]
        assert len(listed) >= 25
        source = make_source("", [site.origin, *listed])
        with Client(source, NetworkTransport(), writer, Pace(0.0, lambda _: None)) as client:
            for form in listed:
                site.scripts["/a"] = send_to(form)
                hops = client.fetch(site.origin + "/a", "resource")
                assert hops[-1].outcome in ("not_asked", "failed", "redirected")
        assert (trap.accepted, spy.attempts) == (0, [])


def test_the_trap_and_the_spy_would_tell(patient: Visitor, spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "is_public", lambda _: True)
    forms = [form for form in PRIVATE_FORMS[:12] if form != "http://0.0.0.0:{port}/"]
    with Trap() as trap:
        for form in forms:
            patient.fetch(form.format(port=trap.port))
        deadline = time.monotonic() + 2.0
        while trap.accepted < len(forms) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert trap.accepted >= len(forms)
        assert len(spy.attempts) >= len(forms)


def test_a_private_address_is_told_and_not_tried_again(patient: Visitor) -> None:
    (visit,) = patient.client.fetch("http://2130706433:81/a", "resource")
    assert (visit.outcome, visit.attempts) == ("not_asked", 0)
    assert visit.reason == "the address is not public: 127.0.0.1 (2130706433 leads there); nothing was sent"
    assert patient.fetch("http://127.0.0.1:1/a").reason == "the address is not public: 127.0.0.1; nothing was sent"


def test_a_second_answer_of_the_name_server_leads_nowhere(
    site: HostileServer, tmp_path: Path, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public address at the first look-up, ours at each later one; the public one is stood in for by the server."""
    answers = iter(["93.184.215.14"])
    asked: list[object] = []

    def rebind(host: str, port: int, *rest: Any, **more: Any) -> Any:
        if host != "rtes.example":
            return look_up(host, port, *rest, **more)
        asked.append(host)
        return [(2, 1, 6, "", (next(answers, "127.0.0.1"), port))]

    def connect(backend: Any, host: str, port: int, *_: object) -> httpcore.NetworkStream:
        assert host == "93.184.215.14", "the address that was judged, and not the name"
        return connect_tcp(backend, "127.0.0.1", site.port)

    look_up, connect_tcp = socket.getaddrinfo, httpcore.SyncBackend.connect_tcp
    with Trap() as trap, ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as writer:
        monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
        name = f"http://rtes.example:{trap.port}"
        site.scripts["/a"] = (redirect("/b"), "close")
        with Client(make_source(name), NetworkTransport(), writer, Pace(0.0, lambda _: None)) as client:
            monkeypatch.setattr(socket, "getaddrinfo", rebind)
            hops = client.fetch(name + "/a", "resource")
        assert [hop.outcome for hop in hops] == ["redirected", "not_asked"]
        assert asked == ["rtes.example"] * 2
        assert site.asked[0].header("host") == f"rtes.example:{trap.port}"
        assert trap.accepted == 0
    assert site.targets() == ["/a"]


def test_one_private_address_among_public_ones_is_enough(patient: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [(2, 1, 6, "", (address, 80)) for address in ("93.184.215.14", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    visit = patient.fetch("http://rtes.example/")
    assert visit.reason == "the address is not public: 10.0.0.7 (rtes.example leads there); nothing was sent"


@pytest.mark.parametrize("scheme", FOREIGN_SCHEMES)
def test_nothing_but_http_is_opened(patient: Visitor, spy: Spy, scheme: str) -> None:
    with Trap() as trap:
        address = scheme.format(port=trap.port)
        assert patient.fetch(address).outcome == "failed"
        assert patient.fetch("/a", redirect(address)).outcome == "failed"
        assert (trap.accepted, spy.attempts) == (0, [])
    assert set(patient.site.targets()) == {"/a"}


def test_loops_and_long_chains_are_left_early(patient: Visitor) -> None:
    patient.site.scripts |= {**chain(100), **loop("/self"), **loop("/x", "/y", "/z")}
    assert patient.fetch("/hop0").reason == f"more than {MAX_HOPS} redirections"
    assert len(patient.site.targets()) == MAX_HOPS + 1 < 7
    for start, count in (("/self", 2), ("/x", 3)):
        patient.site.asked.clear()
        assert patient.fetch(start).outcome == "redirected"
        assert len(patient.site.targets()) <= count


# --- what is sent


def test_nothing_about_us_is_sent(patient: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login who password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Trap() as trap:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        port = patient.site.port
        patient.site.scripts |= {
            "/a": answer(
                "", "Set-Cookie: a=1; Path=/", f"Location: http://who:secret@127.0.0.1:{port}/a/", status="301 M"
            ),
            "/a/": answer("<p>a</p>", "Set-Cookie: b=2; Path=/"),
            "/b": answer("<p>b</p>", 'WWW-Authenticate: Basic realm="a"', status="401 Unauthorized"),
        }
        patient.fetch("/a")
        patient.fetch(f"http://who:secret@127.0.0.1:{port}/b")
        patient.fetch("/b")
        assert trap.accepted == 0
    assert patient.site.targets() == ["/a", "/a/", "/b", "/b"]
    names = ("authorization", "proxy-authorization", "cookie", "referer")
    assert [asked.header(name) for asked in patient.site.asked for name in names] == [None] * 16


# --- TLS: always verified, never left


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that the client trusts as those of the web."""
    authority = Authority(tmp_path)
    monkeypatch.setattr(certifi, "where", lambda: str(authority.path))
    return authority


@pytest.mark.parametrize("fault", ["expired", "not yet", "other name", "nobody's", "old version"])
def test_bad_tls_brings_not_one_byte(authority: Authority, tmp_path: Path, fault: str) -> None:
    context = {
        "expired": lambda: authority.certify(days=(-9, -2)),
        "not yet": lambda: authority.certify(days=(2, 9)),
        "other name": lambda: authority.certify(["rtes.example"]),
        "nobody's": authority.certify_self,
        "old version": authority.certify_old,
    }[fault]()
    reason = {
        "expired": "certificate has expired",
        "not yet": "certificate is not yet valid",
        "other name": "IP address mismatch",
        "nobody's": "self-signed certificate",
        "old version": "TLS",
    }[fault]
    with HostileServer({"/a": page("<p>a</p>")}, tls=context) as site:
        visitor = Visitor(site, tmp_path, Limits())
        with visitor.writer, visitor.client:
            visit = visitor.fetch("/a")
            assert list(read_blocks(visitor.writer.path)) == []
        # the same certificate would come again; what else goes wrong with TLS may be a passing trouble
        attempts = MAX_ATTEMPTS if fault == "old version" else 1
        assert (visit.outcome, visit.attempts, visit.pointer) == ("failed", attempts, None)
        assert visit.reason is not None
        assert visit.reason.startswith("no trusted TLS with 127.0.0.1: ")
        assert reason in visit.reason
        assert (site.targets(), site.connections) == ([], attempts)


def test_good_tls_is_had_and_not_left(authority: Authority, tmp_path: Path) -> None:
    with HostileServer({"/a": page("<p>a</p>")}, tls=authority.certify()) as site:
        visitor = Visitor(site, tmp_path, Limits())
        with visitor.writer, visitor.client:
            assert visitor.fetch("/a").outcome == "fetched"
            low = f"http://127.0.0.1:{site.port}/a"
            assert visitor.fetch("/b", redirect(low)).outcome == "redirected"
            site.scripts |= {"/c": redirect("/c/"), "/c/": page("<p>c</p>")}
            assert visitor.fetch("/c").outcome == "fetched"
        assert site.connections == site.handshakes == 1, "nobody came without TLS"


def test_the_environment_cannot_lend_its_trust(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority(tmp_path)
    monkeypatch.setattr(certifi, "where", lambda: str(other.path))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    with HostileServer({"/a": page("<p>a</p>")}, tls=authority.certify()) as site:
        visitor = Visitor(site, tmp_path, Limits())
        with visitor.writer, visitor.client:
            assert visitor.fetch("/a").outcome == "failed"
        assert site.targets() == []


def test_a_site_that_thinks_it_is_asked_without_tls_is_asked_with_it(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a proxy Drupal writes `http://` into its redirections; the host is stood in for by the server."""
    server: HostileServer
    look_up, connect_tcp = socket.getaddrinfo, httpcore.SyncBackend.connect_tcp

    def find(host: str, port: int, *rest: Any, **more: Any) -> Any:
        public = [(2, 1, 6, "", ("93.184.215.14", port))]
        return public if host == "rtes.example" else look_up(host, port, *rest, **more)

    def connect(backend: Any, host: str, port: int, *_: object) -> httpcore.NetworkStream:
        assert (host, port) == ("93.184.215.14", 443)
        return connect_tcp(backend, "127.0.0.1", server.port)

    scripts: dict[str, Script] = {"/a": redirect("http://rtes.example/a/"), "/a/": page("<p>a</p>")}
    with HostileServer(scripts, tls=authority.certify(["rtes.example"])) as server:
        monkeypatch.setattr(socket, "getaddrinfo", find)
        monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
        server.origin = "https://rtes.example"
        visitor = Visitor(server, tmp_path, Limits())
        with visitor.writer, visitor.client:
            assert visitor.fetch("/a").outcome == "fetched"
        assert server.targets() == ["/a", "/a/"]
        assert server.connections == server.handshakes == 1

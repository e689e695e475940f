"""Which addresses are public, which loopbacks a source may name, and how a host's addresses are tried."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import httpcore
import pytest

from harvest.archive import ArchiveWriter
from harvest.client import Client, Pace
from harvest.reach import NotPublic, Unreachable, is_public, look_up, lowers, named_loopbacks, open_checked
from harvest.wire import NetworkTransport
from schema.nouns import Visit
from tests.hostile_server import Trap
from tests.site_server import SiteServer, free_port, make_source, page, redirect

NOBODY = frozenset[tuple[str, int]]()
PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1"),  # noqa: S104 -- named to be refused
        *("127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
        *("192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1"),
        *("203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
        *("64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1"),
        *("2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1"),
        *("fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
        *("", "localhost", "rtes.example", "127.1", "0x7f000001", "2130706433"),
    ],
)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(*PUBLIC, "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2001:4860:4860::8888"),
        *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"),
    ],
)
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://127.0.0.1:8123/liste", {("127.0.0.1", 8123)}),
        ("http://127.0.0.1/liste", {("127.0.0.1", 80)}),
        ("https://localhost/liste", {("localhost", 443)}),
        ("http://LOCALHOST.:8123/", {("localhost", 8123)}),
        ("http://[::1]:8123/", {("::1", 8123)}),
        ("http://127.8.9.1:8123/", {("127.8.9.1", 8123)}),
        ("https://www.rtes.fr/liste", set()),
        ("http://10.0.0.1:8123/", set()),
        ("http://192.168.0.1/", set()),
        ("http://2130706433:8123/", set()),
        ("http://127.1:8123/", set()),
        ("http://localhost.rtes.example:8123/", set()),
        ("http://[::ffff:127.0.0.1]:8123/", set()),
        ("http://0.0.0.0:8123/", set()),
    ],
)
def test_a_loopback_is_named_outright_or_not_at_all(url: str, named: set[tuple[str, int]]) -> None:
    assert named_loopbacks([url]) == named


def test_leaving_tls_is_told_from_coming_to_it() -> None:
    assert lowers("https://a.fr/", "http://a.fr/")
    assert lowers("https://a.fr/", "HTTP://a.fr/")
    assert not lowers("https://a.fr/", "HTTPS://a.fr/b")
    assert not lowers("http://a.fr/", "https://a.fr/")
    assert not lowers("http://a.fr/", "http://a.fr/b")


# --- a source names its loopback, port and all


def visited(folder: Path, listing: str, url: str, **values: Any) -> Visit:
    with (
        ArchiveWriter(folder / "000001.warc.gz", "essai") as writer,
        Client(make_source("", [listing], **values), NetworkTransport(), writer, Pace(0.0, lambda _: None)) as client,
    ):
        return client.fetch(url, "resource")[-1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_loopback_that_the_source_names_is_reached(tmp_path: Path, host: str) -> None:
    with SiteServer({"/a": page("<p>a</p>")}) as site:
        visit = visited(tmp_path, f"http://{host}:{site.port}/liste", f"http://{host}:{site.port}/a")
    assert visit.outcome == "fetched"


def test_a_loopback_that_only_the_sitemap_names_is_reached(tmp_path: Path) -> None:
    with SiteServer({"/a": page("<p>a</p>")}) as site:
        named = f"{site.origin}/sitemap.xml"
        visit = visited(tmp_path, "https://rtes.example/liste", f"{site.origin}/a", sitemap=named)
    assert visit.outcome == "fetched"


@pytest.mark.parametrize(
    "listing",
    [
        *("https://rtes.example/liste", "http://127.0.0.1:1/liste", "http://127.0.0.1/liste"),
        *("http://localhost:{port}/", "http://127.0.0.2:{port}/", "http://10.0.0.1:{port}/"),
    ],
)
def test_a_loopback_that_the_source_names_otherwise_is_not(tmp_path: Path, listing: str) -> None:
    with Trap() as trap:
        visit = visited(tmp_path, listing.format(port=trap.port), f"http://127.0.0.1:{trap.port}/a")
        assert (visit.outcome, trap.accepted) == ("not_asked", 0)


def test_a_listed_name_may_not_lead_to_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("127.0.0.1", 80))]
    with Trap() as trap:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        url = f"http://rtes.example:{trap.port}/liste"
        visit = visited(tmp_path, url, url)
        assert (visit.outcome, trap.accepted) == ("not_asked", 0)


def test_a_named_loopback_does_not_open_the_private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.1", 80))])
    with pytest.raises(NotPublic):
        open_checked("localhost", 80, frozenset({("localhost", 80)}), 1.0, never)


def test_a_redirection_to_another_port_of_a_named_loopback_is_not_followed(tmp_path: Path) -> None:
    with Trap() as trap, SiteServer({"/a": redirect(f"http://127.0.0.1:{trap.port}/a")}) as site:
        visit = visited(tmp_path, f"{site.origin}/liste", f"{site.origin}/a")
        assert (visit.outcome, trap.accepted) == ("redirected", 0)


# --- trying the addresses of a host


def never(address: str, timeout_s: float) -> httpcore.NetworkStream:
    raise AssertionError(f"connected to {address}")


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(2, 1, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_an_address_that_keeps_silent_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, *PUBLIC)
    tried: list[tuple[str, float]] = []
    stream = httpcore.NetworkStream()

    def connect(address: str, timeout_s: float) -> httpcore.NetworkStream:
        tried.append((address, timeout_s))
        if address == PUBLIC[0]:
            raise httpcore.ConnectTimeout
        return stream

    assert open_checked("rtes.example", 80, NOBODY, 10.0, connect) is stream
    assert [address for address, _ in tried] == list(PUBLIC)
    assert tried[0][1] == pytest.approx(5.0, abs=0.5)
    assert tried[1][1] == pytest.approx(10.0, abs=0.5)


def test_a_host_that_takes_no_connection_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, *PUBLIC)

    def silent(address: str, timeout_s: float) -> httpcore.NetworkStream:
        raise httpcore.ConnectTimeout("timed out")

    with pytest.raises(Unreachable, match=r"no connection to rtes\.example:80: deadline: no answer within 10 s"):
        open_checked("rtes.example", 80, NOBODY, 10.0, silent)


def test_every_address_is_judged_before_the_first_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, *PUBLIC, "127.0.0.1")
    with pytest.raises(NotPublic, match=r"not public: 127\.0\.0\.1 \(rtes\.example leads there\)"):
        open_checked("rtes.example", 80, NOBODY, 1.0, never)


@pytest.mark.parametrize("host", ["a" * 300, "a..b", "nowhere.invalid", "\udcff", "a\x00b"])
def test_a_name_that_cannot_be_looked_up_is_told(host: str) -> None:
    with pytest.raises(Unreachable, match="has no address"):
        look_up(host, free_port(), 5.0)


def test_a_look_up_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(1.0))
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"was not looked up within 0\.1 s"):
        look_up("rtes.example", 80, 0.1)
    assert time.monotonic() - started < 0.8

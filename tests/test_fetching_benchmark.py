"""What the benchmark of fetching makes, checks and counts; no contender is needed for it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.fetching import Archived, Outcome, ratio, read_back, require_all
from benchmarks.made_site import make_site, paths
from benchmarks.page_server import ETAG, LAST_MODIFIED, Connection, answer_of
from harvest.answers import read_answer
from harvest.archive import ArchiveWriter

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TAG, SINCE = b"If-None-Match: " + ETAG + b"\r\n", b"If-Modified-Since: " + LAST_MODIFIED + b"\r\n"


def test_a_site_has_the_pages_asked_for_each_another_and_all_of_them_found_from_the_first() -> None:
    site = make_site(44)
    assert make_site(44) == site
    pages = {path: body for path, body in site.items() if path != "/robots.txt"}
    assert list(pages) == paths(44)
    assert len(set(pages.values())) == 44
    assert all(20_000 < len(body) < 45_000 for body in pages.values())
    linked = {link.decode() for body in pages.values() for link in re.findall(rb'href="(/ressource/\d+)"', body)}
    assert linked == {path for path in pages if path.startswith("/ressource")}
    assert [b'rel="next"' in site[path] for path in paths(44)[:4]] == [True, True, True, False]


def test_the_server_sends_a_page_in_chunks_and_304_to_both_validators_only() -> None:
    body = make_site(11)["/centre"]
    sent = answer_of("/centre", body)
    assert read_answer(sent).content == body
    connection = Connection({b"/centre": sent})
    head = b"GET /centre HTTP/1.1\r\nHost: x\r\n"
    assert connection.answer(b"/centre", head + TAG + SINCE + b"\r\n").startswith(b"HTTP/1.1 304 ")
    for some in (b"", TAG, SINCE, TAG.replace(b'"1', b'W/"1') + SINCE):
        assert connection.answer(b"/centre", head + some + b"\r\n") == sent
    assert connection.answer(b"/other", head).startswith(b"HTTP/1.1 404 ")


def test_an_archive_is_held_against_what_was_sent(tmp_path: Path) -> None:
    sent = {f"http://h.example/{name}": answer_of(f"/{name}", name.encode() * 900) for name in "abc"}
    with ArchiveWriter(tmp_path / "x.warc.gz", "test") as archive:
        for url, answer in sent.items():
            said = answer.replace(b"Apache", b"nginx") if url.endswith("c") else answer
            archive.add_exchange(url, b"GET / HTTP/1.1\r\n\r\n", said, NOW)
        archive.add_exchange("http://h.example/robots.txt", b"", answer_of("/robots.txt", b"x"), NOW)
    found = read_back(archive.path, sent)
    assert (found.answers, found.exact) == (3, 2)
    stored = bytearray(archive.path.read_bytes())
    stored[-6] ^= 0xFF  # in the last member's checksum
    archive.path.write_bytes(stored)
    with pytest.raises(ValueError, match="damaged"):
        read_back(archive.path, sent)


@pytest.mark.parametrize(("pages", "archived"), [(9, None), (9, 10), (10, 9), (10, 11)])
def test_who_did_less_or_other_than_asked_is_not_compared(pages: int, archived: int | None) -> None:
    kept = None if archived is None else Archived(archived, archived, 1.0)
    with pytest.raises(ValueError, match="of 10 pages"):
        require_all("wget", pages, kept, 10)


def test_who_did_all_is_compared_by_the_ratios_of_each_round() -> None:
    require_all("httpx", 10, None, 10)
    require_all("wget", 10, Archived(10, 0, 1.0), 10)

    def cost(cpu_s: float) -> Outcome:
        return Outcome(10, 1.0, cpu_s, 0.0, 1.0, None)

    rounds = [{"ours": cost(ours), "wget": cost(wget)} for ours, wget in ((1, 2), (10, 5), (1, 3))]
    assert ratio(rounds, "wget", "ours", "cpu_s") == 2

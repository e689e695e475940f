"""Nights on which nothing changed: what is sent, what a 304 stands for, and what is not believed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

import harvest.client as client_module
from flows.jobs import rebuild, refresh
from flows.ledger import Ledger, read_ledgers
from flows.stages import harvest
from harvest.answers import read_answer
from harvest.archive import ArchiveWriter, read_blocks
from harvest.client import Client
from harvest.pace import Pace
from harvest.payloads import read_payload
from harvest.validators import Validators, is_not_modified, kept_validators, validators_of
from harvest.wire import NetworkTransport
from releases.store import latest_release
from schema.layout import Layout
from schema.nouns import Original, Pointer, Visit
from schema.sources import Source
from tests.drupal_server import DrupalServer, body_of
from tests.own_questions import is_probe
from tests.site_server import Script, SiteServer, answer, listing, make_source, resource

SLUGS = [f"r{n}" for n in range(25)]
PAGES: Mapping[str, bytes] = {
    "/robots.txt": b"User-agent: *\nDisallow: /admin\n",
    "/liste": body_of(listing("Liste", SLUGS[:15], "?page=1")),
    "/liste?page=1": body_of(listing("Liste", SLUGS[15:])),
    **{f"/{slug}": body_of(resource(slug)) for slug in SLUGS},
}
# its last page is full, so the page behind it is asked for: that and the probe are not there
BEHIND = "/liste?page=2"
# addresses and, of two pages of a listing, one that is looked at twice
ADDRESSES, ASKED = 28, 29
ETAG, DATE = '"1795404700"', "Sun, 22 Nov 2026 01:00:00 GMT"
WHEN = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def page(*headers: str, body: str = "<html>une page</html>") -> bytes:
    return answer(body, *headers)


UNCHANGED = b"HTTP/1.1 304 Not Modified\r\n\r\n"


# --- a second night


def night(source: Source, layout: Layout, run: int) -> Ledger:
    validators = validators_of(ledger.visits for ledger in read_ledgers(layout))
    return harvest(source, layout, run, [], validators=validators)


def outcomes(ledger: Ledger) -> Counter[str]:
    """How many addresses had each outcome; our own questions are those that were not there."""
    absent = [v.url for v in ledger.visits if v.outcome == "not_found"]
    assert all(is_probe(url) or url.endswith(BEHIND) for url in absent)
    return Counter(v.outcome for v in ledger.visits)


def read_all(layout: Layout, ledger: Ledger) -> dict[str, bytes]:
    return {
        v.url: read_payload(layout.raw / v.pointer.file, v.pointer.offset).content for v in ledger.visits if v.pointer
    }


@pytest.mark.parametrize("has_length", [False, True])
def test_on_an_unchanged_night_every_page_is_answered_304(tmp_path: Path, has_length: bool) -> None:  # noqa: FBT001 - a case
    with DrupalServer(PAGES, has_length=has_length) as site:
        source, layout = make_source(site.origin), Layout(tmp_path, "essai")
        first = night(source, layout, 1)
        assert Counter(status for _, status in site.statuses) == {200: ASKED, 404: 2}
        sent, site.statuses = site.bytes_sent, []
        second = night(source, layout, 2)
        assert Counter(status for _, status in site.statuses) == {304: ASKED + 2}
        assert site.bytes_sent == sent
        third = night(source, layout, 3)
    for ledger in (second, third):
        assert outcomes(ledger) == {"not_modified": ADDRESSES, "not_found": 2}
        assert ledger.courtesy is not None
        assert (ledger.courtesy["not_modified"], ledger.courtesy["share_not_modified"]) == (ASKED + 2, 1.0)
        assert ledger.listings == first.listings
        assert read_all(layout, ledger) == read_all(layout, first)
    kept = [
        [
            (v.url, v.role, v.via, v.size_bytes, v.media_type, v.payload_digest, v.etag, v.last_modified)
            for v in n.visits
        ]
        for n in (first, second, third)
    ]
    assert kept[0] == kept[1] == kept[2]


def test_each_304_is_an_observation_of_its_night(tmp_path: Path) -> None:
    with DrupalServer(PAGES) as site:
        source, layout = make_source(site.origin), Layout(tmp_path, "essai")
        first, second, third = (night(source, layout, run) for run in (1, 2, 3))
    before = {v.url: v for v in first.visits}
    for ledger in (second, third):
        blocks = [b for b in read_blocks(layout.archive(ledger.run)) if b.kind == "revisit"]
        assert len(blocks) == ASKED + 2
        assert len(ledger.visits) == ADDRESSES + 2
        for visit in ledger.visits:
            old = before[visit.url]
            looks = 2 if visit.url == f"{site.origin}/liste" else 1
            assert (visit.status, visit.attempts, visit.pointer is not None) == (304, looks, True)
            assert visit.pointer is not None
            assert visit.pointer.file == layout.archive(ledger.run).name
            assert visit.fetched_at is not None
            assert old.fetched_at is not None
            assert visit.fetched_at > old.fetched_at
            # always the answer that brought the page, never another revisit
            assert visit.original is not None
            assert old.pointer is not None
            assert (visit.original.file, visit.original.offset) == (old.pointer.file, old.pointer.offset)


def test_the_record_of_a_304_is_one_that_other_readers_know(tmp_path: Path) -> None:
    with DrupalServer(PAGES) as site:
        source, layout = make_source(site.origin), Layout(tmp_path, "essai")
        first, _ = night(source, layout, 1), night(source, layout, 2)
    url = f"{site.origin}/r1"
    (headers,) = [
        dict(record.headers)
        for record in ArchiveIterator(
            BytesIO(layout.archive(2).read_bytes()), record_types=WarcRecordType.revisit, parse_http=False
        )
        if record.headers["WARC-Target-URI"] == url
    ]
    (old,) = [v for v in first.visits if v.url == url]
    assert old.fetched_at is not None
    assert headers["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    assert headers["WARC-Refers-To-Target-URI"] == url
    assert datetime.fromisoformat(headers["WARC-Refers-To-Date"]) == old.fetched_at
    (stated,) = [
        record.headers["WARC-Payload-Digest"]
        for record in ArchiveIterator(BytesIO(layout.archive(1).read_bytes()), record_types=WarcRecordType.response)
        if record.headers["WARC-Target-URI"] == url
    ]
    assert headers["WARC-Payload-Digest"] == stated


def test_one_edit_renews_every_page_and_nothing_is_missed(tmp_path: Path) -> None:
    with DrupalServer(PAGES) as site:
        source, layout = make_source(site.origin), Layout(tmp_path, "essai")
        night(source, layout, 1)
        site.renew()
        site.pages["/r3"] = site.pages["/r3"].replace("Le résumé de r3".encode(), "Un autre résumé".encode())
        second, third = night(source, layout, 2), night(source, layout, 3)
    assert outcomes(second) == {"fetched": ADDRESSES, "not_found": 2}
    assert outcomes(third) == {"not_modified": ADDRESSES, "not_found": 2}
    (third_r3,) = [v for v in third.visits if v.url.endswith("/r3")]
    assert third_r3.payload_digest == sha256(site.pages["/r3"]).hexdigest()


def test_a_refresh_sends_the_validators_of_the_last_night_and_changes_no_table(tmp_path: Path) -> None:
    with DrupalServer(PAGES) as site:
        source = make_source(site.origin)
        verdicts = [refresh(source, tmp_path).verdict for _ in range(3)]
        layout = Layout(tmp_path, source.name)
        assert Counter(status for _, status in site.statuses) == {200: ASKED, 404: 2, 304: 2 * (ASKED + 2)}
    assert "release 1 published" in verdicts[0]
    assert [verdict.split(":")[1] for verdict in verdicts[1:]] == [" unchanged since release 1"] * 2
    report = json.loads((layout.run(3) / "run.json").read_text(encoding="utf-8"))
    assert report["courtesy"]["share_not_modified"] == 1.0
    release = latest_release(layout)
    assert release is not None
    assert len(release.rows("resources")) == 25


def test_a_release_that_rests_on_304_can_be_rebuilt(tmp_path: Path) -> None:
    with DrupalServer(PAGES) as site:
        source = make_source(site.origin)
        refresh(source, tmp_path)
        # one page goes: the night that sees it go has 304 for the others
        del site.pages["/r7"]
        site.pages["/liste"] = body_of(listing("Liste", [s for s in SLUGS[:15] if s != "r7"], "?page=1"))
        outcome = refresh(source, tmp_path)
    assert "release 2 published" in outcome.verdict
    assert "equal to release 2" in rebuild(source, tmp_path).verdict


def test_a_replay_asks_for_all_that_its_archive_holds(tmp_path: Path) -> None:
    with DrupalServer(PAGES) as site:
        source, layout = make_source(site.origin), Layout(tmp_path, "essai")
        first = night(source, layout, 1)
    again = source.model_copy(update={"replay": str(layout.archive(1))})
    second = night(again, layout, 2)
    assert outcomes(second) == {"fetched": ADDRESSES, "not_found": 2}
    assert [(v.url, v.payload_digest, v.fetched_at) for v in second.visits] == [
        (v.url, v.payload_digest, v.fetched_at) for v in first.visits
    ]


def test_a_replay_sends_no_validators_and_believes_no_304(tmp_path: Path) -> None:
    source, layout = make_source("http://rtes.example"), Layout(tmp_path, "essai")
    ledgers = []
    for run, own_page in ((1, resource("a")), (2, UNCHANGED)):
        with ArchiveWriter(tmp_path / f"foreign{run}.warc.gz", "essai") as archive:
            archive.add_exchange("http://rtes.example/liste", b"", listing("Liste", ["a"]), WHEN)
            archive.add_exchange("http://rtes.example/a", b"", own_page, WHEN)
            archive.add_ledger({}, WHEN)
            replay = str(tmp_path / f"foreign{run}.warc.gz")
        ledgers.append(night(source.model_copy(update={"replay": replay}), layout, run))
    told = [{v.url: (v.outcome, v.reason) for v in ledger.visits}["http://rtes.example/a"] for ledger in ledgers]
    assert told == [("fetched", None), ("failed", "304 without being asked for it")]


# --- one request


def ask_again(
    folder: Path, scripts: Mapping[str, Script], tonight: Mapping[str, Script], **changes: Any
) -> tuple[SiteServer, list[Visit]]:
    """Ask for /a on two nights; the visits of the second; changes are made to the validators between them."""
    with SiteServer(scripts) as site, pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_module, "RETRY_PAUSE_S", 0.0)
        source, url = make_source(site.origin), f"{site.origin}/a"
        with (
            ArchiveWriter(folder / "000001.warc.gz", "essai") as archive,
            Client(source, NetworkTransport(), archive, Pace(0.0)) as client,
        ):
            first = client.fetch(url, "resource")
            archive.add_ledger({}, WHEN)
        validators = {
            key: replace(value, original=replace(value.original, **changes))
            for key, value in validators_of([first]).items()
        }
        site.scripts, site.asked = dict(tonight), []
        with (
            ArchiveWriter(folder / "000002.warc.gz", "essai") as archive,
            Client(source, NetworkTransport(), archive, Pace(0.0), validators) as client,
        ):
            visits = client.fetch(url, "resource")
            if visits[-1].outcome in ("fetched", "not_modified"):
                client.read(visits[-1])
        return site, visits


def sent_by(site: SiteServer, number: int = 0) -> tuple[str | None, str | None]:
    return site.asked[number].header("if-none-match"), site.asked[number].header("if-modified-since")


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ([f"ETag: {ETAG}", f"Last-Modified: {DATE}"], (ETAG, DATE)),
        ([f"ETag: {ETAG}"], (ETAG, None)),
        ([f"Last-Modified: {DATE}"], (None, DATE)),
        (['ETag: W/"1795404700"', "Last-Modified: hier"], ('W/"1795404700"', "hier")),
        (['ETag:  "a, b"  '], ('"a, b"', None)),
        ([], (None, None)),
        (["ETag:", "Last-Modified:"], (None, None)),
        (['ETag: "é"', f"Last-Modified: {DATE}"], (None, DATE)),
        ([f'ETag: "{"x" * 2000}"', f"Last-Modified: {DATE}"], (None, DATE)),
    ],
)
def test_validators_are_sent_as_they_were_received(
    tmp_path: Path, headers: list[str], sent: tuple[str | None, str | None]
) -> None:
    site, visits = ask_again(tmp_path, {"/a": page(*headers)}, {"/a": page(*headers)})
    assert sent_by(site) == sent
    assert [v.outcome for v in visits] == ["fetched"]


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden"])
def test_what_was_no_page_leaves_no_validators(tmp_path: Path, status: str) -> None:
    refused = answer("non", f"ETag: {ETAG}", f"Last-Modified: {DATE}", status=status)
    site, _ = ask_again(tmp_path, {"/a": refused}, {"/a": refused})
    assert sent_by(site) == (None, None)


def test_validators_of_a_coded_answer_are_not_kept() -> None:
    head = f"HTTP/1.1 200 OK\r\nETag: {ETAG}\r\nContent-Encoding: {{}}\r\nContent-Length: 0\r\n\r\n"
    assert kept_validators(read_answer(head.format("identity").encode())) == (ETAG, None)
    plain = read_answer(head.format("identity").encode())
    assert kept_validators(replace(plain, headers=(("etag", ETAG), ("content-encoding", "gzip")))) == (None, None)


VALID = page(f"ETag: {ETAG}", f"Last-Modified: {DATE}")


def test_a_304_brings_the_page_archived_before(tmp_path: Path) -> None:
    _, (visit,) = ask_again(tmp_path, {"/a": VALID}, {"/a": UNCHANGED})
    assert (visit.outcome, visit.status, visit.attempts) == ("not_modified", 304, 1)
    assert (visit.size_bytes, visit.media_type, visit.etag, visit.last_modified) == (21, "text/html", ETAG, DATE)
    assert visit.payload_digest == sha256(b"<html>une page</html>").hexdigest()


def test_a_page_that_changed_brings_its_own_validators(tmp_path: Path) -> None:
    _, (visit,) = ask_again(tmp_path, {"/a": VALID}, {"/a": page('ETag: "2"', body="<html>neuf</html>")})
    assert (visit.outcome, visit.etag, visit.last_modified, visit.original) == ("fetched", '"2"', None, None)


def test_a_304_that_was_not_asked_for_is_a_failed_attempt(tmp_path: Path) -> None:
    site, (visit,) = ask_again(tmp_path, {"/a": page()}, {"/a": [UNCHANGED, page()]})
    assert (visit.outcome, visit.attempts) == ("fetched", 2)
    assert sent_by(site) == (None, None)


def test_304_to_every_attempt_that_asked_for_none_is_no_page(tmp_path: Path) -> None:
    site, (visit,) = ask_again(tmp_path, {"/a": page()}, {"/a": UNCHANGED})
    assert (visit.outcome, visit.status, visit.attempts) == ("failed", 304, 3)
    assert visit.reason == "304 without being asked for it"
    assert [b.kind for b in read_blocks(tmp_path / "000002.warc.gz.part")].count("response") == 3
    assert site.asked


@pytest.mark.parametrize("named", ['"2"', '"1795404700x"', '"2-gzip"', '""', ' "2" '])
def test_a_304_of_another_page_is_asked_again_without_validators(tmp_path: Path, named: str) -> None:
    other = UNCHANGED.replace(b"\r\n\r\n", f"\r\nETag: {named}\r\n\r\n".encode())
    site, (visit,) = ask_again(tmp_path, {"/a": VALID}, {"/a": [other, page('ETag: "2"', body="<html>neuf</html>")]})
    assert (visit.outcome, visit.status, visit.attempts, visit.etag) == ("fetched", 200, 2, '"2"')
    assert [sent_by(site, n) for n in (0, 1)] == [(ETAG, DATE), (None, None)]


@pytest.mark.parametrize("named", [ETAG, 'W/"2"', f"W/{ETAG}", ETAG[:-1] + '-gzip"', ETAG[:-1] + ';br"', "2", ""])
def test_a_304_that_may_be_of_the_page_confirms_it(tmp_path: Path, named: str) -> None:
    same = UNCHANGED.replace(b"\r\n\r\n", f"\r\nETag: {named}\r\n\r\n".encode())
    _, (visit,) = ask_again(tmp_path, {"/a": VALID}, {"/a": same})
    assert (visit.outcome, visit.attempts, visit.etag) == ("not_modified", 1, ETAG)


def test_where_a_date_alone_was_sent_any_tag_confirms(tmp_path: Path) -> None:
    same = UNCHANGED.replace(b"\r\n\r\n", b'\r\nETag: "2"\r\n\r\n')
    _, (visit,) = ask_again(tmp_path, {"/a": page(f"Last-Modified: {DATE}")}, {"/a": same})
    assert (visit.outcome, visit.attempts) == ("not_modified", 1)


@pytest.mark.parametrize(
    "changes",
    [{"payload_digest": "0" * 64}, {"offset": 5}, {"file": "000009.warc.gz"}],
    ids=["digest", "place", "file"],
)
def test_a_304_for_a_page_that_is_no_longer_archived_is_asked_again_without_validators(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    site, (visit,) = ask_again(tmp_path, {"/a": VALID}, {"/a": [UNCHANGED, VALID]}, **changes)
    assert (visit.outcome, visit.status, visit.attempts) == ("fetched", 200, 2)
    assert [sent_by(site, n) for n in (0, 1)] == [(ETAG, DATE), (None, None)]


def test_a_304_for_a_page_whose_bytes_were_damaged_is_asked_again(tmp_path: Path) -> None:
    with DrupalServer(PAGES) as site:
        source, layout = make_source(site.origin), Layout(tmp_path, "essai")
        first = night(source, layout, 1)
        validators = validators_of([first.visits])
        url = f"{site.origin}/r2"
        path = layout.archive(1)
        content = bytearray(path.read_bytes())
        content[validators[url].original.offset + 300] ^= 1
        path.write_bytes(bytes(content))
        second = harvest(source, layout, 2, [], validators=validators)
    told = {v.url: (v.outcome, v.attempts) for v in second.visits}
    assert told.pop(url) == ("fetched", 2)
    assert told.pop(f"{site.origin}/liste") == ("not_modified", 2), "looked at twice"
    assert Counter(told.values()) == {("not_modified", 1): ADDRESSES - 2, ("not_found", 1): 2}


def test_a_304_to_a_404_says_that_nothing_is_there_and_no_more(tmp_path: Path) -> None:
    with DrupalServer(PAGES) as site:
        source, layout = make_source(site.origin), Layout(tmp_path, "essai")
        first, second = night(source, layout, 1), night(source, layout, 2)
        # the page behind the last one comes into being, and the site begins to answer 200 to anything
        (probe,) = [v.url for v in first.visits if is_probe(v.url)]
        site.renew()
        site.pages[BEHIND] = body_of(listing("Liste", ["nouveau"]))
        site.pages["/nouveau"] = body_of(resource("nouveau"))
        site.pages[probe.removeprefix(site.origin)] = site.pages["/r3"]
        third = night(source, layout, 3)
    assert [v.status for v in second.visits if v.outcome == "not_found"] == [304, 304]
    assert second.listings == first.listings
    assert all(read.certificate and read.certificate.is_complete for read in second.listings)
    told = {v.url.removeprefix(site.origin): v.outcome for v in third.visits}
    assert (told[BEHIND], told["/nouveau"], told[probe.removeprefix(site.origin)]) == ("fetched", "fetched", "fetched")
    assert told["/r3"] == "soft_failure", "answered like the probe"


def test_a_redirection_is_followed_with_the_validators_of_each_hop(tmp_path: Path) -> None:
    moved = answer("", "Location: /b", status="302 Found")
    scripts: dict[str, Script] = {"/a": moved, "/b": VALID}
    site, visits = ask_again(tmp_path, scripts, {"/a": moved, "/b": UNCHANGED})
    assert [v.outcome for v in visits] == ["redirected", "not_modified"]
    assert [sent_by(site, n) for n in (0, 1)] == [(None, None), (ETAG, DATE)]


def test_an_address_that_the_site_writes_otherwise_keeps_its_validators(tmp_path: Path) -> None:
    moved = answer("", "Location: /a/", status="301 Moved")
    site, (visit,) = ask_again(tmp_path, {"/a": moved, "/a/": VALID}, {"/a": moved, "/a/": UNCHANGED})
    assert (visit.outcome, visit.url.endswith("/a"), site.targets()) == ("not_modified", True, ["/a", "/a/"])


@pytest.mark.parametrize(
    ("block", "says_so"),
    [
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", True),
        (b"HTTP/1.0 304\r\nA: b\n\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n", True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n", False),
        (b"HTTP/1.1 3040 Not\r\n\r\n", False),
        (b"HTTP/1.1 103 Early Hints\r\n304: 304\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", False),
        (b"", False),
    ],
)
def test_an_answer_says_304_in_its_status_line(block: bytes, says_so: bool) -> None:  # noqa: FBT001 - a case
    assert is_not_modified(block) == says_so


# --- what is kept from night to night

PLACE = Pointer("000001.warc.gz", 100, 50)
PAGE = Visit(
    "http://x.fr/a", "resource", "fetched", fetched_at=WHEN, payload_digest="d1", pointer=PLACE, etag=ETAG,
    last_modified=DATE,
)  # fmt: skip
KEPT = Validators(ETAG, DATE, Original("000001.warc.gz", 100, "http://x.fr/a", WHEN, "d1"))


@pytest.mark.parametrize(
    ("nights", "kept"),
    [
        ([], None),
        ([[PAGE]], KEPT),
        ([[replace(PAGE, last_modified=None)]], replace(KEPT, last_modified=None)),
        ([[replace(PAGE, etag=None, last_modified=None)]], None),
        ([[replace(PAGE, pointer=None)]], None),
        ([[replace(PAGE, payload_digest=None)]], None),
        # the last page counts
        ([[PAGE], [replace(PAGE, etag='"2"', pointer=Pointer("000002.warc.gz", 7, 9), payload_digest="d2")]],
         Validators('"2"', DATE, Original("000002.warc.gz", 7, "http://x.fr/a", WHEN, "d2"))),
        ([[PAGE], [replace(PAGE, etag=None, last_modified=None, payload_digest="d2")]], None),
        # what was no page says nothing of the page
        *(([[PAGE], [replace(PAGE, outcome=outcome, etag=None)]], KEPT)
          for outcome in ("failed", "http_error", "not_found", "not_asked", "refused_by_robots", "not_archived")),
        # a page that was not modified still lies where it was
        ([[replace(PAGE, outcome="not_modified", pointer=Pointer("000002.warc.gz", 7, 9),
                   original=KEPT.original)]], KEPT),
    ],
)  # fmt: skip
def test_the_last_page_of_an_address_gives_its_validators(
    nights: Sequence[Sequence[Visit]], kept: Validators | None
) -> None:
    assert validators_of(nights).get(PAGE.url) == kept


def test_a_ledger_of_before_has_none(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "essai")
    old = {
        "format": 1, "kind": "refresh", "run": 1, "source": "essai", "started_at": "2026-11-22T01:00:00Z",
        "ended_at": "2026-11-22T01:01:00Z", "listings": [],
        "visits": [{"url": "http://x.fr/a", "role": "resource", "outcome": "fetched", "payload_digest": "d1",
                    "pointer": {"file": "000001.warc.gz", "offset": 1, "length": 2}}],
    }  # fmt: skip
    with ArchiveWriter(layout.archive(1), "essai") as archive:
        archive.add_ledger(old, WHEN)
    (ledger,) = read_ledgers(layout)
    assert ledger.courtesy is None
    assert validators_of([ledger.visits]) == {}

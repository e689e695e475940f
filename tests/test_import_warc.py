"""Whole WARCs of other programs are imported page by page: each at its own date, none above what the site showed us."""

# ruff: noqa: S311 - the random numbers are seeded

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
import sys
import tracemalloc
from base64 import b32encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from flows import captures
from flows.captures import NAMED, import_warc
from flows.jobs import rebuild, refresh
from flows.ledger import ledger_of
from harvest.archive import read_ledger
from harvest.fixity import check
from harvest.foreign import ForeignPage, Passed, foreign_pages
from harvest.members import record_at
from harvest.payloads import read_payload
from harvest.revisits import answer_bytes
from receipts.trace import trace
from releases.store import Release, latest_release
from schema.addresses import canonical_url
from schema.errors import DamagedArchive, DiskTrouble, StructureChanged, UsageError
from schema.layout import Layout
from schema.nouns import Pointer
from schema.sources import Source, read_source
from tests.foreign_warcs import INFO, PACKINGS, WHEN, as_a_whole, by_record, not_at_all, record
from tests.site_server import chunked
from tests.small_site import LISTING, block, listing, own_page, page_of, redirect, source_file, warc
from tests.test_cli import Run, moisson  # noqa: F401  # a fixture

Row = dict[str, Any]
SITE = "https://rtes.example"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return read_source(source_file(tmp_path, None))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def html(*titles: str, heading: str = "Mobilités", text: str = "texte") -> bytes:
    """A listing as a page, without its headers."""
    blocks = "".join(block(title).replace("Le texte", f"Le {text}") for title in titles)
    return f"<html><body><h1>{heading}</h1><div>{blocks}</div></body></html>".encode()


def night(source: Source, data: Path, pages: dict[str, bytes]) -> str:
    replay = warc(data.parent / "night.warc.gz", pages)
    return refresh(source.model_copy(update={"replay": str(replay)}), data).verdict


def give(data: Path, *records: bytes, pack: Callable[..., bytes] = by_record, name: str = "vieux.warc.gz") -> Path:
    path = data.parent / name
    path.write_bytes(pack(INFO, *records))
    return path


def newest(data: Path) -> Release:
    release = latest_release(Layout(data, "mine"))
    assert release
    return release


def by_title(data: Path) -> dict[str, Row]:
    return {row["title"]: row for row in newest(data).rows("resources")}


def report(data: Path, run: int) -> Row:
    values: Row = json.loads((Layout(data, "mine").run(run) / "run.json").read_text(encoding="utf-8"))
    return values


def aside(data: Path, run: int = 1) -> dict[str, int]:
    return {one["why"]: one["count"] for one in report(data, run)["origin"]["left_aside"]}


def archived(data: Path) -> list[str]:
    return sorted(path.name for path in Layout(data, "mine").raw.glob("*.warc.gz*"))


# --- a file as warcio writes it ---------------------------------------------------------------------------------------


def written_by_warcio(path: Path, pages: list[tuple[str, str, bytes]], *, gz: bool, version: str) -> Path:
    """A WARC by warcio: warcinfo, and an answer, its request and its metadata for each (address, date, body)."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=gz, warc_version=version)
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "autre"}))
        for url, date, body in pages:
            lines = [
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("X-Odd", "a  b"),
            ]
            answer = StatusAndHeaders("200 OK", lines, protocol="HTTP/1.1")
            asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "rtes.example")], is_http_request=True)
            for kind, head, content in (
                ("response", answer, body),
                ("request", asked, b""),
                ("metadata", None, b"v: x"),
            ):
                # a length, or warcio leaves a temporary file open
                rest = {
                    "payload": io.BytesIO(content),
                    "length": len(content),
                    "warc_headers_dict": {"WARC-Date": date},
                }
                writer.write_record(writer.create_warc_record(url, kind, http_headers=head, **rest))
    return path


@pytest.mark.parametrize(("gz", "version"), [(True, "WARC/1.0"), (False, "WARC/1.0"), (True, "WARC/1.1")])
def test_each_page_of_a_file_by_warcio_is_archived_at_its_date_byte_for_byte(
    source: Source,
    data: Path,
    gz: bool,  # noqa: FBT001
    version: str,
) -> None:
    pages = [
        (LISTING, "2014-03-02T10:00:00Z", html("Alpha", "Beta")),
        (LISTING, "2019-03-02T10:00:00Z", html("Beta")),
        (f"{SITE}/alpha", "2014-03-02T10:00:01Z", own_page("Alpha").partition(b"\r\n\r\n")[2]),
    ]
    file = written_by_warcio(data.parent / "vieux fonds.warc.gz", pages, gz=gz, version=version)
    with file.open("rb") as stream:
        given = {r.rec_headers["WARC-Record-ID"]: r.rec_headers["WARC-Date"] for r in ArchiveIterator(stream)}
    outcome = import_warc(source, data, file)
    assert "run 1 imported: 3 pages of 2 addresses (2014-03-02 to 2019-03-02): 4 records, 0 rejects; 0 left" in (
        outcome.verdict
    )
    raw = Layout(data, "mine").raw
    ledger = read_ledger(raw / "000001.warc.gz")
    assert ledger
    assert ledger["origin"]["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert aside(data) == {"beside the pages": 7}
    for visit, (url, date, body) in zip(ledger["visits"], pages, strict=True):
        kept = record_at(raw / "000001.warc.gz", visit["pointer"]["offset"])
        assert (kept.kind, kept.url, kept.archived_at) == ("response", url, datetime.fromisoformat(date))
        assert kept.block.endswith(b"\r\nX-Odd: a  b\r\n\r\n" + body)
        name, digest, record_id = kept.header("moisson-imported-from").split(";")
        assert (name, digest) == ("vieux%20fonds.warc.gz", f"sha256:{ledger['origin']['sha256']}")
        assert given[f"<{record_id}>"] == date
        assert visit["url"] == f"{url}#{date}"
    assert check(raw) == []
    tool = [sys.executable, "-m", "warcio.cli", "check", str(raw / "000001.warc.gz")]
    assert subprocess.run(tool, capture_output=True, check=False).returncode == 0
    with (raw / "000001.warc.gz").open("rb") as stream:
        fast = [r.headers.get("WARC-Target-URI") for r in FastIterator(stream, verify_digests=True)]
    assert fast[1:4] == [url for url, _, _ in pages]


# --- several dates ----------------------------------------------------------------------------------------------------


def three_years(data: Path) -> Path:
    return give(
        data,
        record("response", LISTING, page_of(html("Alpha", "Beta", text="vieux texte")), when="2014-03-02T10:00:00Z"),
        record("response", LISTING, page_of(html("Gamma", text="dernier texte")), when="2019-03-02T10:00:00Z"),
        record("response", LISTING, page_of(html("Beta", "Gamma")), when="2016-03-02T10:00:00Z"),
    )


def test_the_oldest_page_says_since_when_and_the_newest_what(source: Source, data: Path) -> None:
    import_warc(source, data, three_years(data))
    assert "release 1 published: 3 resources, 0 rejects, 3 pages" in rebuild(source, data).verdict
    told = {
        title: (row["first_seen_at"].year, row["last_seen_at"].year, row["summary"], row["state"])
        for title, row in by_title(data).items()
    }
    assert told == {
        "Alpha": (2014, 2014, "Le vieux texte de Alpha.", "unlisted"),
        "Beta": (2014, 2016, "Le texte de Beta.", "unlisted"),
        "Gamma": (2016, 2019, "Le dernier texte de Gamma.", "unlisted"),
    }
    rows = newest(data).rows("records")
    assert sorted(row["fetched_at"].year for row in rows) == [2014, 2014, 2016, 2016, 2019]
    assert all(row["is_copy"] for row in rows)
    assert {row["page_url"] for row in rows} == {f"{LISTING}#{y}-03-02T10:00:00Z" for y in (2014, 2016, 2019)}
    # the dated address is where it was read, and no address of the resource
    assert not [url for row in newest(data).rows("ids") for url in row["known_by"] if "#" in url]
    assert "equal to release 1" in rebuild(source, data).verdict


def test_a_trace_ends_at_the_bytes_of_each_page_with_its_date(source: Source, data: Path) -> None:
    import_warc(source, data, three_years(data))
    rebuild(source, data)
    shown = trace(source, data, f"{SITE}/beta")
    assert "2 records" in shown
    for year, words in ((2014, "Le vieux texte de Beta."), (2016, "Le texte de Beta.")):
        assert f"fetched   {year}-03-02 10:00:00 UTC (imported copy)" in shown
        assert f"<p>{words}</p>" in shown
    with pytest.raises(UsageError, match="names 3 resources"):
        trace(source, data, LISTING)
    archive = Layout(data, "mine").raw / "000001.warc.gz"
    archive.write_bytes(archive.read_bytes().replace(b"\x1f\x8b", b"\x1f\x8c"))
    with pytest.raises(DamagedArchive):
        trace(source, data, f"{SITE}/beta")


def test_the_order_of_files_and_of_records_makes_no_difference(source: Source, tmp_path: Path) -> None:
    pages = [
        record("response", LISTING, page_of(html(*titles)), when=f"{year}-03-02T10:00:00Z")
        for year, titles in ((2014, ("Alpha", "Beta")), (2016, ("Beta", "Gamma")), (2019, ("Gamma",)))
    ]
    columns = ("title", "summary", "state", "first_seen_at", "last_seen_at", "url", "record_count")
    told = []
    for number, files in enumerate(([pages], [pages[::-1]], [[page] for page in pages], [[p] for p in pages[::-1]])):
        data = tmp_path / str(number) / "data"
        data.parent.mkdir()
        for place, file in enumerate(files):
            import_warc(source, data, give(data, *file, name=f"{place}.warc.gz"))
        rebuild(source, data)
        told.append(sorted(tuple(row[c] for c in columns) for row in newest(data).rows("resources")))
    assert told[1:] == told[:1] * 3


def test_pages_that_share_a_moment_are_each_looked_at_once(
    source: Source, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1200 pages of one date took 20 s, when each was held against all before it
    looked_at: list[str] = []
    canonical = canonical_url

    def counted(url: str, **said: Any) -> str:
        looked_at.append(url)
        return canonical(url, **said)

    monkeypatch.setattr(captures, "canonical_url", counted)
    pages = {f"{SITE}/{number}": own_page(f"Titre {number}") for number in range(60)}
    import_warc(source, data, warc(data.parent / "vieux.warc.gz", pages))
    assert len(ledger_of(Layout(data, "mine"), 1).visits) == 60
    assert len(looked_at) <= 60
    more = {f"{SITE}/7?utm_source=x": own_page("Autre"), f"{SITE}/61": own_page("Neuf")}
    import_warc(source, data, warc(data.parent / "neuf.warc.gz", more))
    assert [visit.url.partition("#")[2] for visit in ledger_of(Layout(data, "mine"), 2).visits] == [
        "2026-01-02T03:04:05Z-2",
        "2026-01-02T03:04:05Z",
    ]
    assert len(looked_at) <= 60 + 62


def test_two_pages_of_one_address_and_moment_are_two(source: Source, data: Path) -> None:
    first, second = page_of(html("Alpha")), page_of(html("Alpha", "Beta"))
    file = give(data, record("response", LISTING, first), record("response", LISTING.replace("s:", ":"), second))
    import_warc(source, data, file)
    rebuild(source, data)
    assert {r["url"] for r in newest(data).rows("pages")} == {f"{LISTING}#{WHEN}", f"{LISTING}#{WHEN}-2"}
    assert set(by_title(data)) == {"Alpha", "Beta"}


# --- beside what the site showed us -----------------------------------------------------------------------------------


def test_old_pages_never_outweigh_what_the_site_showed_us(source: Source, data: Path) -> None:
    shortlink = f"<link rel=shortlink href='{SITE}/node/1'>"
    live = {
        LISTING: listing(block("Alpha"), block("Beta").replace("/beta", "/node/1")),
        f"{SITE}/node/1": redirect(f"{SITE}/beta"),
        f"{SITE}/beta": page_of(
            own_page("Beta").partition(b"\r\n\r\n")[2].replace(b"<head>", f"<head>{shortlink}".encode())
        ),
    }
    night(source, data, live)
    before = by_title(data)
    ids = {row["resource_id"]: row for row in newest(data).rows("ids")}
    # on that day, /node/1 was Alpha, Alpha was called otherwise, and Beta stood at another address
    then = html("Alpha", text="vieux texte").replace(b"<h1>", f"<h1>{shortlink}".encode())
    old_own = own_page("Beta", f"{SITE}/node/9").partition(b"\r\n\r\n")[2].replace(b"Guide", b"Autre")
    file = give(
        data,
        record("response", LISTING, page_of(then.replace(b"<body>", f"<head>{shortlink}</head><body>".encode()))),
        record("response", f"{SITE}/beta", page_of(old_own)),
        record("response", f"{LISTING}?page=1", page_of(html("Omega"))),
    )
    import_warc(source, data, file)
    assert "release 2 published: 3 resources" in rebuild(source, data).verdict
    after = by_title(data)
    still = ("resource_id", "url", "title", "type", "summary", "state", "themes", "links", "last_seen_at")
    for title, row in before.items():
        assert {name: after[title][name] for name in still} == {name: row[name] for name in still}
        assert after[title]["first_seen_at"] == datetime.fromisoformat(WHEN)
        known_by = {one["resource_id"]: one["known_by"] for one in newest(data).rows("ids")}[row["resource_id"]]
        # Beta's page said so of itself
        assert set(known_by) - {f"{SITE}/node/9"} == set(ids[row["resource_id"]]["known_by"])
    assert [(c["field"], c["before"], c["after"]) for c in newest(data).rows("changes")] == [
        ("state", None, "unlisted")
    ]
    assert after["Omega"]["state"] == "unlisted"
    assert "unchanged since release 2" in night(source, data, live)
    assert "equal to release 2" in rebuild(source, data).verdict


def test_what_the_site_no_longer_shows_keeps_its_last_values(source: Source, data: Path) -> None:
    night(source, data, {LISTING: listing(block("Alpha"), block("Beta"))})
    night(source, data, {LISTING: listing(block("Beta"))})
    assert by_title(data)["Alpha"]["state"] == "unlisted"
    # an earlier date alone is no news; Omega is
    file = give(data, record("response", LISTING, page_of(html("Alpha", "Omega", text="vieux texte"))))
    import_warc(source, data, file)
    rebuild(source, data)
    row = by_title(data)["Alpha"]
    assert (row["summary"], row["state"], row["first_seen_at"].year) == ("Le texte de Alpha.", "unlisted", 2019)


# --- once only --------------------------------------------------------------------------------------------------------


def test_a_file_that_was_imported_adds_nothing_however_it_is_packed_or_called(source: Source, data: Path) -> None:
    pages = [
        record("response", LISTING, page_of(html("Alpha", "Beta"))),
        record("resource", f"{SITE}/x", html("Gamma"), type_="text/html"),
    ]
    import_warc(source, data, give(data, *pages))
    rebuild(source, data)
    before = archived(data)
    for name, pack in (("vieux.warc.gz", by_record), ("autre.warc", not_at_all), ("encore.warc.gz", as_a_whole)):
        outcome = import_warc(source, data, give(data, *pages, pack=pack, name=name))
        assert outcome.verdict == f"mine: nothing new in {name}: 2 pages archived already"
        assert "2  archived already" in outcome.facts["left_aside"][0]
    assert archived(data) == before
    assert "equal to release 1" in rebuild(source, data).verdict
    more = record("response", LISTING, page_of(html("Alpha")), when="2021-01-01T00:00:00Z")
    assert "run 2 imported: 1 page of 1 address (2021-01-01): 1 record," in (
        import_warc(source, data, give(data, *pages, more, name="plus.warc.gz")).verdict
    )
    assert aside(data, 2) == {"archived already": 2, "beside the pages": 1}


def test_what_a_night_archived_is_not_imported_again_and_what_a_dry_run_did_is(source: Source, data: Path) -> None:
    night(source, data, {LISTING: listing(block("Alpha"))})
    again = data.parent / "night.warc.gz"
    assert "nothing new" in import_warc(source, data, again).verdict
    other = data.parent / "essai" / "data"
    other.parent.mkdir()
    refresh(source.model_copy(update={"replay": str(again)}), other, is_dry=True)
    assert "run 2 imported: 1 page" in import_warc(source, other, again).verdict


# --- dialects ---------------------------------------------------------------------------------------------------------

BODY = html("Alpha", "Beta")
TYPE = b"Content-Type: text/html; charset=utf-8\r\n"
PACKED = gzip.compress(BODY)


def base32(content: bytes) -> str:
    return "sha1:" + b32encode(sha1(content, usedforsecurity=False).digest()).decode()


def hexadecimal(content: bytes) -> str:
    return "sha256:" + sha256(content).hexdigest()


def chunks(body: bytes) -> bytes:
    return chunked(body[:70], body[70:]).partition(b"\r\n\r\n")[2]


DIALECTS = {
    "chunks left in, as the Internet Archive does": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + TYPE + b"\r\n" + chunks(BODY),
        f"WARC-Payload-Digest: {base32(BODY)}",
    ),
    "gzip left in, digest of what was sent": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
        + TYPE
        + f"Content-Length: {len(PACKED)}\r\n\r\n".encode()
        + PACKED,
        f"WARC-Payload-Digest: {base32(PACKED)}",
    ),
    "gzip in chunks, digest of the page": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n"
        + TYPE
        + b"\r\n"
        + chunks(PACKED),
        f"WARC-Payload-Digest: {hexadecimal(BODY)}",
    ),
    "headers kept over a body that was unpacked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n" + TYPE + b"\r\n" + BODY,
        f"WARC-Payload-Digest: {base32(BODY)}",
    ),
    "as Common Crawl writes it": (
        b"HTTP/1.1 200 OK\r\nX-Crawl-Content-Encoding: gzip\r\n"
        + TYPE
        + f"Content-Length: {len(BODY)}\r\n\r\n".encode()
        + BODY,
        f"WARC-Payload-Digest: {base32(BODY)}",
    ),
    "as a browser archive writes it": (
        b"HTTP/2 200 \r\nx-orig-content-encoding: gzip\r\n" + TYPE.lower() + b"\r\n" + BODY,
        "WARC-Page-ID: 1234",
    ),
    "HTTP/1.0 with bare line ends": (
        b"HTTP/1.0 200 OK\n" + TYPE.replace(b"\r", b"") + b"\n" + BODY,
        "X-Folded: a\r\n b",
    ),
    "no digest at all": (page_of(BODY), "WARC-IP-Address: 192.0.2.1"),
    "a digest of a kind we do not know": (page_of(BODY), "WARC-Payload-Digest: blake3:abcd"),
}


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_page_is_read_alike_in_every_dialect(
    source: Source, data: Path, dialect: str, pack: Callable[..., bytes]
) -> None:
    content, header = DIALECTS[dialect]
    around = [record(kind, LISTING, b"x: y\r\n", type_="application/warc-fields") for kind in ("request", "metadata")]
    file = give(data, record("response", LISTING, content, header), *around, pack=pack)
    assert (
        "1 page of 1 address (2019-05-06): 2 records, 0 rejects; 0 left aside"
        in import_warc(source, data, file).verdict
    )
    raw = Layout(data, "mine").raw / "000001.warc.gz"
    pointer = (read_ledger(raw) or {})["visits"][0]["pointer"]
    assert record_at(raw, pointer["offset"]).block == content
    assert read_payload(raw, pointer["offset"]).content == BODY


# --- what is left aside -----------------------------------------------------------------------------------------------


def test_nothing_is_left_aside_without_a_reason_and_all_are_counted(source: Source, data: Path) -> None:
    page = page_of(html("Beta"))
    bomb = gzip.compress(bytes(17 * 1024 * 1024))
    refused = {
        "on another host": record("response", "https://ailleurs.example/", page),
        "no address of a page": record("response", "dns:rtes.example", b"20190506 A 192.0.2.1"),
        "robots.txt": record("response", f"{SITE}/robots.txt", page_of(b"User-agent: *", "text/plain")),
        "status other than 200": record("response", f"{SITE}/a", redirect("/b")),
        "neither HTML nor text": record("response", f"{SITE}/a", page_of(b"%PDF", "application/pdf")),
        "broken answer": record("response", f"{SITE}/a", page[:-3]),
        "cut by who wrote it": record("response", f"{SITE}/a", page, "WARC-Truncated: length"),
        "digest differs": record("response", f"{SITE}/a", page, f"WARC-Payload-Digest: {base32(b'autre')}"),
        "too large": record(
            "response", f"{SITE}/a", page_of(bomb).replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n", 1)
        ),
        "dated ahead": record("response", f"{SITE}/a", page, when="2999-01-01T00:00:00Z"),
        "original missing": record("revisit", f"{SITE}/a", b"", f"WARC-Payload-Digest: {base32(b'loin')}"),
        "twice in the file": record("response", LISTING, page_of(html("Alpha"))),
        "damaged": record("response", f"{SITE}/a", page).replace(b"Content-Length:", b"Content-Length: un", 1),
        "beside the pages": record("conversion", f"{SITE}/a", b"texte", type_="text/plain"),
    }
    file = give(data, record("response", LISTING, page_of(html("Alpha"))), *refused.values())
    assert "1 record, 0 rejects; 13 left aside" in import_warc(source, data, file).verdict
    assert aside(data) == dict.fromkeys(refused, 1) | {"beside the pages": 2}
    told = {one["why"]: one["first"][0] for one in report(data, 1)["origin"]["left_aside"]}
    assert told["status other than 200"] == {"url": f"{SITE}/a", "reason": "status 301"}
    assert told["cut by who wrote it"]["reason"] == "not whole (warc-truncated: length)"
    ledger = read_ledger(Layout(data, "mine").raw / "000001.warc.gz")
    assert ledger
    assert ledger["origin"] == report(data, 1)["origin"]
    rebuild(source, data)
    assert set(by_title(data)) == {"Alpha"}


def test_a_record_whose_own_digest_differs_is_not_taken(source: Source, data: Path) -> None:
    good, bad = page_of(html("Alpha")), page_of(html("Beta"))
    # a payload digest of a dialect we do not know says nothing beside a digest of the record that holds
    file = give(
        data,
        record("response", LISTING, good, f"WARC-Block-Digest: {base32(good)}", "WARC-Payload-Digest: sha1:AAAA"),
        record("response", f"{SITE}/b", bad, f"WARC-Block-Digest: {base32(good)}"),
    )
    import_warc(source, data, file)
    assert aside(data) == {"beside the pages": 1, "digest differs": 1}
    assert "digest differs" in report(data, 1)["origin"]["left_aside"][1]["first"][0]["reason"]


def test_the_report_names_the_first_and_counts_the_rest(source: Source, data: Path) -> None:
    others = [record("response", f"https://ailleurs.example/{n}", b"") for n in range(NAMED + 5)]
    outcome = import_warc(source, data, give(data, record("response", LISTING, page_of(html("Alpha"))), *others))
    kept = report(data, 1)["origin"]["left_aside"][0]
    assert (kept["count"], len(kept["first"])) == (NAMED + 5, NAMED)
    assert outcome.facts["left_aside"][0].split() == ["25", "on", "another", "host", "https://ailleurs.example/0"]


# --- revisits ---------------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\n" + TYPE + b"X-When: later\r\n\r\n"
ORIGINAL = page_of(BODY)
NAMES = {
    "digest": (f"WARC-Payload-Digest: {base32(BODY)}",),
    "address and date": (f"WARC-Refers-To-Target-URI: {LISTING}", f"WARC-Refers-To-Date: {WHEN}"),
    "record": (f"WARC-Refers-To: <urn:uuid:{base32(LISTING.encode() + ORIGINAL)[5:21]}>",),
}
SAME = "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
UNCHANGED = "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/server-not-modified"
LATER = "2020-05-06T07:08:09Z"


def pointers(data: Path) -> list[tuple[str, Pointer]]:
    ledger = read_ledger(Layout(data, "mine").raw / "000001.warc.gz")
    assert ledger
    return [(visit["fetched_at"], Pointer(**visit["pointer"])) for visit in ledger["visits"]]


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("named", NAMES)
def test_a_revisit_is_the_page_that_it_repeats_at_its_own_date(
    source: Source,
    data: Path,
    named: str,
    is_first: bool,  # noqa: FBT001
    pack: Callable[..., bytes],
) -> None:
    # as wget writes it: truncated, by its own word, and the digest of nothing
    odd = ("WARC-Truncated: length", f"WARC-Block-Digest: {base32(b'')}")
    revisit = record("revisit", LISTING, HEAD, SAME, *odd, *NAMES[named], when=LATER)
    records = [record("response", LISTING, ORIGINAL), revisit]
    import_warc(source, data, give(data, *(records[::-1] if is_first else records), pack=pack))
    assert [date for date, _ in pointers(data)] == [WHEN, LATER]
    raw = Layout(data, "mine").raw / "000001.warc.gz"
    assert [record_at(raw, p.offset).block for _, p in pointers(data)] == [ORIGINAL, HEAD + BODY]
    rebuild(source, data)
    assert {row["last_seen_at"].year for row in by_title(data).values()} == {2020}


@pytest.mark.parametrize("sent", [b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", b""])
def test_an_answer_304_stays_one_and_confirms_its_page(source: Source, data: Path, sent: bytes) -> None:
    revisit = record("revisit", LISTING, sent, UNCHANGED, *NAMES["address and date"], when=LATER)
    import_warc(source, data, give(data, record("response", LISTING, ORIGINAL), revisit))
    raw = Layout(data, "mine").raw / "000001.warc.gz"
    (_, first), (_, second) = pointers(data)
    kept = record_at(raw, second.offset)
    assert (kept.kind, kept.header("moisson-refers-to")) == ("revisit", f"000001.warc.gz;{first.offset}")
    assert (answer_bytes(raw, second.offset), read_payload(raw, second.offset).content) == (sent, BODY)
    rebuild(source, data)
    assert {(r["first_seen_at"].year, r["last_seen_at"].year) for r in by_title(data).values()} == {(2019, 2020)}
    assert "fetched   2020-05-06 07:08:09 UTC (imported copy)" in trace(source, data, f"{SITE}/alpha")
    assert check(raw.parent) == []
    assert "nothing new" in import_warc(source, data, data.parent / "vieux.warc.gz").verdict
    # the same answer in a second file, the page itself archived before
    other = record("revisit", LISTING, sent, UNCHANGED, *NAMES["address and date"], when="2021-05-06T07:08:09Z")
    file = give(data, record("response", LISTING, ORIGINAL), other, name="suite.warc.gz")
    assert "run 2 imported: 1 page of 1 address (2021-05-06): 2 records" in import_warc(source, data, file).verdict


@pytest.mark.parametrize("named", ["digest", "address and date"])
def test_a_revisit_finds_its_original_in_a_file_that_was_imported_before(
    source: Source, data: Path, named: str
) -> None:
    revisits = (
        record("revisit", LISTING, HEAD, SAME, *NAMES[named], when=LATER),
        record(
            "revisit", f"{SITE}/x", HEAD, SAME, f"WARC-Payload-Digest: {base32(b'autre')}", *NAMES["address and date"]
        ),
    )
    alone = give(data, *revisits, name="suite.warc.gz")
    with pytest.raises(UsageError, match=r"2 original missing.*; import the file first"):
        import_warc(source, data, alone)
    import_warc(source, data, give(data, record("response", LISTING, ORIGINAL)))
    assert "run 2 imported: 1 page of 1 address (2020-05-06): 2 records" in import_warc(source, data, alone).verdict
    # the other names a page of that address and date, and has another digest
    assert aside(data, 2) == {"beside the pages": 1, "original missing": 1}
    raw = Layout(data, "mine").raw / "000002.warc.gz"
    ledger = read_ledger(raw)
    assert ledger
    assert record_at(raw, ledger["visits"][0]["pointer"]["offset"]).block == HEAD + BODY
    other = record("revisit", LISTING, b"", UNCHANGED, *NAMES[named], when="2021-05-06T07:08:09Z")
    import_warc(source, data, give(data, other, name="encore.warc.gz"))
    raw = Layout(data, "mine").raw / "000003.warc.gz"
    pointer = (read_ledger(raw) or {})["visits"][0]["pointer"]
    assert read_payload(raw, pointer["offset"]).content == BODY
    assert check(raw.parent) == []


def test_a_revisit_that_contradicts_itself_is_no_page(source: Source, data: Path) -> None:
    stated = f"WARC-Payload-Digest: {base32(BODY)}"
    odd = record("revisit", LISTING, HEAD, SAME, *NAMES["record"], f"WARC-Payload-Digest: {base32(b'x')}", when=LATER)
    gone = record("revisit", LISTING, HEAD.replace(b"200 OK", b"404 No"), SAME, stated, when=LATER)
    # its record has the name that NAMES tells
    file = give(data, record("response", LISTING, ORIGINAL, stated), odd, gone)
    import_warc(source, data, file)
    assert aside(data) == {"beside the pages": 1, "digest differs": 1, "status other than 200": 1}


# --- damage and limits ------------------------------------------------------------------------------------------------


def test_damage_costs_the_records_it_hit_and_is_told_by_its_place(
    moisson: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    source_file(tmp_path, None)
    members = [
        gzip.compress(record("response", f"{LISTING}?page={n}", page_of(html(title))))
        for n, title in enumerate(("Alpha", "Beta", "Gamma"), 1)
    ]
    torn = members[1][:60] + b"????" + members[1][64:]
    (tmp_path / "vieux.warc.gz").write_bytes(members[0] + torn + members[2])
    code, out, err = moisson("import", "mine.toml", "vieux.warc.gz")
    assert code == 0
    assert out == (
        "mine: run 1 imported: 2 pages of 2 addresses (2019-05-06): 2 records, 0 rejects; 1 left aside; "
        "`moisson rebuild mine` publishes them\n"
    )
    assert err.splitlines()[0] == "not taken:"
    assert f"1  damaged                 damaged at offset {len(members[0])}: " in err
    code, out, err = moisson("import", "mine.toml", "vieux.warc.gz")
    assert (code, out) == (0, "mine: nothing new in vieux.warc.gz: 2 pages archived already\n")


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (by_record(INFO)[:30] + bytes(100), DamagedArchive, "no page can be read: damaged at offset 0"),
        (by_record(INFO, record("response", "https://ailleurs.example/", b"")), UsageError, "holds no page of mine"),
        (
            by_record(record("response", LISTING, page_of(b"<html>rien</html>"))),
            StructureChanged,
            "no block with labelled",
        ),
        (b"WARC/1.0\r\n" + bytes(50), DamagedArchive, "no page can be read"),
    ],
)
def test_a_file_that_brings_nothing_leaves_nothing(
    source: Source, data: Path, content: bytes, error: type[Exception], said: str
) -> None:
    file = data.parent / "vieux.warc.gz"
    file.write_bytes(content)
    with pytest.raises(error, match=said) as raised:
        import_warc(source, data, file)
    assert "nothing was archived" in str(raised.value)
    assert archived(data) == []


def test_an_import_that_fails_midway_leaves_nothing_and_can_be_done_again(
    source: Source, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = three_years(data)
    with monkeypatch.context() as patched:
        patched.setattr("flows.captures.read_pages", lambda pages: (_ for _ in ()).throw(DiskTrouble("plein")))
        with pytest.raises(DiskTrouble):
            import_warc(source, data, file)
    assert archived(data) == []
    assert "3 pages" in import_warc(source, data, file).verdict


@pytest.mark.parametrize("pack", [by_record, as_a_whole, not_at_all])
def test_what_lies_in_a_record_that_is_too_large_is_no_record(
    source: Source, data: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[..., bytes]
) -> None:
    monkeypatch.setattr("harvest.members.MAX_RECORD_BYTES", 4000)
    monkeypatch.setattr("harvest.packings.MAX_RECORD_BYTES", 4000)
    inner = pack(record("response", f"{SITE}/faux", page_of(html("Faux"))))
    film = record("response", f"{SITE}/film", page_of(inner * 30, "video/mp4"))
    stored = [gzip.compress(film, 0)] if pack is by_record else [pack(film)]
    page = record("response", LISTING, page_of(html("Alpha")))
    path = data.parent / "vieux.warc.gz"
    path.write_bytes(pack(INFO, film, page) if pack is as_a_whole else pack(INFO) + stored[0] + pack(page))
    found = list(foreign_pages(path, source, NOW))
    assert [f.url for f in found if isinstance(f, ForeignPage)] == [LISTING]
    kinds = [f.kind for f in found if isinstance(f, Passed)]
    assert kinds == ["beside the pages", "too large"]


def peak_of(path: Path, source: Source) -> tuple[int, list[str], int]:
    """How many pages, why others were none, and the most memory that reading them took."""
    tracemalloc.start()
    kinds = [found.kind if isinstance(found, Passed) else "" for found in foreign_pages(path, source, NOW)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return kinds.count(""), [kind for kind in kinds if kind], peak


@pytest.mark.parametrize("pack", PACKINGS)
def test_a_large_file_is_read_in_little_memory(source: Source, tmp_path: Path, pack: Callable[..., bytes]) -> None:
    path, dice = tmp_path / "vieux.warc.gz", random.Random(5)
    pages = (page_of(html("Alpha") + dice.randbytes(50_000).hex().encode() + b"</html>") for _ in range(300))
    path.write_bytes(pack(*(record("response", f"{SITE}/{n}", page) for n, page in enumerate(pages))))
    taken, _, peak = peak_of(path, source)
    assert taken == 300
    assert peak < 6_000_000 < path.stat().st_size


@pytest.mark.parametrize("pack", PACKINGS)
def test_a_bomb_costs_no_more_than_one_record_may(source: Source, tmp_path: Path, pack: Callable[..., bytes]) -> None:
    path, page = tmp_path / "vieux.warc.gz", record("response", LISTING, page_of(html("Alpha")))
    bomb = record("response", f"{SITE}/b", bytes(150_000_000 if pack is by_record else 70_000_000))
    parts = [record("response", f"{SITE}/a", page_of(html("Alpha"))), bomb, page]
    path.write_bytes(
        gzip.compress(parts[0]) + gzip.compress(bomb, 1) + gzip.compress(page) if pack is by_record else pack(*parts)
    )
    del bomb, parts
    taken, kinds, peak = peak_of(path, source)
    assert (taken, kinds) == (2, ["too large"])
    assert peak < (75_000_000 if pack is by_record else 6_000_000)


def test_a_page_that_was_never_packed_has_the_same_limit(
    source: Source, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harvest.foreign.MAX_CONTENT_BYTES", 1000)
    large = html("Beta").ljust(1001)
    records = [
        record("response", LISTING, page_of(html("Alpha").ljust(1000))),
        record("response", f"{SITE}/a", page_of(large)),
        record("resource", f"{SITE}/b", large, type_="text/html"),
    ]
    import_warc(source, data, give(data, *records))
    assert aside(data) == {"beside the pages": 1, "too large": 2}


def test_one_address_of_a_warc_may_be_asked_for(moisson: Run, tmp_path: Path) -> None:  # noqa: F811
    source_file(tmp_path, None)
    records = (
        record("response", url, page_of(html(title))) for url, title in ((LISTING, "Alpha"), (f"{SITE}/a", "Beta"))
    )
    (tmp_path / "vieux.warc.gz").write_bytes(by_record(*records))
    code, out, err = moisson("import", "mine.toml", "vieux.warc.gz", "--url", f"{SITE}/a", "--at", "2019-01-01")
    assert (code, "1 page of 1 address" in out) == (0, True)
    assert "1  not asked for" in err
    assert "--at counts for nothing" in err
    (row,) = ledger_of(Layout(tmp_path / "data", "mine"), 1).visits
    assert row.url.startswith(f"{SITE}/a#20")


@pytest.mark.parametrize("digits", [19, 5000])
def test_a_length_that_no_file_has_is_damage(source: Source, data: Path, digits: int) -> None:
    page = page_of(html("Beta"))
    odd = record("response", f"{SITE}/a", page).replace(
        f"Length: {len(page)}\r\n\r".encode(), b"Length: %s\r\n\r" % (b"9" * digits), 1
    )
    import_warc(source, data, give(data, odd, record("response", LISTING, page_of(html("Alpha"))), pack=not_at_all))
    assert aside(data)["damaged"] == 1
    assert len(report(data, 1)["origin"]["left_aside"][-1]["first"][0]["reason"]) < 200


def test_a_film_is_passed_over_in_little_memory(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harvest.members.MAX_RECORD_BYTES", 1_000_000)
    film = record("response", f"{SITE}/film", random.Random(7).randbytes(20_000_000))
    path = tmp_path / "vieux.warc.gz"
    path.write_bytes(by_record(film, record("response", LISTING, page_of(html("Alpha")))))
    del film
    taken, kinds, peak = peak_of(path, source)
    assert (taken, kinds) == (1, ["too large"])
    assert peak < 8_000_000


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("vieux.warc.gz", "--url", LISTING), 2, "holds no page of mine"),
        (("page.html",), 2, "say with --url where it was saved from, and with --at when"),
        (("page.html", "--url", LISTING), 2, "and with --at when"),
        (("none.warc.gz",), 2, "cannot be read"),
        ((".",), 2, "cannot be read"),
    ],
)
def test_a_wrong_import_is_told_what_to_do(
    moisson: Run,  # noqa: F811
    tmp_path: Path,
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    source_file(tmp_path, None)
    (tmp_path / "page.html").write_bytes(html("Alpha"))
    (tmp_path / "vieux.warc.gz").write_bytes(by_record(INFO))
    got, out, err = moisson("import", "mine.toml", *words)
    assert (got, out) == (code, "")
    assert said in err


def test_what_a_file_says_cannot_write_to_the_terminal(
    moisson: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    source_file(tmp_path, None)
    odd = record("response", f"{SITE}/\x1b[31m", page_of(b"x", "image/\x1b[2J\x07"))
    (tmp_path / "vieux.warc").write_bytes(not_at_all(record("response", LISTING, page_of(html("Alpha"))), odd))
    _, out, err = moisson("import", "mine.toml", "vieux.warc")
    assert not [c for c in out + err if c != "\n" and not c.isprintable()]
    assert "1  neither HTML nor text" in err

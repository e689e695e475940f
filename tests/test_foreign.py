"""Pages of the source come out of any WARC, byte for byte, and what does not come out says why."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harvest.archive import ArchiveWriter, imported_from, read_block, read_blocks
from harvest.foreign import ForeignPage, Passed, foreign_pages
from harvest.members import digest_of, record_at
from harvest.payloads import read_payload
from schema.errors import DamagedArchive
from schema.sources import Source
from tests.foreign_warcs import INFO, PACKINGS, WHEN, as_a_whole, by_record, not_at_all, record
from tests.site_server import answer, chunked, make_source, redirect

SITE = "https://www.rtes.example"
PAGE = answer("<html><p>é</p></html>", media_type="text/html; charset=utf-8")
BODY = PAGE.partition(b"\r\n\r\n")[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def source() -> Source:
    return make_source(SITE)


def read(path: Path, source: Source) -> tuple[list[ForeignPage], list[Passed]]:
    found = list(foreign_pages(path, source, NOW))
    passed = [f for f in found if isinstance(f, Passed) and f.kind != "beside the pages"]
    return [f for f in found if isinstance(f, ForeignPage)], passed


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"])
@pytest.mark.parametrize("kind", ["response", "revisit"])
def test_a_date_that_is_none_in_utc_costs_that_record_alone(
    tmp_path: Path, source: Source, when: str, kind: str
) -> None:
    path = tmp_path / "autre.warc.gz"
    refers = (
        "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
        f"WARC-Refers-To-Target-URI: {SITE}/a",
        f"WARC-Refers-To-Date: {when}",
    )
    odd = record(kind, f"{SITE}/a", PAGE, *refers, when=WHEN if kind == "revisit" else when)
    path.write_bytes(by_record(INFO, odd, record("response", f"{SITE}/b", PAGE)))
    taken, passed = read(path, source)
    assert [page.url for page in taken] == [f"{SITE}/b"]
    assert [p.kind for p in passed] == ["original missing" if kind == "revisit" else "damaged"]


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize("version", ["WARC/0.17", "WARC/0.18", "WARC/1.0", "WARC/1.1"])
def test_a_page_comes_out_of_any_version_and_packing(
    tmp_path: Path, source: Source, version: str, pack: Callable[..., bytes]
) -> None:
    path = tmp_path / "autre.warc.gz"
    pages = (
        record("response", f"<{SITE}:443/a/>", PAGE, version=version),
        record("request", f"{SITE}/a", b"GET / HTTP/1.1\r\n\r\n", version=version),
        record("response", f"{SITE}/b", chunked(b"<p>", b"b</p>"), version=version),
        record("resource", f"{SITE}/c", b"<p>c</p>", version=version, type_="text/html; charset=latin-1"),
    )
    path.write_bytes(pack(INFO, *pages))
    taken, passed = read(path, source)
    assert passed == []
    assert [(p.url, p.kind, p.content) for p in taken] == [
        (f"{SITE}/a", "response", PAGE),
        (f"{SITE}/b", "response", chunked(b"<p>", b"b</p>")),
        (f"{SITE}/c", "resource", b"<p>c</p>"),
    ]
    assert {p.archived_at for p in taken} == {datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC)}
    assert taken[0].stated_url == f"{SITE}:443/a/"


def test_what_is_not_taken_says_why(tmp_path: Path, source: Source) -> None:
    path = tmp_path / "autre.warc.gz"
    refused = {
        "on another host": record("response", "https://ailleurs.example/", PAGE),
        "no address of a page": record("response", "dns:rtes.example", b"20190506 A 192.0.2.1"),
        "no HTTP answer": record("response", f"{SITE}/x", b"ftp"),
        "status 301": record("response", f"{SITE}/x", redirect("/y")),
        "status 404": record("response", f"{SITE}/x", answer("", status="404 Not Found")),
        "media type image/png": record("response", f"{SITE}/x", answer(b"\x89PNG", media_type="image/png")),
        "media type not stated": record("resource", f"{SITE}/x", b"a", type_=" "),
        "of the": record("response", f"{SITE}/x", PAGE[:-3]),
        "304": record("revisit", f"{SITE}/x", answer(""), "WARC-Profile: x/revisit/server-not-modified"),
        "archive holds": record("revisit", f"{SITE}/x", PAGE[: -len(BODY)], "WARC-Payload-Digest: sha1:AAAA"),
    }
    path.write_bytes(by_record(INFO, *refused.values()))
    taken, passed = read(path, source)
    assert taken == []
    for words, found in zip(refused, passed, strict=True):
        assert words in found.reason


@pytest.mark.parametrize("pack", PACKINGS)
def test_the_same_page_twice_comes_once_and_on_two_dates_twice(
    tmp_path: Path, source: Source, pack: Callable[..., bytes]
) -> None:
    path = tmp_path / "autre.warc.gz"
    page = record("response", f"{SITE}/a", PAGE)
    later = record("response", f"{SITE}/a", PAGE, when="2020-01-01T00:00:00Z")
    path.write_bytes(pack(page, page, later, record("response", f"{SITE}:443/a", PAGE)))
    taken, passed = read(path, source)
    assert [p.archived_at.year for p in taken] == [2019, 2020]
    assert [p.reason for p in passed] == ["the same as an earlier record"] * 2


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize("by_digest", [True, False])
def test_a_revisit_gets_the_body_that_it_repeats(
    tmp_path: Path,
    source: Source,
    pack: Callable[..., bytes],
    by_digest: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "autre.warc.gz"
    named = (
        [f"WARC-Payload-Digest: {digest_of(BODY)}"]
        if by_digest
        else [f"WARC-Refers-To-Target-URI: {SITE}/a", f"WARC-Refers-To-Date: {WHEN}"]
    )
    head = PAGE[: -len(BODY)]
    revisit = record("revisit", f"{SITE}/b", head, *named, when="2020-01-01T00:00:00Z")
    path.write_bytes(pack(INFO, record("response", f"{SITE}/a", PAGE), revisit))
    taken, passed = read(path, source)
    assert passed == []
    assert [(p.url, p.kind, p.content) for p in taken] == [
        (f"{SITE}/a", "response", PAGE),
        (f"{SITE}/b", "response", PAGE),
    ]


def test_damage_costs_a_foreign_file_the_records_it_hit(tmp_path: Path, source: Source) -> None:
    path = tmp_path / "autre.warc.gz"
    members = [gzip.compress(record("response", f"{SITE}/{n}", PAGE)) for n in range(4)]
    for broken in (0, 2):
        torn = members[broken][:40] + b"????" + members[broken][44:]
        path.write_bytes(b"".join([*members[:broken], torn, *members[broken + 1 :]]))
        taken, passed = read(path, source)
        assert [p.url for p in taken] == [f"{SITE}/{n}" for n in range(4) if n != broken]
        assert [p.reason.split(":")[0] for p in passed] == [
            f"damaged at offset {sum(len(m) for m in members[:broken])}"
        ]


def test_a_cut_file_that_is_packed_as_a_whole_gives_what_stands_before_the_cut(tmp_path: Path, source: Source) -> None:
    path = tmp_path / "autre.warc.gz"
    records = [record("response", f"{SITE}/{n}", PAGE) for n in range(50)]
    path.write_bytes(not_at_all(*records)[:-20])
    assert [len(found) for found in read(path, source)] == [49, 1]
    path.write_bytes(as_a_whole(b"".join(records)[:-20]))
    assert [len(found) for found in read(path, source)] == [49, 1]
    path.write_bytes(as_a_whole(*records)[:-20])
    taken, passed = read(path, source)
    assert 0 < len(taken) < 50
    assert len(passed) == 1


@pytest.mark.parametrize("content", [b"", b"<html></html>", gzip.compress(b"<html></html>")])
def test_what_is_no_warc_is_said(tmp_path: Path, source: Source, content: bytes) -> None:
    path = tmp_path / "autre.warc.gz"
    path.write_bytes(content)
    with pytest.raises(DamagedArchive, match=r"autre\.warc\.gz"):
        list(foreign_pages(path, source, NOW))
    with pytest.raises(DamagedArchive, match="no such file"):
        list(foreign_pages(tmp_path / "absent.warc", source, NOW))


def test_a_file_that_is_damaged_from_end_to_end_gives_nothing_and_says_so(tmp_path: Path, source: Source) -> None:
    path = tmp_path / "autre.warc.gz"
    path.write_bytes(by_record(INFO)[:30] + bytes(100))
    assert [len(found) for found in read(path, source)] == [0, 1]


def test_a_foreign_page_is_archived_with_its_date_and_where_it_came_from(tmp_path: Path, source: Source) -> None:
    foreign, path = tmp_path / "autre fichier.warc.gz", tmp_path / "000001.warc.gz"
    copy = record("resource", f"{SITE}/c", b"<p>c</p>", type_="text/html; charset=latin-1")
    foreign.write_bytes(by_record(INFO, record("response", f"{SITE}/a/", PAGE), copy))
    taken, _ = read(foreign, source)
    with ArchiveWriter(path, "essai") as archive:
        pointers = [archive.add_foreign(page, imported_from(foreign.name, "00ff")) for page in taken]
        archive.add_ledger({"format": 1}, datetime.now(UTC))
    assert [(b.kind, b.url) for b in read_blocks(path)][:2] == [("response", f"{SITE}/a/"), ("resource", f"{SITE}/c")]
    for page, pointer in zip(taken, pointers, strict=True):
        block, content = read_block(path, pointer.offset)
        assert (content, block.archived_at) == (page.content, page.archived_at)
        origin = record_at(path, pointer.offset).header("moisson-imported-from")
        assert origin == f"autre%20fichier.warc.gz;sha256:00ff;{page.record_id}"
    assert read_payload(path, pointers[0].offset).content == BODY
    assert read_payload(path, pointers[1].offset).charset == "latin-1"
    checked = subprocess.run([sys.executable, "-m", "warcio.cli", "check", str(path)], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout

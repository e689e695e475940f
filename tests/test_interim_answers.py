"""Interim answers (1xx) before an answer: nothing that was sent is lost, and nobody takes them for the answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

from flows.captures import import_warc
from flows.jobs import rebuild, refresh
from flows.takedown import takedown
from harvest.answers import MAX_INTERIM_BYTES, without_interim
from harvest.archive import ArchiveWriter, read_blocks
from harvest.index import known_originals, write_index
from harvest.members import WarcRecord, scan_records
from harvest.payloads import read_payload
from harvest.revisits import answer_bytes
from releases.store import latest_release
from schema.layout import Layout
from schema.nouns import Original, Pointer
from schema.sources import Source, read_source
from tests.foreign_warcs import by_record, record
from tests.site_server import SiteServer, answer, listing, make_source, page, resource
from tests.small_site import LISTING, source_file
from tests.small_site import block as small_block
from tests.small_site import listing as small_listing

URL = "https://rtes.example/fiche"
REQUEST = b"GET /fiche HTTP/1.1\r\nHost: rtes.example\r\n\r\n"
WHEN = datetime(2026, 11, 23, tzinfo=UTC)
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x%20y.css>; rel=preload\r\nX-Y: \xff\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LONG_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * MAX_INTERIM_BYTES + b"\r\n\r\n"
PAGE = answer("<p>" + "Un texte écrit pour être lu. " * 40 + "</p></html>", "Date: lundi")
NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'


def night(raw: Path, run: int, got: bytes) -> Pointer:
    """One run's archive of one answer, upon what the index knows."""
    when = WHEN + timedelta(days=run)
    with ArchiveWriter(raw / f"{run:06d}.warc.gz", "essai", known_originals(write_index(raw))) as archive:
        pointer = archive.add_exchange(URL, REQUEST, got, when)
        archive.add_ledger({"format": 1}, when)
    return pointer


@pytest.mark.parametrize("before", [HINTS, CONTINUE, CONTINUE + HINTS, LONG_HINTS], ids=["103", "100", "two", "long"])
def test_what_came_before_an_answer_comes_back_byte_for_byte_and_the_page_is_stored_once(
    tmp_path: Path, before: bytes
) -> None:
    sent = [before + PAGE, before + PAGE.replace(b"lundi", b"mardi"), before + PAGE.replace(b"lundi", b"jeudi")]
    pointers = [night(tmp_path, run, got) for run, got in enumerate(sent, start=1)]
    places = [(tmp_path / pointer.file, pointer.offset) for pointer in pointers]
    assert [answer_bytes(*place) for place in places] == sent
    assert [read_payload(*place).content for place in places] == [PAGE.partition(b"\r\n\r\n")[2]] * 3
    if before is not LONG_HINTS:
        assert [next(read_blocks(path)).kind for path, _ in places] == ["response", "revisit", "revisit"]


def test_an_answer_304_behind_interim_ones_comes_back_too(tmp_path: Path) -> None:
    first = night(tmp_path, 1, CONTINUE + PAGE)
    with ArchiveWriter(tmp_path / "000002.warc.gz", "essai") as archive:
        original = Original(first.file, first.offset, URL, WHEN, "of no account")
        pointer = archive.add_revisit(URL, REQUEST, HINTS + NOT_MODIFIED, WHEN, original)
        assert answer_bytes(archive.path, pointer.offset) == HINTS + NOT_MODIFIED


def test_other_readers_see_the_answer_and_its_page(tmp_path: Path) -> None:
    for run, got in enumerate((HINTS + PAGE, CONTINUE + PAGE.replace(b"lundi", b"mardi")), start=1):
        path = tmp_path / night(tmp_path, run, got).file
        with path.open("rb") as stream:
            seen = [r for r in ArchiveIterator(stream, check_digests=True) if r.rec_type in ("response", "revisit")]
            assert [r.http_headers.get_statuscode() for r in seen] == ["200"]
        with path.open("rb") as stream:
            kinds = WarcRecordType.response | WarcRecordType.revisit
            read = [
                (r.http_headers.status_code, r.verify_payload_digest() or run > 1, r.reader.read())
                for r in FastIterator(stream, record_types=kinds, parse_http=True)
            ]
        assert read == [(200, True, PAGE.partition(b"\r\n\r\n")[2] if run == 1 else b"")]


@pytest.mark.parametrize(
    "block",
    [b"", b"no answer", HINTS, CONTINUE * 11 + PAGE, LONG_HINTS + PAGE, PAGE],
    ids=["empty", "none", "interim alone", "too many", "too long", "without"],
)
def test_what_cannot_be_parted_stays_together(block: bytes) -> None:
    assert without_interim(block) == (b"", block)


# --- a takedown, and the nights after


def site(server_before: bytes = HINTS) -> dict[str, bytes]:
    text = "Un paragraphe de pied de page. " * 40
    own = {
        slug: page(resource(slug).partition(b"<body>")[2].decode().removesuffix("</body></html>") + text)
        for slug in ("a", "z")
    }
    return {"/liste": server_before + listing("Liste", ["a", "z"]), "/a": own["a"], "/z": server_before + own["z"]}


def records(layout: Layout, run: int, url: str) -> list[WarcRecord]:
    found = scan_records(layout.archive(run))
    return [r for r in found if isinstance(r, WarcRecord) and r.url == url and r.kind in ("response", "revisit")]


@pytest.mark.parametrize("is_of_before", [False, True], ids=["an archive of now", "an archive of before"])
def test_what_was_sent_behind_interim_answers_can_be_taken_down(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_of_before: bool,  # noqa: FBT001 - a case
) -> None:
    with SiteServer(site()) as server:
        source, layout = make_source(server.origin), Layout(tmp_path, "essai")
        with monkeypatch.context() as before:
            if is_of_before:  # the first head was taken for the answer's
                for room in ("archive", "compose"):
                    before.setattr(f"harvest.{room}.without_interim", lambda block: (b"", block))
            refresh(source, tmp_path)
            refresh(source, tmp_path)
        repeated = records(layout, 2, f"{server.origin}/z")
        assert [r.kind for r in repeated] == ["revisit"]
        assert (repeated[0].block == HINTS) is is_of_before
        takedown(source, tmp_path, f"{server.origin}/z", "à la demande", "moi")
        refresh(source, tmp_path)
        refresh(source, tmp_path)
        assert "equal to release" in rebuild(source, tmp_path).verdict
        release = latest_release(layout)
        assert release is not None
        assert [row["title"] for row in release.rows("resources")] == ["Ressource a"]
        for run in layout.runs():
            for found in records(layout, run, f"{server.origin}/z"):
                payload = read_payload(layout.archive(run), found.offset)
                assert b"Ressource z" not in payload.content
                assert payload.media_type == "text/html"


# --- an import


def test_a_page_behind_interim_answers_is_imported_once_and_read_by_others(tmp_path: Path) -> None:
    source: Source = read_source(source_file(tmp_path, None))
    shown = small_listing(small_block("Alpha"))
    file = tmp_path / "old.warc.gz"
    file.write_bytes(by_record(record("response", LISTING, HINTS + shown)))
    import_warc(source, tmp_path / "data", file)
    assert "archived already" in import_warc(source, tmp_path / "data", file).verdict
    layout = Layout(tmp_path / "data", source.name)
    (found,) = records(layout, 1, LISTING)
    assert found.block == shown
    assert answer_bytes(layout.archive(1), found.offset) == HINTS + shown


@pytest.mark.parametrize("head", [b"", HINTS], ids=["the answer's", "interim ones before it"])
@pytest.mark.parametrize("before", [b"", CONTINUE], ids=["plain", "interim"])
def test_a_foreign_revisit_has_its_own_head_and_the_body_of_its_original(
    tmp_path: Path, head: bytes, before: bytes
) -> None:
    source, shown = read_source(source_file(tmp_path, None)), small_listing(small_block("Alpha"))
    own = shown.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    refers = (
        "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest",
        f"WARC-Refers-To-Target-URI: {LISTING}",
        "WARC-Refers-To-Date: 2019-05-06T07:08:09Z",
    )
    file = tmp_path / "old.warc.gz"
    repeated = record("revisit", LISTING, head + own, *refers, when="2020-05-06T07:08:09Z")
    file.write_bytes(by_record(record("response", LISTING, before + shown), repeated))
    import_warc(source, tmp_path / "data", file)
    layout = Layout(tmp_path / "data", source.name)
    found = records(layout, 1, LISTING)
    assert [read_payload(layout.archive(1), r.offset).content for r in found] == [shown.partition(b"\r\n\r\n")[2]] * 2

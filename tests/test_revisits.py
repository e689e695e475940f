"""An unchanged page is archived once: later nights point at it, give back every byte, and take little room."""

# ruff: noqa: S311 - the random numbers are seeded

from __future__ import annotations

import base64
import random
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

from harvest.answers import split_head
from harvest.archive import REVISIT_FROM_BYTES, ArchiveWriter, read_block, read_blocks
from harvest.index import INDEX_NAME, known_originals, read_index, write_index
from harvest.members import digest_of
from harvest.payloads import read_payload
from harvest.revisits import answer_bytes, effective_answer, request_bytes
from schema.errors import DamagedArchive
from schema.nouns import Original, Pointer
from tests.site_server import answer, chunked
from tests.unchanged_nights import FIRST_NIGHT, Again, by_304, by_body, nights, not_modified, sample_night, sent_again

SAMPLE = Path(__file__).parent.parent / "sources" / "sample" / "night1.warc.gz"
WHEN = datetime(2026, 11, 23, 2, 0, 1, 250_000, tzinfo=UTC)
URL = "https://rtes.example/fiche"
REQUEST = b"GET /fiche HTTP/1.1\r\nHost: rtes.example\r\n\r\n"
BODY = random.Random(1).randbytes(800).hex().encode()
FIRST = answer(BODY, "Date: lundi")
NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\nDate: mardi\r\nETag: "1"\r\n\r\n'
ASKED_AGAIN = b'GET /fiche HTTP/1.1\r\nHost: rtes.example\r\nIf-None-Match: "1"\r\n\r\n'


def night(raw: Path, run: int, *exchanges: tuple[str, bytes, bytes]) -> list[Pointer]:
    """One run's archive, upon what the index knows."""
    known = known_originals(write_index(raw))
    when = WHEN + timedelta(days=run)
    with ArchiveWriter(raw / f"{run:06d}.warc.gz", "essai", known) as archive:
        pointers = [archive.add_exchange(url, asked, got, when) for url, asked, got in exchanges]
        archive.add_ledger({"format": 1}, when)
    return pointers


def confirmed(raw: Path, run: int, original: Pointer, got: bytes = NOT_MODIFIED) -> Pointer:
    """A run whose one answer was 304."""
    known = known_originals(write_index(raw))
    stated = Original(original.file, original.offset, "of no account", WHEN, "of no account")
    with ArchiveWriter(raw / f"{run:06d}.warc.gz", "essai", known) as archive:
        pointer = archive.add_revisit(URL, ASKED_AGAIN, got, WHEN + timedelta(days=run), stated)
        archive.add_ledger({"format": 1}, WHEN)
    return pointer


def kinds(path: Path) -> list[str]:
    return [block.kind for block in read_blocks(path)]


# --- what is written


def test_the_same_body_is_archived_once_and_comes_back_byte_for_byte(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    again = answer(BODY, "Date: mardi", "X-Cache: HIT")
    second = night(tmp_path, 2, (URL, REQUEST, again))[0]
    path = tmp_path / second.file
    # neither is the request written again: it is the same, too
    assert kinds(path) == ["revisit", "metadata"]
    assert read_block(path, second.offset)[1] == split_head(again)[0]
    assert answer_bytes(path, second.offset) == effective_answer(path, second.offset) == again
    assert request_bytes(path, second.offset) == REQUEST
    assert answer_bytes(tmp_path / first.file, first.offset) == FIRST
    payload = read_payload(path, second.offset)
    assert (payload.url, payload.content, payload.media_type) == (URL, BODY, "text/html")


def test_an_answer_304_stands_for_the_answer_it_confirms(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    second = confirmed(tmp_path, 2, first)
    path = tmp_path / second.file
    assert kinds(path) == ["revisit", "request", "metadata"]
    assert answer_bytes(path, second.offset) == NOT_MODIFIED
    # a player would show what the block says
    assert read_block(path, second.offset)[1] == b""
    assert request_bytes(path, second.offset) == ASKED_AGAIN
    assert effective_answer(path, second.offset) == FIRST
    assert read_payload(path, second.offset) == read_payload(tmp_path / first.file, first.offset)
    # the third night asks as the second did
    third = confirmed(tmp_path, 3, first)
    assert kinds(tmp_path / third.file) == ["revisit", "metadata"]
    assert request_bytes(tmp_path / third.file, third.offset) == ASKED_AGAIN


def test_a_304_that_confirms_a_revisit_names_the_answer_that_holds_the_body(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    second = night(tmp_path, 2, (URL, REQUEST, FIRST))[0]
    third = confirmed(tmp_path, 3, second)
    fourth = confirmed(tmp_path, 4, third)
    rows = {row["file"]: row for row in write_index(tmp_path).to_pylist() if row["kind"] == "revisit"}
    for pointer in (second, third, fourth):
        row = rows[pointer.file]
        assert (row["refers_to_file"], row["refers_to_offset"]) == (first.file, first.offset)
        assert read_payload(tmp_path / pointer.file, pointer.offset).content == BODY


def test_what_the_standard_asks_of_a_revisit_stands_in_its_head(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    places = (night(tmp_path, 2, (URL + "?2", REQUEST, FIRST))[0], confirmed(tmp_path, 3, first))
    with (tmp_path / first.file).open("rb") as stream:
        original = next(r.rec_headers for r in ArchiveIterator(stream) if r.rec_type == "response")
    for place, profile in zip(places, ("identical-payload-digest", "server-not-modified"), strict=True):
        with (tmp_path / place.file).open("rb") as stream:
            head = next(r.rec_headers for r in ArchiveIterator(stream) if r.rec_type == "revisit")
        assert head.get_header("WARC-Profile") == f"http://netpreserve.org/warc/1.1/revisit/{profile}"
        assert head.get_header("WARC-Refers-To") == original.get_header("WARC-Record-ID")
        assert head.get_header("WARC-Refers-To-Target-URI") == URL
        assert head.get_header("WARC-Refers-To-Date") == original.get_header("WARC-Date")
        assert head.get_header("WARC-Payload-Digest") == original.get_header("WARC-Payload-Digest")
        assert head.get_header("Content-Type") == "application/http; msgtype=response"


@pytest.mark.parametrize(
    "got",
    [
        chunked(BODY[:100], BODY[100:]),  # the same page in other framing
        answer(BODY + b"!"),
        answer(BODY, media_type="text/html; charset=cp1252"),  # the same bytes, to be read otherwise
        answer(BODY[:400]),
    ],
)
def test_what_a_revisit_could_not_give_back_is_archived_whole(tmp_path: Path, got: bytes) -> None:
    night(tmp_path, 1, (URL, REQUEST, FIRST), (URL + "?x", REQUEST, answer(BODY[:400])))
    pointer = night(tmp_path, 2, (URL, REQUEST, got))[0]
    assert kinds(tmp_path / pointer.file) == ["response", "request", "metadata"]
    assert answer_bytes(tmp_path / pointer.file, pointer.offset) == got


def test_the_same_chunks_are_archived_once(tmp_path: Path) -> None:
    got = chunked(BODY[:100], BODY[100:])
    night(tmp_path, 1, (URL, REQUEST, got))
    pointer = night(tmp_path, 2, (URL, REQUEST, got))[0]
    assert kinds(tmp_path / pointer.file) == ["revisit", "metadata"]
    assert answer_bytes(tmp_path / pointer.file, pointer.offset) == got
    assert read_payload(tmp_path / pointer.file, pointer.offset).content == BODY


def test_a_forged_digest_does_not_make_a_revisit(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    known = known_originals(read_index(tmp_path)) or known_originals(write_index(tmp_path))
    other = answer(b"x" * len(BODY))
    digest = next(iter(d for d, o in known.items() if o.offset == first.offset))
    forged = {**known, digest_of(b"x" * len(BODY)): known[digest]}
    with ArchiveWriter(tmp_path / "000002.warc.gz", "essai", forged) as archive:
        pointer = archive.add_exchange(URL, REQUEST, other, WHEN)
        assert answer_bytes(archive.path, pointer.offset) == other
        assert read_block(archive.path, pointer.offset)[0].kind == "response"


def test_a_damaged_original_is_replaced_by_the_next_answer(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    write_index(tmp_path)
    flip(tmp_path / first.file, first.offset + first.length // 2)
    second = night(tmp_path, 2, (URL, REQUEST, FIRST))[0]
    assert answer_bytes(tmp_path / second.file, second.offset) == FIRST
    assert kinds(tmp_path / second.file) == ["response", "request", "metadata"]
    with pytest.raises(DamagedArchive):
        confirmed(tmp_path, 3, first)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x04
    path.write_bytes(data)


# --- what leads nowhere


@pytest.mark.parametrize("with_index", [True, False])
def test_an_original_is_found_by_address_and_date_where_its_place_is_wrong(tmp_path: Path, with_index: bool) -> None:  # noqa: FBT001
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    second = night(tmp_path, 2, (URL, REQUEST, FIRST))[0]
    path = tmp_path / second.file
    # another program renamed the first archive
    (tmp_path / first.file).rename(tmp_path / "000000.warc.gz")
    (tmp_path / INDEX_NAME).unlink()
    if with_index:
        write_index(tmp_path)
    assert answer_bytes(path, second.offset) == FIRST


def test_a_revisit_whose_original_is_gone_says_what_is_missing(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    second = night(tmp_path, 2, (URL, REQUEST, FIRST))[0]
    third = confirmed(tmp_path, 3, second)
    (tmp_path / first.file).unlink()
    for pointer in (second, third):
        with pytest.raises(DamagedArchive):
            read_payload(tmp_path / pointer.file, pointer.offset)
    # its head is still read
    assert answer_bytes(tmp_path / third.file, third.offset) == NOT_MODIFIED


def test_an_original_with_another_body_is_refused(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    second = night(tmp_path, 2, (URL, REQUEST, FIRST))[0]
    (tmp_path / first.file).unlink()
    (tmp_path / INDEX_NAME).unlink()
    night(tmp_path, 1, (URL, REQUEST, answer(BODY[::-1], "Date: lundi")))
    with pytest.raises(DamagedArchive):
        answer_bytes(tmp_path / second.file, second.offset)


# --- other readers


def test_other_readers_accept_revisits(tmp_path: Path) -> None:
    first = night(tmp_path, 1, (URL, REQUEST, FIRST))[0]
    for pointer in (night(tmp_path, 2, (URL, REQUEST, FIRST))[0], confirmed(tmp_path, 3, first)):
        path = tmp_path / pointer.file
        checked = subprocess.run(
            [sys.executable, "-m", "warcio.cli", "check", "-v", str(path)], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        with path.open("rb") as stream:
            for record in FastIterator(stream, record_types=WarcRecordType.any_type, parse_http=False):
                assert record.verify_block_digest()


# --- growth


@pytest.mark.parametrize("again", [by_body, by_304])
def test_thirty_unchanged_nights_keep_every_answer_and_archive_no_page_twice(tmp_path: Path, again: Again) -> None:
    exchanges = sample_night()
    pages = [(n, got) for n, (_, _, got) in enumerate(exchanges) if len(split_head(got)[1]) >= REVISIT_FROM_BYTES]
    first, *later = nights(tmp_path, exchanges, again, 30)
    full = (tmp_path / "000001.warc.gz").stat().st_size
    for run, pointers in enumerate(later, start=2):
        path = tmp_path / f"{run:06d}.warc.gz"
        assert path.stat().st_size < 0.25 * full  # the sample's pages are small, five kilobytes each when compressed
        when = FIRST_NIGHT + timedelta(days=run)
        for number, got in pages if run in (2, 17, 31) else pages[run::30]:
            pointer = pointers[number]
            assert read_block(path, pointer.offset)[0].kind == "revisit"
            assert read_payload(path, pointer.offset) == read_payload(tmp_path / "000001.warc.gz", first[number].offset)
            sent = sent_again if again is by_body else not_modified
            assert answer_bytes(path, pointer.offset) == sent(got, when + timedelta(seconds=1.25 * number))
    settled = [(tmp_path / f"{run:06d}.warc.gz").stat().st_size for run in range(3, 32)]
    # requests too are archived once: from the third night on an exchange is one record under 850 bytes, ledger and all
    assert max(settled) < 850 * len(exchanges)


@pytest.mark.parametrize("again", [by_body, by_304])
def test_an_unchanged_night_adds_under_five_percent_where_a_page_weighs_21_kilobytes(
    tmp_path: Path, again: Again
) -> None:
    exchanges = [(url, asked, heavy(got, number)) for number, (url, asked, got) in enumerate(sample_night())]
    nights(tmp_path, exchanges, again, 4)
    full, second, *settled = [path.stat().st_size for path in sorted(tmp_path.glob("*.warc.gz"))]
    assert 20_000 < full / len(exchanges) < 22_000
    assert max(settled) < 0.05 * full
    assert second < 0.08 * full  # the first conditional requests are new


def heavy(got: bytes, number: int) -> bytes:
    """An answer of the sample with 15 kilobytes more that do not compress."""
    head, body = split_head(got)
    if not body:
        return got
    more = base64.b64encode(random.Random(number).randbytes(15_000))
    return re.sub(rb"(?mi)^(content-length|transfer-encoding):[^\r]*\r\n", b"", head) + body + more

"""The archive: what is written is read back, other readers agree, and no damage goes by unnoticed."""

# ruff: noqa: S311 - the random numbers are seeded

from __future__ import annotations

import gzip
import json
import random
import resource
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from flows.jobs import refresh
from harvest.archive import ArchivedBlock, ArchiveWriter, read_block, read_blocks, read_ledger
from harvest.payloads import read_payload
from schema.errors import DamagedArchive, DiskTrouble
from schema.nouns import Pointer
from schema.sources import Source
from tests.site_server import SiteServer, answer, chunked, listing, make_source
from tests.site_server import resource as resource_page

SAMPLE = Path(__file__).parent.parent / "sources" / "sample"
WHEN = datetime(2026, 11, 23, 2, 0, 1, 250_000, tzinfo=UTC)
REQUEST = b"GET /fiche HTTP/1.1\r\nHost: rtes.example\r\nUser-Agent: essai\r\n\r\n"
ODD_HEAD = b"HTTP/1.1 200 Tr\xe8s bien\r\nx-lower:a\r\nX-UPPER:   b\r\nX-lower: c\r\nContent-Type:text/html\r\n\r\n"
EXCHANGES = (
    ("https://rtes.example/fiche", REQUEST, answer("<p>é</p>")),
    ("https://rtes.example/morceaux", REQUEST, chunked(b"<p>", b"a" * 300, b"</p>")),
    ("https://rtes.example/tordu?a=1&b=é", REQUEST, ODD_HEAD + bytes(range(256))),
    ("https://rtes.example/vide", b"", b"HTTP/1.1 404 Not Found\r\n\r\n"),
    ("https://rtes.example/long", REQUEST, answer(random.Random(1).randbytes(3000).hex())),
)
LEDGER = {"format": 1, "run": 7, "source": "essai", "note": "à lire – ligne\u2028suivante"}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # the same records have the same bytes on every run, so that the same bits are flipped in them
    dice = random.Random(7)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=dice.getrandbits(128)))
    return tmp_path / "raw" / "000007.warc.gz"


def write(path: Path, *, with_ledger: bool = True) -> list[Pointer]:
    with ArchiveWriter(path, "moisson/essai") as archive:
        pointers = [archive.add_exchange(url, asked, got, WHEN) for url, asked, got in EXCHANGES]
        pointers.append(archive.add_copy("https://rtes.example/c", b"<p>copie</p>", "text/html", "resource", WHEN))
        pointers.append(archive.add_copy("https://rtes.example/t", b"copie", "text/plain", "conversion", WHEN))
        if with_ledger:
            pointers.append(archive.add_ledger(LEDGER, WHEN))
    return pointers


def described(block: ArchivedBlock) -> tuple[object, ...]:
    return block.offset, block.length, block.kind, block.url, block.archived_at, block.content_type


# --- reading back


def test_what_is_written_is_read_back_byte_for_byte(path: Path) -> None:
    pointers = write(path)
    for (url, _, got), pointer in zip(EXCHANGES, pointers, strict=False):
        block, content = read_block(path, pointer.offset)
        assert (block.kind, block.url, block.archived_at, content) == ("response", url, WHEN, got)
        assert pointer == Pointer("000007.warc.gz", block.offset, block.length)


def test_the_records_come_in_order_and_touch_each_other(path: Path) -> None:
    pointers = write(path)
    blocks = list(read_blocks(path))
    pair = ["response", "request"]
    assert [b.kind for b in blocks] == [*pair * 3, "response", *pair, "resource", "conversion", "metadata"]
    assert all(a.offset + a.length == b.offset for a, b in pairwise(blocks))
    assert blocks[-1].offset + blocks[-1].length == path.stat().st_size
    assert {p.offset for p in pointers} <= {b.offset for b in blocks}
    assert [b.read() for b in blocks if b.kind == "request"] == [REQUEST] * 4


@pytest.fixture(scope="module")
def open_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveWriter]:
    with ArchiveWriter(tmp_path_factory.mktemp("raw") / "000001.warc.gz", "essai") as archive:
        yield archive


@given(st.binary(max_size=400), st.binary(max_size=200).filter(lambda head: b"\n" not in head and b"\r" not in head))
def test_any_bytes_come_back(open_archive: ArchiveWriter, body: bytes, header: bytes) -> None:
    got = b"HTTP/1.1 200 OK\r\nX: " + header + b"\r\n\r\n" + body
    pointer = open_archive.add_exchange("https://rtes.example/", REQUEST, got, WHEN)
    assert read_block(open_archive.path, pointer.offset)[1] == got


def test_a_record_can_be_read_while_the_archive_is_still_being_written(open_archive: ArchiveWriter) -> None:
    for url, asked, got in EXCHANGES:
        pointer = open_archive.add_exchange(url, asked, got, WHEN)
        assert read_block(open_archive.path, pointer.offset)[1] == got


def test_every_record_is_a_gzip_member_of_its_own(path: Path) -> None:
    write(path)
    data = path.read_bytes()
    blocks = list(read_blocks(path))
    first = gzip.decompress(data[: blocks[0].offset])
    assert first.startswith(b"WARC/1.1\r\n")
    assert b"\r\nWARC-Type: warcinfo\r\n" in first
    assert b"software: moisson/essai\r\n" in first
    for block in blocks:
        record = gzip.decompress(data[block.offset : block.offset + block.length])
        assert record.startswith(b"WARC/1.1\r\n")
        assert record.endswith(block.read() + b"\r\n\r\n")


def test_a_request_names_the_answer_it_belongs_to(path: Path) -> None:
    write(path)
    with path.open("rb") as stream:
        heads = [(r.rec_type, r.rec_headers) for r in ArchiveIterator(stream, no_record_parse=True)]
    for (kind, head), (_, former) in zip(heads[1:], heads, strict=False):
        named = head.get_header("WARC-Concurrent-To")
        assert (named is not None) == (kind == "request")
        if kind == "request":
            assert named == former.get_header("WARC-Record-ID")
            assert head.get_header("WARC-Target-URI") == former.get_header("WARC-Target-URI")
            assert head.get_header("WARC-Date") == former.get_header("WARC-Date") == "2026-11-23T02:00:01.250000Z"


def test_the_date_of_a_record_is_utc_whatever_zone_it_came_in(path: Path) -> None:
    paris = timezone(timedelta(hours=1))
    with ArchiveWriter(path, "essai") as archive:
        pointer = archive.add_copy("https://rtes.example/", b"x", "text/html", "resource", WHEN.astimezone(paris))
        block = read_block(archive.path, pointer.offset)[0]
    assert block.archived_at == WHEN
    assert block.archived_at.utcoffset() == timedelta(0)


def test_copies_are_resource_and_conversion_records_with_their_media_type(path: Path) -> None:
    pointers = write(path)
    html, text = read_block(path, pointers[5].offset), read_block(path, pointers[6].offset)
    assert (html[0].kind, html[0].content_type, html[1]) == ("resource", "text/html", b"<p>copie</p>")
    assert (text[0].kind, text[0].content_type, text[1]) == ("conversion", "text/plain", b"copie")
    payload = read_payload(path, pointers[5].offset)
    assert (payload.url, payload.content, payload.media_type) == (
        "https://rtes.example/c",
        b"<p>copie</p>",
        "text/html",
    )


def test_a_payload_has_its_codings_undone_and_its_charset_named(path: Path) -> None:
    with ArchiveWriter(path, "essai") as archive:
        got = chunked(b"<p>", b"x</p>", media_type="text/HTML; charset=latin-1")
        page = archive.add_exchange("https://rtes.example/a", REQUEST, got, WHEN)
        copy = archive.add_copy("https://rtes.example/b", b"t", "text/plain; charset=cp1252", "conversion", WHEN)
        archive.add_ledger(LEDGER, WHEN)
    payload = read_payload(path, page.offset)
    assert (payload.content, payload.media_type, payload.charset) == (b"<p>x</p>", "text/html", "latin-1")
    copied = read_payload(path, copy.offset)
    assert (copied.media_type, copied.charset) == ("text/plain", "cp1252")


# --- the ledger


def test_a_ledger_closes_the_archive(path: Path) -> None:
    pointers = write(path)
    assert read_ledger(path) == LEDGER
    assert pointers[-1].offset + pointers[-1].length == path.stat().st_size
    assert json.loads(read_block(path, pointers[-1].offset)[1]) == LEDGER


def test_an_archive_gets_its_name_once_its_ledger_is_there_and_it_is_closed(path: Path) -> None:
    with ArchiveWriter(path, "essai") as archive:
        archive.add_exchange(*EXCHANGES[0], WHEN)
        archive.add_ledger(LEDGER, WHEN)
        assert not path.exists()
    assert path.is_file()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_unfinished_archive_has_neither_name_nor_ledger(path: Path) -> None:
    write(path, with_ledger=False)
    part = path.with_name("000007.warc.gz.part")
    assert [p.name for p in path.parent.iterdir()] == [part.name]
    assert read_ledger(part) is None
    assert len(list(read_blocks(part))) == 11


def test_an_archive_of_another_program_has_no_ledger() -> None:
    assert read_ledger(SAMPLE / "night1.warc.gz") is None


@pytest.fixture
def small_site() -> Iterator[Source]:
    with SiteServer({"/liste": listing("Liste", ["a"]), "/a": resource_page("a")}) as site:
        yield make_source(site.origin)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_run_that_was_killed_while_it_wrote_does_not_stop_the_next(
    tmp_path: Path, small_site: Source, share: float
) -> None:
    raw = tmp_path / "raw" / "essai"
    raw.mkdir(parents=True)
    content = (SAMPLE / "night1.warc.gz").read_bytes()
    torn = raw / "000001.warc.gz.part"
    torn.write_bytes(content[: int(len(content) * share)])
    assert "release 1 published" in refresh(small_site, tmp_path).verdict
    # its number is not given again, its bytes are kept
    kept = [torn.name] if share else []
    assert sorted(p.name for p in raw.glob("*.warc*")) == [*kept, "000002.warc.gz"]
    assert not share or torn.stat().st_size == int(len(content) * share)


def test_a_whole_archive_that_was_cut_since_is_said_by_the_next_run(tmp_path: Path, small_site: Source) -> None:
    refresh(small_site, tmp_path)
    archive = tmp_path / "raw" / "essai" / "000001.warc.gz"
    archive.write_bytes(archive.read_bytes()[:-20])
    verdict = refresh(small_site, tmp_path).verdict
    assert "1 archive record is not what was written: 000001.warc.gz, offset" in verdict
    assert "restore from a copy" in verdict


# --- other readers


def test_warcio_finds_every_digest_right(path: Path) -> None:
    write(path)
    checked = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", "-v", str(path)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count("digest pass") == 13
    assert "digest present but not checked" not in checked.stdout


def test_fastwarc_reads_every_record_and_finds_every_digest_right(path: Path) -> None:
    write(path)
    mine = {block.offset: block for block in read_blocks(path)}
    count = 0
    with path.open("rb") as stream:
        for record in FastIterator(stream, record_types=WarcRecordType.any_type, parse_http=False):
            assert record.verify_block_digest()
            count += 1
            if record.record_type != WarcRecordType.warcinfo:
                block = mine[record.stream_pos]
                assert record.record_type == getattr(WarcRecordType, block.kind)
                assert record.headers["WARC-Target-URI"] == block.url
                assert record.reader.read() == block.read()
    assert count == len(mine) + 1


def test_the_bundled_nights_are_sound() -> None:
    for name in ("night1.warc.gz", "night2.warc.gz"):
        blocks = list(read_blocks(SAMPLE / name))
        assert len(blocks) > 100
        assert {b.kind for b in blocks} == {"request", "response"}


# --- never twice


def test_an_archive_that_exists_is_never_written_to(path: Path) -> None:
    for with_ledger in (True, False):
        folder = path.with_name(f"{with_ledger}")
        write(folder / path.name, with_ledger=with_ledger)
        before = {p: p.read_bytes() for p in folder.iterdir()}
        with pytest.raises((FileExistsError, DiskTrouble)):
            ArchiveWriter(folder / path.name, "essai")
        assert {p: p.read_bytes() for p in folder.iterdir()} == before


# --- damage


def damage(data: bytes, place: int, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[place] ^= 1 << bit
    return bytes(damaged)


def test_a_flipped_bit_in_a_record_names_file_and_offset(path: Path) -> None:
    pointers = write(path)
    data = path.read_bytes()
    for pointer in pointers:
        path.write_bytes(damage(data, pointer.offset + pointer.length * 2 // 3, 4))
        with pytest.raises(DamagedArchive) as caught:
            read_block(path, pointer.offset)
        assert str(path) in str(caught.value)
        assert f"offset {pointer.offset}" in str(caught.value)


def test_a_flipped_bit_leaves_every_other_record_readable(path: Path) -> None:
    pointers = write(path)
    data = path.read_bytes()
    contents = [read_block(path, p.offset)[1] for p in pointers]
    hit = pointers[1]
    path.write_bytes(damage(data, hit.offset + hit.length // 2, 2))
    for pointer, content in zip(pointers, contents, strict=True):
        if pointer != hit:
            assert read_block(path, pointer.offset)[1] == content


def test_no_flipped_bit_changes_what_a_record_holds(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pointers = write(path)
    data = path.read_bytes()
    contents = {pointer: read_block(path, pointer.offset)[1] for pointer in pointers}
    dice = random.Random(50)
    for _ in range(300):
        pointer = dice.choice(pointers)
        path.write_bytes(damage(data, pointer.offset + dice.randrange(pointer.length), dice.randrange(8)))
        try:
            content = read_block(path, pointer.offset)[1]
        except (DamagedArchive, ValueError):  # ValueError: test_a_head_that_cannot_be_read_is_damage
            continue
        assert content == contents[pointer]
    capsys.readouterr()  # warcio prints what it stumbles over


def test_no_flipped_bit_goes_by_when_the_whole_archive_is_read(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path)
    data = path.read_bytes()
    sound = [described(block) for block in read_blocks(path)]
    dice = random.Random(51)
    noticed = 0
    for _ in range(200):
        path.write_bytes(damage(data, dice.randrange(len(data)), dice.randrange(8)))
        try:
            read = [described(block) for block in read_blocks(path)]
        except DamagedArchive:
            noticed += 1
        else:
            # four bytes of time, one of flags and one of system in each gzip head mean nothing
            assert read == sound
    assert noticed > 180
    capsys.readouterr()


def test_a_changed_address_of_a_record_is_noticed_when_it_is_read(path: Path) -> None:
    pointer = write(path)[0]
    data = path.read_bytes()
    member = data[pointer.offset : pointer.offset + pointer.length]
    # a member whose record names another address, over the checksum of the true one: what a flipped bit makes
    changed = gzip.decompress(member).replace(b"rtes.example/fiche\r\n", b"rtes.example/ficho\r\n", 1)
    forged = gzip.compress(changed)[:-8] + member[-8:]
    path.write_bytes(data[: pointer.offset] + forged + data[pointer.offset + pointer.length :])
    with pytest.raises(DamagedArchive):
        read_block(path, pointer.offset)


@pytest.mark.parametrize("line", [b"Content-Length: many", b"WARC-Date: yesterday"])
def test_a_head_that_cannot_be_read_is_damage(path: Path, line: bytes) -> None:
    record = b"WARC/1.1\r\nWARC-Type: resource\r\nWARC-Date: 2026-01-01T00:00:00Z\r\nContent-Length: 1\r\n\r\nx\r\n\r\n"
    name = line.split(b":")[0]
    lines = [line if old.startswith(name) else old for old in record.split(b"\r\n")]
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(b"\r\n".join(lines)))
    with pytest.raises(DamagedArchive):
        read_block(path, 0)


def test_a_cut_anywhere_is_noticed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path)
    data = path.read_bytes()
    blocks = list(read_blocks(path))
    ends = {block.offset for block in blocks}
    dice = random.Random(49)
    last = blocks[-1].offset
    places = {*dice.sample(range(len(data)), 120), *range(len(data) - 40, len(data)), last - 1, last + 1}
    for place in places - ends:
        path.write_bytes(data[:place])
        with pytest.raises(DamagedArchive) as caught:
            list(read_blocks(path))
        assert str(path) in str(caught.value)
    capsys.readouterr()


def test_a_cut_between_two_records_leaves_an_archive_without_a_ledger(path: Path) -> None:
    write(path)
    data = path.read_bytes()
    sound = [described(block) for block in read_blocks(path)]
    for count, block in enumerate(list(read_blocks(path))):
        cut = path.with_name("cut.warc.gz")
        cut.write_bytes(data[: block.offset])
        assert [described(b) for b in read_blocks(cut)] == sound[:count]
        assert read_ledger(cut) is None


def test_an_archive_that_is_not_compressed_can_be_read(path: Path) -> None:
    write(path)
    contents = [(b.kind, b.url, b.read()) for b in read_blocks(path)]
    plain = path.with_name("000007.warc")
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    assert [(b.kind, b.url, b.read()) for b in read_blocks(plain)] == contents


def test_a_cut_archive_that_is_not_compressed_is_noticed(path: Path) -> None:
    write(path)
    plain = path.with_name("000007.warc")
    plain.write_bytes(gzip.decompress(path.read_bytes())[:-100])
    with pytest.raises(DamagedArchive):
        list(read_blocks(plain))


def test_an_archive_in_one_single_member_is_refused(path: Path) -> None:
    write(path)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())))
    with pytest.raises(DamagedArchive):
        list(read_blocks(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"<html></html>", "not a WARC"),
        (b"PK\x03\x04 a zip", "not a WARC"),
        (gzip.compress(b"<html></html>"), "not a readable WARC"),
        (b"\x1f\x8bnot gzip at all", "not a readable WARC"),
    ],
)
def test_what_is_no_warc_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "page.warc.gz"
    path.write_bytes(content)
    with pytest.raises(DamagedArchive) as caught:
        list(read_blocks(path))
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    with pytest.raises(DamagedArchive):
        read_block(path, 0)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DamagedArchive, match="there is no such file"):
        list(read_blocks(tmp_path / "absent.warc.gz"))
    with pytest.raises(DamagedArchive, match="no readable record at offset 0"):
        read_block(tmp_path / "absent.warc.gz", 0)


def test_an_offset_where_no_record_starts_is_said(path: Path) -> None:
    pointers = write(path)
    for offset in (pointers[1].offset + 1, pointers[1].offset - 1, path.stat().st_size, path.stat().st_size + 99):
        with pytest.raises(DamagedArchive, match=f"offset {offset}"):
            read_block(path, offset)


def test_a_block_that_differs_from_its_digest_is_refused(path: Path) -> None:
    path.parent.mkdir(parents=True)
    head = (
        "WARC/1.1\r\nWARC-Type: resource\r\nWARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Target-URI: <https://x.fr/>\r\n"
        "WARC-Block-Digest: {}\r\nContent-Length: 4\r\n\r\nabcd\r\n\r\n"
    )
    good = ("sha1:QH7IX7UHK5WD5SZCIJXY4V4EOOBJC6WP", "sha1:81fe8bfe87576c3ecb22426f8e57847382917acf", "crc32:00")
    for digest in good:
        path.write_bytes(gzip.compress(head.format(digest).encode()))
        assert read_block(path, 0)[1] == b"abcd"
        assert read_block(path, 0)[0].url == "https://x.fr/"
    for digest in (good[0].replace("QH7", "QH6"), "md5:00", "sha256:" + "0" * 64):
        path.write_bytes(gzip.compress(head.format(digest).encode()))
        with pytest.raises(DamagedArchive, match="digest differs"):
            read_block(path, 0)


# --- a disk that will not take it


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let the system refuse to make any file larger, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_when_a_record_is_written(path: Path) -> None:
    with ArchiveWriter(path, "essai") as archive:
        pointer = archive.add_exchange(*EXCHANGES[0], WHEN)
        size = archive.path.stat().st_size
        with room_for(size + 100), pytest.raises(DiskTrouble, match="make room"):
            archive.add_exchange("https://rtes.example/long", REQUEST, answer(random.Random(2).randbytes(5000)), WHEN)
        assert read_block(archive.path, pointer.offset)[1] == EXCHANGES[0][2]


def test_a_full_disk_is_still_said_when_the_archive_is_closed(path: Path) -> None:
    page = answer(random.Random(2).randbytes(5000))  # less than the file's buffer, which keeps what it could not write
    archive = ArchiveWriter(path, "essai")
    try:
        with room_for(2000), pytest.raises(DiskTrouble), archive:
            archive.add_exchange("https://rtes.example/long", REQUEST, page, WHEN)
    finally:
        archive._file.close()


def test_a_folder_that_cannot_be_made_is_trouble_with_the_disk(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(DiskTrouble):
        ArchiveWriter(tmp_path / "raw" / "essai" / "000001.warc.gz", "essai")

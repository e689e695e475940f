"""The index says what every record was; fixity finds what is no longer so, and names the rows that rest on it."""

# ruff: noqa: S311 - the random numbers are seeded

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harvest.archive import ArchiveWriter, read_blocks
from harvest.fixity import Fault, check, dependent_rows
from harvest.index import INDEX_NAME, SCHEMA, find_record, index_of, known_originals, read_index, write_index
from schema.errors import DamagedArchive, DiskTrouble
from schema.nouns import Original, Pointer
from tests.site_server import answer, redirect

WHEN = datetime(2026, 11, 23, 2, 0, 1, 250_000, tzinfo=UTC)
SITE = "https://rtes.example"
REQUEST = b"GET / HTTP/1.1\r\nHost: rtes.example\r\n\r\n"
BODY = random.Random(1).randbytes(800).hex()


def write(raw: Path, run: int, *pages: tuple[str, bytes], is_whole: bool = True) -> list[Pointer]:
    known = known_originals(read_index(raw))
    when = WHEN + timedelta(days=run)
    with ArchiveWriter(raw / f"{run:06d}.warc.gz", "essai", known) as archive:
        pointers = [archive.add_exchange(SITE + path, REQUEST, got, when) for path, got in pages]
        if is_whole:
            archive.add_ledger({"format": 1}, when)
    return pointers


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two runs: three pages, then the same and a new one; an index of both, and a run in progress."""
    write(tmp_path, 1, ("/a", answer(BODY + "a")), ("/b", answer(BODY + "b")), ("/c", redirect("/d")))
    write_index(tmp_path)
    write(tmp_path, 2, ("/a", answer(BODY + "a")), ("/b", answer(BODY + "b!")))
    write_index(tmp_path)
    write(tmp_path, 3, ("/a", answer("autre")), is_whole=False)
    return tmp_path


def rows_of(raw: Path, *kinds: str) -> list[dict[str, Any]]:
    return [row for row in read_index(raw).to_pylist() if row["kind"] in kinds]


# --- the index


def test_every_record_of_every_whole_archive_has_its_row(raw: Path) -> None:
    rows = read_index(raw).to_pylist()
    for path in sorted(raw.glob("*.warc.gz")):
        mine = [row for row in rows if row["file"] == path.name]
        assert [row["kind"] for row in mine] == ["warcinfo", *(block.kind for block in read_blocks(path))]
        data = path.read_bytes()
        assert sum(row["length"] for row in mine) == len(data)
        for row in mine:
            member = data[row["offset"] : row["offset"] + row["length"]]
            assert row["member_sha256"] == sha256(member).hexdigest()
        for row, block in zip(mine[1:], read_blocks(path), strict=True):
            assert (row["offset"], row["length"], row["url"]) == (block.offset, block.length, block.url)
            assert row["archived_at"] == block.archived_at
    assert {row["file"] for row in rows} == {"000001.warc.gz", "000002.warc.gz"}


def test_an_answer_is_told_by_its_status_and_media_type_and_a_revisit_by_its_original(raw: Path) -> None:
    told = [(r["url"], r["kind"], r["status"], r["media_type"]) for r in rows_of(raw, "response", "revisit")]
    assert told == [
        (f"{SITE}/a", "response", 200, "text/html"),
        (f"{SITE}/b", "response", 200, "text/html"),
        (f"{SITE}/c", "response", 301, "text/html"),
        (f"{SITE}/a", "revisit", 200, "text/html"),
        (f"{SITE}/b", "response", 200, "text/html"),
    ]
    first, revisit = rows_of(raw, "response")[0], rows_of(raw, "revisit")[0]
    assert (revisit["refers_to_file"], revisit["refers_to_offset"]) == (first["file"], first["offset"])
    assert revisit["payload_digest"] == first["payload_digest"]
    assert all(row["refers_to_file"] is None for row in rows_of(raw, "response", "request"))


def test_interim_answers_and_copies_are_told_too(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive:
        archive.add_exchange(SITE, REQUEST, b"HTTP/1.1 103 Early\r\n\r\n" + answer("", status="404 No"), WHEN)
        archive.add_exchange(SITE, REQUEST, b"HTTP/1.1 103 Early\r\n\r\n", WHEN)
        # more than are passed over: what comes after them is not looked for
        archive.add_exchange(SITE, REQUEST, b"HTTP/1.1 103 Early\r\n\r\n" * 11 + answer(""), WHEN)
        archive.add_copy(SITE, b"x", "Text/Plain; charset=utf-8", "conversion", WHEN)
        archive.add_ledger({"format": 1}, WHEN)
    write_index(tmp_path)
    told = [(r["status"], r["media_type"]) for r in rows_of(tmp_path, "response", "conversion")]
    assert told == [(404, "text/html"), (None, None), (None, None), (None, "text/plain")]


def test_the_index_is_made_anew_from_the_archives_alone(raw: Path) -> None:
    written = read_index(raw)
    assert written.schema.equals(SCHEMA)
    assert index_of(raw).to_pylist() == written.to_pylist()
    (raw / INDEX_NAME).unlink()
    assert write_index(raw).to_pylist() == written.to_pylist()
    assert read_index(raw).to_pylist() == written.to_pylist()


def test_only_archives_that_the_index_lacks_are_read(raw: Path) -> None:
    before = read_index(raw)
    for path in raw.glob("*.warc.gz"):
        path.write_bytes(b"changed since")
    write(raw, 4, ("/n", answer("neuf")))
    after = write_index(raw)
    assert after.slice(0, before.num_rows).to_pylist() == before.to_pylist()
    assert {r["file"] for r in after.slice(before.num_rows).to_pylist()} == {"000004.warc.gz"}


def test_an_archive_changed_on_purpose_is_read_again(raw: Path) -> None:
    (raw / "000002.warc.gz").unlink()
    write(raw, 2, ("/z", answer("z")))
    assert check(raw)
    write_index(raw, again=["000002.warc.gz"])
    assert check(raw) == []
    assert [r["url"] for r in rows_of(raw, "response") if r["file"] == "000002.warc.gz"] == [f"{SITE}/z"]


def test_an_index_that_is_up_to_date_is_not_written_again(raw: Path) -> None:
    before = (raw / INDEX_NAME).stat()
    write_index(raw)
    assert (raw / INDEX_NAME).stat().st_mtime_ns == before.st_mtime_ns


def test_a_damaged_archive_is_not_taken_into_the_index_until_it_is_restored(raw: Path) -> None:
    before = (raw / INDEX_NAME).read_bytes()
    write(raw, 4, ("/n", answer("neuf")))
    was = (raw / "000004.warc.gz").read_bytes()
    flip(raw / "000004.warc.gz", 300)
    told = [row["kind"] for row in write_index(raw).to_pylist() if row["file"] == "000004.warc.gz"]
    assert told
    assert len(told) < len(list(read_blocks_of(raw, was)))
    assert (raw / INDEX_NAME).read_bytes() == before
    assert [fault.file for fault in check(raw)] == ["000004.warc.gz"]
    (raw / "000004.warc.gz").write_bytes(was)
    write_index(raw)
    assert "000004.warc.gz" in read_index(raw)["file"].to_pylist()
    assert check(raw) == []


def read_blocks_of(raw: Path, content: bytes) -> list[str]:
    """Kinds of the records of an archive, `warcinfo` too."""
    path = raw.parent / "sound.warc.gz"
    path.write_bytes(content)
    return ["warcinfo", *(block.kind for block in read_blocks(path))]


@pytest.mark.parametrize("seed", range(3))
def test_an_index_of_which_any_bit_is_flipped_is_the_same_or_refused_and_made_anew(raw: Path, seed: int) -> None:
    path, chance = raw / INDEX_NAME, random.Random(seed)
    good, rows = path.read_bytes(), read_index(raw).to_pylist()
    refused = 0
    for _ in range(120):
        at = chance.randrange(len(good))
        path.write_bytes(good[:at] + bytes([good[at] ^ (1 << chance.randrange(8))]) + good[at + 1 :])
        try:
            assert read_index(raw).to_pylist() == rows
        except DamagedArchive:
            refused += 1
            path.write_bytes(path.read_bytes())
    assert refused > 0
    path.write_bytes(good[: len(good) // 2])
    assert write_index(raw).to_pylist() == rows
    assert read_index(raw).to_pylist() == rows


def test_an_index_that_cannot_be_written_leaves_the_old_one(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (raw / INDEX_NAME).read_bytes()
    write(raw, 4, ("/n", answer("neuf")))

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(DiskTrouble, match="make room"):
            write_index(raw)
    assert (raw / INDEX_NAME).read_bytes() == before
    assert write_index(raw).num_rows > read_index(raw).num_rows - 1
    assert not list(raw.glob("*.new"))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet" * 9])
def test_an_index_that_cannot_be_read_is_said(raw: Path, content: bytes) -> None:
    (raw / INDEX_NAME).write_bytes(content)
    with pytest.raises(DamagedArchive, match="made anew"):
        read_index(raw)
    # the archives are still checked, by their own checksums
    assert [f.file for f in check(raw)] == [INDEX_NAME]


def test_an_index_of_another_version_is_refused(raw: Path) -> None:
    pq.write_table(pa.table({"file": ["000001.warc.gz"]}), raw / INDEX_NAME)
    with pytest.raises(DamagedArchive, match="another version"):
        read_index(raw)


def test_a_source_without_archives_has_an_empty_index(tmp_path: Path) -> None:
    assert read_index(tmp_path).num_rows == 0
    assert index_of(tmp_path / "absent").num_rows == 0
    assert write_index(tmp_path / "absent").num_rows == 0
    assert not (tmp_path / "absent").exists()
    assert check(tmp_path) == []


def test_analysts_read_the_index_with_their_own_tools(raw: Path) -> None:
    rows = read_index(raw).num_rows
    assert pl.read_parquet(raw / INDEX_NAME).height == rows
    revisits = duckdb.read_parquet(str(raw / INDEX_NAME)).filter("kind = 'revisit'").project("url")
    assert revisits.fetchall() == [(f"{SITE}/a",)]


def test_an_address_is_found_at_a_moment_with_the_index_and_without(raw: Path) -> None:
    wanted = rows_of(raw, "response")[3]
    assert wanted["file"] == "000002.warc.gz"
    for _ in range(2):
        assert find_record(raw, f"{SITE}/b", WHEN + timedelta(days=2)) == (wanted["file"], wanted["offset"])
        assert find_record(raw, f"{SITE}/b", WHEN + timedelta(days=9)) is None
        assert find_record(raw, f"{SITE}/z", WHEN + timedelta(days=2)) is None
        # a revisit holds no body
        assert find_record(raw, f"{SITE}/a", WHEN + timedelta(days=2)) is None
        (raw / INDEX_NAME).unlink(missing_ok=True)


def test_what_is_known_names_the_first_that_held_it(raw: Path) -> None:
    known = known_originals(read_index(raw))
    first, request = rows_of(raw, "response")[0], rows_of(raw, "request")[0]
    assert known[first["payload_digest"]] == Original(
        first["file"], first["offset"], first["url"], first["archived_at"], first["payload_digest"]
    )
    assert known[request["block_digest"]].offset == request["offset"]


# --- fixity


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x04
    path.write_bytes(data)


def test_one_flipped_bit_anywhere_names_the_record_it_hit(raw: Path) -> None:
    assert check(raw) == []
    dice = random.Random(3)
    rows = read_index(raw).to_pylist()
    for row in rows:
        path = raw / row["file"]
        sound = path.read_bytes()
        for place in (4, dice.randrange(row["length"]), row["length"] - 1):  # 4: the time in the gzip head
            flip(path, row["offset"] + place)
            (fault,) = check(raw)
            assert (fault.file, fault.offset, fault.url) == (row["file"], row["offset"], row["url"])
            assert f"{row['file']}, offset {row['offset']}" in str(fault)
            path.write_bytes(sound)
    flip(raw / "000001.warc.gz", 4)
    assert "though it can be read" in check(raw)[0].reason


def test_missing_files_added_bytes_and_unknown_archives_are_told(raw: Path) -> None:
    rows = [row for row in read_index(raw).to_pylist() if row["file"] == "000002.warc.gz"]
    path = raw / "000002.warc.gz"
    sound = path.read_bytes()
    path.write_bytes(sound + b"\x00" * 7)
    assert check(raw) == [Fault(path.name, len(sound), "", "7 bytes were added after the last record")]
    path.unlink()
    assert [(f.offset, f.url) for f in check(raw)] == [(row["offset"], row["url"]) for row in rows]
    path.write_bytes(sound)
    write(raw, 4, ("/n", answer("neuf")))
    assert check(raw) == []
    flip(raw / "000004.warc.gz", (raw / "000004.warc.gz").stat().st_size - 6)  # in a checksum: nobody knows more of it
    assert [f.file for f in check(raw)] == ["000004.warc.gz"]
    (raw / "000004.warc.gz").write_bytes(b"")
    assert "empty" in check(raw)[0].reason


# --- what rests on a fault


@pytest.fixture
def tables(raw: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of a release: night 2 rests on /a by a revisit of night 1, and on /b by an answer of its own."""
    by_url = {row["url"]: row for row in rows_of(raw, "response", "revisit") if row["file"] == "000002.warc.gz"}
    a, b = by_url[f"{SITE}/a"], by_url[f"{SITE}/b"]

    def place(row: dict[str, Any]) -> dict[str, Any]:
        return {"warc_file": row["file"], "warc_offset": row["offset"]}

    return {
        "pages": [
            {"url": a["url"], **place(a)},
            {"url": b["url"], **place(b)},
            {"url": f"{SITE}/not-asked", "warc_file": None, "warc_offset": None},
        ],
        "records": [
            {"record_id": "ra1", "resource_id": "x", "page_url": a["url"], **place(a)},
            {"record_id": "ra2", "resource_id": "y", "page_url": a["url"], **place(a)},
            {"record_id": "rb1", "resource_id": "y", "page_url": b["url"], **place(b)},
        ],
    }


@pytest.mark.parametrize(
    ("hit", "urls", "records", "resources"),
    [
        (("000001.warc.gz", f"{SITE}/a"), ["/a"], ("ra1", "ra2"), ("x", "y")),  # by the revisit
        (("000002.warc.gz", f"{SITE}/a"), ["/a"], ("ra1", "ra2"), ("x", "y")),
        (("000002.warc.gz", f"{SITE}/b"), ["/b"], ("rb1",), ("y",)),
        (("000001.warc.gz", f"{SITE}/b"), [], (), ()),  # another body: nothing rests on it tonight
    ],
)
def test_a_flipped_byte_names_exactly_the_rows_that_rest_on_it(
    raw: Path,
    tables: dict[str, list[dict[str, Any]]],
    hit: tuple[str, str],
    urls: list[str],
    records: tuple[str, ...],
    resources: tuple[str, ...],
) -> None:
    row = next(r for r in rows_of(raw, "response", "revisit") if (r["file"], r["url"]) == hit)
    flip(raw / hit[0], row["offset"] + row["length"] // 2)
    found = dependent_rows(tables, check(raw), read_index(raw))
    assert found.urls == tuple(SITE + url for url in urls)
    assert (found.record_ids, found.resource_ids) == (records, resources)


def test_a_sound_archive_names_no_rows(raw: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    found = dependent_rows(tables, check(raw), read_index(raw))
    assert (found.urls, found.record_ids, found.resource_ids) == ((), (), ())

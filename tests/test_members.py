"""Damage to an archive is noticed wherever it falls, and costs the record it hit and no other."""

# ruff: noqa: S311 - the random numbers are seeded

from __future__ import annotations

import gzip
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harvest.archive import ArchiveWriter, read_ledger, scan
from harvest.fixity import check
from harvest.index import write_index
from harvest.members import Damage, WarcRecord, record_at, scan_records
from schema.errors import DamagedArchive
from tests.site_server import answer

IS_LONG = os.environ.get("MOISSON_LONG") == "1"
WHEN = datetime(2026, 11, 23, 2, 0, 1, tzinfo=UTC)
REQUEST = b"GET / HTTP/1.1\r\nHost: rtes.example\r\n\r\n"


def write(path: Path, exchanges: int, size_bytes: int = 120) -> Path:
    dice = random.Random(3)
    with ArchiveWriter(path, "essai") as archive:
        for number in range(exchanges):
            body = dice.randbytes(size_bytes // 2).hex()
            archive.add_exchange(f"https://rtes.example/{number}", REQUEST, answer(body), WHEN)
        archive.add_ledger({"format": 1}, WHEN)
    return path


def found_in(path: Path) -> tuple[list[WarcRecord], list[Damage]]:
    found = list(scan_records(path))
    return [f for f in found if isinstance(f, WarcRecord)], [f for f in found if isinstance(f, Damage)]


def ends_of(records: list[WarcRecord]) -> list[int]:
    return [record.offset + record.length for record in records]


# --- cuts


def test_a_cut_at_every_byte_is_noticed_and_keeps_every_record_before_it(tmp_path: Path) -> None:
    path = write(tmp_path / "000001.warc.gz", 1)
    whole, _ = found_in(path)
    write_index(tmp_path)
    for size in reversed(range(path.stat().st_size)):
        os.truncate(path, size)
        before = [record for record in whole if record.offset + record.length <= size]
        if IS_LONG or size % 9 == 0 or size in ends_of(whole):
            assert [fault.offset for fault in check(tmp_path)] == [record.offset for record in whole[len(before) :]]
        if size < 2:
            with pytest.raises(DamagedArchive):
                list(scan_records(path))
            continue
        kept, damage = found_in(path)
        assert kept == before
        # between two records nothing is torn: the ledger is what is missing
        at_end = size in ends_of(whole)
        assert [d.offset for d in damage] == ([] if at_end else [ends_of([*before])[-1] if before else 0])
        if at_end:
            assert read_ledger(path) is None


def test_a_sound_archive_has_no_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "000001.warc.gz", 3)
    write_index(tmp_path)
    records, damage = found_in(path)
    assert [r.kind for r in records] == ["warcinfo", *["response", "request"] * 3, "metadata"]
    assert damage == []
    assert check(tmp_path) == []
    assert [b.kind for b in scan(path) if not isinstance(b, Damage)] == [r.kind for r in records[1:]]


# --- flips


def test_of_200_flipped_bits_none_is_unnoticed_and_each_costs_one_record_at_most(tmp_path: Path) -> None:
    path = write(tmp_path / "000001.warc.gz", 25, 900)
    whole, _ = found_in(path)
    assert len([r for r in whole if r.kind in ("response", "request")]) == 50
    write_index(tmp_path)
    data, dice = path.read_bytes(), random.Random(50)
    for _ in range(200):
        place, bit = dice.randrange(len(data)), dice.randrange(8)
        flipped = bytearray(data)
        flipped[place] ^= 1 << bit
        path.write_bytes(flipped)
        hit = next(r for r in whole if r.offset <= place < r.offset + r.length)
        kept, damage = found_in(path)
        lost = [r for r in whole if r not in kept]
        assert lost in ([], [hit])
        assert [r for r in kept if r not in whole] == []
        # what is in no record, or in its gzip head only, the index tells
        assert [f.offset for f in check(tmp_path)] == [hit.offset]
        assert [(d.offset, d.length) for d in damage] == [(r.offset, r.length) for r in lost]


def test_a_flipped_bit_in_the_first_or_last_bytes_of_a_member_costs_that_member_only(tmp_path: Path) -> None:
    path = write(tmp_path / "000001.warc.gz", 3)
    whole, _ = found_in(path)
    data = path.read_bytes()
    for hit in whole:
        for place in (0, 1, 2, 10, hit.length - 8, hit.length - 1):
            flipped = bytearray(data)
            flipped[hit.offset + place] ^= 0x10
            path.write_bytes(flipped)
            kept, damage = found_in(path)
            assert kept == [r for r in whole if r != hit]
            assert [(d.offset, d.length) for d in damage] == [(hit.offset, hit.length)]


def test_bytes_between_two_records_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "000001.warc.gz", 2)
    whole, _ = found_in(path)
    data, place = path.read_bytes(), whole[2].offset
    # a magic number inside, and a sound member that holds no record
    noise = b"\x1f\x8b\x08 bruit " + gzip.compress(b"<html></html>") + b"\x1f\x8b"
    path.write_bytes(data[:place] + noise + data[place:])
    kept, damage = found_in(path)
    assert [r.block for r in kept] == [r.block for r in whole]
    assert [(d.offset, d.length) for d in damage] == [(place, len(noise))]


def test_two_damaged_records_side_by_side_are_one_stretch(tmp_path: Path) -> None:
    path = write(tmp_path / "000001.warc.gz", 3)
    whole, _ = found_in(path)
    data = bytearray(path.read_bytes())
    data[whole[2].offset : whole[3].offset + 30] = bytes(whole[2].length + 30)
    path.write_bytes(data)
    kept, damage = found_in(path)
    assert kept == [r for r in whole if r not in whole[2:4]]
    assert [(d.offset, d.length) for d in damage] == [(whole[2].offset, whole[2].length + whole[3].length)]


def test_a_damaged_record_of_a_plain_warc_costs_that_record(tmp_path: Path) -> None:
    path = write(tmp_path / "000001.warc.gz", 3)
    plain = tmp_path / "plain.warc"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    whole, damage = found_in(plain)
    assert damage == []
    hit = whole[3]
    for place, byte in ((hit.length - 10, b"#"), (0, b"X"), (hit.length - 3, b"#")):
        data = bytearray(plain.read_bytes())
        data[hit.offset + place : hit.offset + place + 1] = byte
        broken = tmp_path / "broken.warc"
        broken.write_bytes(data)
        kept, damage = found_in(broken)
        assert kept == [r for r in whole if r != hit]
        assert [(d.offset, d.length) for d in damage] == [(hit.offset, hit.length)]


# --- heads


def record(*lines: str, version: str = "WARC/1.0", block: bytes = b"abcd") -> bytes:
    head = [version, "WARC-Type: resource", "WARC-Date: 2026-01-01T00:00:00Z", *lines, f"Content-Length: {len(block)}"]
    return "\r\n".join([*head, "", ""]).encode() + block + b"\r\n\r\n"


@pytest.mark.parametrize("version", ["WARC/0.17", "WARC/0.18", "WARC/1.0", "WARC/1.1"])
def test_heads_of_all_versions_are_read(tmp_path: Path, version: str) -> None:
    path = tmp_path / "f.warc.gz"
    path.write_bytes(gzip.compress(record("WARC-Target-URI: <https://x.fr/é>", "X-Long: un", " deux", version=version)))
    found = record_at(path, 0)
    assert (found.url, found.header("x-long"), found.block) == ("https://x.fr/é", "un deux", b"abcd")
    assert found.archived_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_record_larger_than_we_hold_is_damage_and_not_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.warc.gz"
    path.write_bytes(gzip.compress(record(block=bytes(5000))) + gzip.compress(record()))
    assert [len(r.block) for r in found_in(path)[0]] == [5000, 4]
    monkeypatch.setattr("harvest.members.MAX_RECORD_BYTES", 3000)
    kept, damage = found_in(path)
    assert [len(r.block) for r in kept] == [4]
    assert "more than 3000 bytes" in damage[0].reason


def test_records_of_any_size_touch_each_other(tmp_path: Path) -> None:
    dice, path = random.Random(9), tmp_path / "f.warc.gz"
    sizes = (0, 1, 16_383, 16_384, 65_537, 1 << 20, (1 << 20) + 1)
    blocks = [block for size in sizes for block in (bytes(size), dice.randbytes(size))] + [bytes(20_000_000)]
    members = [gzip.compress(record(block=block), compresslevel=1) for block in blocks]
    path.write_bytes(b"".join(members))
    found, damage = found_in(path)
    assert damage == []
    assert [len(r.block) for r in found] == [len(block) for block in blocks]
    assert all(r.block == block for r, block in zip(found, blocks, strict=True))
    assert [r.length for r in found] == [len(member) for member in members]
    assert ends_of(found) == [sum(map(len, members[: n + 1])) for n in range(len(members))]

"""A damaged record stops no takedown: the rest goes, the record is named, and goes too once it is restored."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.jobs import rebuild, refresh
from flows.takedown import takedown
from harvest.fixity import check
from harvest.index import read_index
from harvest.members import Damage, scan_records
from harvest.payloads import read_payload
from schema.layout import Layout
from tests.small_site import LISTING, own_page
from tests.taken_site import BETA_TEXT, PAGES, latest, places_of, small

BETA, GAMMA = "https://rtes.example/beta", "https://rtes.example/gamma"
WHY = "à la demande de l'auteur"
QUOTE = f"<aside><p>{BETA_TEXT}</p></aside></body>".encode()
SITE = {**PAGES, GAMMA: own_page("Gamma").replace(b"</body>", QUOTE)}


def flip(path: Path, url: str) -> tuple[bytes, int]:
    """Flip one bit of the page of an address; the archive as it was, and where the record lies."""
    was = path.read_bytes()
    found = next(r for r in scan_records(path) if not isinstance(r, Damage) and (r.url, r.kind) == (url, "response"))
    place = found.offset + found.length - 6
    path.write_bytes(was[:place] + bytes([was[place] ^ 4]) + was[place + 1 :])
    return was, found.offset


def sound_pages(path: Path) -> bytes:
    return b"".join(
        read_payload(path, r.offset).content
        for r in scan_records(path)
        if not isinstance(r, Damage) and r.kind == "response"
    )


@pytest.mark.parametrize("url", [GAMMA, BETA])
def test_the_rest_goes_and_the_damaged_record_once_it_is_restored(tmp_path: Path, url: str) -> None:
    source, data = small(tmp_path, SITE)
    layout, before = Layout(data, "mine"), latest(Layout(data, "mine"), "resources")
    path = layout.archive(1)
    was, offset = flip(path, url)
    verdict = takedown(source, data, BETA, WHY, "moi")
    assert f"{BETA} taken down: " in verdict
    assert (
        f"; 1 archive record is damaged and may hold words of it: 000001.warc.gz, offset {offset}, {url}: " in verdict
    )
    assert "restore from a copy, then run this takedown again" in verdict
    assert BETA_TEXT.encode() not in sound_pages(path)
    assert {row["title"] for row in latest(layout, "resources")} == {"Alpha", "Gamma"}
    # the index still knows what the damaged record was
    assert [(fault.offset, fault.url) for fault in check(layout.raw)] == [(offset, url)]
    assert "already down" in (again := takedown(source, data, BETA, WHY, "moi"))
    assert f"offset {offset}, {url}: " in again
    # the copy is one of before
    path.write_bytes(was)
    assert "not what was written" in refresh(source, data).verdict
    verdict = takedown(source, data, BETA, WHY, "moi")
    assert "taken down: " in verdict
    assert "damaged" not in verdict
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert check(layout.raw) == []
    assert "not what was written" not in refresh(source, data).verdict
    assert "rebuilt" in rebuild(source, data).verdict
    left = {row["resource_id"]: row["summary"] for row in latest(layout, "resources")}
    assert left == {row["resource_id"]: row["summary"] for row in before if row["title"] != "Beta"}
    assert "already down" in takedown(source, data, BETA, WHY, "moi")


def test_a_damaged_listing_takes_nothing_else_out_of_the_release(tmp_path: Path) -> None:
    source, data = small(tmp_path, SITE)
    layout = Layout(data, "mine")
    before = {row["title"]: row for row in latest(layout, "resources")}
    was, offset = flip(layout.archive(1), LISTING)
    verdict = takedown(source, data, BETA, WHY, "moi")
    assert f"offset {offset}, {LISTING}: " in verdict
    after = {row["title"]: row for row in latest(layout, "resources")}
    assert after == {title: row for title, row in before.items() if title != "Beta"}
    layout.archive(1).write_bytes(was)
    assert "taken down" in takedown(source, data, BETA, WHY, "moi")
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    after = {row["title"]: row for row in latest(layout, "resources")}
    assert after.keys() == {"Alpha", "Gamma"}
    assert "equal to release" in rebuild(source, data).verdict


@pytest.mark.parametrize("content", [b"", b"not a WARC", b"\x1f\x8b\x08" + b"x" * 3000])
def test_an_archive_of_which_nothing_can_be_read_stops_no_takedown(tmp_path: Path, content: bytes) -> None:
    source, data = small(tmp_path, SITE)
    layout = Layout(data, "mine")
    refresh(source, data)
    was = layout.archive(1).read_bytes()
    layout.archive(1).write_bytes(content)
    verdict = takedown(source, data, BETA, WHY, "moi")
    assert "1 archive record is damaged and may hold words of it: 000001.warc.gz, offset 0" in verdict
    assert BETA_TEXT.encode() not in b"".join(
        r.block for r in scan_records(layout.archive(2)) if not isinstance(r, Damage)
    )
    assert {row["title"] for row in latest(layout, "resources")} == {"Alpha", "Gamma"}
    layout.archive(1).write_bytes(was)
    assert "taken down" in takedown(source, data, BETA, WHY, "moi")
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert check(layout.raw) == []


def test_without_an_index_the_place_is_named_and_nothing_where_all_is_sound(tmp_path: Path) -> None:
    source, data = small(tmp_path, SITE)
    layout = Layout(data, "mine")
    _, offset = flip(layout.archive(1), GAMMA)
    (layout.raw / "index.parquet").unlink()
    assert f"000001.warc.gz, offset {offset}: " in takedown(source, data, BETA, WHY, "moi")
    (tmp_path / "other").mkdir()
    other, there = small(tmp_path / "other", SITE)
    assert "damaged" not in takedown(other, there, BETA, WHY, "moi")


def test_the_index_keeps_what_it_knew_of_a_damaged_record_alone(tmp_path: Path) -> None:
    source, data = small(tmp_path, SITE)
    layout = Layout(data, "mine")
    before = {row["offset"]: row for row in read_index(layout.raw).to_pylist()}
    _, offset = flip(layout.archive(1), GAMMA)
    takedown(source, data, BETA, WHY, "moi")
    after = {row["offset"]: row for row in read_index(layout.raw).to_pylist()}
    assert after.keys() == before.keys()
    assert after[offset] == before[offset]
    assert {row["url"] for at, row in after.items() if row != before[at]} == {BETA, LISTING, "urn:moisson:ledger"}

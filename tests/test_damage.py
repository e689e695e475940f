"""One flipped bit costs the record that it hit: every job goes on, says it, and publishes nothing poorer for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.accepting import accept
from flows.captures import import_warc
from flows.jobs import rebuild, refresh
from flows.ledger import ledger_of
from harvest.blocks import LEDGER_URI
from harvest.fixity import check, check_tonight
from harvest.index import INDEX_NAME, read_index
from harvest.members import Damage, scan_records
from releases.store import latest_release
from schema.errors import DamagedArchive, HeldByGate, SiteUnreachable
from schema.layout import Layout
from schema.sources import Source
from tests.site_server import SiteServer, block, listing, make_source, page, resource
from tests.small_site import warc

SLUGS = [f"r{number}" for number in range(8)]
SITE = {"/liste": listing("Liste", SLUGS), **{f"/{slug}": resource(slug) for slug in SLUGS}}


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer(dict(SITE)) as server:
        yield server


def flip(layout: Layout, run: int, end: str) -> bytes:
    """Flip one bit of the archived page of an address; the archive as it was."""
    path = layout.archive(run)
    was = path.read_bytes()
    found = next(
        r
        for r in scan_records(path)
        if not isinstance(r, Damage) and r.url.endswith(end) and r.kind in ("response", "resource")
    )
    # in its checksum: another bit may say the same in other words
    place = found.offset + found.length - 6
    path.write_bytes(was[:place] + bytes([was[place] ^ 4]) + was[place + 1 :])
    return was


def rows(layout: Layout, table: str) -> list[dict[str, Any]]:
    release = latest_release(layout)
    assert release is not None
    return list(release.rows(table))


def report(layout: Layout) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((layout.run(layout.runs()[-1]) / "run.json").read_text(encoding="utf-8"))
    return said


def test_a_damaged_copy_is_one_reject_and_its_resource_stays(site: SiteServer, tmp_path: Path) -> None:
    source, layout = make_source(site.origin), Layout(tmp_path, "essai")
    refresh(source, tmp_path)
    old = {f"{site.origin}/old{number}": resource(f"old{number}") for number in range(5)}
    import_warc(source, tmp_path, warc(tmp_path / "old.warc.gz", old))
    assert "archived page" not in refresh(source, tmp_path).verdict
    before = {row["url"] for row in rows(layout, "resources")}
    was = flip(layout, 2, "/old3")
    verdict = refresh(source, tmp_path).verdict
    assert "1 archived page is damaged and left out: 000002.warc.gz: no readable record at offset" in verdict
    assert report(layout)["damaged"][0]["url"].startswith(f"{site.origin}/old3")
    assert report(layout)["verdict"] == verdict
    assert {row["url"] for row in rows(layout, "resources")} == before
    rejects = rows(layout, "rejects")
    assert [row["reason"] for row in rejects] == ["damaged_record"]
    assert str(tmp_path) not in rejects[0]["message"]
    with pytest.raises(DamagedArchive, match="the release stays; 1 archived page is damaged"):
        rebuild(source, tmp_path)
    layout.archive(2).write_bytes(was)
    assert "archived page" not in refresh(source, tmp_path).verdict
    assert "archived page" not in rebuild(source, tmp_path).verdict


def test_a_rebuild_publishes_nothing_poorer_for_a_damaged_record(site: SiteServer, tmp_path: Path) -> None:
    source, layout = make_source(site.origin), Layout(tmp_path, "essai")
    refresh(source, tmp_path)
    old = {f"{site.origin}/old{number}": resource(f"old{number}") for number in range(5)}
    import_warc(source, tmp_path, warc(tmp_path / "old.warc.gz", old))
    refresh(source, tmp_path)
    before, lost = layout.latest.resolve(), next(r for r in rows(layout, "resources") if r["url"].endswith("/old3"))
    flip(layout, 2, "/old3")
    with pytest.raises(DamagedArchive, match=f"1 published resource is missing or another.*{lost['resource_id']}"):
        rebuild(source, tmp_path)
    assert layout.latest.resolve() == before


def test_a_damaged_page_of_an_old_night_stops_no_job(site: SiteServer, tmp_path: Path) -> None:
    source, layout = make_source(site.origin), Layout(tmp_path, "essai")
    refresh(source, tmp_path)
    refresh(source, tmp_path)
    flip(layout, 1, "/r7")
    site.scripts["/liste"] = listing("Liste", SLUGS[:2])
    with pytest.raises(HeldByGate):
        refresh(source, tmp_path)
    accept(source, tmp_path, "c'est vrai", "moi")
    site.scripts["/liste"] = SITE["/liste"]
    refresh(source, tmp_path)
    relabelled = make_source(site.origin, labels={"type": ["Type de ressource", "Type"]})
    assert "1 archived page is damaged" in refresh(relabelled, tmp_path).verdict
    assert {row["state"] for row in rows(layout, "resources")} == {"listed"}
    assert "published" in rebuild(relabelled, tmp_path).verdict or "equal" in rebuild(relabelled, tmp_path).verdict


def test_a_night_whose_listing_is_damaged_makes_nothing_vanish(site: SiteServer, tmp_path: Path) -> None:
    source, layout = make_source(site.origin), Layout(tmp_path, "essai")
    refresh(source, tmp_path)
    flip(layout, 1, "/liste")
    before = layout.latest.resolve()
    with pytest.raises(HeldByGate, match=r"the listing .*/liste is damaged in the archive"):
        rebuild(source, tmp_path)
    assert layout.latest.resolve() == before
    refresh(source, tmp_path)
    assert {row["state"] for row in rows(layout, "resources")} == {"listed"}


def test_a_ledger_is_read_behind_damage_and_a_damaged_one_is_said(site: SiteServer, tmp_path: Path) -> None:
    source, layout = make_source(site.origin), Layout(tmp_path, "essai")
    refresh(source, tmp_path)
    sound = ledger_of(layout, 1)
    flip(layout, 1, "/r2")
    assert ledger_of(layout, 1) == sound
    cut = layout.archive(1).read_bytes()[:-9]
    layout.archive(1).write_bytes(cut)
    assert ledger_of(layout, 1) == sound
    (layout.run(1) / "ledger.parquet").unlink()
    with pytest.raises(DamagedArchive, match="the ledger, is missing"):
        ledger_of(layout, 1)


def test_an_index_is_made_anew_beside_a_damaged_archive_and_whole_once_it_is_restored(
    site: SiteServer, tmp_path: Path
) -> None:
    source, layout = make_source(site.origin), Layout(tmp_path, "essai")
    refresh(source, tmp_path)
    was = flip(layout, 1, "/r2")
    (layout.raw / INDEX_NAME).unlink()
    assert "unchanged" in refresh(source, tmp_path).verdict
    assert [fault.file for fault in check(layout.raw)] == ["000001.warc.gz"]
    layout.archive(1).write_bytes(was)
    refresh(source, tmp_path)
    assert check(layout.raw) == []
    assert "000001.warc.gz" in read_index(layout.raw)["file"].to_pylist()


def test_a_revisit_of_a_damaged_page_costs_its_own_page_alone(site: SiteServer, tmp_path: Path) -> None:
    source, here, there = make_source(site.origin), tmp_path / "here", tmp_path / "there"
    long = "".join(f"<p>pied de page {number}</p>" for number in range(80)).encode()
    for slug in SLUGS[:3]:
        bare = SITE[f"/{slug}"].replace(b"</body>", b"<footer>" + long + b"</footer></body>")
        head, _, body = bare.partition(b"\r\n\r\n")
        kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        site.scripts[f"/{slug}"] = b"\r\n".join([*kept, b"Content-Length: %d" % len(body), b"", body])
    for _ in range(2):
        refresh(source, here)
    import_warc(source, there, Layout(here, "essai").archive(1))
    flip(Layout(there, "essai"), 1, "/r1")
    told = import_warc(source, there, Layout(here, "essai").archive(2)).facts["left_aside"]
    assert any("original missing" in line and "/r1" in line for line in told)
    assert len(ledger_of(Layout(there, "essai"), 2).visits) >= 2


# --- what nobody asks for ---------------------------------------------------------------------------------------------


def three_nights(site: SiteServer, data: Path) -> tuple[Source, Layout]:
    """A first night, one with news, one without."""
    source, layout = make_source(site.origin), Layout(data, "essai")
    refresh(source, data)
    site.scripts["/r1"] = page(block("r1").replace("h2>", "h1>").replace("écrit", "récrit"))
    refresh(source, data)
    refresh(source, data)
    return source, layout


def damage_ledger(layout: Layout, run: int) -> bytes:
    path = layout.archive(run)
    was = path.read_bytes()
    found = next(r for r in scan_records(path) if not isinstance(r, Damage) and r.url == LEDGER_URI)
    place = found.offset + found.length // 2
    path.write_bytes(was[:place] + bytes([was[place] ^ 4]) + was[place + 1 :])
    return was


@pytest.mark.parametrize("run", [1, 2, 3])
def test_a_damaged_ledger_is_read_from_its_copy_and_said_each_night(site: SiteServer, tmp_path: Path, run: int) -> None:
    source, layout = three_nights(site, tmp_path)
    before = {table: rows(layout, table) for table in ("resources", "ids", "history")}
    sound, was = ledger_of(layout, run), damage_ledger(layout, run)
    assert ledger_of(layout, run) == sound
    name = layout.archive(run).name
    for _ in range(2):
        asked = len(site.asked)
        verdict = refresh(source, tmp_path).verdict
        assert "unchanged since release 2" in verdict
        assert f"1 archive record is not what was written: {name}, offset" in verdict
        assert "urn:moisson:ledger" in verdict
        assert len(site.asked) > asked
        (told,) = report(layout)["damaged"]
        assert (told["file"], told["url"]) == (name, "urn:moisson:ledger")
    assert f"not what was written: {name}" in rebuild(source, tmp_path).verdict
    assert {table: rows(layout, table) for table in before} == before
    layout.archive(run).write_bytes(was)
    assert "not what was written" not in refresh(source, tmp_path).verdict
    assert report(layout)["damaged"] == []
    assert "not what was written" not in rebuild(source, tmp_path).verdict


@pytest.mark.parametrize("run", [1, 2, 3])
def test_a_damaged_ledger_without_a_copy_stops_no_refresh(site: SiteServer, tmp_path: Path, run: int) -> None:
    source, layout = three_nights(site, tmp_path)
    damage_ledger(layout, run)
    (layout.run(run) / "ledger.parquet").unlink()
    assert "urn:moisson:ledger" in refresh(source, tmp_path).verdict
    assert not (layout.run(run) / "ledger.parquet").exists()
    with pytest.raises(DamagedArchive, match=f"{layout.archive(run).name}: its last record"):
        rebuild(source, tmp_path)


@pytest.mark.parametrize("piece_bytes", [100, 1 << 20])
def test_ledgers_of_before_get_their_copies(
    site: SiteServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr("flows.ledger._PIECE_BYTES", piece_bytes)
    source, layout = three_nights(site, tmp_path)
    copies = [layout.run(run) / "ledger.parquet" for run in (1, 2, 3)]
    held = [copy.read_bytes() for copy in copies]
    for copy in copies:
        copy.unlink()
    refresh(source, tmp_path)
    assert [copy.read_bytes() for copy in copies] == held
    kept = ledger_of(layout, 1)
    was = layout.archive(1).read_bytes()
    damage_ledger(layout, 1)
    assert ledger_of(layout, 1) == kept
    layout.archive(1).write_bytes(was)
    copies[1].write_bytes(held[1][:-200])
    damage_ledger(layout, 2)
    with pytest.raises(DamagedArchive, match="the ledger, is missing"):
        ledger_of(layout, 2)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08" + b"x" * 5000, None])
def test_an_archive_that_is_garbage_or_empty_or_gone_is_said_in_one_line(
    site: SiteServer, tmp_path: Path, content: bytes | None
) -> None:
    source, layout = three_nights(site, tmp_path)
    mine = {row["resource_id"] for row in rows(layout, "resources") if not row["url"].endswith("/r1")}
    was = layout.archive(1).read_bytes()
    layout.archive(1).unlink()
    if content is not None:
        layout.archive(1).write_bytes(content)
    for _ in range(2):
        verdict = refresh(source, tmp_path).verdict
        assert "archive records are not what was written: 000001.warc.gz, all of it: " in verdict
        (told,) = [one for one in report(layout)["damaged"] if "records" in one]
        assert told["records"] > len(SLUGS)
        # the release rests on it, though later nights asked anew
        assert mine <= set(told["resource_ids"])
        assert any(name in verdict for name in mine)
    layout.archive(1).write_bytes(was)
    assert "not what was written" not in refresh(source, tmp_path).verdict


def test_a_damaged_record_names_what_rests_on_it_before_anybody_reads_it(site: SiteServer, tmp_path: Path) -> None:
    source, layout = three_nights(site, tmp_path)
    mine = next(row["resource_id"] for row in rows(layout, "resources") if row["url"].endswith("/r5"))
    flip(layout, 2, "/r5")
    verdict = refresh(source, tmp_path).verdict
    assert f"{site.origin}/r5: not a sound gzip member" in verdict
    assert f"on which {mine} rest; restore from a copy" in verdict
    (told,) = report(layout)["damaged"]
    assert told["resource_ids"] == [mine]
    # of a night that fails too
    site.close()
    with pytest.raises(SiteUnreachable):
        refresh(source, tmp_path)
    (told,) = [json.loads(path.read_text("utf-8")) for path in layout.clean.glob("runs/000005/run.json")]
    assert f"on which {mine} rest; restore from a copy" in told["verdict"]
    assert told["damaged"][0]["resource_ids"] == [mine]


def test_archives_are_looked_through_in_turn_where_there_are_many(site: SiteServer, tmp_path: Path) -> None:
    source, layout = three_nights(site, tmp_path)
    for _ in range(3):
        refresh(source, tmp_path)
    assert check_tonight(layout.raw, 0, 0) == []
    whole = sum(path.stat().st_size for path in layout.raw.glob("*.warc.gz"))
    for run in layout.runs():
        was = damage_ledger(layout, run)
        met = [bool(check_tonight(layout.raw, night, 0)) for night in range(5)]
        assert sum(met) == (5 if run == 6 else 1)
        assert all(check_tonight(layout.raw, night, whole) for night in range(5))
        # what is not read is measured
        layout.archive(run).write_bytes(was[:-1])
        assert all(check_tonight(layout.raw, night, 0) for night in range(5))
        layout.archive(run).write_bytes(was)

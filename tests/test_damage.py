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
from harvest.fixity import check
from harvest.index import INDEX_NAME, read_index
from harvest.members import Damage, scan_records
from releases.store import latest_release
from schema.errors import DamagedArchive, HeldByGate
from schema.layout import Layout
from tests.site_server import SiteServer, listing, make_source, resource
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
    return release.rows(table)


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

"""Unfinished archives of nights that are over: those without a page go, the others are looked through once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

import flows.keeping
from flows.erasing import keep_down
from flows.jobs import refresh
from flows.takedown import takedown
from harvest.archive import ArchiveWriter
from harvest.repair import sweep_parts
from schema.errors import MoissonError
from schema.layout import Layout
from schema.sources import Source
from tests.site_server import SiteServer, answer, listing, make_source, resource

SITE = {"/liste": listing("Liste", ["a", "b", "c"]), **{f"/{slug}": resource(slug) for slug in "abc"}}
WHEN = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[SiteServer]:
    monkeypatch.setattr("harvest.client.RETRY_PAUSE_S", 0.0)
    with SiteServer(dict(SITE)) as server:
        yield server


def parts(layout: Layout) -> list[str]:
    return sorted(path.name for path in layout.raw.glob("*.part"))


def test_postponed_nights_leave_no_file_each(site: SiteServer, tmp_path: Path) -> None:
    source, layout = make_source(site.origin), Layout(tmp_path, "essai")
    refresh(source, tmp_path)
    site.scripts["/robots.txt"] = answer("x", status="500 e")
    for _ in range(3):
        with pytest.raises(MoissonError):
            refresh(source, tmp_path)
    assert parts(layout) == ["000004.warc.gz.part"]
    del site.scripts["/robots.txt"]
    refresh(source, tmp_path)
    assert parts(layout) == []
    assert layout.runs() == [1, 5]


@pytest.mark.parametrize(
    ("path", "is_torn", "is_left"),
    [("/robots.txt", False, False), ("/a", False, True), ("/robots.txt", True, True)],
)
def test_what_may_hold_a_page_stays(tmp_path: Path, path: str, *, is_torn: bool, is_left: bool) -> None:
    with ArchiveWriter(tmp_path / "000003.warc.gz", "essai") as archive:
        archive.add_exchange(f"https://rtes.example{path}", b"GET / HTTP/1.1\r\n\r\n", answer("x"), WHEN)
    part = tmp_path / "000003.warc.gz.part"
    if is_torn:
        part.write_bytes(part.read_bytes()[:-3])
    sweep_parts(tmp_path, 3)
    assert part.exists()  # tonight's own
    sweep_parts(tmp_path, 4)
    assert part.exists() is is_left


def test_a_part_is_looked_through_once_for_what_was_taken_down(
    site: SiteServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, layout = make_source(site.origin), Layout(tmp_path, "essai")
    looked: list[str] = []

    def noted(source: Source, layout: Layout, files: Sequence[Path]) -> None:
        looked.extend(path.name for path in files)
        keep_down(source, layout, files)

    monkeypatch.setattr(flows.keeping, "keep_down", noted)
    refresh(source, tmp_path)
    takedown(source, tmp_path, f"{site.origin}/b", "une demande", "moi")
    layout.run(7).mkdir(parents=True)  # runs had numbers up to it
    shutil.copy(layout.archive(1), layout.raw / "000005.warc.gz.part")
    refresh(source, tmp_path)
    assert looked == ["000005.warc.gz.part"]
    refresh(source, tmp_path)
    assert looked == ["000005.warc.gz.part"]
    with (layout.raw / "000005.warc.gz.part").open("ab") as part:
        part.write(b"more")
    refresh(source, tmp_path)
    assert len(looked) == 2
    takedown(source, tmp_path, f"{site.origin}/a", "une autre demande", "moi")
    refresh(source, tmp_path)
    assert len(looked) == 3

"""What is remembered of pages spares parsing, and decides nothing."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from flows import reading as reading_module
from flows import remembered as remembered_module
from flows.captures import import_warc
from flows.jobs import rebuild, refresh
from flows.remembered import Remembered
from flows.shelves import FileShelf
from flows.workers import parse_in_workers
from releases.store import Release, latest_release
from schema.errors import DiskTrouble
from schema.layout import Layout
from schema.nouns import PageReading, Payload
from schema.sources import Source, read_source
from tests.small_site import LISTING, block, listing, own_page, source_file, warc

SITE = {
    LISTING: listing(block("Alpha"), block("Beta")),
    "https://rtes.example/alpha": own_page("Alpha"),
    "https://rtes.example/beta": own_page("Beta"),
}
BETA = "https://rtes.example/beta"
EDITED = {**SITE, BETA: own_page("Beta").replace(b"texte", b"tissu")}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return read_source(source_file(tmp_path, warc(tmp_path / "night.warc.gz", SITE)))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data", "mine")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses of the pages that workers parse."""
    urls: list[str] = []
    real = parse_in_workers

    def noted(pages: Any, *arguments: Any) -> Any:
        urls.extend(page.url for page in pages)
        return real(pages, *arguments)

    monkeypatch.setattr(reading_module, "parse_in_workers", noted)
    return urls


def night(source: Source, layout: Layout, answers: dict[str, bytes] = SITE) -> str:
    assert source.replay_path is not None
    warc(source.replay_path, answers)
    return refresh(source, layout.data).verdict


def newest(layout: Layout) -> Release:
    release = latest_release(layout)
    assert release is not None
    return release


def test_a_page_is_parsed_once_and_again_when_it_has_changed(source: Source, layout: Layout, parsed: list[str]) -> None:
    night(source, layout)
    assert sorted(parsed) == sorted(SITE)
    parsed.clear()
    assert "unchanged" in night(source, layout)
    assert not parsed
    night(source, layout, EDITED)
    assert parsed == [BETA]
    assert "equal to release 2" in rebuild(source, layout.data).verdict


def test_what_the_last_night_did_not_meet_is_forgotten(source: Source, layout: Layout) -> None:
    night(source, layout)
    assert layout.readings.read_bytes().count(b"\n") == 3
    assert b"Le texte de Beta" in layout.readings.read_bytes()
    night(source, layout, {LISTING: listing(block("Alpha"))})
    assert b"Alpha" in layout.readings.read_bytes()
    assert b"Beta" not in layout.readings.read_bytes()


def imported(source: Source, layout: Layout, count: int = 5) -> None:
    pages = {f"https://rtes.example/vieux-{number}": own_page(f"Vieux {number}") for number in range(count)}
    import_warc(source, layout.data, warc(layout.data.parent / "vieux.warc.gz", pages))


def test_copies_are_parsed_once_too_and_again_by_a_rebuild(source: Source, layout: Layout, parsed: list[str]) -> None:
    night(source, layout)
    imported(source, layout)
    parsed.clear()
    night(source, layout)
    copies = [f"https://rtes.example/vieux-{number}#2026-01-02T03:04:05Z" for number in range(5)]
    assert sorted(parsed) == copies
    parsed.clear()
    told = newest(layout).manifest["tables"]
    for answers in (SITE, EDITED, SITE):
        night(source, layout, answers)
    assert parsed == [BETA, BETA], "another page each time, and no copy"
    assert sum(line.startswith(b"copy-") for line in layout.readings.read_bytes().splitlines()) == 5
    assert newest(layout).manifest["tables"]["records"]["logical_digest"] == told["records"]["logical_digest"]
    parsed.clear()
    rebuild(source, layout.data)
    assert set(copies) < set(parsed), "a rebuild believes the archive alone"


def test_copies_read_by_other_code_are_forgotten(
    source: Source, layout: Layout, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    night(source, layout)
    imported(source, layout)
    night(source, layout)
    monkeypatch.setattr(remembered_module, "code_digest", lambda: "other code")
    parsed.clear()
    night(source, layout)
    assert sum("#" in url for url in parsed) == 5
    lines = layout.readings.read_bytes().splitlines()
    assert len([line for line in lines if line]) == len(SITE) + 5


def test_a_line_of_a_copy_that_was_cut_is_written_again(source: Source, layout: Layout, parsed: list[str]) -> None:
    night(source, layout)
    imported(source, layout)
    night(source, layout)
    layout.readings.write_bytes(layout.readings.read_bytes()[:-20])
    for again in (1, 0):
        parsed.clear()
        assert "unchanged" in night(source, layout)
        assert len(parsed) == again


def test_nights_that_remember_and_nights_that_do_not_give_the_same_tables(source: Source, tmp_path: Path) -> None:
    told = []
    for name in ("remembers", "forgets"):
        layout = Layout(tmp_path / name, "mine")
        for answers in (SITE, SITE, EDITED, SITE):
            night(source, layout, answers)
            if name == "forgets":
                layout.readings.unlink()
        told.append({name: table["logical_digest"] for name, table in newest(layout).manifest["tables"].items()})
    assert told[0] == told[1]


@pytest.mark.parametrize("fault", [b"other", b"cut", b"empty"])
def test_a_line_that_is_not_as_it_was_written_is_not_believed(
    source: Source, layout: Layout, parsed: list[str], fault: bytes
) -> None:
    night(source, layout)
    parsed.clear()
    kept = layout.readings.read_bytes()
    damaged = {b"other": kept.replace(b"texte", b"tixte"), b"cut": kept[: len(kept) // 2], b"empty": b""}[fault]
    layout.readings.write_bytes(damaged)
    assert "unchanged" in night(source, layout)
    assert parsed
    assert b"tixte" not in layout.readings.read_bytes()


def test_a_rebuild_believes_the_archive_alone(source: Source, layout: Layout, parsed: list[str]) -> None:
    night(source, layout)
    lines = layout.readings.read_bytes().splitlines(keepends=True)
    for place, line in enumerate(lines):
        key, said = line[:64], line[128:-1].replace(b"texte", b"tixte")
        lines[place] = key + sha256(key + said).hexdigest().encode() + said + b"\n"
    layout.readings.write_bytes(b"".join(lines))
    parsed.clear()
    assert "equal to release 1" in rebuild(source, layout.data).verdict
    assert sorted(parsed) == sorted(SITE)
    # and it was forged well enough to be believed
    layout.readings.write_bytes(b"".join(lines))
    assert "release 2 published" in night(source, layout)


def test_other_code_or_another_source_file_remembers_nothing(
    source: Source, layout: Layout, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    night(source, layout)
    other = source.model_copy(update={"title": "Autre"})
    payload = Payload(LISTING, SITE[LISTING].partition(b"\r\n\r\n")[2], "text/html", "UTF-8")
    assert Remembered(layout, source).find(payload, LISTING, is_listing=True)
    assert not Remembered(layout, other).find(payload, LISTING, is_listing=True)
    monkeypatch.setattr(remembered_module, "code_digest", lambda: "other code")
    assert not Remembered(layout, source).find(payload, LISTING, is_listing=True)


@pytest.mark.parametrize(
    "other",
    [
        Payload(LISTING, b"<html></html>", "text/html", "utf-8"),
        Payload(LISTING, b"<h1>Liste</h1>", "text/plain", "utf-8"),
        Payload(LISTING, b"<h1>Liste</h1>", "text/html", "cp1252"),
        Payload(LISTING + "?page=1", b"<h1>Liste</h1>", "text/html", "utf-8"),
    ],
)
def test_only_the_same_bytes_read_in_the_same_way_state_the_same(
    source: Source, layout: Layout, other: Payload
) -> None:
    remembered, payload = Remembered(layout, source), Payload(LISTING, b"<h1>Liste</h1>", "text/html", "utf-8")
    said = remembered.read(payload, LISTING, is_listing=True)
    assert remembered.find(payload, LISTING, is_listing=True) == said
    assert remembered.find(other, LISTING, is_listing=True) is None
    assert remembered.find(payload, LISTING, is_listing=False) is None
    assert remembered.find(payload, LISTING + "#look-2", is_listing=True) is None


def test_a_page_that_was_refused_gets_another_try(
    source: Source, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = Payload(LISTING, b"<h1>Liste</h1>", "text/html", "utf-8")
    tries: list[str] = []

    def give_up(_payload: Payload, url: str, *_: Any, **__: Any) -> PageReading:
        tries.append(url)
        return PageReading(url, url)

    monkeypatch.setattr(remembered_module, "read_in_worker", give_up)
    for _ in range(2):
        remembered = Remembered(layout, source)
        remembered.read(payload, LISTING, is_listing=True)
        remembered.keep()
    assert tries == [LISTING, LISTING]


def test_without_room_a_night_goes_on_and_the_next_one_parses(
    source: Source, layout: Layout, parsed: list[str]
) -> None:
    layout.readings.mkdir(parents=True)
    night(source, layout)
    parsed.clear()
    assert "unchanged" in night(source, layout)
    assert set(parsed) == set(SITE)
    assert [path.name for path in layout.clean.glob("readings*")] == ["readings.txt"]


class FullShelf(FileShelf):
    """On a disk without room."""

    def put(self, data: bytes) -> int:
        """Refuse."""
        raise DiskTrouble("no room")


def test_a_disk_without_room_for_what_was_read_costs_a_parse_and_no_night(
    source: Source, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered_module, "FileShelf", FullShelf)
    assert "release 1 published" in refresh(source, layout.data).verdict
    assert "unchanged" in refresh(source, layout.data).verdict
    assert not layout.readings.read_bytes().strip()

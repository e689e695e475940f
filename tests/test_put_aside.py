"""What a run puts aside in files without a name: they are closed in time, and a disk without room for one is told."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from benchmarks.step import read_night
from flows import shelves
from flows.building import Built, Step, build
from releases import tables as tables_module
from schema.errors import DiskTrouble
from schema.sources import read_source
from tests.judged_site import Site
from tests.small_site import source_file

TEXTS = [f"Le garage solidaire de la commune {number} prête {number * 7} voitures" for number in range(6)]


def built_of(nights: int, folder: Path) -> Built:
    """The tables as of the last of some nights, each upon the one before."""
    steps = []
    for run in range(1, nights + 1):
        kept = folder / f"{nights}-{run}"
        kept.mkdir(parents=True)
        night = read_night(run, TEXTS, kept)
        steps.append(Step(run, night, night.started_at))
    return build(read_source(source_file(folder)), steps, (), {}, scratch=folder / "staging")


def open_files() -> int:
    """How many files this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def test_many_nights_leave_as_few_files_open_as_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module, "_IN_MEMORY_BYTES", 1)
    before = open_files()
    few = built_of(2, tmp_path)
    held = open_files() - before
    assert few.refusal is None
    assert held > 3  # the tables of the last night
    del few
    assert open_files() == before
    many = built_of(7, tmp_path)
    assert many.last_good is not None
    assert many.last_good.tables is many.tables
    assert open_files() - before == held


def test_no_room_for_any_of_the_files_is_told_and_leaves_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, left = tempfile.TemporaryFile, 1_000

    def make_while_there_is_room(**given: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "No space left on device")
        return make(**given)

    monkeypatch.setattr(tables_module, "_IN_MEMORY_BYTES", 1)
    monkeypatch.setattr(shelves, "_HELD_BYTES", 64)
    monkeypatch.setattr(tempfile, "TemporaryFile", make_while_there_is_room)
    monkeypatch.setattr(shelves, "TemporaryFile", make_while_there_is_room)
    site = Site(tmp_path)
    site.refresh()
    told = []
    for room in range(0, 10, 2):
        left = room
        with pytest.raises(DiskTrouble) as caught:
            site.refresh("edited")
        told.append(str(caught.value))
        assert site.release.number == 1
        assert not site.layout.staging.exists() or not list(site.layout.staging.iterdir())
    left = 1_000
    site.refresh("edited")
    assert site.release.number == 2
    assert all("published nothing" in one or "nothing was published" in one for one in told)


def test_tables_without_room_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make_none(**_given: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables_module, "_IN_MEMORY_BYTES", 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", make_none)
    with pytest.raises(DiskTrouble, match=f"{tmp_path}/staging: no room for the tables .* nothing was published"):
        built_of(1, tmp_path)

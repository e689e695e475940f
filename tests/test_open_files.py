"""Tables that lie in files without a name are closed when nobody looks at them any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.step import read_night
from flows.building import Built, Step, build
from releases import tables as tables_module
from schema.sources import read_source
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

"""The whole command killed at any instant, again and again: the next start goes on, and the end is the same."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harvest.archive import ArchiveWriter, read_ledger
from harvest.repair import find_whole
from releases.store import run_state, sweep
from schema.layout import Layout
from tests.own_questions import without_own
from tests.site_server import SiteServer, answer, listing, resource
from tests.small_site import source_file

ROOT = Path(__file__).parent.parent
PAGES = {
    "/robots.txt": answer("User-agent: *\nDisallow: /prive\n", media_type="text/plain"),
    "/liste": listing("Eau", [f"a{n}" for n in range(10)], "?page=1"),
    "/liste?page=1": listing("Eau", [f"b{n}" for n in range(5)]),
    **{f"/{slug}": resource(slug) for slug in [*(f"a{n}" for n in range(10)), *(f"b{n}" for n in range(5))]},
}


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(PAGES) as server:
        yield server


def source_of(folder: Path, site: SiteServer) -> Path:
    """A source file for the served site, a short wait between two requests."""
    listings = f'["{site.origin}/liste"]'
    path = source_file(folder, None, listings=listings, contact='"mailto:essai@example.org"')
    path.write_text(path.read_text(encoding="utf-8") + "[pace]\ndelay_s = 0.02\n", encoding="utf-8")
    return path


def start(source: Path, data: Path) -> subprocess.Popen[bytes]:
    """Begin a refresh as a process of its own."""
    command = [sys.executable, "-m", "flows.cli", "refresh", str(source), "--direct", "--data", str(data)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def digests(data: Path) -> dict[str, str]:
    """What the newest release holds, table by table."""
    manifest = json.loads((Layout(data, "mine").latest / "release.json").read_text(encoding="utf-8"))
    return {name: table["logical_digest"] for name, table in manifest["tables"].items()}


@dataclass(frozen=True)
class Whole:
    """An uninterrupted run: what it publishes, how long it takes, how often it asks for what."""

    tables: dict[str, str]
    took_s: float
    asked: Counter[str]


@pytest.fixture(scope="module")
def undisturbed(site: SiteServer, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    began = time.monotonic()
    running = start(source_of(folder, site), folder / "data")
    _, said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    asked = Counter(site.targets())
    # every page, the probe, and a second look at the listing of two pages
    assert len(without_own(asked)) == len(PAGES)
    assert asked.total() == len(PAGES) + 2
    return Whole(digests(folder / "data"), time.monotonic() - began, asked)


@pytest.mark.parametrize("seed", range(50 if os.environ.get("MOISSON_LONG") else 2))
def test_a_command_killed_again_and_again_ends_as_if_nothing_had_been(
    site: SiteServer, undisturbed: Whole, tmp_path: Path, seed: int
) -> None:
    source, data, chance = source_of(tmp_path, site), tmp_path / "data", random.Random(seed)  # noqa: S311
    layout, before, kills = Layout(data, "mine"), len(site.asked), 0
    for _ in range(4):
        running = start(source, data)
        # most of the time goes into the start of Python: what comes after it is to be hit
        try:
            running.wait(undisturbed.took_s * chance.uniform(0.3, 1.0))
        except subprocess.TimeoutExpired:
            running.kill()
            kills += 1
        running.communicate()
        if layout.release_numbers():  # all is done, though the kill may have met Python on its way out
            sweep(layout)  # as the next start does
            break
    else:
        running = start(source, data)
        _, said = running.communicate(timeout=120)
        assert running.returncode == 0, said
    assert digests(data) == undisturbed.tables
    # nothing that was archived is asked again: at most the one that each kill met on its way
    asked = Counter(site.targets()[before:])
    assert asked.keys() == undisturbed.asked.keys()
    assert (asked - undisturbed.asked).total() <= kills
    assert layout.runs() == [1]
    assert not list(layout.raw.glob("*.part*"))
    assert not layout.staging.exists()
    assert read_ledger(layout.archive(1))


def test_a_run_killed_while_its_tables_were_made_is_finished_without_a_request(
    site: SiteServer, undisturbed: Whole, tmp_path: Path
) -> None:
    source, data = source_of(tmp_path, site), tmp_path / "data"
    layout = Layout(data, "mine")
    assert ended(source, data) == 0
    shutil.rmtree(layout.clean)  # as a kill leaves it once the archive has its name
    before = len(site.asked)
    assert ended(source, data) == 0
    assert len(site.asked) == before
    assert (layout.runs(), digests(data)) == ([1], undisturbed.tables)
    assert run_state(layout, 1) == "published"


@pytest.mark.parametrize("has_report", [True, False])
def test_a_run_whose_tables_are_published_is_over_and_the_next_one_asks(
    site: SiteServer,
    undisturbed: Whole,
    tmp_path: Path,
    has_report: bool,  # noqa: FBT001 - a case
) -> None:
    source, data = source_of(tmp_path, site), tmp_path / "data"
    layout = Layout(data, "mine")
    assert ended(source, data) == 0
    if not has_report:
        shutil.rmtree(layout.run(1))
    before = len(site.asked)
    assert ended(source, data) == 0
    assert Counter(site.targets()[before:]) == undisturbed.asked
    assert (layout.runs(), digests(data)) == ([1, 2], undisturbed.tables)


def ended(source: Path, data: Path) -> int:
    """The exit code of a refresh that is left alone."""
    running = start(source, data)
    running.communicate(timeout=120)
    return running.returncode


@pytest.mark.parametrize("age", [timedelta(hours=25), -timedelta(hours=25)])
def test_a_whole_archive_of_another_day_is_not_gone_on_with(tmp_path: Path, age: timedelta) -> None:
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai", asked="tout") as archive:
        archive.add_ledger({"format": 1}, datetime.now(UTC))
    found = find_whole(archive.path, datetime.now(UTC))
    assert found is not None
    assert (found.run, found.asked, found.is_whole, found.exchanges) == (1, "tout", True, ())
    assert find_whole(archive.path, datetime.now(UTC) + age) is None
    assert find_whole(tmp_path / "000002.warc.gz", datetime.now(UTC)) is None

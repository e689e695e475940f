"""The whole command killed at any instant, again and again: the next start goes on, and the end is the same."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harvest.archive import read_ledger
from schema.layout import Layout
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


@pytest.fixture(scope="module")
def undisturbed(site: SiteServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float]:
    """What an uninterrupted run publishes, and how long it takes."""
    folder = tmp_path_factory.mktemp("whole")
    began = time.monotonic()
    running = start(source_of(folder, site), folder / "data")
    _, said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    return digests(folder / "data"), time.monotonic() - began


@pytest.mark.parametrize("seed", range(50 if os.environ.get("MOISSON_LONG") else 2))
def test_a_command_killed_again_and_again_ends_as_if_nothing_had_been(
    site: SiteServer, undisturbed: tuple[dict[str, str], float], tmp_path: Path, seed: int
) -> None:
    wanted, whole_s = undisturbed
    source, data, chance = source_of(tmp_path, site), tmp_path / "data", random.Random(seed)  # noqa: S311
    before, kills = len(site.asked), 0
    for _ in range(4):
        running = start(source, data)
        # most of the time goes into the start of Python: what comes after it is to be hit
        try:
            running.wait(whole_s * chance.uniform(0.4, 1.0))
        except subprocess.TimeoutExpired:
            running.kill()
            kills += 1
        running.communicate()
        if running.returncode == 0:
            break
    else:
        running = start(source, data)
        _, said = running.communicate(timeout=120)
        assert running.returncode == 0, said
    assert digests(data) == wanted
    # nothing that was archived is asked again: at most the one that a kill met on its way
    assert len(site.asked) - before <= len(PAGES) + kills
    layout = Layout(data, "mine")
    assert not list(layout.raw.glob("*.part*"))
    assert not layout.staging.exists()
    assert all(read_ledger(layout.archive(run)) for run in layout.runs())

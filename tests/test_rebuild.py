"""Whatever happened to a source, its archive alone gives its release again."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from flows.importing import import_copy
from flows.jobs import rebuild, refresh
from releases.store import latest_release
from schema.errors import HeldByGate, SiteUnreachable, StructureChanged
from schema.layout import Layout
from schema.sources import Source, read_source
from tests.small_site import LISTING, block, listing, own_page, page_of, redirect, source_file, warc

SECOND = LISTING.replace("mobilites-solidaires", "autre")
LISTINGS = f'["{LISTING}", "{SECOND}"]'
TITLES = ("Alpha", "Beta", "Gamma", "Delta")
NIGHTS = {
    "full": {LISTING: listing(*map(block, TITLES[:3])), SECOND: listing(block("Delta"))},
    "less": {
        LISTING: listing(*map(block, TITLES[:2])),
        SECOND: listing(block("Delta")),
        "https://rtes.example/gamma": page_of(b"<h1>Introuvable</h1>", status="404 Not Found"),
    },
    "edited": {
        LISTING: listing(block("Alpha"), block("Beta").replace("texte", "nouveau texte"), block("Gamma")),
        SECOND: listing(block("Delta"), block("Epsilon")),
    },
    "moved": {
        LISTING: listing(*map(block, TITLES[:3])),
        SECOND: listing(block("Delta")),
        "https://rtes.example/gamma": redirect("/gamma-2"),
        "https://rtes.example/gamma-2": own_page("Gamma"),
        "https://rtes.example/beta": redirect("/alpha", "302 Found"),
        "https://rtes.example/alpha": own_page("Alpha"),
    },
    "canonical": {
        LISTING: listing(*map(block, TITLES[:3])),
        SECOND: listing(block("Delta")),
        "https://rtes.example/gamma": own_page("Gamma", "/gamma-2"),
    },
    "hollow": {LISTING: listing(), SECOND: listing(block("Delta"))},
    "empty": {LISTING: listing(), SECOND: listing()},
    "down": {LISTING: page_of(b"x", status="503 Service Unavailable")},
}
COPIES = {
    "old": (block("Alpha").replace("texte", "ancien texte"), 2020, f"{LISTING}?page=7"),
    "older": (block("Omega"), 2019, f"{LISTING}?page=7"),
    "newer": (block("Omega").replace("texte", "texte revu"), 2024, f"{LISTING}?page=7"),
    "late": (block("Delta").replace("texte", "texte tardif"), 2026, f"{LISTING}?page=7"),
    "aliased": (block("Gamma").replace("texte", "texte d'hier"), 2022, "https://rtes.example/gamma"),
}


def act(source: Source, data: Path, folder: Path, event: str) -> str:
    """One thing that may happen to a source; how it ended, in a word."""
    kind, _, what = event.partition(" ")
    try:
        if kind == "import":
            page, year, url = COPIES[what]
            file = folder / f"{what}.html"
            file.write_text(f"<html><body><h1>Copie</h1>{page}</body></html>", encoding="utf-8")
            import_copy(source, data, file, url, datetime(year, 1, 2, tzinfo=UTC))
        elif kind == "rebuild":
            return rebuild(source, data).verdict
        else:
            replay = warc(folder / f"{what}.warc.gz", NIGHTS[what])
            refresh(source.model_copy(update={"replay": str(replay)}), data, is_dry=kind == "dry")
    except (HeldByGate, StructureChanged):
        return "refused"
    except SiteUnreachable:
        return "failed"
    return "done"


def is_equal(source: Source, data: Path) -> bool:
    """Whether a rebuild finds the release as it is; one that brings in what came after it is followed by another."""
    if latest_release(Layout(data, source.name)) is None:
        return True
    rebuild(source, data)
    return "equal to release" in rebuild(source, data).verdict


SEQUENCES = [
    ("refresh moved", "import aliased", "refresh full", "refresh moved"),
    ("refresh full", "refresh moved", "import aliased", "rebuild", "refresh canonical"),
    ("refresh full", "refresh full"),
    ("refresh full", "refresh less", "refresh full"),
    ("refresh full", "refresh hollow", "refresh edited"),
    ("refresh full", "refresh empty", "refresh down", "refresh less"),
    ("refresh full", "dry edited", "refresh full"),
    ("import old", "refresh full", "import newer", "refresh less"),
    ("refresh full", "import older", "rebuild", "import newer", "refresh full"),
    ("refresh full", "import older", "rebuild", "import newer", "rebuild", "refresh edited", "refresh less"),
    ("import older", "rebuild", "import newer", "rebuild", "refresh less"),
    ("refresh edited", "refresh less", "import late", "refresh full", "rebuild", "refresh less"),
]


@pytest.mark.parametrize("events", SEQUENCES, ids=" > ".join)
def test_the_archive_gives_the_release_again_whatever_happened(tmp_path: Path, events: tuple[str, ...]) -> None:
    source = read_source(source_file(tmp_path, None, listings=LISTINGS))
    for event in events:
        act(source, tmp_path / "data", tmp_path, event)
    assert is_equal(source, tmp_path / "data")


@pytest.mark.parametrize("seed", range(60 if os.environ.get("MOISSON_LONG") else 5))
def test_chance_finds_no_sequence_that_breaks_it(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # the same events on every run
    source = read_source(source_file(tmp_path, None, listings=LISTINGS))
    kinds = [
        *(f"refresh {n}" for n in NIGHTS),
        *(f"import {c}" for c in COPIES),
        "dry edited",
        "rebuild",
        "refresh full",
    ]
    done = ["refresh full", *(chance.choice(kinds) for _ in range(7))]
    for event in done:
        act(source, tmp_path / "data", tmp_path, event)
    assert is_equal(source, tmp_path / "data"), done


@pytest.mark.parametrize("event", ["refresh moved", "refresh canonical", "import aliased"])
def test_no_address_is_that_of_two_resources(tmp_path: Path, event: str) -> None:
    source, data = read_source(source_file(tmp_path, None, listings=LISTINGS)), tmp_path / "data"
    for each in ("refresh full", event, "rebuild", "refresh full", "refresh moved"):
        act(source, data, tmp_path, each)
    release = latest_release(Layout(data, source.name))
    assert release is not None
    here = [row["url"] for row in release.rows("resources") if row["state"] in ("listed", "unlisted")]
    assert len(set(here)) == len(here)


def test_an_address_the_archive_lacks_is_no_evidence(tmp_path: Path) -> None:
    source, data = read_source(source_file(tmp_path, None, listings=LISTINGS)), tmp_path / "data"
    for event in ("refresh full", "refresh edited"):
        act(source, data, tmp_path, event)
    replay = warc(tmp_path / "bare.warc.gz", {LISTING: listing(block("Alpha"))})
    refresh(source.model_copy(update={"replay": str(replay)}), data)
    release = latest_release(Layout(data, source.name))
    assert release is not None
    states = {row["title"]: row["state"] for row in release.rows("resources")}
    # the second listing was not archived: what it showed before stays as it was, on no evidence
    assert states == dict.fromkeys(("Alpha", "Beta", "Gamma", "Delta", "Epsilon"), "listed")
    ledger = pd.read_parquet(data / "clean/mine/runs/000003/pages.parquet")
    pages = dict(zip(ledger["url"], ledger["outcome"], strict=True))
    assert pages[SECOND] == pages["https://rtes.example/alpha"] == "not_archived"


def test_a_dry_run_leaves_no_trace_in_later_tables(tmp_path: Path) -> None:
    source = read_source(source_file(tmp_path, None, listings=LISTINGS))
    for event in ("refresh full", "dry edited", "refresh full"):
        act(source, tmp_path / "data", tmp_path, event)
    release = latest_release(Layout(tmp_path / "data", source.name))
    assert release is not None
    assert sorted(row["title"] for row in release.rows("resources")) == sorted(TITLES)


def test_a_copy_never_says_what_the_site_shows(tmp_path: Path) -> None:
    source, data = read_source(source_file(tmp_path, None, listings=LISTINGS)), tmp_path / "data"
    for event in ("refresh full", "import old", "import newer", "rebuild"):
        act(source, data, tmp_path, event)
    release = latest_release(Layout(data, source.name))
    assert release is not None
    rows = {row["title"]: row for row in release.rows("resources")}
    assert rows["Alpha"]["state"] == "listed"
    assert "ancien" not in str(rows["Alpha"]["summary"])
    assert rows["Alpha"]["first_seen_at"].year == 2020
    assert rows["Omega"]["state"] == "unlisted"
    assert "revu" in str(rows["Omega"]["summary"])


def test_a_withdrawn_resource_is_carried_with_its_state_and_comes_back(tmp_path: Path) -> None:
    source, data = read_source(source_file(tmp_path, None, listings=LISTINGS)), tmp_path / "data"
    ids = []
    for event, state in (("refresh full", "listed"), ("refresh less", "not_found"), ("refresh full", "listed")):
        act(source, data, tmp_path, event)
        release = latest_release(Layout(data, source.name))
        assert release is not None
        row = next(row for row in release.rows("resources") if row["title"] == "Gamma")
        assert row["state"] == state
        ids.append(row["resource_id"])
    assert len(set(ids)) == 1

"""The sample site in the clothes of other themes, harvested and read: every resource as entered, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.jobs import refresh
from schema.folding import squeeze
from schema.sources import read_source
from tests.theme_site import (
    A_PAGE,
    SHAPES,
    Entry,
    Shape,
    listings,
    odd_entries,
    sample_entries,
    site_entries,
    write_site,
)

# resources entered twice, and those whose words look like the page's own
FEW = frozenset({"s01", "s02", "p30", "p32", "p40", "p41", "p44", "p24", "p25"})
WHOLE = frozenset({"d7-bartik", "d10-olivero-teaser"})
# each of another template for a resource's own page
OWN = (
    "d7-bartik", "d7-garland", "d7-seven", "d7-zen-private", "d7-display-suite", "d7-field-group", "d10-olivero",
    "d10-stark", "d10-umami", "d10-bartik", "d10-layout", "d10-about-h3",
)  # fmt: skip


def entered(shape: Shape) -> list[Entry]:
    """What the site of a shape holds: everything for two shapes, and for those that leave most out."""
    everything = [*sample_entries(), *odd_entries()]
    if shape.name in WHOLE or shape.name.endswith("-private"):
        return everything
    return [e for e in everything if e.ident in FEW or e.ident.startswith("o")]


def texts(section: object) -> list[str]:
    """The passages of a section, no-break spaces evened out."""
    return [squeeze(text) for text in section.split("\n\n")] if isinstance(section, str) else []


def check(folder: Path, shown: list[Entry], *, own_pages: bool) -> None:
    """Everything the site holds is published as entered, and nothing else."""
    source = read_source(folder / "site.toml")
    outcome = refresh(source, folder / "data")
    assert "0 rejects" in outcome.verdict
    release = folder / "data/clean/site/latest"
    records, rejects = pd.read_parquet(release / "records.parquet"), pd.read_parquet(release / "rejects.parquet")
    assert rejects["reason"].tolist() == []
    expected = Counter({entry.url: len(entry.themes) + own_pages for entry in shown})
    assert Counter(records["url"]) == expected
    wanted = {entry.url: entry for entry in shown}
    faults = [f for row in records.to_dict("records") for f in differences(row, wanted[row["url"]])]
    assert faults == []
    assert (records["block_end"] > records["block_start"]).all()
    resources = pd.read_parquet(release / "resources.parquet")
    assert set(resources["state"]) == {"listed"}
    themes = dict(zip(resources["resource_id"], map(set, resources["themes"]), strict=True))
    for row in records.to_dict("records"):
        assert set(wanted[row["url"]].themes) <= themes[row["resource_id"]]


def differences(row: Mapping[Any, Any], entry: Entry) -> list[str]:
    """How a record differs from what was entered."""
    read = {
        "title": squeeze(str(row["title"])),
        "type": row["type"],
        "is_private": row["is_private"],
        "body": texts(row["body"]),
        "resume": texts(row["resume"]),
    }
    wanted = {
        "title": squeeze(entry.title),
        "type": entry.type,
        "is_private": entry.is_private,
        "body": [squeeze(text) for _, text in entry.body],
        "resume": [squeeze(text) for _, text in entry.summary],
    }
    return [
        f"{row['page_url']} {entry.ident} {k}: {read[k]!r}, not {wanted[k]!r}" for k in read if read[k] != wanted[k]
    ]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_site_is_read_from_its_listings_alone(shape: Shape, tmp_path: Path) -> None:
    shown = write_site(tmp_path, shape, entered(shape))
    assert len(shown) > 5
    check(tmp_path, shown, own_pages=False)


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.name in OWN], ids=lambda shape: shape.name)
def test_a_site_is_read_from_its_own_pages_too(shape: Shape, tmp_path: Path) -> None:
    few = [e for e in entered(shape) if e.ident in FEW or e.ident.startswith("o")]
    shown = write_site(tmp_path, shape, few, own_pages=True)
    check(tmp_path, shown, own_pages=True)


def test_there_are_shapes_enough() -> None:
    assert len(SHAPES) >= 45
    assert len([shape for shape in SHAPES if shape.is_d7]) >= 15
    assert set(OWN) <= {shape.name for shape in SHAPES}


def test_a_listing_of_every_shape_ends_in_a_page_of_one() -> None:
    shape = SHAPES[0]
    lengths = [len(members) % A_PAGE for members in listings(site_entries(shape, entered(SHAPES[1]))).values()]
    assert 1 in lengths

"""Unchanged nights behind a real HTTP server: what they cost, and that every place still leads to its page."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.unchanged_nights import NIGHTS, visit


def test_unchanged_nights_are_answered_304_and_every_place_gives_back_its_page(tmp_path: Path) -> None:
    found = visit(tmp_path, NIGHTS if os.environ.get("MOISSON_LONG") else 2)
    assert found.share_not_modified >= 0.95
    assert found.resolved == found.places > 69 * (len(found.nights) - 1)
    assert found.releases == 1
    # a page of the sample takes five kilobytes, and each confirmation of it some 560 bytes: see harvest/revisits.py
    assert found.growth[0] < 0.25
    assert max(found.growth[1:]) < 0.14

"""The tools outside the lock that some tests need, and where they are found.

A test says which by its mark, `@pytest.mark.outside("chromium")`. One whose tool is not here is left out and counted
aloud (tests/conftest.py); nothing else leaves it out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> Path | None:
    """A browser of the Chromium kind on PATH."""
    return next((Path(found) for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)


def find_pywb() -> Path | None:
    """The folder of pywb's commands, as MOISSON_PYWB names it: it conflicts with Prefect, so it lives elsewhere."""
    named = os.environ.get("MOISSON_PYWB")
    return Path(named) if named and all((Path(named) / tool).is_file() for tool in ("wayback", "wb-manager")) else None


FINDERS: Mapping[str, Callable[[], Path | None]] = {"chromium": find_chromium, "pywb": find_pywb}


def tools_of(item: pytest.Item) -> set[str]:
    """The tools that a test needs."""
    return {tool for mark in item.iter_markers("outside") for tool in mark.args}


def lacking(items: Iterable[pytest.Item]) -> dict[pytest.Item, list[str]]:
    """The tests that cannot be run here, each with the tools it lacks."""
    found = {tool: find() is not None for tool, find in FINDERS.items()}
    wanted = {item: sorted(tool for tool in tools_of(item) if not found[tool]) for item in items}
    return {item: tools for item, tools in wanted.items() if tools}

"""Tests that need a tool are run wherever the tool is, and counted aloud wherever it is not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outside import FINDERS

HOUSE = Path(__file__).parent.parent


def collect(*arguments: str, **environment: str) -> str:
    """What pytest says of tests/test_replay.py, which it does not run, with some of the environment changed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q"]
    env = {key: value for key, value in os.environ.items() if key != "MOISSON_PYWB"} | environment
    command += ["tests/test_replay.py", *arguments]
    return subprocess.run(command, cwd=HOUSE, env=env, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder in which all tools are found; none of them works."""
    for name in ("chromium", "wayback", "wb-manager"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def test_where_a_tool_is_found_its_tests_are_chosen(tools: Path) -> None:
    said = collect("-m", "", PATH=str(tools), MOISSON_PYWB=str(tools))
    assert said.count("::test_") == 7
    assert "NOT RUN" not in said


def test_where_a_tool_is_missing_its_tests_are_counted_aloud(
    tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nowhere = str(tmp_path_factory.mktemp("empty"))
    said = collect("-m", "", PATH=str(nowhere), MOISSON_PYWB=str(tools))
    assert said.count("::test_") == 4
    assert "NOT RUN: 3 tests need chromium, not found here" in said
    said = collect("-m", "", PATH=nowhere, MOISSON_PYWB=nowhere)
    assert "::test_" not in said
    assert "NOT RUN: 3 tests need chromium and pywb, not found here" in said
    assert "NOT RUN: 4 tests need pywb, not found here" in said


def test_the_plain_suite_says_how_many_it_leaves_out(tools: Path) -> None:
    said = collect(PATH=str(tools), MOISSON_PYWB=str(tools))
    assert "7 tests need a tool outside the lock and were not run: make test-all" in said
    assert "NOT RUN" not in said


def test_every_mark_names_a_tool_that_is_looked_for() -> None:
    marks = [
        (path.name, found[1])
        for path in (HOUSE / "tests").glob("test_*.py")
        for found in re.finditer(r"pytest\.mark\.outside(.*)", path.read_text(encoding="utf-8"))
        if path != Path(__file__)
    ]
    assert marks
    assert [mark for mark in marks if mark[1] not in [f'("{tool}")' for tool in FINDERS]] == []

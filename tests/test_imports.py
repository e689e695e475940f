"""The rooms know each other in one direction only."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "schema": {"schema"},
    "parsers": {"parsers", "schema"},
    "dedup": {"dedup", "schema"},
    "harvest": {"harvest", "schema"},
    "releases": {"releases", "schema"},
    "receipts": {"receipts", "harvest", "releases", "schema"},
    "flows": {"flows", "schema", "parsers", "dedup", "harvest", "releases", "receipts"},
}
ONLY_IN = {
    "prefect": {"flows"},
    "httpx": {"harvest", "flows"},
    "httpcore": {"harvest"},
    "selectolax": {"parsers", "receipts"},
}
# what would let time, chance, the network or the disk into a pure room
IMPURE = {"time", "random", "secrets", "os", "socket", "requests", "subprocess", "tempfile", "shutil", "uuid"}


def imported(path: Path) -> set[str]:
    """Top-level names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def modules() -> list[tuple[str, Path]]:
    """Every module of the product, with its room."""
    return [(room, path) for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize(("room", "path"), modules(), ids=lambda value: getattr(value, "stem", value))
def test_a_module_imports_only_what_its_room_may(room: str, path: Path) -> None:
    names = imported(path)
    assert (names & MAY_IMPORT.keys()) <= MAY_IMPORT[room]
    for library, rooms in ONLY_IN.items():
        assert library not in names or room in rooms, f"{path} imports {library}"
    if room in ("parsers", "dedup"):
        assert not names & IMPURE, f"{path} is in a pure room"
    assert "pickle" not in names


def test_pure_rooms_never_ask_for_the_time() -> None:
    for room, path in modules():
        if room in ("schema", "parsers", "dedup"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"\b(datetime|date|time)\.(now|today|time|utcnow)\(", text), path


def test_no_room_or_flow_file_bears_the_name_of_a_module_we_import() -> None:
    taken = set(sys.stdlib_module_names) | {"prefect", "httpx", "pandas", "pyarrow", "rapidfuzz", "selectolax", "typer"}
    assert not taken & MAY_IMPORT.keys()
    assert not taken & {path.stem for path in (ROOT / "flows").glob("*.py") if path.stem != "__init__"}


def test_every_room_is_installed() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for room in MAY_IMPORT:
        assert f'"{room}"' in text

"""Which code, with which libraries, made a release."""

from __future__ import annotations

import platform
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# the rooms whose code decides what stands in the tables
DECIDING_ROOMS = ("schema", "parsers", "dedup", "releases")
LIBRARIES = ("selectolax", "rapidfuzz", "pyarrow", "httpx", "warcio", "prefect")


def code_digest() -> str:
    """sha256 over the sources of the rooms that decide what stands in the tables."""
    digest = sha256()
    for room in DECIDING_ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of moisson, Python and the libraries that touch data."""
    found = {name: version(name) for name in LIBRARIES}
    return {"moisson": version("moisson"), "python": platform.python_version(), **found}

"""Which code, with which libraries, made a release."""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schema", "harvest", "parsers", "dedup", "releases", "flows")
LIBRARIES = ("selectolax", "rapidfuzz", "pyarrow", "httpx", "warcio", "w3lib", "prefect")


@cache
def code_digest() -> str:
    """sha256 over the code of every room that may decide what stands in the tables, and its libraries' versions."""
    digest = sha256(repr(sorted(versions().items())).encode())
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of moisson, Python and the libraries that touch data."""
    found = {name: version(name) for name in LIBRARIES}
    return {"moisson": version("moisson"), "python": platform.python_version(), **found}

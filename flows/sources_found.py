"""Where source files are found: `./sources` first, then those that ship with the product."""

from __future__ import annotations

from pathlib import Path

from flows.versions import ROOT
from schema.errors import SourceFileError
from schema.sources import Source, read_source

SHIPPED = ROOT / "sources"


def source_files() -> dict[str, Path]:
    """Source files by the name they are called by; one in `./sources` hides a shipped one of the same name."""
    folders = (SHIPPED, Path("sources"))
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def find_source(name: str) -> Source:
    """The source of a name, or of a path to a TOML file.

    Raises:
        SourceFileError: no such file, or one that says something wrong.
    """
    path = Path(name)
    if path.suffix == ".toml" or len(path.parts) > 1:
        return read_source(path)
    files = source_files()
    if name not in files:
        known = ", ".join(sorted(files)) or "none"
        raise SourceFileError(
            f"no source file named {name}.toml in ./sources or among those shipped ({known}); write one, or give a path"
        )
    return read_source(files[name])

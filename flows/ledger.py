"""The ledger of a run as JSON, in the archive's last record, and the readings that pass between two steps as files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from harvest.archive import read_ledger
from schema.errors import DamagedArchive
from schema.layout import Layout
from schema.nouns import ListingVisit, Reading, Visit

FORMAT = 1


# a visit of the site that may be published, an imported copy, a visit that was only to be looked at
Kind = Literal["refresh", "import", "dry"]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run met, and of what kind it was; times are UTC; courtesy is the politeness receipt (harvest.courtesy)."""

    format: int
    kind: Kind
    run: int
    source: str
    started_at: datetime
    ended_at: datetime
    visits: tuple[Visit, ...]
    listings: tuple[ListingVisit, ...] = ()
    courtesy: dict[str, Any] | None = None


_LEDGER = TypeAdapter(Ledger)
_READINGS = TypeAdapter(tuple[Reading, ...])


def to_json(ledger: Ledger) -> dict[str, Any]:
    """The ledger as plain values."""
    values: dict[str, Any] = _LEDGER.dump_python(ledger, mode="json")
    return values


def read_ledgers(layout: Layout, needless: Collection[int] = ()) -> list[Ledger]:
    """The ledgers of all runs that came to their end, in order; those of needless runs are not opened.

    Raises:
        DamagedArchive: an archive cannot be read, or its ledger is missing or of another format.
    """
    return [ledger_of(layout, run) for run in layout.runs() if run not in needless]


def ledger_of(layout: Layout, run: int) -> Ledger:
    """The ledger of a run that came to its end.

    Raises:
        DamagedArchive: the archive cannot be read, or its ledger is missing or of another format.
    """
    path = layout.archive(run)
    values = read_ledger(path)
    if values is None:
        raise DamagedArchive(f"{path}: its last record, the ledger, is missing; restore the file")
    if values.get("format") != FORMAT:
        raise DamagedArchive(f"{path}: its ledger is of another version of moisson; use that one")
    try:
        return _LEDGER.validate_python(values)
    except ValidationError as error:
        raise DamagedArchive(f"{path}: its ledger is damaged ({error.error_count()} faults)") from None


def write_readings(path: Path, readings: tuple[Reading, ...]) -> Path:
    """Keep readings for the next step; the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_READINGS.dump_json(readings))
    return path


def load_readings(path: Path) -> tuple[Reading, ...]:
    """Readings that an earlier step kept."""
    return _READINGS.validate_json(path.read_bytes())

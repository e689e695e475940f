"""The ledger of a run as JSON, in the archive's last record, and the readings that pass between two steps as files.

    data/clean/<source>/runs/000007/ledger.parquet    the same JSON once more, for when that record is damaged

The copy is made when the run ends, and by a later run where it is missing. A takedown makes it anew (flows.takedown).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from harvest.archive import read_ledger
from schema.errors import DamagedArchive, DiskTrouble
from schema.layout import Layout
from schema.nouns import ListingVisit, Reading, Visit
from schema.shelf import Shelf, ShelvedRecords

FORMAT = 1
_COPY = "ledger.parquet"
_PIECE_BYTES = 1 << 20


# a visit of the site that may be published, an imported copy, a visit that was only to be looked at
Kind = Literal["refresh", "import", "dry"]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run met, and of what kind it was; times are UTC; courtesy is the politeness receipt (harvest.courtesy).

    origin: of a WARC that was imported, which file it was and what of it was left aside (flows.captures).
    """

    format: int
    kind: Kind
    run: int
    source: str
    started_at: datetime
    ended_at: datetime
    visits: tuple[Visit, ...]
    listings: tuple[ListingVisit, ...] = ()
    courtesy: dict[str, Any] | None = None
    origin: dict[str, Any] | None = None


_LEDGER = TypeAdapter(Ledger)
_READINGS = TypeAdapter(tuple[Reading, ...])


def to_json(ledger: Ledger) -> dict[str, Any]:
    """The ledger as plain values."""
    values: dict[str, Any] = _LEDGER.dump_python(ledger, mode="json")
    return values


def read_ledgers(layout: Layout, needless: Collection[int] = (), dispensable: Collection[int] = ()) -> list[Ledger]:
    """The ledgers of all runs that came to their end, in order; those of needless runs are not opened.

    dispensable are runs whose ledger only spares requests: where it is damaged, and has no copy, it is left out.

    Raises:
        DamagedArchive: a ledger is missing, damaged or of another format, and no copy of it is kept.
    """
    found = []
    for run in layout.runs():
        with suppress(*((DamagedArchive,) if run in dispensable else ())):
            found += [ledger_of(layout, run)] if run not in needless else []
    return found


def ledger_of(layout: Layout, run: int) -> Ledger:
    """The ledger of a run that came to its end; the copy of it where the archive's is damaged.

    Raises:
        DamagedArchive: it is missing, damaged or of another format, and no copy of it is kept.
    """
    try:
        return _archived(layout.archive(run))
    except DamagedArchive:
        copied = _read(_copy_of(layout, run))
        if copied is None:
            raise
        return _LEDGER.validate_json(copied)


def keep_ledger(layout: Layout, ledger: Ledger) -> None:
    """Keep a copy of a run's ledger beside its report; without room for it the archive's is all there is."""
    if layout.run(ledger.run).is_dir():
        with suppress(OSError):
            _write(_copy_of(layout, ledger.run), _LEDGER.dump_json(ledger))


def keep_ledgers(layout: Layout) -> None:
    """Keep copies of ledgers that have none; a damaged one cannot be copied any more."""
    for run in layout.runs():
        if layout.run(run).is_dir() and not _copy_of(layout, run).exists():
            with suppress(DamagedArchive):
                keep_ledger(layout, _archived(layout.archive(run)))


def drop_copies(layout: Layout, archives: Iterable[str]) -> None:
    """Remove the copies of the ledgers of some archives, given by name, that say something else now."""
    changed = set(archives)
    for run in layout.runs():
        if layout.archive(run).name in changed:
            _copy_of(layout, run).unlink(missing_ok=True)


def renew_copy(folder: Path, target: Path, change: Callable[[bytes], bytes]) -> None:
    """Put the copy in a run's folder into another folder, its JSON changed; one that cannot be read is dropped."""
    copied = _read(folder / _COPY)
    if copied is not None:
        with suppress(OSError):
            _write(target / _COPY, change(copied))


def _read(path: Path) -> bytes | None:
    """The JSON of a copy; None where there is none, or it is damaged."""
    try:
        with path.open("rb") as stream:
            pieces = pq.ParquetFile(stream, page_checksum_verification=True).read()["ledger"]
            return b"".join(pieces.cast(pa.binary()).to_pylist())
    except Exception:  # noqa: BLE001  # damaged bytes make pyarrow raise whatever it meets first
        return None


def _write(path: Path, block: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    schema = pa.schema([("ledger", pa.binary())])
    with fresh.open("wb") as stream:
        with pq.ParquetWriter(
            stream, schema, compression="zstd", use_dictionary=False, write_page_checksum=True, write_statistics=False
        ) as pieces:
            for start in range(0, len(block), _PIECE_BYTES):
                piece = pa.array([block[start : start + _PIECE_BYTES]], pa.binary())
                pieces.write_table(pa.table([piece], schema))
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def _copy_of(layout: Layout, run: int) -> Path:
    return layout.run(run) / _COPY


def _archived(path: Path) -> Ledger:
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
    """Keep readings for the next step; the file.

    Raises:
        DiskTrouble: no room for it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_READINGS.dump_json(readings))
    except OSError as error:
        raise DiskTrouble(f"{path}: cannot be written ({error}); make room: nothing was published") from error
    return path


def load_readings(path: Path, shelf: Shelf) -> tuple[Reading, ...]:
    """Readings that an earlier step kept; their records are put aside."""
    readings = _READINGS.validate_json(path.read_bytes())
    return tuple(_shelved(one, shelf) for one in readings)


def _shelved(reading: Reading, shelf: Shelf) -> Reading:
    return replace(reading, page=replace(reading.page, records=ShelvedRecords(reading.page.records, shelf)))

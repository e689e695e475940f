"""What a killed run left behind: every whole exchange is kept, the torn tail is cut off.

The tail is dropped, not put aside: it is a piece of one exchange that nobody has read, and the resumed run asks for
that page again. An answer whose request is missing is such a piece too, and so is the ledger of a run that was killed
before its archive got its name: the resumed run, which asks nothing new, writes it again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from harvest.blocks import LEDGER_URI, PART_SUFFIX
from harvest.headers import IMPORTED_FROM, SAME_REQUEST
from harvest.members import Damage, WarcRecord, scan_records
from harvest.revisits import answer_bytes, is_request_of
from schema.errors import DamagedArchive, DiskTrouble
from schema.nouns import Pointer

# a site moves on: pages of two days are not one night
MAX_AGE = timedelta(hours=24)
_ANSWERS = ("response", "revisit")


@dataclass(frozen=True, slots=True)
class ArchivedExchange:
    """One exchange of an unfinished archive: where its answer lies, and the sha256 of the answer as it was received."""

    url: str
    fetched_at: datetime
    pointer: Pointer
    response_digest: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """An unfinished archive, mended: its exchanges in order, when its run began (UTC), how much was cut from it.

    asked is what the run asked, as it was said to ArchiveWriter: only a run that asks the same may go on with it, so
    that no answer of a replay stands for one of the site. is_whole is whether nothing is left to ask: the archive has
    its ledger and its name.
    """

    part: Path
    run: int
    started_at: datetime
    exchanges: tuple[ArchivedExchange, ...]
    cut_bytes: int
    asked: str = ""
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    """A record that stays: where it lay, and what is needed of it; its block is not kept in memory."""

    offset: int
    length: int
    is_copy: bool


def recover(part: Path, now: datetime, max_age: timedelta = MAX_AGE) -> Recovered | None:
    """Mend the archive of a killed run in place, so that `ArchiveWriter.resume` can go on with it.

    Call it under the source's lock: a part that is still being written would be cut.

    Args:
        part: `000007.warc.gz.part`.
        now: UTC.
        max_age: an older run, or one dated in the future, is left as it is.

    Returns:
        What was kept; None when there is nothing to go on with: no readable beginning, another program's, too old, an
        import (its copies are no answers of tonight).

    Raises:
        DiskTrouble: it cannot be mended.
    """
    run = part.name.removesuffix(PART_SUFFIX).split(".")[0]
    try:
        begun = _begun(part, run)
        if begun is None or abs(now - begun[0]) > max_age:
            return None
        started_at, asked = begun
        kept = list(_finished(scan_records(part)))
        if any(record.is_copy for record in kept):
            return None
        cut_bytes = _keep_only(part, kept)
        exchanges = tuple(_exchanges(part))
    except DamagedArchive:
        return None
    except OSError as error:
        raise DiskTrouble(f"{part}: cannot be mended ({error}); make room and refresh again") from error
    return Recovered(part, int(run), started_at, exchanges, cut_bytes, asked)


def find_whole(archive: Path, now: datetime, max_age: timedelta = MAX_AGE) -> Recovered | None:
    """A run that asked all it wanted before it was killed; None where there is none, too old, or another program's.

    Args:
        archive: `000007.warc.gz`.
        now: UTC.
        max_age: an older run, or one dated in the future, is of another night.
    """
    run = archive.name.split(".")[0]
    try:
        begun = _begun(archive, run) if archive.exists() else None
    except DamagedArchive:
        return None
    if begun is None or abs(now - begun[0]) > max_age:
        return None
    return Recovered(archive, int(run), begun[0], (), 0, asked=begun[1], is_whole=True)


def sweep_parts(raw: Path, before: int) -> None:
    """Delete what earlier runs left that asked for robots.txt at most: each night of a site that is down leaves one.

    No run goes on with them, and the reports of their runs say what robots.txt answered. What holds a page, or damage
    where a page may have been, stays.

    Args:
        raw: folder of the archives.
        before: the number of tonight's run.

    Raises:
        DiskTrouble: one cannot be deleted.
    """
    for part in sorted(raw.glob(f"*.warc.gz{PART_SUFFIX}")):
        run = part.name.split(".")[0]
        if run.isdecimal() and int(run) < before and _is_pageless(part):
            try:
                part.unlink()
            except OSError as error:
                raise DiskTrouble(f"{part}: cannot be deleted ({error}); mend the folder and refresh again") from error


def _is_pageless(part: Path) -> bool:
    if part.stat().st_size == 0:
        return True
    try:
        return all(
            not isinstance(record, Damage)
            and (record.kind == "warcinfo" or urlsplit(record.url).path == "/robots.txt")
            and not record.header(IMPORTED_FROM.lower())
            for record in scan_records(part)
        )
    except DamagedArchive:
        return False


def _begun(part: Path, run: str) -> tuple[datetime, str] | None:
    """When a part was begun and what it asks; None when its first record is not that of this run's archive."""
    first = next(scan_records(part))
    if isinstance(first, Damage) or first.kind != "warcinfo" or not run.isdecimal():
        return None
    said = dict(line.partition(": ")[::2] for line in first.block.decode("utf-8", "replace").splitlines())
    return (first.archived_at, said.get("description", "")) if said.get("isPartOf") == run else None


def _finished(found: Iterator[WarcRecord | Damage]) -> Iterator[_Kept]:
    """The records of finished exchanges, and all that are no part of one; the ledger is left out."""
    answer: WarcRecord | None = None
    for record in found:
        if isinstance(record, Damage):
            answer = None
        elif record.kind in _ANSWERS and not record.header(SAME_REQUEST.lower()):
            answer = record
        elif record.kind == "request":
            if answer is not None and is_request_of(record, answer):
                yield _described(answer)
                yield _described(record)
            answer = None
        elif record.url != LEDGER_URI:
            answer = None
            yield _described(record)


def _described(record: WarcRecord) -> _Kept:
    is_copy = record.kind in ("resource", "conversion") or bool(record.header(IMPORTED_FROM.lower()))
    return _Kept(record.offset, record.length, is_copy)


def _keep_only(part: Path, kept: list[_Kept]) -> int:
    """Leave these records in a part, and nothing else; how many bytes went."""
    size, wanted = part.stat().st_size, sum(record.length for record in kept)
    if kept and kept[-1].offset + kept[-1].length == wanted:  # they touch each other from the start: cut the tail
        with part.open("r+b") as stream:
            stream.truncate(wanted)
            os.fsync(stream.fileno())
    else:
        mended = part.with_name(part.name + ".mended")
        with part.open("rb") as old, mended.open("wb") as new:
            for record in kept:
                old.seek(record.offset)
                new.write(old.read(record.length))
            new.flush()
            os.fsync(new.fileno())
        mended.replace(part)
    return size - wanted


def _exchanges(part: Path) -> Iterator[ArchivedExchange]:
    name = part.name.removesuffix(PART_SUFFIX)
    for found in scan_records(part):
        if isinstance(found, Damage):
            raise DamagedArchive(f"{part}: damaged after it was mended; is another run writing it?")
        if found.kind in _ANSWERS:
            pointer = Pointer(name, found.offset, found.length)
            digest = sha256(answer_bytes(part, found.offset)).hexdigest()
            yield ArchivedExchange(found.url, found.archived_at, pointer, digest)

"""The steps of a run as plain functions: harvest, parse, build, publish. No Prefect here.

Paths and numbers pass between steps, pages do not; each step can be run again with the same result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa

from flows.erasing import keep_down
from flows.keeping import keep_parts_down
from flows.ledger import FORMAT, Kind, Ledger, ledger_of, to_json, write_readings
from flows.reading import is_listing, read_visits
from flows.remembered import Remembered
from flows.taken import taken_down, without_taken
from flows.versions import code_digest
from harvest.adopting import adopt
from harvest.answers import BrokenAnswer
from harvest.archive import ArchiveWriter
from harvest.blocks import PART_SUFFIX
from harvest.client import VERSION, Client
from harvest.crawl import Progress, crawl
from harvest.index import INDEX_NAME, known_originals, read_index, write_index
from harvest.late import ask_late
from harvest.pace import Pace, skipped_pace
from harvest.payloads import read_payload
from harvest.repair import Recovered, find_whole, recover, sweep_parts
from harvest.resuming import ResumingTransport
from harvest.validators import Validators
from harvest.wire import NetworkTransport, ReplayTransport
from releases.store import Release, kept_state, latest_release, run_state
from schema.errors import DamagedArchive, UsageError
from schema.layout import Layout
from schema.nouns import PAGE_OUTCOMES, PageReading, Reading, Visit
from schema.sources import Source

PAGES_A_BATCH = 200
# the state of a run that was stopped from outside; one that was killed outright could not even say so
INTERRUPTED = "interrupted"
SOFTWARE = f"moisson/{VERSION}"
_READ_ROLES = frozenset({"listing", "resource", "known", "copy"})


def silent(stage: str, done: int, wanted: int) -> None:
    """A progress display that shows nothing."""


def untold(_courtesy: dict[str, Any]) -> None:
    """Tell nobody."""


# --- harvest --------------------------------------------------------------------------------------------------------


def harvest(
    source: Source,
    layout: Layout,
    run: int,
    known: Iterable[str],
    kind: Kind = "refresh",
    progress: Progress = silent,
    validators: Mapping[str, Validators] | None = None,
    recovered: Recovered | None = None,
    tell: Callable[[dict[str, Any]], None] = untold,
    written: Mapping[str, str] | None = None,
) -> Ledger:
    """Ask the site, or the WARC that stands for it, and archive every answer; the run's ledger, archived too.

    validators, of earlier nights, let a live site answer that a page is as it was; a WARC is asked for all it holds.
    written, of earlier nights too, is how the site writes addresses (harvest.spellings).
    recovered is what a killed run left: no page of it is asked again, and nothing at all where its archive is whole.
    tell is given the politeness receipt, whatever becomes of the harvest.
    """
    if recovered is None or not recovered.is_whole:
        try:
            _ask(source, layout, run, known, kind, progress, validators, recovered, tell, written)
        finally:
            # of a run that fails, too, nothing may stay that was taken down
            keep_parts_down(source, layout)
    keep_down(source, layout, [layout.archive(run)])
    write_index(layout.raw)
    return ledger_of(layout, run)


def _ask(
    source: Source,
    layout: Layout,
    run: int,
    known: Iterable[str],
    kind: Kind,
    progress: Progress,
    validators: Mapping[str, Validators] | None,
    recovered: Recovered | None,
    tell: Callable[[dict[str, Any]], None],
    written: Mapping[str, str] | None,
) -> None:
    started_at = recovered.started_at if recovered else datetime.now(UTC)
    sweep_parts(layout.raw, run)
    transport, pace = _transport(source)
    if recovered is not None:
        transport = ResumingTransport(transport, recovered, pace.wait, pace.clock)
        pace = replace(pace, wait=transport.wait)
    sent, spelt = (validators, written) if source.replay_path is None else (None, None)

    remembered = Remembered(layout, source)
    with (
        _writer(source, layout, run, kind, recovered) as archive,
        Client(source, transport, archive, pace, sent, spelt) as client,
    ):
        met: dict[str, Visit] = {}
        try:
            _, listings = crawl(source, client, remembered.read, known, progress, met)
            ask_late(source, client, remembered.read, met)
        finally:
            courtesy = client.receipt(met.values()).as_values()
            tell(courtesy)
        ended_at = datetime.now(UTC)
        ledger = Ledger(
            FORMAT, kind, run, source.name, started_at, ended_at, tuple(met.values()), tuple(listings), courtesy
        )
        archive.add_ledger(to_json(ledger), ended_at)
    remembered.keep()


def _writer(source: Source, layout: Layout, run: int, kind: Kind, recovered: Recovered | None) -> ArchiveWriter:
    """The run's archive, or what a killed run began of it; what is archived already is not stored again."""
    known = known_originals(_index_or_none(layout))
    if recovered is not None:
        return ArchiveWriter.resume(recovered, SOFTWARE, known)
    return ArchiveWriter(layout.archive(run), SOFTWARE, known, asked=_asked(source, kind))


def _index_or_none(layout: Layout) -> pa.Table:
    try:
        return read_index(layout.raw)
    except DamagedArchive:
        # what it would have told is stored once more; it is made anew from the archives
        (layout.raw / INDEX_NAME).unlink(missing_ok=True)
        return read_index(layout.raw)


def _asked(source: Source, kind: Kind) -> str:
    """What a run asks: a killed one may only be taken up by one that asks the same."""
    said = {"listings": source.listings, "sitemap": source.sitemap, "labels": repr(source.labels), "kind": kind}
    if source.replay_path is not None:
        with source.replay_path.open("rb") as stream:
            said["replay"] = file_digest(stream, "sha256").hexdigest()
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def find_unfinished(source: Source, layout: Layout, kind: Kind) -> Recovered | None:
    """What the newest run left, where it was killed today while it asked the same; it is mended for going on.

    Where an import or a dry run came between, what the newest run of that kind left is given a new number. One that
    came to an end of its own, by an error or a bug, has a report that says so: its answers are not played again. An
    interrupted one whose archive is whole was stopped while its tables were made, if no tables rest on it.
    """
    run = layout.last_begun()
    return _left_by(run, source, layout, kind) or _left_before(run, source, layout, kind)


def _left_by(run: int, source: Source, layout: Layout, kind: Kind) -> Recovered | None:
    is_over = run_state(layout, run) not in (None, INTERRUPTED)
    if is_over or any(int(t.manifest["run"]) >= run for t in _newest_tables(layout)):
        return None
    archive, now = layout.archive(run), datetime.now(UTC)
    part = archive.with_name(archive.name + PART_SUFFIX)
    recovered = recover(part, now) if part.exists() else find_whole(archive, now)
    return recovered if recovered is not None and recovered.asked == _asked(source, kind) else None


def _left_before(newest: int, source: Source, layout: Layout, kind: Kind) -> Recovered | None:
    """What a killed run left before the newest one, if the site was not visited since; it has a new number then."""
    found = ((path.name.split(".")[0], path) for path in layout.raw.glob(f"*.warc.gz{PART_SUFFIX}"))
    parts = {int(name): path for name, path in found if name.isdecimal() and int(name) < newest}
    for run in sorted(parts, reverse=True):
        if run_state(layout, run) not in (None, INTERRUPTED):
            continue
        if any(ledger_of(layout, later).kind in ("refresh", kind) for later in layout.runs() if later > run):
            return None
        recovered = recover(parts[run], datetime.now(UTC))
        if recovered is not None and recovered.asked == _asked(source, kind):
            return adopt(recovered, layout.archive(layout.next_run()), SOFTWARE)
    return None


def _newest_tables(layout: Layout) -> list[Release]:
    return [tables for tables in (latest_release(layout), kept_state(layout)) if tables is not None]


def require_ready(source: Source) -> None:
    """Refuse a replay of nothing, and a live visit that does not say whom the site may write to.

    Raises:
        UsageError: no such WARC, or neither a WARC nor a contact.
    """
    if source.replay_path is not None and not source.replay_path.is_file():
        raise UsageError(
            f"{source.path}: key `replay`: there is no file {source.replay_path}; mend it, or put it there"
        )
    if source.replay_path is None and not source.contact:
        raise UsageError(
            f"{source.path}: a live refresh tells the site whom to write to: add a line "
            '`contact = "mailto:you@example.org"` above [labels] (or replay an archive with --replay FILE.warc.gz)'
        )


def _transport(source: Source) -> tuple[httpx.BaseTransport, Pace]:
    if source.replay_path is not None:
        # the pacing clock runs, nobody waits: the server is a file
        return ReplayTransport(source.replay_path), skipped_pace(source.pace.delay_s)
    return NetworkTransport(), Pace(source.pace.delay_s)


# --- parse ----------------------------------------------------------------------------------------------------------


def batches(visits: Iterable[Visit]) -> list[tuple[Visit, ...]]:
    """Visits that brought a page to read, in portions that are worth a task each."""
    pages = [v for v in visits if v.pointer and v.outcome in PAGE_OUTCOMES | {"imported"} and v.role in _READ_ROLES]
    return [tuple(pages[i : i + PAGES_A_BATCH]) for i in range(0, len(pages), PAGES_A_BATCH)]


def parse_batch(source: Source, layout: Layout, visits: Sequence[Visit]) -> Path:
    """Read archived pages; the file that holds what they state, named by what went in."""
    taken, names = taken_down(layout), [f"{v.pointer.file}:{v.pointer.offset}" for v in visits if v.pointer]
    name = sha256(json.dumps([code_digest(), repr(source), taken.as_values(), *names]).encode()).hexdigest()[:24]
    remembered = Remembered(layout, source)
    known = [_remembered(remembered, layout, visit) for visit in visits]
    unread = iter(read_visits(source, layout, [v for v, page in zip(visits, known, strict=True) if page is None]))
    read = [Reading(v, page) if page else next(unread) for v, page in zip(visits, known, strict=True)]
    readings = tuple(replace(reading, page=without_taken(reading.page, taken)) for reading in read)
    for reading, page in zip(readings, known, strict=True):
        if page is None:
            _remember_copy(remembered, layout, reading)
    remembered.keep_more()
    return write_readings(layout.staging / "readings" / f"{name}.json", readings)


def _remember_copy(remembered: Remembered, layout: Layout, reading: Reading) -> None:
    """Remember what an imported copy states: no crawl does, and every night reads it."""
    visit = reading.visit
    if visit.role == "copy" and visit.pointer is not None and reading.page.parser:
        payload = read_payload(layout.raw / visit.pointer.file, visit.pointer.offset)
        remembered.add(payload, visit.url, reading.page, is_listing=is_listing(visit))


def _remembered(remembered: Remembered, layout: Layout, visit: Visit) -> PageReading | None:
    """What an archived page states, where it was read before; what cannot be decoded, or is damaged, was not."""
    if visit.pointer is None:
        return None
    try:
        payload = read_payload(layout.raw / visit.pointer.file, visit.pointer.offset)
    except (BrokenAnswer, DamagedArchive):
        return None
    return remembered.find(payload, visit.url, is_listing=is_listing(visit))

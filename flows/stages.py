"""The steps of a run as plain functions: harvest, parse, build, publish. No Prefect here.

Paths and numbers pass between steps, pages do not; each step can be run again with the same result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx

from flows.decisions import taken_down
from flows.ledger import FORMAT, Kind, Ledger, to_json, write_readings
from flows.taken import without_taken
from flows.versions import code_digest
from harvest.answers import BrokenAnswer
from harvest.archive import ArchiveWriter
from harvest.client import VERSION, Client
from harvest.crawl import Progress, crawl
from harvest.pace import Pace, skipped_pace
from harvest.payloads import read_payload
from harvest.validators import Validators
from harvest.wire import NetworkTransport, ReplayTransport
from parsers.page import parse_page
from schema.errors import UsageError
from schema.layout import Layout
from schema.nouns import PAGE_OUTCOMES, PageReading, Payload, Reading, Reject, Visit
from schema.sources import Source

PAGES_A_BATCH = 200
SOFTWARE = f"moisson/{VERSION}"
_READ_ROLES = frozenset({"listing", "resource", "known", "copy"})


def silent(stage: str, done: int, wanted: int) -> None:
    """A progress display that shows nothing."""


# --- harvest --------------------------------------------------------------------------------------------------------


def harvest(
    source: Source,
    layout: Layout,
    run: int,
    known: Iterable[str],
    kind: Kind = "refresh",
    progress: Progress = silent,
    validators: Mapping[str, Validators] | None = None,
) -> Ledger:
    """Ask the site, or the WARC that stands for it, and archive every answer; the run's ledger, archived too.

    validators, of earlier nights, let a live site answer that a page is as it was; a WARC is asked for all it holds.
    """
    started_at, gone = datetime.now(UTC), taken_down(layout)
    transport, pace = _transport(source)
    sent = validators if source.replay_path is None else None

    def read_page(payload: Payload, url: str, *, is_listing: bool) -> PageReading:
        return without_taken(parse_page(payload, page_url=url, source=source, is_listing=is_listing), gone)

    with (
        ArchiveWriter(layout.archive(run), SOFTWARE) as archive,
        Client(source, transport, archive, pace, sent) as client,
    ):
        visits, listings = crawl(source, client, read_page, known, progress)
        ended_at, courtesy = datetime.now(UTC), client.receipt(visits).as_values()
        ledger = Ledger(FORMAT, kind, run, source.name, started_at, ended_at, tuple(visits), tuple(listings), courtesy)
        archive.add_ledger(to_json(ledger), ended_at)
    return ledger


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
    names, gone = [f"{v.pointer.file}:{v.pointer.offset}" for v in visits if v.pointer], taken_down(layout)
    name = sha256(json.dumps([code_digest(), repr(source), sorted(gone), *names]).encode()).hexdigest()[:24]
    read = (_read(source, layout, visit) for visit in visits)
    readings = tuple(replace(reading, page=without_taken(reading.page, gone)) for reading in read)
    return write_readings(layout.staging / "readings" / f"{name}.json", readings)


def _read(source: Source, layout: Layout, visit: Visit) -> Reading:
    if visit.pointer is None:
        raise ValueError(f"{visit.url} was not archived")
    is_listing = {"listing": True, "copy": None}.get(visit.role, False)
    try:
        payload = read_payload(layout.raw / visit.pointer.file, visit.pointer.offset)
    except BrokenAnswer as error:
        reject = Reject(visit.url, "broken_answer", str(error), None, "")
        return Reading(visit, PageReading(visit.url, visit.url, rejects=(reject,)))
    return Reading(visit, parse_page(payload, page_url=visit.url, source=source, is_listing=is_listing))

"""The steps of a run as plain functions: harvest, parse, build, publish. No Prefect here.

Paths and numbers pass between steps, pages do not; each step can be run again with the same result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import httpx

from dedup.catalogue import Catalogue, make_catalogue
from dedup.identity import resolve
from flows.ledger import FORMAT, Kind, Ledger, load_readings, to_json, write_readings
from flows.versions import code_digest, versions
from harvest.answers import BrokenAnswer
from harvest.archive import ArchiveWriter
from harvest.client import VERSION, Client
from harvest.crawl import Progress, crawl
from harvest.pace import Pace, skipped_pace
from harvest.payloads import read_payload
from harvest.validators import Validators
from harvest.wire import NetworkTransport, ReplayTransport
from parsers.page import parse_page
from releases.gates import emptied_fields, reasons_to_hold, require_resources
from releases.store import Release, news_digest
from releases.tables import to_arrow
from schema.errors import HeldByGate, MoissonError, UsageError
from schema.layout import Layout
from schema.nouns import PAGE_OUTCOMES, Night, PageReading, Payload, Reading, Reject, Visit
from schema.sources import Source
from schema.tables import TABLES

PAGES_A_BATCH = 200
SOFTWARE = f"moisson/{VERSION}"
_READ_ROLES = frozenset({"listing", "resource", "known", "copy"})

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


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
    started_at = datetime.now(UTC)
    transport, pace = _transport(source)
    sent = validators if source.replay_path is None else None

    def read_page(payload: Payload, url: str, *, is_listing: bool) -> PageReading:
        return parse_page(payload, page_url=url, source=source, is_listing=is_listing)

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
    names = [f"{v.pointer.file}:{v.pointer.offset}" for v in visits if v.pointer]
    name = sha256(json.dumps([code_digest(), repr(source), *names]).encode()).hexdigest()[:24]
    readings = tuple(_read(source, layout, visit) for visit in visits)
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


# --- build ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Built:
    """The tables as of a run, upon which visit they rest, why they may not be published, and the last that may."""

    run: int
    night: int
    tables: Rows
    refusal: MoissonError | None
    last_good: Built | None = None


# before the first visit of a site
NO_NIGHT = Night(0, datetime.min.replace(tzinfo=UTC), (), (), ())


@dataclass(frozen=True, slots=True)
class Step:
    """One run in the life of a source: a night, or (night is None) an import, which brings copies."""

    run: int
    night: Night | None


def build(
    source: Source,
    steps: Sequence[Step],
    copies: Sequence[tuple[int, Reading]],
    former: Rows,
    last_night: Night = NO_NIGHT,
) -> Built:
    """The tables as of the last of some runs: each run in order upon the resources that it found.

    A night that a gate stops leaves no trace in the nights after it; when it is the last, its tables say why.

    Args:
        source: the site.
        steps: runs since `former`, in order, at least one.
        copies: readings of imported copies, each with the run that brought it, those before `former` too.
        former: tables of the release to start from, empty for a start from nothing.
        last_night: the visit that release rests upon.
    """
    built: Built | None = None
    for step in steps:
        so_far = [copy for run, copy in copies if run <= step.run]
        night = step.night or last_night
        is_visit = step.night is not None
        catalogue = make_catalogue(source.name, night, so_far, former.get("resources", ()), is_visit=is_visit)
        refusal = _refusal(catalogue, night, former) if is_visit else None
        built = Built(step.run, night.run, as_rows(catalogue), refusal, built.last_good if built else None)
        if refusal is None:
            built = replace(built, last_good=built)
            former, last_night = built.tables, night
    if built is None:
        raise ValueError("no run to build from")
    return built


def as_rows(catalogue: Catalogue) -> Rows:
    """The tables by name, each value as it comes back from Parquet."""
    return {table.name: to_arrow(table, catalogue.table(table.name)).to_pylist() for table in TABLES}


def _refusal(catalogue: Catalogue, night: Night, former: Rows) -> MoissonError | None:
    """Why the gates stop a night; former holds the tables as of the last good night."""
    try:
        require_resources(catalogue.resources, night.listings)
    except MoissonError as error:
        return error
    reasons = reasons_to_hold(night.listings, _listing_counts(former.get("pages", ())))
    reasons += emptied_fields(former.get("records", ()), catalogue.records)
    return HeldByGate("; ".join(reasons)) if reasons else None


def _listing_counts(pages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Records on the first page of each listing, by the address that was asked, wherever it led."""
    listings = {page["url"]: page for page in pages if page["role"] == "listing"}
    leads = {url: page["redirect_url"] for url, page in listings.items() if page["redirect_url"]}
    ends = {url: listings.get(resolve(url, leads), page) for url, page in listings.items()}
    return {url: page["record_count"] for url, page in ends.items()}


def read_steps(
    ledgers: Sequence[Ledger], parsed: Callable[[Ledger], Sequence[Path]]
) -> tuple[list[Step], list[tuple[int, Reading]]]:
    """Steps and copies that ledgers tell of, as read; `parsed` gives the files of a ledger's readings."""
    steps: list[Step] = []
    copies: list[tuple[int, Reading]] = []
    for ledger in ledgers:
        readings = tuple(r for path in parsed(ledger) for r in load_readings(path))
        if ledger.kind == "import":
            copies += [(ledger.run, reading) for reading in readings]
            steps.append(Step(ledger.run, None))
        else:
            night = Night(ledger.run, ledger.started_at, ledger.visits, ledger.listings, readings)
            steps.append(Step(ledger.run, night))
    return steps, copies


# --- publish --------------------------------------------------------------------------------------------------------


def release_facts(source: Source, layout: Layout, built: Built, cause: str) -> dict[str, Any]:
    """What release.json says beside its tables: night is the visit of the site that they rest upon."""
    return {
        "source": source.name,
        "title": source.title,
        "run": built.run,
        "night": built.night,
        "cause": cause,
        "published_at": datetime.now(UTC),
        "versions": versions(),
        "code_digest": code_digest(),
        "configuration_digest": configuration_digest(source),
        "inputs": inputs(layout, built.run),
    }


def configuration_digest(source: Source) -> str:
    """sha256 over what a source file says about reading (what to ask and how fast stays out)."""
    said = {**source.model_dump(include={"name", "parser", "labels"}), "schemes": source.schemes}
    return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def inputs(layout: Layout, run: int) -> list[dict[str, Any]]:
    """The archives up to a run, each with its sha256."""
    described = []
    for number in layout.runs():
        path = layout.archive(number)
        if number <= run:
            with path.open("rb") as stream:
                described.append({"file": path.name, "sha256": file_digest(stream, "sha256").hexdigest()})
    return described


def is_news(tables: Rows, release: Release | None) -> bool:
    """Whether tables say something that the latest release does not."""
    return release is None or news_digest(tables) != release.manifest["news_digest"]


def is_of(release: Release, source: Source) -> bool:
    """Whether a release was made by this code under this configuration, so that the next night may start from it."""
    made_by = (release.manifest["code_digest"], release.manifest["configuration_digest"])
    return made_by == (code_digest(), configuration_digest(source))

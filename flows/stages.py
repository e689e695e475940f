"""The steps of a run as plain functions: harvest, parse, build, publish. No Prefect here.

Paths and numbers pass between steps, pages do not; each step can be run again with the same result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import httpx

from dedup.catalogue import Catalogue, Former, Moment, make_catalogue
from dedup.causes import Reading as Reread
from dedup.causes import rereading_causes, step_causes
from dedup.history import Causes, find_changes
from dedup.identity import resolve
from flows.decisions import judgements_digest, read_judgements
from flows.ledger import FORMAT, Kind, Ledger, load_readings, to_json, write_readings
from flows.register import REPLACED, read_register, with_replaced
from flows.versions import code_digest, versions
from harvest.answers import BrokenAnswer
from harvest.archive import ArchiveWriter
from harvest.client import VERSION, Client, Pace
from harvest.crawl import Progress, crawl
from harvest.payloads import read_payload
from harvest.wire import NetworkTransport, ReplayTransport
from parsers.page import parse_page
from releases.gates import emptied_fields, reasons_to_hold, require_resources
from releases.store import Release, news_digest
from releases.tables import to_arrow
from schema.errors import HeldByGate, MoissonError, UsageError
from schema.layout import Layout
from schema.nouns import Judgement, Night, PageReading, Payload, Reading, Reject, Visit
from schema.sources import Source
from schema.tables import CHANGES, TABLES

PAGES_A_BATCH = 200
SOFTWARE = f"moisson/{VERSION}"
_READ_ROLES = frozenset({"listing", "resource", "known", "copy"})

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def silent(stage: str, done: int, wanted: int) -> None:
    """A progress display that shows nothing."""


# --- harvest --------------------------------------------------------------------------------------------------------


def harvest(
    source: Source, layout: Layout, run: int, known: Iterable[str], kind: Kind = "refresh", progress: Progress = silent
) -> Ledger:
    """Ask the site, or the WARC that stands for it, and archive every answer; the run's ledger, archived too."""
    started_at = datetime.now(UTC)
    transport, pace = _transport(source)

    def read_page(payload: Payload, url: str, *, is_listing: bool) -> PageReading:
        return parse_page(payload, page_url=url, source=source, is_listing=is_listing)

    with ArchiveWriter(layout.archive(run), SOFTWARE) as archive, Client(source, transport, archive, pace) as client:
        visits, listings = crawl(source, client, read_page, known, progress)
        ended_at = datetime.now(UTC)
        ledger = Ledger(FORMAT, kind, run, source.name, started_at, ended_at, tuple(visits), tuple(listings))
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
        return ReplayTransport(source.replay_path), Pace(source.pace.delay_s, wait=lambda _: None)
    return NetworkTransport(), Pace(source.pace.delay_s)


# --- parse ----------------------------------------------------------------------------------------------------------


def batches(visits: Iterable[Visit]) -> list[tuple[Visit, ...]]:
    """Visits that brought a page to read, in portions that are worth a task each."""
    pages = [v for v in visits if v.pointer and v.outcome in ("fetched", "imported") and v.role in _READ_ROLES]
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


# before the first visit of a site
NO_NIGHT = Night(0, datetime.min.replace(tzinfo=UTC), (), (), ())
STEP_TABLES = tuple(table for table in TABLES if table is not CHANGES)
# tables that a step needs of the one before, and those that tell what another reading of the archive changed
BUILT_UPON = ("resources", "records", "pages", "ids", "history")
READ_AGAIN = ("resources", "records", "passages")


@dataclass(frozen=True, slots=True)
class Built:
    """The tables as of a step, upon which visit they rest, why they may not be published, and the last that may.

    tables: all but `changes`, which depends on what was published before (see `complete`). causes: why fields differ
    from the tables that this was built upon. judgements: how many words of persons are in it. rests_upon: that visit.
    """

    run: int
    night: int
    tables: Rows
    refusal: MoissonError | None
    causes: Causes = field(default_factory=dict)
    judgements: int = 0
    last_good: Built | None = None
    rests_upon: Night = field(default=NO_NIGHT, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One event in the life of a source: a night, or (night is None) copies that came in, or a person's word.

    said: what persons had said by then, in order. is_judged: whether the step is the last of these words itself.
    """

    run: int
    night: Night | None
    at: datetime
    said: tuple[Judgement, ...] = ()
    is_judged: bool = False


def build(
    source: Source,
    steps: Sequence[Step],
    copies: Sequence[tuple[int, Reading]],
    former: Rows,
    last_night: Night = NO_NIGHT,
) -> Built:
    """The tables as of the last of some steps: each in order upon the resources that it found.

    A night that a gate stops leaves no trace in the nights after it; when it is the last, its tables say why.

    Args:
        source: the site.
        steps: since `former`, in order, at least one.
        copies: readings of imported copies, each with the run that brought it, those before `former` too.
        former: tables to start from, empty for a start from nothing.
        last_night: the visit that they rest upon.
    """
    built: Built | None = None
    causes: Causes = {}
    for step in steps:
        so_far = [copy for run, copy in copies if run <= step.run]
        night, is_visit = step.night or last_night, step.night is not None
        ids = [row for row in former.get("ids", ()) if row["fate"] != REPLACED]
        before = Former(former.get("resources", ()), ids, former.get("history", ()))
        moment = Moment(step.run, step.at, is_visit, step.is_judged)
        catalogue = make_catalogue(source.name, moment, night, so_far, before, step.said, source.retire_after_nights)
        refusal = _refusal(catalogue, night, former) if is_visit else None
        last_good = built.last_good if built else None
        tables = as_rows(catalogue)
        why = step_causes(before.resources, tables["resources"], catalogue.reshaped, is_judged=step.is_judged)
        built = Built(step.run, night.run, tables, refusal, {**causes, **why}, len(step.said), last_good, night)
        if refusal is None:
            built = replace(built, last_good=built)
            former, last_night, causes = built.tables, night, built.causes
    if built is None:
        raise ValueError("no run to build from")
    return built


def place_of(release: Release) -> tuple[int, int]:
    """How far tables reach: their run, and how many words of persons they heard."""
    return int(release.manifest["run"]), int(release.manifest["judgements"])


def steps_between(steps: Sequence[Step], after: Release | None, up_to: Release | None = None) -> list[Step]:
    """The steps behind the place of some tables, up to that of others."""

    def is_within(step: Step, release: Release) -> bool:
        run, heard = place_of(release)
        return len(step.said) <= heard if step.is_judged else step.run <= run

    return [
        step for step in steps if not (after and is_within(step, after)) and (up_to is None or is_within(step, up_to))
    ]


def continue_build(
    reread: Built,
    told: Release,
    later: Sequence[Step],
    copies: Sequence[tuple[int, Reading]],
    source: Source,
    step: Any,
) -> Built:
    """What came after a release that other code made, upon what its runs give now; causes told against that release."""
    good = reread.last_good or reread
    before, after = (Reread(*(rows[name] for name in READ_AGAIN)) for rows in (told.tables(READ_AGAIN), good.tables))
    causes = rereading_causes(before, after)
    if not later or reread.last_good is None:
        return replace(reread, causes=causes, last_good=replace(good, causes=causes))
    built: Built = step("build", build, source, later, copies, good.tables, good.rests_upon)
    last_good = replace(
        built.last_good or good, causes={**causes, **(built.last_good.causes if built.last_good else {})}
    )
    return replace(built, causes={**causes, **built.causes}, last_good=last_good)


def complete(layout: Layout, built: Built, told: Release | None) -> Built:
    """The same with every table: what changed since the release before, and ids that only earlier readings knew."""
    register = read_register(layout)
    before = told.rows("resources") if told else []

    def completed(one: Built) -> Built:
        resources = one.tables["resources"]
        changes = find_changes(before, resources, one.causes)
        ids = with_replaced(one.tables["ids"], resources, register, one.run)
        return replace(one, tables={**one.tables, "changes": changes, "ids": ids})

    return replace(completed(built), last_good=completed(built.last_good) if built.last_good else None)


def as_rows(catalogue: Catalogue) -> Rows:
    """The tables by name, each value as it comes back from Parquet."""
    return {table.name: to_arrow(table, catalogue.table(table.name)).to_pylist() for table in STEP_TABLES}


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
    ledgers: Sequence[Ledger], parsed: Callable[[Ledger], Sequence[Path]], judgements: Sequence[Judgement] = ()
) -> tuple[list[Step], list[tuple[int, Reading]]]:
    """Steps and copies that ledgers and persons tell of; `parsed` gives the files of a ledger's readings.

    A word counts from the run before it on: it is a step behind that one.
    """
    steps: list[Step] = []
    copies: list[tuple[int, Reading]] = []
    for ledger in ledgers:
        readings = tuple(r for path in parsed(ledger) for r in load_readings(path))
        if ledger.kind == "import":
            copies += [(ledger.run, reading) for reading in readings]
            steps.append(Step(ledger.run, None, ledger.started_at))
        else:
            night = Night(ledger.run, ledger.started_at, ledger.visits, ledger.listings, readings)
            steps.append(Step(ledger.run, night, ledger.started_at))
    words = [
        Step(word.after_run, None, word.said_at, tuple(judgements[: number + 1]), is_judged=True)
        for number, word in enumerate(judgements)
    ]
    ordered = sorted([*steps, *words], key=lambda step: (step.run, step.is_judged, len(step.said)))
    heard = 0
    for place, step in enumerate(ordered):
        heard = max(heard, len(step.said))
        ordered[place] = replace(step, said=tuple(judgements[:heard]))
    return ordered, copies


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
        "judgements": built.judgements,
        "judgements_digest": judgements_digest(read_judgements(layout)[: built.judgements]),
        "code_digest": code_digest(),
        "configuration_digest": configuration_digest(source),
        "inputs": inputs(layout, built.run),
    }


def configuration_digest(source: Source) -> str:
    """sha256 over what a source file says about reading (what to ask and how fast stays out)."""
    said = {**source.model_dump(include={"name", "parser", "labels", "retire_after_nights"}), "schemes": source.schemes}
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

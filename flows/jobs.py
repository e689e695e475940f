"""The jobs behind the commands: plain functions over a `step` that runs each stage, at once or as a Prefect task."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from flows.decisions import judgements_digest, read_judgements
from flows.ledger import FORMAT, Kind, Ledger, read_ledgers, to_json
from flows.lock import locked
from flows.register import enter
from flows.stages import (
    BUILT_UPON,
    NO_NIGHT,
    SOFTWARE,
    Built,
    Rows,
    batches,
    build,
    complete,
    configuration_digest,
    continue_build,
    harvest,
    inputs,
    is_news,
    is_of,
    parse_batch,
    place_of,
    read_steps,
    release_facts,
    require_ready,
    silent,
    steps_between,
)
from flows.versions import code_digest
from harvest.archive import ArchiveWriter
from harvest.crawl import Progress
from parsers.page import parse_page
from releases.store import (
    Release,
    drop_states,
    hold,
    keep_state,
    kept_state,
    latest_release,
    newest_whole,
    older_releases,
    publish,
    readable_release,
    run_state,
    sweep,
    write_run,
)
from schema.addresses import canonical_url
from schema.errors import Bug, MoissonError, StructureChanged, UsageError
from schema.layout import Layout
from schema.nouns import Payload, Visit
from schema.sources import Source
from schema.tables import CHANGES, TABLES

T = TypeVar("T")
Step = Callable[..., Any]


def at_once(_name: str, stage: Callable[..., T], *arguments: Any) -> T:  # Step's shape
    """Run a stage here and now: the step of `--direct`."""
    return stage(*arguments)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job came to: one line for the person, the facts for the report."""

    verdict: str
    facts: dict[str, Any] = field(default_factory=dict)


def refresh(
    source: Source, data: Path, *, is_dry: bool = False, progress: Progress = silent, step: Step = at_once
) -> Outcome:
    """Harvest a site and publish what is new.

    Raises:
        MoissonError: any of its leaves; the published release is then as it was.
    """
    require_ready(source)
    layout = Layout(data, source.name)
    with locked(layout):
        sweep(layout)
        release, run, started_at = latest_release(layout), layout.next_run(), datetime.now(UTC)
        known = _known_addresses(layout, release)
        report = {"run": run, "source": source.name, "started_at": started_at, "is_dry": is_dry}
        pages: Sequence[dict[str, Any]] = ()
        try:
            kind: Kind = "dry" if is_dry else "refresh"
            tonight: Ledger = step("harvest", harvest, source, layout, run, known, kind, progress)
            former = _former_tables(source, layout, release)
            past = read_ledgers(layout, _needless(layout, former.ground))
            ledgers = [*(p for p in past if p.run < run and p.kind != "dry"), tonight]
            built = _build(source, layout, ledgers, former, step)
            pages = built.tables["pages"]  # type: ignore[assignment]  # rows as they come back from Parquet
            outcome = _conclude(source, layout, built, release, is_dry=is_dry, step=step)
        except MoissonError as error:
            ended = {"verdict": str(error), "state": error.verdict, "exit_code": error.exit_code}
            again = {"is_retryable": error.is_retryable, "ended_at": datetime.now(UTC)}
            write_run(layout, run, {**report, **ended, **again}, pages)
            shutil.rmtree(layout.staging, ignore_errors=True)
            raise
        ended = {"verdict": outcome.verdict, "exit_code": 0, "ended_at": datetime.now(UTC), **outcome.facts}
        write_run(layout, run, {**report, **ended}, pages)
        shutil.rmtree(layout.staging, ignore_errors=True)
        return outcome


@dataclass(frozen=True, slots=True)
class Former:
    """What a build starts from, and what its changes are told against.

    ground: tables of this very code and configuration; None when every run is to be read again. told: the release
    before. up_to: only the steps up to its place are wanted.
    """

    ground: Release | None = None
    told: Release | None = None
    up_to: Release | None = None


def _former_tables(source: Source, layout: Layout, release: Release | None) -> Former:
    """The newest tables to build upon: a release, or what a later run without news left."""
    state = kept_state(layout)
    grounds = [r for r in (release, state) if r is not None and is_of(r, source)]
    # tables of other code or labels are no ground to build on
    return Former(max(grounds, key=place_of, default=None), release)


def _known_addresses(layout: Layout, release: Release | None) -> list[str]:
    """Addresses of the resources known so far, as the newest tables have them."""
    newest = max((r for r in (release, kept_state(layout)) if r is not None), key=place_of, default=None)
    return [row["url"] for row in newest.rows("resources") if row["url"]] if newest else []


def _needless(layout: Layout, ground: Release | None) -> set[int]:
    """Runs that a release rests on and that bring no copies: their archives need not be opened to build upon it."""
    if ground is None:
        return set()
    runs = {run for run in layout.runs() if run <= int(ground.manifest["run"]) and run != int(ground.manifest["night"])}
    return {run for run in runs if run_state(layout, run) not in (None, "imported")}


def _build(source: Source, layout: Layout, ledgers: Sequence[Ledger], former: Former, step: Step) -> Built:
    """The tables as of the last of some runs, built upon earlier ones, or from nothing."""
    ground = former.ground
    after, night = (int(ground.manifest[key]) if ground else 0 for key in ("run", "night"))
    needed = [ledger for ledger in ledgers if ledger.kind == "import" or ledger.run > after or ledger.run == night]

    def parsed(ledger: Ledger) -> list[Path]:
        return [step("parse", parse_batch, source, layout, batch) for batch in batches(ledger.visits)]

    steps, copies = read_steps(needed, parsed, read_judgements(layout))
    last_night = next((s.night for s in steps if s.run == night and s.night), NO_NIGHT)
    wanted = steps_between(steps, ground, former.up_to)
    told, base = former.told, ground.tables(BUILT_UPON) if ground else {}
    if told is None or is_of(told, source):
        built: Built = step("build", build, source, wanted, copies, base, last_night)
    else:
        # other code made the release: what its runs give now, and then what came after
        reread: Built = step("build", build, source, steps_between(wanted, None, told), copies, base, last_night)
        built = continue_build(reread, told, steps_between(wanted, told), copies, source, step)
    return complete(layout, built, told)


def _conclude(
    source: Source, layout: Layout, built: Built, release: Release | None, *, is_dry: bool, step: Step
) -> Outcome:
    counts = _counts(built.tables)
    if built.refusal is not None:
        if not is_dry:
            hold(layout, built.run, built.tables, release_facts(source, layout, built, str(built.refusal)))
        raise built.refusal
    if is_dry:
        found = difference(release.rows("resources") if release else (), built.tables["resources"])
        return Outcome(f"{source.name}: dry run, nothing published: {found}; {counts}", {"state": "dry"})
    if release is not None and not is_news(built.tables, release):
        if is_of(release, source):
            keep_state(layout, built.run, built.tables, release_facts(source, layout, built, "unchanged"))
        return Outcome(
            f"{source.name}: unchanged since release {release.number}: {counts} -> {layout.latest}",
            {"state": "unchanged", "release": release.number},
        )
    published = _publish(source, layout, built, "source" if release else "first release", step)
    return Outcome(
        f"{source.name}: release {published.number} published: {counts} -> {layout.latest}",
        {"state": "published", "release": published.number},
    )


def _publish(source: Source, layout: Layout, built: Built, cause: str, step: Step) -> Release:
    """Publish, the promise of the new ids first."""
    titles = {row["resource_id"]: row["title"] for row in built.tables["resources"]}
    facts = release_facts(source, layout, built, cause)
    enter(layout, built.tables["ids"], titles, built.run, facts["published_at"])
    published: Release = step("publish", publish, layout, built.tables, facts)
    drop_states(layout)
    return published


def _counts(tables: Rows) -> str:
    read = sum(page["attempts"] > 0 or page["outcome"] == "imported" for page in tables["pages"])
    return f"{len(tables['resources'])} resources, {len(tables['rejects'])} rejects, {read} pages"


def difference(old: Sequence[Any], new: Sequence[Any]) -> str:
    """How many resources came, went and changed, in words."""
    before = {row["resource_id"]: row["content_digest"] for row in old}
    after = {row["resource_id"]: row["content_digest"] for row in new}
    changed = sum(before[name] != after[name] for name in before.keys() & after.keys())
    return f"{len(after.keys() - before.keys())} new, {len(before.keys() - after.keys())} gone, {changed} changed"


# --- rebuild --------------------------------------------------------------------------------------------------------


def rebuild(source: Source, data: Path, *, step: Step = at_once) -> Outcome:
    """Make every table again from the archive alone, and say whether it equals the release.

    Where neither archive, code nor configuration changed since the release, its tables must come out the same in every
    column. Later runs, or a change, are then brought in, and published when they are news.

    Raises:
        UsageError: nothing was ever archived.
        Bug: the same inputs and code give other tables.
    """
    layout = Layout(data, source.name)
    with locked(layout):
        if not layout.runs():
            raise UsageError(
                f"{layout.raw}: no archive of {source.name}; `moisson refresh {source.name}` makes the first"
            )
        sweep(layout)
        release = readable_release(layout)
        ledgers = [ledger for ledger in read_ledgers(layout) if ledger.kind != "dry"]
        if not ledgers:
            raise UsageError(
                f"{layout.raw}: only dry runs of {source.name}; `moisson refresh {source.name}` comes first"
            )
        change = _change_since(source, layout, release)
        proof = None
        if release is not None and change is None:
            proof = _prove(source, layout, release, ledgers, step)
        said = len(read_judgements(layout))
        # each by itself: a word may rest on a run that the ledgers leave out, a dry one
        run, heard = place_of(release) if release else (0, 0)
        is_later = ledgers[-1].run > run or said > heard
        if release is None or change is not None or is_later:
            built = _build(source, layout, ledgers, Former(None, release or newest_whole(layout)), step)
            outcome = _bring_in(source, layout, built, release, change or "later runs", step)
        else:
            outcome = Outcome(f"{source.name}: rebuilt, {proof}: {_counts_of(release)}")
        shutil.rmtree(layout.staging, ignore_errors=True)
        return outcome


def _change_since(source: Source, layout: Layout, release: Release | None) -> str | None:
    """What changed since a release so that its tables may come out otherwise; None when nothing did."""
    if release is None:
        return "release damaged" if layout.release_numbers() else "no release yet"
    if release.manifest["code_digest"] != code_digest():
        return "code changed"
    if release.manifest["configuration_digest"] != configuration_digest(source):
        return "configuration changed"
    if release.manifest["inputs"] != inputs(layout, int(release.manifest["run"])):
        return "archive changed"
    said = int(release.manifest["judgements"])
    if release.manifest["judgements_digest"] != judgements_digest(read_judgements(layout)[:said]):
        return "decisions changed"
    return None


def _prove(source: Source, layout: Layout, release: Release, ledgers: Sequence[Ledger], step: Step) -> str:
    """Make the tables of a release again; that they are equal, in words."""
    run = int(release.manifest["run"])
    told = next(older_releases(layout, release), None)
    upto = [ledger for ledger in ledgers if ledger.run <= run]
    built = _build(source, layout, upto, Former(None, told, release), step)
    # what changed can only be told against the release before
    is_told = told is not None or release.number == 1
    compared = [table for table in TABLES if is_told or table is not CHANGES]
    unequal = [table.name for table in compared if release.rows(table.name) != list(built.tables[table.name])]
    if unequal:
        raise Bug(
            f"{source.name}: rebuilt from the same archive by the same code, and not equal to release "
            f"{release.number} in {', '.join(unequal)}: keep the data folder and report it"
        )
    return f"equal to release {release.number} in every table"


def _bring_in(source: Source, layout: Layout, built: Built, release: Release | None, cause: str, step: Step) -> Outcome:
    if built.refusal is not None:
        # what a gate stopped stays stopped: the runs before it are brought in
        if built.last_good is None:
            raise built.refusal
        built = built.last_good
    counts = _counts(built.tables)
    if release is not None and not is_news(built.tables, release):
        same = "equal to" if cause == "later runs" else f"{cause}, and its resources equal those of"
        return Outcome(f"{source.name}: rebuilt, {same} release {release.number}: {counts}")
    published = _publish(source, layout, built, cause, step)
    return Outcome(
        f"{source.name}: rebuilt ({cause}), release {published.number} published: {counts} -> {layout.latest}"
    )


def _counts_of(release: Release) -> str:
    return _counts({table.name: release.rows(table.name) for table in TABLES})


# --- import ---------------------------------------------------------------------------------------------------------


def import_copy(source: Source, data: Path, file: Path, url: str, made_at: datetime) -> Outcome:
    """Archive a saved copy of a page as a run of its own; it is read by the next rebuild or refresh.

    Raises:
        UsageError: the file is neither HTML nor text, or the address is none.
        StructureChanged: nothing that we can read stands in it; nothing was archived.
    """
    layout, (content, media_type, kind) = Layout(data, source.name), _sniff(file)
    try:
        address = canonical_url(url, schemes=source.schemes)
    except ValueError as error:
        raise UsageError(f"--url: {error}; give the address the copy was made of") from None
    payload = Payload(address, content, media_type, None)
    reading = parse_page(payload, page_url=address, source=source, is_listing=None)
    if not reading.records:
        why = reading.rejects[0].message if reading.rejects else "no block with labelled fields"
        raise StructureChanged(
            f"{file}: {why}; nothing was archived. Look at the copy, then at `labels` in {source.path}"
        )
    found = f"{len(reading.records)} records, {len(reading.rejects)} rejects"
    with locked(layout):
        ledger = _archive_copy(layout, payload, address, kind, made_at, f"copy of {file.name}")
        verdict = (
            f"{source.name}: run {ledger.run} imported: {found} from {address}; "
            f"`moisson rebuild {source.name}` publishes them"
        )
        report = {"run": ledger.run, "source": source.name, "state": "imported", "verdict": verdict, "exit_code": 0}
        times = {"started_at": ledger.started_at, "ended_at": ledger.ended_at}
        write_run(layout, ledger.run, {**report, **times}, ())
    return Outcome(verdict)


def _archive_copy(layout: Layout, payload: Payload, address: str, kind: str, made_at: datetime, reason: str) -> Ledger:
    """Archive a copy and the ledger of a run that brought nothing else."""
    started_at, run = datetime.now(UTC), layout.next_run()
    with ArchiveWriter(layout.archive(run), SOFTWARE) as archive:
        visit = Visit(
            url=address,
            role="copy",
            outcome="imported",
            reason=reason,
            fetched_at=made_at,
            size_bytes=len(payload.content),
            media_type=payload.media_type,
            payload_digest=sha256(payload.content).hexdigest(),
            pointer=archive.add_copy(address, payload.content, payload.media_type, kind, made_at),
        )
        ledger = Ledger(FORMAT, "import", run, layout.source, started_at, datetime.now(UTC), (visit,))
        archive.add_ledger(to_json(ledger), ledger.ended_at)
    return ledger


def _sniff(file: Path) -> tuple[bytes, str, str]:
    """Content, media type and WARC record type of a saved copy."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read ({error.strerror or error}); give a saved HTML or text file"
        ) from None
    if not content.strip():
        raise UsageError(f"{file}: is empty; give a saved HTML or text file")
    if content.startswith((b"\x1f\x8b", b"WARC/")):
        raise UsageError(
            f"{file}: is compressed, or is a WARC: unpack a page; replay a WARC with `refresh SOURCE --replay`"
        )
    if b"\x00" in content[:4096] or content.startswith(b"%PDF"):
        raise UsageError(f"{file}: is neither HTML nor text; save the page as HTML or as text")
    head = content[:4096].lower()
    if file.suffix.lower() in (".html", ".htm", ".xhtml") or any(
        t in head for t in (b"<html", b"<!doctype", b"<body", b"<div")
    ):
        return content, "text/html", "resource"
    return content, "text/plain", "conversion"


def with_replay(source: Source, replay: Path | None) -> Source:
    """The source, asked from another WARC than its own file names."""
    if replay is None:
        return source
    if not replay.is_file():
        raise UsageError(f"{replay}: there is no such file; give a .warc.gz to --replay")
    return source.model_copy(update={"replay": str(replay.resolve())})

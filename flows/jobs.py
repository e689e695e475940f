"""The jobs behind the commands: plain functions over a `step` that runs each stage, at once or as a Prefect task."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from flows.building import Built
from flows.damage import as_values, damaged_records, require_nothing_lost, say, say_all
from flows.decisions import judgements_digest, read_judgements
from flows.grounds import Former, build_upon, dispensable, former_tables, known_addresses, needed_ledgers, needless
from flows.ledger import Kind, Ledger, keep_ledger, keep_ledgers, read_ledgers
from flows.lock import locked
from flows.manifest import Rows, configuration_digest, has_heard, inputs, is_news, is_of, place_of, release_facts
from flows.publishing import Step, at_once, publish_built
from flows.remembered import forget
from flows.resting import note_rest, require_rested
from flows.stages import INTERRUPTED, find_unfinished, harvest, require_ready, silent
from flows.takedown import finish_takedown
from flows.versions import code_digest
from harvest.crawl import Progress
from harvest.spellings import written_of
from harvest.validators import validators_of
from releases.gates import say_empty
from releases.store import (
    Release,
    hold,
    keep_state,
    latest_release,
    newest_whole,
    readable_release,
    sweep,
    whole_release,
    write_run,
)
from schema.errors import Bug, DamagedArchive, HeldByGate, MoissonError, UsageError
from schema.layout import Layout
from schema.sources import Source
from schema.tables import CHANGES, TABLES


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
        MoissonError: any of its leaves; the published release is then as it was. SiteUnreachable before the time that
            the site named (flows.resting), with no request at all.
    """
    require_ready(source)
    layout = Layout(data, source.name)
    with locked(layout):
        sweep(layout)
        finish_takedown(source, layout)
        require_rested(source, layout, datetime.now(UTC))
        kind: Kind = "dry" if is_dry else "refresh"
        unfinished = find_unfinished(source, layout, kind)
        run = unfinished.run if unfinished else layout.next_run()
        release, started_at = latest_release(layout), datetime.now(UTC)
        known = known_addresses(layout, release)
        report = {"run": run, "source": source.name, "started_at": started_at, "is_dry": is_dry}
        pages: Sequence[Mapping[str, Any]] = ()
        told = ""
        try:
            former = former_tables(source, layout, release)
            keep_ledgers(layout)
            records = damaged_records(layout, (release, former.ground), run)
            told, report["damaged"] = say_all((), records), as_values((), records)
            past = read_ledgers(layout, {run, *needless(layout, former.ground)}, dispensable(layout, former.ground))
            asked = (run, known, kind, progress, validators_of(one.visits for one in past), unfinished)
            written, note = written_of(one.visits for one in past), partial(_note_courtesy, report)
            tonight: Ledger = step("harvest", harvest, source, layout, *asked, note, written)
            _note_courtesy(report, tonight.courtesy)
            report["completeness"] = [asdict(one.certificate) for one in tonight.listings if one.certificate]
            ledgers = needed_ledgers(layout, [*(p for p in past if p.kind != "dry"), tonight], former.ground)
            del past, asked, written  # a ledger of a large site weighs as much as what is built of it
            built = build_upon(source, layout, ledgers, former, step)
            told, report["damaged"] = say_all(built.damaged, records), as_values(built.damaged, records)
            pages = built.tables["pages"]
            outcome = _conclude(source, layout, built, release, is_dry=is_dry, step=step)
            outcome = replace(outcome, verdict=f"{outcome.verdict}{told}{say_empty(tonight.listings)}")
        except MoissonError as error:
            note_rest(source, layout, error)
            _note_failure(layout, run, {**report, "verdict": f"{error}{told}"}, error, pages)
            raise
        except BaseException as error:
            # Ctrl-C, SIGTERM, signals of Prefect's, a disk: the next refresh goes on with it; not so after a bug
            if "courtesy" in report:
                _note_end(layout, run, report, error)
            raise
        ended = {"verdict": outcome.verdict, "exit_code": 0, "ended_at": datetime.now(UTC), **outcome.facts}
        write_run(layout, run, {**report, **ended}, pages)
        keep_ledger(layout, tonight)
        shutil.rmtree(layout.staging, ignore_errors=True)
        return outcome


def _note_courtesy(report: dict[str, Any], courtesy: dict[str, Any] | None) -> None:
    report["courtesy"] = courtesy


def _note_failure(
    layout: Layout, run: int, report: dict[str, Any], error: MoissonError, pages: Sequence[Mapping[str, Any]]
) -> None:
    """Leave what is known of a run that ended in an error that we foresee."""
    ended = {"state": error.verdict, "exit_code": error.exit_code, "is_retryable": error.is_retryable}
    shutil.rmtree(layout.staging, ignore_errors=True)  # on a full disk: room for the report
    write_run(layout, run, {**report, **ended, "ended_at": datetime.now(UTC)}, pages)
    keep_ledgers(layout)
    shutil.rmtree(layout.staging, ignore_errors=True)


def _note_end(layout: Layout, run: int, report: dict[str, Any], cause: BaseException) -> None:
    """Leave what is known of a run that was stopped or broke off; its cause is raised, whatever becomes of this."""
    ended = {"verdict": f"interrupted by {type(cause).__name__}", "state": INTERRUPTED, "is_retryable": True}
    if isinstance(cause, Exception) and not isinstance(cause, OSError):
        # played again, the same answers would bring the same exception
        verdict = f"broken off by {type(cause).__name__}: {cause}"[:500]
        ended = {"verdict": verdict, "state": Bug.verdict, "exit_code": 1, "is_retryable": True}
    with suppress(MoissonError):
        write_run(layout, run, {**report, **ended, "ended_at": datetime.now(UTC)}, ())


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
    published = publish_built(source, layout, built, "source" if release else "first release", step)
    return Outcome(
        f"{source.name}: release {published.number} published: {counts} -> {layout.latest}",
        {"state": "published", "release": published.number},
    )


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
        DamagedArchive: records are damaged without which the release cannot be made again, or would lose something.
    """
    layout = Layout(data, source.name)
    with locked(layout):
        if not layout.runs():
            raise UsageError(
                f"{layout.raw}: no archive of {source.name}; `moisson refresh {source.name}` makes the first"
            )
        sweep(layout)
        forget(layout)
        finish_takedown(source, layout)
        release = readable_release(layout)
        keep_ledgers(layout)
        records = damaged_records(layout, (release,))
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
            built = build_upon(source, layout, ledgers, Former(None, release or newest_whole(layout)), step)
            good = built if built.refusal is None else built.last_good
            if release is not None and good is not None:
                require_nothing_lost(built.damaged, release.tables(("resources", "records")), good.tables)
            outcome = bring_in(source, layout, built, release, change or "later runs", step)
        else:
            outcome = Outcome(f"{source.name}: rebuilt, {proof}: {_counts_of(release)}")
        outcome = replace(outcome, verdict=f"{outcome.verdict}{say_all((), records)}")
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
    is_same = release.manifest["judgements_digest"] == judgements_digest(read_judgements(layout)[:said])
    if not is_same or not has_heard(release, layout):
        return "decisions changed"
    return None


def _prove(source: Source, layout: Layout, release: Release, ledgers: Sequence[Ledger], step: Step) -> str:
    """Make the tables of a release again; that they are equal, in words."""
    run = int(release.manifest["run"])
    number = release.manifest["told"]
    told = whole_release(layout, int(number)) if number is not None else None
    upto = [ledger for ledger in ledgers if ledger.run <= run]
    built = build_upon(source, layout, upto, Former(None, told, release), step)
    # what changed can only be told against the release that it was told against, and that one may be damaged
    is_told = told is not None or number is None
    compared = [table for table in TABLES if is_told or table is not CHANGES]
    unequal = [table.name for table in compared if release.rows(table.name) != list(built.tables[table.name])]
    if unequal and built.damaged:
        raise DamagedArchive(
            f"{source.name}: the archive does not give release {release.number} again in {', '.join(unequal)}; the "
            f"release stays{say(built.damaged)}"
        )
    if unequal:
        raise Bug(
            f"{source.name}: rebuilt from the same archive by the same code, and not equal to release "
            f"{release.number} in {', '.join(unequal)}: keep the data folder and report it"
        )
    but = "" if is_told else f" but `changes`: release {number}, which they are told against, is damaged"
    return f"equal to release {release.number} in every table{but}{say(built.damaged)}"


def bring_in(source: Source, layout: Layout, built: Built, release: Release | None, cause: str, step: Step) -> Outcome:
    """Publish tables that were made again, where they are news.

    Raises:
        MoissonError: why a gate stops them, and there are none before.
    """
    if built.refusal is not None:
        # what a gate stopped stays stopped: the runs before it are brought in
        if built.last_good is None or _is_step_back(built.last_good, release):
            raise built.refusal
        built = built.last_good
    if release is not None and _is_step_back(built, release):
        raise HeldByGate(
            f"release {release.number} rests on the visit of run {release.manifest['night']}, and the newest that can "
            f"be read and passes the gates is that of run {built.night}: nothing was published; look at `labels` in "
            "the source file"
        )
    counts = _counts(built.tables)
    if release is not None and not is_news(built.tables, release):
        same = "equal to" if cause == "later runs" else f"{cause}, and its resources equal those of"
        return Outcome(f"{source.name}: rebuilt, {same} release {release.number}: {counts}{say(built.damaged)}")
    published = publish_built(source, layout, built, cause, step)
    return Outcome(
        f"{source.name}: rebuilt ({cause}), release {published.number} published: {counts} -> {layout.latest}"
        f"{say(built.damaged)}"
    )


def _is_step_back(built: Built, release: Release | None) -> bool:
    """Whether tables tell of an earlier visit than the release: labels may read an old night and not the new ones."""
    return release is not None and built.night < int(release.manifest["night"])


def _counts_of(release: Release) -> str:
    return _counts({table.name: release.rows(table.name) for table in TABLES})


def with_replay(source: Source, replay: Path | None) -> Source:
    """The source, asked from another WARC than its own file names."""
    if replay is None:
        return source
    if not replay.is_file():
        raise UsageError(f"{replay}: there is no such file; give a .warc.gz to --replay")
    return source.model_copy(update={"replay": str(replay.resolve())})

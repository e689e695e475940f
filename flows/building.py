"""The tables as of a run: steps in the life of a source, each in order upon what it found. No disk but the readings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from dedup.catalogue import Catalogue, Former, Moment, make_catalogue
from dedup.causes import Reading as Reread
from dedup.causes import rereading_causes, step_causes
from dedup.history import Causes, find_changes
from dedup.identity import NO_PROMISES, Promises, resolve
from dedup.rows import LazyRows
from flows.damage import DamagedPage, damaged_listings
from flows.decisions import read_takedowns
from flows.ledger import Ledger, load_readings
from flows.manifest import Rows, place_of
from flows.register import NOT_OF_A_STEP, read_register, with_replaced
from flows.shelves import FileShelf
from releases.fields import changed_fields, emptied_fields
from releases.gates import reasons_to_hold, require_resources, unread_blocks, vanished
from releases.store import Release
from releases.tables import lay_out
from schema.errors import DiskTrouble, HeldByGate, MoissonError
from schema.layout import Layout
from schema.nouns import Judgement, Night, Reading
from schema.sources import Source
from schema.tables import BY_NAME, CHANGES, TABLES

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
    from the tables that this was built upon. judgements: how many words of persons are in it. told: number of the
    release that `changes` is told against. rests_upon: that visit. counts: what the matcher compared, and what it cut.
    damaged: pages of the runs that were read which could not be.
    """

    run: int
    night: int
    tables: Rows
    refusal: MoissonError | None
    causes: Causes = field(default_factory=dict)
    judgements: int = 0
    last_good: Built | None = None
    told: int | None = None
    rests_upon: Night = field(default=NO_NIGHT, repr=False)
    counts: Mapping[str, int] = field(default_factory=dict)
    damaged: tuple[DamagedPage, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One event in the life of a source: a night, or (night is None) copies that came in, or a person's word.

    said: what persons had said by then, in order. is_judged: whether the step is the last of these words itself.
    is_accepted: whether a person said that what the gates hold of this night is true.
    """

    run: int
    night: Night | None
    at: datetime
    said: tuple[Judgement, ...] = ()
    is_judged: bool = False
    is_accepted: bool = False


def build(
    source: Source,
    steps: Sequence[Step],
    copies: Sequence[tuple[int, Reading]],
    former: Rows,
    last_night: Night = NO_NIGHT,
    published: Promises = NO_PROMISES,
    scratch: Path | None = None,
) -> Built:
    """The tables as of the last of some steps: each in order upon the resources that it found.

    A night that a gate stops leaves no trace in the nights after it; when it is the last, its tables say why.

    Args:
        source: the site.
        steps: since `former`, in order, at least one.
        copies: readings of imported copies, each with the run that brought it, those before `former` too.
        former: tables to start from, empty for a start from nothing.
        last_night: the visit that they rest upon.
        published: every id that was published.
        scratch: folder in which large tables are laid out; the system's own if it is not given.

    Raises:
        DiskTrouble: no room there.
    """
    built: Built | None = None
    causes: Causes = {}
    for step in steps:
        so_far = [copy for run, copy in copies if run <= step.run]
        night, is_visit = step.night or last_night, step.night is not None
        before = _before(former, published)
        moment = Moment(step.run, step.at, is_visit, step.is_judged, len(step.said))
        catalogue = make_catalogue(
            source.name, moment, night, so_far, before, step.said, source.retire_after_nights, FileShelf(scratch)
        )
        tables, reshaped, counts = as_rows(catalogue, scratch), catalogue.reshaped, catalogue.counts
        del catalogue  # with all that was read and compared: the tables are laid out
        refusal = _refusal(source, tables, night, former, is_visit=is_visit)
        if step.is_accepted and isinstance(refusal, HeldByGate):
            refusal = None
        last_good = built.last_good if built else None
        why = step_causes(before.resources, tables["resources"], reshaped, is_judged=step.is_judged)
        built = Built(
            run=step.run,
            night=night.run,
            tables=tables,
            refusal=refusal,
            causes={**causes, **why},
            judgements=len(step.said),
            last_good=last_good,
            rests_upon=night,
            counts=counts,
        )
        if refusal is None:
            # not with the last good one before it: all that were would stay open
            built = replace(built, last_good=replace(built, last_good=None))
            former, last_night, causes = built.tables, night, built.causes
    if built is None:
        raise ValueError("no run to build from")
    return built


def _before(former: Rows, published: Promises) -> Former:
    """What a step finds; of `ids` those that a step knows."""
    return Former(
        resources=former.get("resources", ()),
        ids=LazyRows(lambda: (dict(row) for row in former.get("ids", ()) if row["fate"] not in NOT_OF_A_STEP)),
        history=former.get("history", ()),
        records=former.get("records", ()),
        published=published,
    )


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
    published: Promises,
    make: Callable[..., Built],
) -> Built:
    """What came after a release that other code made, upon what its runs give now; causes told against that release.

    make: builds (see `build`).
    """
    good = reread.last_good
    causes = _reading_causes(told, good) if good else {}
    if not later:
        return replace(reread, causes=causes, last_good=replace(good, causes=causes) if good else None)
    # where nothing that the release rests on can be read any more, the first night that can is a beginning
    base, night = (good.tables, good.rests_upon) if good else ({}, NO_NIGHT)
    built = make(source, later, copies, base, night, published)
    last = built.last_good
    last_good = replace(last, causes={**causes, **last.causes}) if last else good and replace(good, causes=causes)
    return replace(built, causes={**causes, **built.causes}, last_good=last_good)


def _reading_causes(told: Release, built: Built) -> Causes:
    before, after = (Reread(*(rows[name] for name in READ_AGAIN)) for rows in (told.tables(READ_AGAIN), built.tables))
    return rereading_causes(before, after)


def complete(layout: Layout, built: Built, told: Release | None) -> Built:
    """The same with every table: what changed since the release before, and ids that only earlier readings knew.

    Raises:
        DiskTrouble: no room for the tables.
    """
    takedowns, before = read_takedowns(layout), told.rows("resources") if told else []

    def completed(one: Built) -> Built:
        resources = one.tables["resources"]
        changes = find_changes(before, resources, one.causes)
        ids = with_replaced(one.tables["ids"], resources, read_register(layout), one.run, takedowns)
        more = _laid_out({"changes": changes, "ids": ids}, layout.staging)
        return replace(one, tables={**one.tables, **more}, told=told.number if told else None)

    whole = completed(built)
    if built.refusal is None:
        return replace(whole, last_good=replace(whole, last_good=None))
    return replace(whole, last_good=completed(built.last_good) if built.last_good else None)


def as_rows(catalogue: Catalogue, scratch: Path | None = None) -> Rows:
    """The tables by name, each value as it comes back from Parquet.

    Raises:
        DiskTrouble: no room in the folder for large ones.
    """
    return _laid_out({table.name: catalogue.table(table.name) for table in STEP_TABLES}, scratch)


def _laid_out(tables: Mapping[str, Iterable[Mapping[str, Any]]], scratch: Path | None) -> Rows:
    try:
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True)
        return {name: lay_out(BY_NAME[name], rows, scratch) for name, rows in tables.items()}
    except OSError as error:
        where = scratch or gettempdir()
        raise DiskTrouble(f"{where}: no room for the tables ({error}); make room: nothing was published") from error


def _refusal(source: Source, tables: Rows, night: Night, former: Rows, *, is_visit: bool) -> MoissonError | None:
    """Why the gates stop a step; former holds the tables as of the last good one.

    Copies alone may be all that there is; a word upon nothing gives nothing.
    """
    try:
        require_resources(tables["resources"], night.listings if is_visit else ())
    except MoissonError as error:
        return error
    if not is_visit:
        return None
    reasons = damaged_listings(night.readings)
    reasons += reasons_to_hold(night.listings, _listing_counts(former.get("pages", ())))
    records = former.get("records", ())
    now = tables["records"]
    reasons += emptied_fields(records, now) or changed_fields(records, now, night.listings)
    reasons += unread_blocks(
        night.listings, _rejects(night), _reject_counts(former.get("pages", ())), source.max_vanished_share
    )
    before = former.get("resources", ())
    reasons += vanished(before, tables["resources"], source.max_vanished_share, tables["ids"])
    if not reasons:
        return None
    remedy = f'if the site is right: `moisson accept {source.name} --why "..."`'
    return HeldByGate("; ".join([*reasons, remedy]))


def _rejects(night: Night) -> dict[str, int]:
    """Blocks of each listing page that could not be read, by the address of the page."""
    return {r.visit.url: len(r.page.rejects) for r in night.readings if r.visit.role == "listing"}


def _reject_counts(pages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {page["url"]: page["reject_count"] for page in pages if page["role"] == "listing"}


def _listing_counts(pages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Records on the first page of each listing, by the address that was asked, wherever it led."""
    listings = {page["url"]: page for page in pages if page["role"] == "listing"}
    leads = {url: page["redirect_url"] for url, page in listings.items() if page["redirect_url"]}
    ends = {url: listings.get(resolve(url, leads), page) for url, page in listings.items()}
    return {url: page["record_count"] for url, page in ends.items()}


def read_steps(
    ledgers: Sequence[Ledger],
    parsed: Callable[[Ledger], Sequence[Path]],
    judgements: Sequence[Judgement] = (),
    accepted: Collection[int] = (),
    scratch: Path | None = None,
) -> tuple[list[Step], list[tuple[int, Reading]]]:
    """Steps and copies that ledgers and persons tell of; `parsed` gives the files of a ledger's readings.

    accepted are numbers of runs. A word counts from the run before it on: it is a step behind that one.
    """
    shelf = FileShelf(scratch)
    steps: list[Step] = []
    copies: list[tuple[int, Reading]] = []
    for ledger in ledgers:
        readings = tuple(r for path in parsed(ledger) for r in load_readings(path, shelf))
        if ledger.kind == "import":
            copies += [(ledger.run, reading) for reading in readings]
            steps.append(Step(ledger.run, None, ledger.started_at))
        else:
            night = Night(ledger.run, ledger.started_at, ledger.visits, ledger.listings, readings)
            steps.append(Step(ledger.run, night, ledger.started_at, is_accepted=ledger.run in accepted))
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

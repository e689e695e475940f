"""Taking a resource down: out of the archive, out of every release, a tombstone in its place, all else as it was.

The decision is written first. Then all that changes is written anew aside, and a plan of it last; then each file is
renamed over the old one. A run that is killed is taken up by the same command, or by the next refresh or rebuild:
without a plan the writing begins again, with one the renaming goes on.

    data/raw/<source>/takedown/         archives and register as they will be; plan.json closes them
    data/clean/<source>/takedown/       releases, held runs and ledgers of runs as they will be
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flows.damage import require_nothing_lost, say_unread
from flows.decisions import Takedown, add_takedown, one_line, read_takedowns
from flows.erasing import plan_erasure, put_in_place, renewed_ledger, write_erasure
from flows.grounds import Former, build_upon
from flows.ledger import drop_copies, keep_ledgers, read_ledgers, renew_copy
from flows.lock import locked
from flows.manifest import has_heard, inputs, takedown_entry
from flows.publishing import as_it_was, at_once, publish_built
from flows.register import read_register, write_register
from flows.remembered import forget
from flows.residue import find_residue
from flows.survey import Place, Survey, archive_files, survey
from flows.taken import NOTE, prints_of
from flows.taking import Known, known_of, table_folders
from harvest.index import INDEX_NAME, write_index
from harvest.redact import Note, Redacted
from parsers.sought import Passages, find_sought
from releases.store import Release, latest_release, open_release, sweep
from releases.withdraw import Withdrawal, stage_run, stage_withdrawn
from schema.addresses import canonical_url
from schema.disk import sync
from schema.errors import Bug, DamagedArchive, DiskTrouble, UsageError
from schema.layout import Layout
from schema.sources import Source

_PLAN = "plan.json"


def takedown(source: Source, data: Path, url: str, why: str, author: str) -> str:
    """Take down what an address holds; the verdict.

    Raises:
        UsageError: no such address, no reason, or one that repeats what is to go.
        AlreadyRunning: a run holds the source.
        DamagedArchive: a release cannot be read, so that what stands there cannot be known.
    """
    layout, address = Layout(data, source.name), _address_of(source, url)
    words = one_line(why, "--why", "the reason"), one_line(author, "--author", "who says so")
    if not layout.raw.is_dir():
        raise UsageError(f"{layout.raw}: nothing of {source.name} was archived; look at SOURCE and --data")
    with locked(layout), _on_disk(layout):
        sweep(layout)
        finish_takedown(source, layout)
        return _take_down(source, layout, address, words)


def finish_takedown(source: Source, layout: Layout) -> None:
    """Bring a takedown that was killed to its end; call it under the source's lock."""
    if not _raw_folder(layout).is_dir():
        return
    with _on_disk(layout):
        if (_raw_folder(layout) / _PLAN).is_file():
            _apply(layout)
            _publish(source, layout)
            _close(layout)
        elif said := read_takedowns(layout):
            _take_down(source, layout, said[-1].url, (said[-1].why, said[-1].author))
        else:
            shutil.rmtree(_raw_folder(layout))


def _take_down(source: Source, layout: Layout, address: str, words: tuple[str, str]) -> str:
    before = next((said for said in read_takedowns(layout) if address in said.addresses), None)
    known = known_of(source, layout, address, before)
    found = survey(source, archive_files(layout), known.sought)
    if not (found.is_met or known.is_known):
        raise UsageError(
            f"{address}: no page, record or resource of {source.name} goes by it; "
            "give the address as resources.parquet or pages.parquet has it"
        )
    passages, shared = found.keys()
    if find_sought(words[0].encode(), passages):
        raise UsageError("--why repeats the text that is to go; say it in other words")
    unread = say_unread(layout, found.damaged)
    said = _said(layout, address, known, passages, words, before)
    staged = _stage(source, layout, said, found, passages)
    if staged is None:
        when = f"since {said.said_at:%Y-%m-%d %H:%M} UTC: {said.why}"
        return f"{source.name}: {address} is already down {when} (see {layout.decisions}){unread}"
    _apply(layout)
    release = _publish(source, layout)
    _close(layout)
    _require_gone(layout, passages)
    shared_told = [f"{_count(shared, 'passage')} left, stated by other resources too"] if shared else []
    where = f" -> release {release.number}" if release else ""
    told = "; ".join([*staged, *shared_told])
    return f"{source.name}: {address} taken down: {told}; tombstone in {layout.decisions}{where}{unread}"


# --- what is to go ----------------------------------------------------------------------------------------------------


def _address_of(source: Source, url: str) -> str:
    try:
        address = canonical_url(url, schemes=source.schemes)
    except ValueError as error:
        raise UsageError(f"{error}; give the address of the resource's own page") from None
    if address in {canonical_url(listing, schemes=source.schemes) for listing in source.listings}:
        raise UsageError(f"{address} is a listing; give the address of one resource's own page")
    return address


def _said(
    layout: Layout,
    address: str,
    known: Known,
    passages: Passages,
    words: tuple[str, str],
    before: Takedown | None,
) -> Takedown:
    """The decision, appended where it is not yet there, before anything else changes."""
    _mkdir(_raw_folder(layout))
    addresses, ids, prints = known.sought.taken.addresses, known.resource_ids, prints_of(passages.keys.values())
    if before and all(
        new <= set(old)
        for new, old in ((addresses, before.addresses), (ids, before.resource_ids), (prints, before.prints))
    ):
        return before
    prints |= known.sought.taken.prints
    named = tuple(sorted(addresses)), tuple(sorted(ids))
    said = Takedown(address, *named, *words, datetime.now(UTC), max([0, *layout.runs()]), tuple(sorted(prints)))
    add_takedown(layout, said)
    return said


# --- aside ------------------------------------------------------------------------------------------------------------


def _stage(source: Source, layout: Layout, said: Takedown, found: Survey, passages: Passages) -> list[str] | None:
    """Write aside all that changes, the plan last; what it is, in words; None where nothing changes."""
    for folder in (_raw_folder(layout), _clean_folder(layout)):
        shutil.rmtree(folder, ignore_errors=True)
        _mkdir(folder)
    plan = plan_erasure(source, found, passages, Note(said.why, said.said_at))
    made = write_erasure(plan, _raw_folder(layout))
    what = Withdrawal(
        addresses=frozenset(said.addresses),
        resource_ids=frozenset(said.resource_ids),
        titles=frozenset(found.titles),
        holds_text=lambda text: bool(find_sought(text.encode("utf-8", errors="replace"), passages)),
        payloads={place: (one.payload_sha256, one.size_bytes) for place, one in plan.places.items()},
        gone=frozenset(place for place, one in plan.places.items() if one.is_gone),
        note=NOTE,
        entry={**takedown_entry(said), "at": said.said_at.isoformat()},
        inputs=made,
    )
    rows = _stage_tables(layout, what, plan.places)
    _stage_register(layout, said)
    newest = latest_release(layout)
    is_heard = newest is None or _is_up_to_date(newest, layout)
    if is_heard and not any(_raw_folder(layout).iterdir()) and not any(_aside(layout)):
        _close(layout)
        return None
    _write_plan(layout, list(made))
    fewer = [count for count in rows.values() if count]
    records = f"{_count(len(plan.places), 'archive record')} in {_count(len(made), 'file')}"
    return [records, f"{_count(sum(fewer), 'row')} in {_count(len(fewer), 'set')} of tables", *plan.notes]


def _stage_tables(layout: Layout, what: Withdrawal, made: Mapping[Place, Redacted]) -> dict[str, int]:
    """Write aside every folder of tables that changes, copies of ledgers with them; how many rows each loses."""
    aside, rows = _clean_folder(layout), {}
    for folder in table_folders(layout.clean, "releases", "held", "runs"):
        name = folder.relative_to(layout.clean).as_posix()
        if name.startswith("runs/"):
            stage_run(folder, aside / name, what)
            if (aside / name).is_dir():
                renew_copy(folder, aside / name, lambda block: renewed_ledger(block, made))
        else:
            rows[name] = stage_withdrawn(folder, aside / name, what)
    return rows


def _stage_register(layout: Layout, said: Takedown) -> None:
    """Write the register aside without the titles of what is taken down, where that changes it."""
    old = list(read_register(layout))
    new = [{**row, "title": ""} if row["resource_id"] in said.resource_ids else row for row in old]
    if new != old:
        write_register(_raw_folder(layout) / layout.register.name, new)


# --- in place ---------------------------------------------------------------------------------------------------------


def _apply(layout: Layout) -> None:
    """Put the archives and the register that lie aside in their places; what is there already is passed over."""
    plan = _raw_folder(layout) / _PLAN
    put_in_place((path for path in _raw_folder(layout).iterdir() if path != plan), layout.raw)
    # all that the plan names: what was put in place before a kill is not in the index yet
    changed = json.loads(plan.read_text(encoding="utf-8"))
    drop_copies(layout, changed)
    if (layout.raw / INDEX_NAME).exists():
        write_index(layout.raw, again=changed)


def _publish(source: Source, layout: Layout) -> Release | None:
    """The release that the archive gives now, where one was published before; its number is new, so `latest` moves."""
    newest = latest_release(layout)
    if newest is None or _is_up_to_date(newest, layout):
        return newest
    aside = _clean_folder(layout) / "releases" / newest.path.name
    told = open_release(aside) if aside.exists() else newest
    ledgers = [ledger for ledger in read_ledgers(layout) if ledger.kind != "dry"]
    built = build_upon(source, layout, ledgers, Former(None, told), at_once)
    # where a gate lets nothing pass, as when the only resource is taken down, what is left is published all the same
    good = built if built.refusal is None else built.last_good or built
    try:
        require_nothing_lost(built.damaged, told.tables(("resources", "records")), good.tables)
    except DamagedArchive:
        good = as_it_was(told, good)
    return publish_built(source, layout, good, "takedown", may_be_empty=True)


def _is_up_to_date(release: Release, layout: Layout) -> bool:
    """Whether a release was built with every takedown in force, from the archives as they are."""
    stands_on = release.manifest["inputs"]
    return has_heard(release, layout) and bool(stands_on == inputs(layout, int(release.manifest["run"])))


def _aside(layout: Layout) -> list[Path]:
    """Folders of tables that lie ready."""
    return list(table_folders(_clean_folder(layout), "releases", "held", "runs"))


def _swap_tables(layout: Layout) -> None:
    """Put the folders of tables in their places; `latest` leads to none of them, for a new release is published."""
    aside = _clean_folder(layout)
    for folder in _aside(layout):
        target = layout.clean / folder.relative_to(aside)
        old = aside / f"old-{target.parent.name}-{target.name}"
        if target.exists():
            target.rename(old)
        folder.rename(target)
        sync(target.parent)
        shutil.rmtree(old, ignore_errors=True)


def _close(layout: Layout) -> None:
    """Put the tables in place and leave nothing aside: from here on it is done."""
    _swap_tables(layout)
    keep_ledgers(layout)
    forget(layout)
    shutil.rmtree(layout.staging, ignore_errors=True)
    for folder in (_clean_folder(layout), _raw_folder(layout)):
        if folder.exists():
            shutil.rmtree(folder)


def _require_gone(layout: Layout, passages: Passages) -> None:
    """Search everything that is kept of a source for what was taken out.

    Raises:
        Bug: it is still there.
    """
    left = find_residue([layout.raw, layout.clean], passages)
    if left:
        raise Bug(f"{layout.source}: the text still stands in {', '.join(left[:5])}: report it, and remove it by hand")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


# --- disk -------------------------------------------------------------------------------------------------------------


def _raw_folder(layout: Layout) -> Path:
    return layout.raw / "takedown"


def _clean_folder(layout: Layout) -> Path:
    return layout.clean / "takedown"


def _write_plan(layout: Layout, archives: list[str]) -> None:
    """Close what lies aside: once this file is there, it is put in place whatever happens. It names the archives."""
    path = _raw_folder(layout) / _PLAN
    fresh = path.with_name(".plan.new")
    fresh.write_text(json.dumps(archives) + "\n", encoding="utf-8")
    for one in (fresh, _clean_folder(layout), *_clean_folder(layout).glob("*"), _raw_folder(layout)):
        sync(one)
    fresh.rename(path)
    sync(path.parent)


def _mkdir(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sync(folder.parent)


@contextmanager
def _on_disk(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskTrouble(f"{layout.data}: cannot be written ({error}); make room and take it down again") from error

"""Publishing: staged beside the releases, fsynced, renamed, then `latest` is swapped. A reader sees the old or the new.

What a kill leaves behind lies in `staging/` and is swept at the next start; a release folder is whole or absent.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from releases.gates import require_not_emptied
from releases.tables import TableRows, lay_out, logical_digest, open_table
from schema.dictionary import datapackage
from schema.disk import sync
from schema.errors import DamagedArchive, DiskTrouble
from schema.layout import Layout
from schema.tables import BY_NAME, IDS, PAGES, RESOURCES, SCHEMA_VERSION, TABLES

MANIFEST = "release.json"
# columns of `resources` and `ids` in which a night may differ without being news: no reader sees another value. A new
# name of a resource is kept with the tables of the night, and published with the next news
NOT_NEWS = ("record_count",)
NO_NEWS_OF_IDS = ("known_by",)


@dataclass(frozen=True, slots=True)
class Release:
    """A published release: its number, its folder and its manifest (release.json)."""

    number: int
    path: Path
    manifest: Mapping[str, Any]

    def rows(self, table: str) -> TableRows:
        """The rows of one of its tables.

        Raises:
            DamagedArchive: the file is not the one that the manifest names.
        """
        path = self.path / f"{table}.parquet"
        try:
            is_it = _digest(path) == self.manifest["tables"][table]["sha256"]
        except (OSError, KeyError) as error:
            raise DamagedArchive(f"{path}: cannot be read ({error}); `moisson rebuild` makes it again") from None
        if not is_it:
            raise DamagedArchive(f"{path}: not the file that {MANIFEST} names; `moisson rebuild` makes it again")
        return open_table(BY_NAME[table], path)

    def tables(self, names: Iterable[str]) -> dict[str, TableRows]:
        """The rows of several of its tables, by name."""
        return {name: self.rows(name) for name in names}


def latest_release(layout: Layout) -> Release | None:
    """The newest release, None when nothing was published yet.

    Raises:
        DamagedArchive: `latest` leads to a release without a readable manifest.
    """
    if not layout.latest.is_symlink():
        return None
    return _open(layout.latest.resolve())


def readable_release(layout: Layout) -> Release | None:
    """The newest release, None when there is none or when any file of it is damaged."""
    return _whole(layout.latest.resolve()) if layout.latest.is_symlink() else None


def newest_whole(layout: Layout) -> Release | None:
    """The newest release of which no file is damaged; None when there is none."""
    return next((found for n in reversed(layout.release_numbers()) if (found := whole_release(layout, n))), None)


def whole_release(layout: Layout, number: int) -> Release | None:
    """A release by its number, None when it is not there or when any file of it is damaged."""
    return _whole(layout.release(number))


def _whole(path: Path) -> Release | None:
    try:
        release = _open(path)
        for table in TABLES:
            release.rows(table.name)
    except DamagedArchive:
        return None
    return release


def run_state(layout: Layout, run: int) -> str | None:
    """What became of a run by its report (`state` of run.json); None when there is no readable report."""
    try:
        report = json.loads((layout.run(run) / "run.json").read_text(encoding="utf-8"))
        return str(report["state"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def older_releases(layout: Layout, newest: Release) -> Iterator[Release]:
    """The releases before one, newest first."""
    for number in reversed(layout.release_numbers()):
        if number < newest.number:
            yield _open(layout.release(number))


def open_release(path: Path) -> Release:
    """The release that a folder holds, wherever it lies.

    Raises:
        DamagedArchive: it has no readable manifest, or is of another version.
    """
    return _open(path)


def _open(path: Path) -> Release:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        number, version = int(manifest["number"]), str(manifest["schema_version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedArchive(
            f"{path}: the release has no readable {MANIFEST} ({error}); remove the link `latest`, then "
            "`moisson rebuild` publishes from the archive"
        ) from None
    if version.split(".", maxsplit=1)[0] != SCHEMA_VERSION.split(".")[0]:
        raise DamagedArchive(f"{path}: written by another version of moisson; use that one, or rebuild elsewhere")
    return Release(number, path, manifest)


def news_digest(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """What decides whether a night is news: `resources` without times and counts, `ids` without what they go by."""
    digests = (
        logical_digest(RESOURCES, tables["resources"], leave_out=NOT_NEWS),
        logical_digest(IDS, tables["ids"], leave_out=NO_NEWS_OF_IDS),
    )
    return sha256(" ".join(digests).encode()).hexdigest()


def publish(
    layout: Layout,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    facts: Mapping[str, Any],
    *,
    may_be_empty: bool = False,
) -> Release:
    """Publish tables as the next release.

    Args:
        layout: where.
        tables: rows by table name, all of schema.tables.TABLES.
        facts: run, source, times, versions and digests of code, configuration and inputs, for release.json.

    Raises:
        HeldByGate: they would empty what is published.
        Bug: rows that are not of the declared schemas.
        DiskTrouble: the disk would not take them; nothing changed.
    """
    if not may_be_empty:
        require_not_emptied(_resources_published(layout), len(tables["resources"]))
    number = max([0, *layout.release_numbers()]) + 1

    def write(folder: Path) -> dict[str, Any]:
        return write_set(folder, tables, {"number": number, **facts})

    def what_is_so() -> str:
        is_whole = layout.release(number).exists()
        return f"the next run points `latest` at release {number}" if is_whole else "nothing was published"

    manifest = _stage(layout, layout.release(number), write, what_is_so)
    _point(layout, number)
    return Release(number, layout.release(number), manifest)


def _resources_published(layout: Layout) -> int:
    """How many resources the newest release has whose manifest can be read."""
    for number in reversed(layout.release_numbers()):
        try:
            return int(_open(layout.release(number)).manifest["tables"]["resources"]["rows"])
        except (DamagedArchive, KeyError, TypeError, ValueError):
            continue
    return 0


def hold(layout: Layout, run: int, tables: Mapping[str, Sequence[Mapping[str, Any]]], facts: Mapping[str, Any]) -> Path:
    """Put the tables of a held run aside for inspection; the folder."""
    if not layout.held(run).exists():
        so = f"run {run} is held, and its tables are not kept for inspection"
        _stage(layout, layout.held(run), lambda folder: write_set(folder, tables, dict(facts)), lambda: so)
    return layout.held(run)


def keep_state(
    layout: Layout, run: int, tables: Mapping[str, Sequence[Mapping[str, Any]]], facts: Mapping[str, Any]
) -> None:
    """Keep the tables as of a run that published nothing, so that the next need not read the runs before it again."""
    if not layout.state(run).exists():
        so = f"run {run} brought no news, and the next refresh reads it again"
        _stage(layout, layout.state(run), lambda folder: write_set(folder, tables, {"number": 0, **facts}), lambda: so)
    drop_states(layout, before=run)


def kept_state(layout: Layout) -> Release | None:
    """The tables as of the newest run that published nothing; None when there are none, or they cannot be read."""
    return next((found for run in reversed(layout.states()) if (found := _whole(layout.state(run)))), None)


def drop_states(layout: Layout, before: int | None = None) -> None:
    """Remove kept tables, all or those of earlier runs: they can be made again from the archive."""
    for run in layout.states():
        if before is None or run < before:
            shutil.rmtree(layout.state(run), ignore_errors=True)


def write_run(layout: Layout, run: int, report: Mapping[str, Any], pages: Sequence[Mapping[str, Any]]) -> Path:
    """Keep a run's report and ledger, whatever became of the run; the folder.

    Raises:
        DiskTrouble: the disk would not take them; it says whether the run is published all the same.
    """

    def write(folder: Path) -> dict[str, Any]:
        lay_out(PAGES, pages, folder).copy_to(folder / "pages.parquet")
        _write_json(folder / "run.json", report)
        return {}

    if layout.run(run).exists():
        shutil.rmtree(layout.run(run))
    _stage(layout, layout.run(run), write, lambda: f"{_what_became_of(layout, run)}, and its report is missing")
    return layout.run(run)


def _what_became_of(layout: Layout, run: int) -> str:
    try:
        newest = latest_release(layout)
    except DamagedArchive:
        return f"whether run {run} is published cannot be read"
    if newest is not None and newest.manifest.get("run") == run:
        return f"release {newest.number} is published from run {run}"
    return f"run {run} published nothing"


def sweep(layout: Layout) -> None:
    """Remove what an interrupted run left in staging, and point both pointers at the newest release.

    A release folder is whole, or it has no name yet: one that a kill left without its pointers passed every gate.
    """
    shutil.rmtree(layout.staging, ignore_errors=True)
    numbers = layout.release_numbers()
    if numbers and not _is_pointed(layout, numbers[-1]):
        _point(layout, numbers[-1])
        shutil.rmtree(layout.staging, ignore_errors=True)


def _is_pointed(layout: Layout, number: int) -> bool:
    pointer = layout.clean / "latest.json"
    try:
        told = json.loads(pointer.read_text(encoding="utf-8"))["number"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return told == number and layout.latest.is_symlink() and layout.latest.resolve() == layout.release(number).resolve()


def write_set(
    folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Write tables, release.json and datapackage.json into a folder; the manifest."""
    described = {}
    for table in TABLES:
        rows, path = lay_out(table, tables[table.name], folder), folder / f"{table.name}.parquet"
        rows.copy_to(path)
        described[table.name] = {
            "rows": len(rows),
            "size_bytes": path.stat().st_size,
            "sha256": _digest(path),
            "logical_digest": logical_digest(table, rows),
        }
    manifest = {**facts, "schema_version": SCHEMA_VERSION, "news_digest": news_digest(tables), "tables": described}
    _write_json(folder / MANIFEST, manifest)
    _write_json(folder / "datapackage.json", datapackage(manifest))
    return manifest


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, default=_plain)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _stage(
    layout: Layout, target: Path, write: Callable[[Path], dict[str, Any]], what_is_so: Callable[[], str]
) -> dict[str, Any]:
    """Write a folder aside, make it lasting, and rename it into its place; what_is_so says what stands without it."""
    folder = layout.staging / f"{target.parent.name}-{target.name}"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        written = write(folder)
        for path in sorted(folder.iterdir()):
            sync(path)
        sync(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
        sync(target.parent)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DiskTrouble(f"{target}: cannot be written ({error}); make room: {what_is_so()}") from error
    return written


def _point(layout: Layout, number: int) -> None:
    """Swap latest.json and `latest` to a release that is already in its place; the link, which people follow, last."""
    try:
        layout.staging.mkdir(parents=True, exist_ok=True)
        pointer, link = layout.staging / "latest.json", layout.staging / "latest"
        _write_json(pointer, {"number": number, "path": f"releases/{layout.release(number).name}"})
        sync(pointer)
        link.unlink(missing_ok=True)
        link.symlink_to(Path("releases") / layout.release(number).name)
        pointer.replace(layout.clean / "latest.json")
        link.replace(layout.latest)
        sync(layout.clean)
    except OSError as error:
        raise DiskTrouble(
            f"{layout.latest}: cannot be swapped ({error}); make room: the next run points it at release {number}"
        ) from error

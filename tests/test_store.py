"""Publishing: the new release whole, or the old one untouched, whatever happens meanwhile."""

# ruff: noqa: S311 - the random numbers are seeded

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from releases import store
from releases.store import (
    MANIFEST,
    Release,
    hold,
    keep_state,
    latest_release,
    news_digest,
    older_releases,
    publish,
    sweep,
    write_run,
)
from releases.tables import TableRows, logical_digest
from schema.disk import sync
from schema.errors import Bug, DamagedArchive, DiskTrouble, HeldByGate
from schema.layout import Layout
from schema.tables import TABLES

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
ROOT = Path(__file__).parent.parent
FACTS = {"run": 1, "source": "essai", "title": "Essai", "published_at": datetime(2026, 11, 23, tzinfo=UTC)}


def make_tables(generation: int, count: int = 3) -> Rows:
    """A set whose every table says which generation it belongs to, by its number of rows and its words."""
    when = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    resources: list[dict[str, Any]] = [
        {
            "resource_id": f"r{n}",
            "url": f"https://rtes.example/{n}",
            "title": f"generation {generation}",
            "type": "Guide",
            "is_private": False,
            "summary": f"generation {generation}",
            "themes": [],
            "keywords": [],
            "published_month": None,
            "links": [],
            "record_count": 1,
            "best_record_id": None,
            "absent_nights": 0,
            "state": "listed",
            "first_seen_at": when,
            "last_seen_at": when,
            "last_changed_at": when,
            "content_digest": "0" * 64,
        }
        for n in range(count)
    ]
    passages: list[dict[str, Any]] = [
        {
            "record_id": "m1",
            "section": "body",
            "position": n,
            "kind": "paragraph",
            "text": f"generation {generation}",
            "is_kept": True,
            "summary_position": n,
            "into_section": None,
            "into_positions": [],
            "method": None,
            "score": None,
        }
        for n in range(count)
    ]
    return {**{table.name: [] for table in TABLES}, "resources": resources, "passages": passages}


def whole(release: Release | None) -> int:
    """The generation of a release, every file of which is the one that its manifest names."""
    assert release is not None
    for table in TABLES:
        content = (release.path / f"{table.name}.parquet").read_bytes()
        stated = release.manifest["tables"][table.name]
        assert (len(content), sha256(content).hexdigest()) == (stated["size_bytes"], stated["sha256"])
        assert len(release.rows(table.name)) == stated["rows"]
    said = {row["title"] for row in release.rows("resources")} | {row["text"] for row in release.rows("passages")}
    assert len(said) == 1
    assert (
        json.loads((release.path / "datapackage.json").read_text(encoding="utf-8"))["name"] == f"essai-{release.number}"
    )
    return int(said.pop().split()[1])


def pointed(layout: Layout) -> tuple[int, int]:
    """The numbers that `latest` and latest.json lead to."""
    release = latest_release(layout)
    assert release is not None
    pointer = json.loads((layout.clean / "latest.json").read_text(encoding="utf-8"))
    assert (layout.clean / pointer["path"] / MANIFEST).is_file()
    return release.number, pointer["number"]


def listed(layout: Layout) -> list[str]:
    return sorted(path.name for path in layout.releases.iterdir())


def strays(layout: Layout) -> list[str]:
    return sorted(path.name for path in layout.staging.iterdir()) if layout.staging.exists() else []


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, "essai")


# --- publishing


def test_before_the_first_release_there_is_none(layout: Layout) -> None:
    assert latest_release(layout) is None


def test_a_release_is_whole_and_both_pointers_lead_to_it(layout: Layout) -> None:
    published = publish(layout, make_tables(1), FACTS)
    assert (published.number, published.path) == (1, layout.release(1))
    assert sorted(p.name for p in published.path.iterdir()) == sorted(
        [f"{table.name}.parquet" for table in TABLES] + [MANIFEST, "datapackage.json"]
    )
    assert layout.latest.readlink() == Path("releases/000001")
    assert pointed(layout) == (1, 1)
    assert whole(latest_release(layout)) == 1
    assert list(layout.staging.iterdir()) == []


def test_numbers_grow_and_older_releases_stay_as_they_were(layout: Layout) -> None:
    before = {}
    for generation in (1, 2, 3):
        published = publish(layout, make_tables(generation), FACTS)
        before[published.number] = content(published.path)
        assert pointed(layout) == (generation, generation)
    assert listed(layout) == ["000001", "000002", "000003"]
    assert {number: content(layout.release(number)) for number in before} == before
    newest = latest_release(layout)
    assert newest is not None
    assert [(r.number, whole(r)) for r in older_releases(layout, newest)] == [(2, 2), (1, 1)]


def test_a_number_is_never_given_twice(layout: Layout) -> None:
    publish(layout, make_tables(1), FACTS)
    publish(layout, make_tables(2), FACTS)
    layout.latest.unlink()
    layout.latest.symlink_to("releases/000001")  # as after a step back
    assert publish(layout, make_tables(3), FACTS).number == 3


def test_a_folder_that_was_copied_still_leads_to_its_releases(layout: Layout, tmp_path: Path) -> None:
    publish(layout, make_tables(1), FACTS)
    shutil.copytree(tmp_path / "clean", tmp_path / "elsewhere" / "clean", symlinks=True)
    assert whole(latest_release(Layout(tmp_path / "elsewhere", "essai"))) == 1


def test_the_manifest_says_what_the_release_is_made_of(layout: Layout) -> None:
    tables = make_tables(1)
    manifest = publish(layout, tables, FACTS).manifest
    read = latest_release(layout)
    assert read is not None
    assert read.manifest == json.loads(json.dumps(manifest, default=lambda value: value.isoformat()))
    assert (read.manifest["number"], read.manifest["run"], read.manifest["source"]) == (1, 1, "essai")
    assert read.manifest["published_at"] == "2026-11-23T00:00:00+00:00"
    assert read.manifest["news_digest"] == news_digest(tables)
    assert {name: t["logical_digest"] for name, t in read.manifest["tables"].items()} == {
        t.name: logical_digest(t, tables[t.name]) for t in TABLES
    }


def test_news_is_what_a_reader_of_values_sees(layout: Layout) -> None:
    tables = make_tables(1)

    def digest(**values: Any) -> str:
        return news_digest({**tables, "resources": [{**row, **values} for row in tables["resources"]]})

    later = datetime(2030, 1, 1, tzinfo=UTC)
    assert digest() == digest(record_count=9, first_seen_at=later, last_seen_at=later, last_changed_at=later)
    assert digest() == news_digest({**tables, "passages": [], "resources": list(reversed(tables["resources"]))})
    assert digest() != digest(title="autre")
    assert digest() != digest(state="gone")


def test_rows_that_are_none_publish_nothing(layout: Layout) -> None:
    publish(layout, make_tables(1), FACTS)
    bad = {**make_tables(2), "resources": [{**make_tables(2)["resources"][0], "title": None}]}
    with pytest.raises(Bug):
        publish(layout, bad, FACTS)
    assert (pointed(layout), listed(layout), whole(latest_release(layout))) == ((1, 1), ["000001"], 1)
    assert publish(layout, make_tables(2), FACTS).number == 2


def test_tables_without_a_resource_never_follow_a_release_that_has_some(layout: Layout) -> None:
    publish(layout, make_tables(1), FACTS)
    with pytest.raises(HeldByGate, match="has 3 resources and these tables have none"):
        publish(layout, {**make_tables(2), "resources": []}, FACTS)
    assert (pointed(layout), listed(layout), strays(layout)) == ((1, 1), ["000001"], [])
    # a release that cannot be read any more says nothing, the one before it does
    publish(layout, make_tables(2), FACTS)
    (layout.release(2) / MANIFEST).write_bytes(b"{")
    with pytest.raises(HeldByGate):
        publish(layout, {**make_tables(3), "resources": []}, FACTS)


def test_a_first_release_and_one_of_fewer_resources_pass_the_door(layout: Layout) -> None:
    assert publish(layout, {**make_tables(1), "resources": []}, FACTS).number == 1
    assert publish(layout, make_tables(2), FACTS).number == 2
    few = make_tables(3)
    assert publish(layout, {**few, "resources": few["resources"][:1]}, FACTS).number == 3


def test_a_held_run_is_put_aside_and_publishes_nothing(layout: Layout) -> None:
    publish(layout, make_tables(1), FACTS)
    before = content(layout.releases)
    folder = hold(layout, 7, make_tables(2), FACTS)
    assert folder == layout.held(7)
    assert json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["tables"]["resources"]["rows"] == 3
    held = content(folder)
    assert hold(layout, 7, make_tables(3), FACTS) == folder
    assert content(folder) == held
    assert (content(layout.releases), pointed(layout)) == (before, (1, 1))


def test_the_report_of_a_run_is_kept_and_may_be_written_again(layout: Layout) -> None:
    for verdict in ("failed", "published"):
        folder = write_run(layout, 7, {"run": 7, "verdict": verdict, "at": FACTS["published_at"]}, [])
        report = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        assert report == {"run": 7, "verdict": verdict, "at": "2026-11-23T00:00:00+00:00"}
        assert sorted(p.name for p in folder.iterdir()) == ["pages.parquet", "run.json"]


@pytest.mark.parametrize(
    "stray", ["clean/essai/releases/000001 copie", "raw/essai/2023-06.warc.gz", "clean/essai/runs/7.old"]
)
def test_a_stray_name_beside_ours_stops_nothing(layout: Layout, stray: str) -> None:
    publish(layout, make_tables(1), FACTS)
    (layout.data / stray).mkdir(parents=True)
    assert publish(layout, make_tables(2), FACTS).number == 2
    assert layout.next_run() == 1


# --- reading what is damaged


@pytest.mark.parametrize("broken", [None, b"", b"{", b"\xff", b"[]"])
def test_a_release_without_a_readable_manifest_is_damage(layout: Layout, broken: bytes | None) -> None:
    publish(layout, make_tables(1), FACTS)
    manifest = layout.release(1) / MANIFEST
    manifest.unlink()
    if broken is not None:
        manifest.write_bytes(broken)
    with pytest.raises(DamagedArchive, match=r"no readable release\.json"):
        latest_release(layout)


def test_a_release_of_another_version_is_refused_untouched(layout: Layout) -> None:
    publish(layout, make_tables(1), FACTS)
    path = layout.release(1) / MANIFEST
    path.write_text(
        json.dumps({**json.loads(path.read_text(encoding="utf-8")), "schema_version": "9.0"}), encoding="utf-8"
    )
    before = content(layout.clean)
    with pytest.raises(DamagedArchive, match="another version"):
        latest_release(layout)
    assert content(layout.clean) == before


def test_a_table_that_is_gone_is_damage(layout: Layout) -> None:
    publish(layout, make_tables(1), FACTS)
    (layout.release(1) / "passages.parquet").unlink()
    release = latest_release(layout)
    assert release is not None
    with pytest.raises(DamagedArchive):
        release.rows("passages")


def test_a_table_of_another_release_is_noticed(layout: Layout) -> None:
    publish(layout, make_tables(1), FACTS)
    publish(layout, make_tables(2), FACTS)
    shutil.copy(layout.release(1) / "resources.parquet", layout.release(2) / "resources.parquet")
    with pytest.raises(DamagedArchive):
        rows_of_latest(layout)


def rows_of_latest(layout: Layout) -> list[dict[str, Any]]:
    release = latest_release(layout)
    assert release is not None
    return list(release.rows("resources"))


# --- a disk that will not take it


class _Fault:
    """Fails the Nth of the calls that change or sync a disk, as a disk that is full or broken does."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int) -> None:
        self.left, self.hit = number, ""
        for name in ("fsync", "rename", "replace", "symlink", "mkdir"):
            patch.setattr(os, name, self._failing(name, getattr(os, name)))
        patch.setattr(TableRows, "copy_to", self._failing("copy_to", TableRows.copy_to))
        patch.setattr(store, "_write_json", self._failing("write_json", store._write_json))

    def _failing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.hit = name
                raise OSError(28, "No space left on device")
            return real(*arguments, **options)

        return call


def test_a_disk_that_fails_anywhere_leaves_a_whole_release(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(layout, make_tables(1), FACTS)
    old = content(layout.release(1))
    hit: list[str] = []
    for number in range(1, 200):
        with monkeypatch.context() as patch:
            fault = _Fault(patch, number)
            with suppress(DiskTrouble):
                publish(layout, make_tables(2), FACTS)
                if fault.left > 0:
                    break
                assert fault.hit == "mkdir"  # of a folder that is there already
            hit.append(fault.hit)
        assert whole(latest_release(layout)) in (1, 2)
        assert content(layout.release(1)) == old
        assert all(whole(store._open(layout.releases / name)) == 2 for name in listed(layout)[1:])
        # there is room again: the next run sweeps, and publishes
        sweep(layout)
        assert strays(layout) == []
        published = publish(layout, make_tables(3), FACTS)
        assert pointed(layout) == (published.number, published.number)
        assert whole(latest_release(layout)) == 3
        _start_again(layout)
    assert len(hit) > 15
    assert set(hit) == {"fsync", "rename", "replace", "symlink", "mkdir", "copy_to", "write_json"}


def _start_again(layout: Layout) -> None:
    for name in listed(layout)[1:]:
        shutil.rmtree(layout.releases / name)
    layout.latest.unlink()
    layout.latest.symlink_to("releases/000001")
    (layout.clean / "latest.json").write_text('{"number": 1, "path": "releases/000001"}\n', encoding="utf-8")


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let the system refuse to make any file larger, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size_bytes", [0, 10, 1000, 4000, 9000])
def test_a_disk_without_room_leaves_the_old_release(layout: Layout, size_bytes: int) -> None:
    publish(layout, make_tables(1), FACTS)
    before = content(layout.clean)
    with room_for(size_bytes), pytest.raises(DiskTrouble, match="make room"):
        publish(layout, make_tables(2, count=500), FACTS)
    sweep(layout)
    assert content(layout.clean) == before
    assert whole(latest_release(layout)) == 1
    assert publish(layout, make_tables(2), FACTS).number == 2


def test_a_run_that_fails_has_published_nothing(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(layout, make_tables(1), FACTS)
    fail_on(monkeypatch, "latest.json")
    with pytest.raises(DiskTrouble):
        publish(layout, make_tables(2), FACTS)
    assert whole(latest_release(layout)) == 1


@pytest.mark.parametrize("pointer", ["latest", "latest.json"])
def test_sweeping_points_both_pointers_at_the_newest_whole_release(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, pointer: str
) -> None:
    publish(layout, make_tables(1), FACTS)
    with monkeypatch.context() as patch:
        fail_on(patch, pointer)
        with pytest.raises(DiskTrouble):
            publish(layout, make_tables(2), FACTS)
    sweep(layout)
    assert pointed(layout) == (2, 2)


def fail_on(patch: pytest.MonkeyPatch, name: str) -> None:
    """Fail the swap of a pointer, as a kill between two swaps would leave it."""
    real = os.replace

    def replace(source: Any, target: Any) -> None:
        if Path(target).name == name:
            raise OSError(5, "Input/output error")
        real(source, target)

    patch.setattr(os, "replace", replace)


# --- kill -9

PUBLISHER = """
import os, sys
from datetime import datetime
from pathlib import Path
from releases.store import publish, sweep
from schema.layout import Layout
from tests.test_store import FACTS, make_tables

layout = Layout(Path(sys.argv[1]), "essai")
# what the first publishing loads need not be loaded by each child
publish(Layout(Path(sys.argv[1]) / "warm", "essai"), make_tables(0), FACTS)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        sweep(layout)
        generation = int(line)
        while True:
            publish(layout, make_tables(generation, count=50), FACTS)
            generation += 1
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


def test_a_publisher_killed_at_any_instant_leaves_a_whole_release(layout: Layout) -> None:
    publish(layout, make_tables(1, count=50), FACTS)
    dice = random.Random(45)
    numbers: list[int] = []
    left_behind = 0
    command = [sys.executable, "-W", "ignore", "-c", PUBLISHER, str(layout.data)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as publisher:
        assert publisher.stdin is not None
        assert publisher.stdout is not None
        while len(numbers) < 20 or (numbers[-1] < 5 and len(numbers) < 100):
            publisher.stdin.write(f"{len(numbers) * 1000 + 2}\n")
            publisher.stdin.flush()
            child = int(publisher.stdout.readline())
            until = time.monotonic() + dice.uniform(0.0, 0.1)
            while time.monotonic() < until:
                whole(latest_release(layout))  # a reader beside the writer
            os.kill(child, signal.SIGKILL)
            assert publisher.stdout.readline() == "gone\n"
            left_behind += bool(strays(layout))
            whole(latest_release(layout))
            newest, told = pointed(layout)
            whole(store._open(layout.release(told)))
            numbers.append(newest)
    assert numbers == sorted(numbers)
    assert numbers[-1] >= 5  # many died while publishing, some after
    assert left_behind > 0
    for name in listed(layout)[-60:]:
        whole(store._open(layout.releases / name))
    sweep(layout)
    assert strays(layout) == []
    number = publish(layout, make_tables(9), FACTS).number
    assert pointed(layout) == (number, number)


def test_what_an_interrupted_run_left_is_swept(layout: Layout) -> None:
    publish(layout, make_tables(1), FACTS)
    stray = layout.staging / "releases-000002"
    stray.mkdir(parents=True)
    (stray / "resources.parquet").write_bytes(b"PAR1 half")
    (layout.staging / "latest").symlink_to("releases/000009")
    before = content(layout.releases)
    sweep(layout)
    assert strays(layout) == []
    assert (content(layout.releases), pointed(layout)) == (before, (1, 1))
    sweep(Layout(layout.data, "jamais"))


def test_a_stray_of_the_same_number_does_not_leak_into_the_release(layout: Layout) -> None:
    stray = layout.staging / "releases-000001"
    stray.mkdir(parents=True)
    (stray / "stray.parquet").write_bytes(b"x")
    published = publish(layout, make_tables(1), FACTS)
    assert not (published.path / "stray.parquet").exists()
    assert whole(published) == 1


def test_every_file_is_on_the_disk_before_the_release_has_its_name(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    rename = Path.rename

    def note_sync(path: Path) -> None:
        done.append(path.name)
        sync(path)

    def note_rename(path: Path, target: Path) -> Path:
        done.append(f"named {target.name}")
        return rename(path, target)

    monkeypatch.setattr(store, "sync", note_sync)
    monkeypatch.setattr(Path, "rename", note_rename)
    publish(layout, make_tables(1), FACTS)
    before = done[: done.index("named 000001")]
    assert {path.name for path in layout.release(1).iterdir()} <= set(before)
    assert done.index("named 000001") < done.index("releases") < done.index("latest.json")


def test_a_report_without_room_says_whether_its_run_is_published(layout: Layout) -> None:
    run = 1
    with room_for(10), pytest.raises(DiskTrouble, match=f"make room: run {run} published nothing, and its report is"):
        write_run(layout, run, {}, ())
    publish(layout, make_tables(1), FACTS)
    with room_for(10), pytest.raises(DiskTrouble) as said:
        write_run(layout, run, {}, ())
    assert f"make room: release 1 is published from run {run}, and its report is missing" in str(said.value)
    with room_for(10), pytest.raises(DiskTrouble, match=f"run {run + 1} published nothing"):
        write_run(layout, run + 1, {}, ())
    (layout.release(1) / MANIFEST).unlink()
    with room_for(10), pytest.raises(DiskTrouble, match=f"whether run {run} is published cannot be read"):
        write_run(layout, run, {}, ())


def test_what_else_finds_no_room_says_what_stands_without_it(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    with room_for(10), pytest.raises(DiskTrouble, match="make room: nothing was published"):
        publish(layout, make_tables(1), FACTS)
    with room_for(10), pytest.raises(DiskTrouble, match="make room: run 7 is held"):
        hold(layout, 7, make_tables(1), FACTS)
    with room_for(10), pytest.raises(DiskTrouble, match="make room: run 7 brought no news"):
        keep_state(layout, 7, make_tables(1), FACTS)
    real = sync

    def failing(path: Path) -> None:
        if path == layout.releases:
            raise OSError(5, "Input/output error")
        real(path)

    monkeypatch.setattr(store, "sync", failing)
    with pytest.raises(DiskTrouble, match="the next run points `latest` at release 1"):
        publish(layout, make_tables(1), FACTS)
    sweep(layout)
    assert layout.latest.resolve() == layout.release(1).resolve()

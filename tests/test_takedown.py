"""A takedown: nothing of the content is left in whatever file, all else is as it was, and a kill does no harm."""

from __future__ import annotations

import gzip
import html
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator

import flows.takedown as job
from flows.captures import import_warc
from flows.cli import main
from flows.erasing import Erasure, plan_erasure, write_erasure
from flows.importing import import_copy
from flows.jobs import rebuild, refresh, with_replay
from flows.judging import judge
from flows.ledger import Ledger, keep_ledger
from flows.lock import locked
from flows.residue import find_residue
from flows.sources_found import find_source
from flows.survey import Sought, survey
from flows.takedown import takedown
from flows.taken import NOTE, Taken
from harvest.archive import ArchiveWriter
from harvest.fixity import check
from harvest.index import index_of, read_index
from harvest.members import Damage, scan_records
from harvest.payloads import read_payload
from harvest.redact import Note, is_tombstone
from parsers.sought import key_of, passages_of, sought_in
from receipts.trace import trace
from releases.store import latest_release
from releases.tables import read_rows
from schema.errors import AlreadyRunning, Bug, HeldByGate, SiteUnreachable, StructureChanged, UsageError
from schema.layout import Layout
from schema.nouns import Original, Visit
from schema.sources import Source, read_source
from schema.tables import BY_NAME
from tests.small_site import LISTING, block, listing, own_page, redirect, source_file, warc
from tests.taken_site import BETA_TEXT, PAGES, SHARED, latest, places_of, records_of, small, whole, with_text

WHY = "à la demande de l'auteur"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
BETA = "https://rtes.example/beta"
LONG = bool(os.environ.get("MOISSON_LONG"))


# --- the whole way, on the bundled sample -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Path, str, frozenset[str]]:
    """Two nights and a copy of a listing, published; the address of a resource on many pages, and its own passages."""
    folder = tmp_path_factory.mktemp("published")
    source, data = find_source("sample"), folder / "data"
    refresh(source, data)
    layout = Layout(data, source.name)
    resources = latest(layout, "resources")
    records = latest(layout, "records")
    count = {r["resource_id"]: sum(x["resource_id"] == r["resource_id"] for x in records) for r in resources}
    chosen = max(resources, key=lambda row: (count[row["resource_id"]], row["resource_id"]))
    page = next(r for r in records if r["resource_id"] == chosen["resource_id"] and r["url"] != r["page_url"])
    copy = folder / "listing.html"
    copy.write_bytes(read_payload(layout.raw / page["warc_file"], page["warc_offset"]).content)
    import_copy(source, data, copy, page["page_url"], datetime(2024, 5, 6, tzinfo=UTC))
    refresh(with_replay(source, source.path.parent / "sample" / "night2.warc.gz"), data)
    mine = [r for r in latest(layout, "records") if r["resource_id"] == chosen["resource_id"]]
    others = "\n".join(
        key_of(f"{r['title']}{r['body'] or ''}{r['resume'] or ''}")
        for r in latest(layout, "records")
        if r["resource_id"] != chosen["resource_id"]
    )
    words = [p for r in mine for text in (r["body"], r["resume"]) for p in (text or "").split("\n\n")]
    own = frozenset(p for p in words if len(p) >= 40 and key_of(p) not in others)
    assert len(mine) >= 5
    assert own
    return source, data, chosen["url"], own


@pytest.fixture(scope="module")
def taken(
    published: tuple[Source, Path, str, frozenset[str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The same in a folder of its own, after the takedown, and what that said."""
    source, kept, url, _ = published
    data = tmp_path_factory.mktemp("taken") / "data"
    shutil.copytree(kept, data, symlinks=True)
    return data, takedown(source, data, url, WHY, "moi")


def tables_but(data: Path, ids: set[str]) -> dict[str, list[dict[str, Any]]]:
    """The newest tables without rows of some resources, and without what only counts or dates."""
    layout = Layout(data, "sample")
    records = [r for r in latest(layout, "records") if r["resource_id"] not in ids]
    names = {r["record_id"] for r in records}
    drop = {"position", "payload_digest"}
    return {
        "resources": [r for r in latest(layout, "resources") if r["resource_id"] not in ids],
        "records": [{k: v for k, v in r.items() if k not in drop} for r in records],
        "passages": [r for r in latest(layout, "passages") if r["record_id"] in names],
        "history": [r for r in latest(layout, "history") if r["resource_id"] not in ids],
        "ids": [r for r in latest(layout, "ids") if r["resource_id"] not in ids],
        "pages": [{"url": r["url"], "outcome": r["outcome"]} for r in latest(layout, "pages")],
    }


def test_nothing_of_it_is_left_and_all_else_is_as_it_was(
    published: tuple[Source, Path, str, frozenset[str]], taken: tuple[Path, str]
) -> None:
    (source, kept, url, passages), (data, verdict) = published, taken
    layout = Layout(data, source.name)
    ids = {row["resource_id"] for row in latest(Layout(kept, source.name), "resources") if row["url"] == url}
    before, tables = records_of(kept), tables_but(kept, ids)
    held = places_of(kept, passages)
    assert any("000001.warc.gz" in name for name in held)
    assert any("000002.warc.gz" in name for name in held)  # the imported copy
    assert any("000003.warc.gz" in name for name in held)
    assert any(name.endswith("releases/000001/passages.parquet") for name in held)

    assert f"{url} taken down" in verdict
    assert places_of(data, passages) == set()
    assert tables_but(data, ids) == tables
    after = records_of(data)
    assert list(before) == list(after)
    ledgers = {place for place, r in before.items() if r.kind == "metadata"}
    changed = {place for place, r in before.items() if after[place] != r} - ledgers
    assert len(changed) == int(verdict.split(" archive records")[0].split()[-1])
    assert all(after[place].length == before[place].length for place in before.keys() - ledgers)
    for path in sorted(layout.raw.glob("*.warc.gz")):
        old, new = (kept / "raw" / source.name / path.name).read_bytes(), path.read_bytes()
        for name, offset in (place for place in before if place[0] == path.name and place not in changed | ledgers):
            end = offset + before[name, offset].length
            assert old[offset:end] == new[offset:end]
    assert {"response", "resource"} <= {before[place].kind for place in changed}
    own = [p for p in changed if before[p].url == url]
    assert len(own) >= 2
    assert all(is_tombstone(read_payload(layout.raw / name, offset).content) for name, offset in own)
    same = ("warc-type", "warc-target-uri", "warc-date", "warc-record-id")
    assert all(after[p].header(n) == before[p].header(n) for p in changed for n in same)
    for path in sorted(layout.raw.glob("*.warc.gz")):
        done = subprocess.run(
            [sys.executable, "-m", "warcio.cli", "check", str(path)], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout
        with path.open("rb") as file:
            numbers = [(r.stream_pos, r.verify_block_digest()) for r in ArchiveIterator(file, parse_http=False)]
        assert [place for place, _ in numbers] == [offset for name, offset in after if name == path.name]
        assert all(is_right for (place, is_right) in numbers if after[path.name, place].header("warc-block-digest"))
    line = json.loads(layout.decisions.read_text(encoding="utf-8"))
    assert (line["kind"], line["url"], line["why"], line["author"]) == ("takedown", url, WHY, "moi")


def test_every_digest_that_a_table_or_a_ledger_states_is_that_of_what_lies_there(
    published: tuple[Source, Path, str, frozenset[str]], taken: tuple[Path, str]
) -> None:
    (source, _, url, _), (data, _) = published, taken
    layout = Layout(data, source.name)
    numbers = layout.release_numbers()
    assert len(numbers) == 3
    for number in numbers:
        manifest = json.loads((layout.release(number) / "release.json").read_text(encoding="utf-8"))
        assert [said["url"] for said in manifest["takedowns"]] == [url]
        for one in manifest["inputs"]:
            assert sha256((layout.raw / one["file"]).read_bytes()).hexdigest() == one["sha256"]
        for name, told in manifest["tables"].items():
            path = layout.release(number) / f"{name}.parquet"
            assert sha256(path.read_bytes()).hexdigest() == told["sha256"]
            for row in read_rows(BY_NAME[name], path) if name in ("pages", "records") else ():
                if row["warc_file"] and row["payload_digest"]:
                    content = read_payload(layout.raw / row["warc_file"], row["warc_offset"]).content
                    assert sha256(content).hexdigest() == row["payload_digest"]
                    if name == "records":
                        cut = content[row["block_start"] : row["block_end"]]
                        assert sha256(cut).hexdigest() == row["block_digest"]


def test_afterwards_every_command_still_holds(
    published: tuple[Source, Path, str, frozenset[str]], taken: tuple[Path, str]
) -> None:
    (source, kept, url, _), (data, _) = published, taken
    layout = Layout(data, source.name)
    resources = latest(Layout(kept, source.name), "resources")
    ids = {row["resource_id"] for row in resources if row["url"] == url}
    other = next(row["url"] for row in resources if row["url"] and row["resource_id"] not in ids)
    before = files_of(data)
    assert f"is already down since {datetime.now(UTC):%Y}" in takedown(source, data, url, "encore", "moi")
    assert files_of(data) == before
    require_sound_index(layout)
    assert "equal to release 3" in rebuild(source, data).verdict
    for name in (url, *ids):
        assert f"{name} was taken down on {datetime.now(UTC):%Y-%m-%d} at " in trace(source, data, name)
        assert WHY in trace(source, data, name)
    assert "its bytes" in trace(source, data, other)
    fates = {row["resource_id"]: row for row in latest(layout, "ids")}
    assert all(fates[name]["fate"] == "taken_down" and WHY in fates[name]["why"] for name in ids)
    assert all(
        not json.loads(x)["title"] for x in layout.register.read_text("utf-8").splitlines() if any(i in x for i in ids)
    )


def test_the_next_refresh_neither_asks_for_it_nor_brings_it_back(
    published: tuple[Source, Path, str, frozenset[str]], taken: tuple[Path, str], tmp_path: Path
) -> None:
    (source, kept, url, passages), data = published, tmp_path / "data"
    shutil.copytree(taken[0], data, symlinks=True)
    layout = Layout(data, source.name)
    ids = {row["resource_id"] for row in latest(Layout(kept, source.name), "resources") if row["url"] == url}
    refresh(source, data)
    assert not ids & {row["resource_id"] for row in latest(layout, "resources")}
    assert url not in {row["url"] for row in latest(layout, "resources")}
    assert places_of(data, passages) == set()
    asked = {row["url"]: row for row in latest(layout, "pages")}
    assert url not in asked or asked[url]["attempts"] == 0
    later = [r for (file, _), r in records_of(data).items() if file == "000004.warc.gz"]
    assert any(r.kind == "request" for r in later)
    assert not any(r.url == url for r in later)
    require_sound_index(layout)
    assert "equal to release" in rebuild(source, data).verdict


def files_of(data: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(data)): p.read_bytes() for p in data.rglob("*") if p.is_file() and not p.is_symlink()}


def require_sound_index(layout: Layout) -> None:
    """The index is what the archives give, and every record is what the index says."""

    def rows(table: Any) -> list[dict[str, Any]]:
        return sorted(table.to_pylist(), key=lambda row: (row["file"], row["offset"]))

    assert rows(read_index(layout.raw)) == rows(index_of(layout.raw))
    assert check(layout.raw) == []


def test_the_command_says_what_it_did_and_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, data = small(tmp_path)

    def moisson(*words: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["moisson", *words, "--data", str(data)])
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code, *capsys.readouterr())

    code, out, _ = moisson("takedown", str(source.path), BETA, "--why", WHY, "--author", "moi")
    assert code == 0
    assert out == (
        f"mine: {BETA} taken down: 2 archive records in 1 file; 17 rows in 1 set of tables; 1 passage left, stated by "
        f"other resources too; tombstone in {data / 'raw' / 'mine' / 'decisions.jsonl'} -> release 2\n"
    )
    assert moisson("trace", str(source.path), BETA)[1].endswith(f"It was known by {BETA}.\n")
    code, out, err = moisson("takedown", str(source.path), "https://rtes.example/nowhere", "--why", WHY)
    assert (code, out) == (2, "")
    assert err.startswith("moisson: failed: https://rtes.example/nowhere: no page, record or resource of mine")
    code, _, err = moisson("takedown", "sample", BETA, "--why", WHY)
    assert (code, "nothing of sample was archived; look at SOURCE and --data" in err) == (2, True)


# --- kills ------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The end of a process, as far as it can be played."""


STAGES = ("add_takedown", "plan_erasure", "write_erasure", "_stage_tables", "_write_plan", "_apply", "_publish",
          "publish_built", "_swap_tables", "_close", "_require_gone")  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("again", ["takedown", "rebuild"])
def test_a_kill_at_any_boundary_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, again: str
) -> None:
    source, data = small(tmp_path)
    layout, url = Layout(data, source.name), BETA
    does: Callable[..., Any] = getattr(job, stage)

    def killed(*given: Any, **named: Any) -> Any:
        if stage not in ("_write_plan", "_apply"):
            does(*given, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(job, stage, killed)
        with pytest.raises(Killed):
            takedown(source, data, url, WHY, "moi")
    assert layout.latest.resolve().is_dir()
    if again == "rebuild":
        rebuild(source, data)
    elif stage in ("_close", "_require_gone"):
        assert "is already down" in takedown(source, data, url, WHY, "moi")
    takedown(source, data, url, WHY, "moi")
    assert "is already down" in takedown(source, data, url, WHY, "moi")
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert not (layout.raw / "takedown").exists()
    assert not (layout.clean / "takedown").exists()
    assert {row["title"] for row in latest(layout, "resources")} == {"Alpha", "Gamma"}
    assert "equal to release" in rebuild(source, data).verdict
    require_sound_index(layout)


KILLED = """
import os, signal, sys
from pathlib import Path
from flows.takedown import takedown
from schema.sources import read_source
left = int(sys.argv[3])
def counted(call):
    def counting(*given, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **named)
    return counting
for name in ("rename", "replace", "fsync", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
takedown(read_source(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[4], sys.argv[5], "moi")
print(int(sys.argv[3]) - left)
"""


@pytest.mark.parametrize("nth", range(1, 110) if LONG else (7, 40, 60))
def test_a_process_killed_before_any_change_of_the_disk_is_made_good(tmp_path: Path, nth: int) -> None:
    source, data = small(tmp_path)
    words = [sys.executable, "-c", KILLED, str(source.path), str(data), str(nth), BETA, WHY]
    done = subprocess.run(words, capture_output=True, check=False, text=True)
    assert done.returncode == -signal.SIGKILL or int(done.stdout) < nth, done.stderr
    layout = Layout(data, source.name)
    assert layout.latest.resolve().is_dir()
    takedown(source, data, BETA, WHY, "moi")
    assert "is already down" in takedown(source, data, BETA, WHY, "moi")
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert not any(path.name in ("takedown", ".plan.new") for path in data.rglob("*"))
    assert len(layout.decisions.read_text(encoding="utf-8").splitlines()) == 1
    assert "equal to release 2" in rebuild(source, data).verdict
    require_sound_index(layout)


def test_a_kill_between_two_renames_of_a_folder_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, data = small(tmp_path)
    layout, true, count = Layout(data, source.name), Path.rename, 0

    def rename(path: Path, target: Path) -> Path:
        nonlocal count
        if "takedown" in path.parts and "releases" in path.parts:
            raise Killed
        return true(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(Killed):
            takedown(source, data, BETA, WHY, "moi")
    assert not layout.release(1).exists()
    assert layout.latest.resolve().is_dir()
    rebuild(source, data)
    assert layout.release_numbers() == [1, 2]
    assert places_of(data, frozenset({BETA_TEXT})) == set()


# --- small sites ------------------------------------------------------------------------------------------------------


def test_what_another_resource_states_too_stays_and_is_counted(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    verdict = takedown(source, data, BETA, WHY, "moi")
    assert "1 passage left, stated by other resources too" in verdict
    rows = {row["title"]: row for row in latest(Layout(data, source.name), "resources")}
    pages = {row["url"]: row for row in latest(Layout(data, source.name), "pages")}
    assert pages[BETA]["notes"] == [NOTE]
    assert latest(Layout(data, source.name), "rejects") == []
    assert SHARED in rows["Alpha"]["summary"]
    assert places_of(data, frozenset({BETA_TEXT})) == set()


def test_text_outside_any_block_is_taken_out_of_a_page_of_another_resource(tmp_path: Path) -> None:
    quote = f"<aside>Voir aussi&nbsp;: {html.escape(BETA_TEXT)}</aside><script>var a = {json.dumps(BETA_TEXT)}</script>"
    page = own_page("Alpha").replace(b"</body>", quote.encode() + b"</body>")
    source, data = small(tmp_path, {**PAGES, "https://rtes.example/alpha": page})
    rows = {row["title"]: row for row in latest(Layout(data, source.name), "resources")}
    takedown(source, data, BETA, WHY, "moi")
    after = {row["title"]: row for row in latest(Layout(data, source.name), "resources")}
    assert after["Alpha"] == rows["Alpha"]
    assert after.keys() == {"Alpha", "Gamma"}
    held = places_of(data, frozenset({BETA_TEXT, json.dumps(BETA_TEXT).strip('"')}))
    assert held == set()


STORY = (
    "Jeanne Zorglubique raconte comment la commune de Saint-Trucmuche a mené son marché réservé, avec quelles "
    "difficultés et à quel prix, pour que d'autres en profitent demain, ou un autre jour."
)


def test_a_teaser_of_it_goes_from_the_pages_of_others_tonight_and_tomorrow(tmp_path: Path) -> None:
    beta = own_page("Beta").replace(b"Le texte de Beta.", STORY.encode())
    teaser = f"<aside><p>{STORY[:110]}… <a href=/beta>Lire</a></p></aside>"
    alpha = own_page("Alpha").replace(b"</body>", teaser.encode() + b"</body>")
    pages = {LISTING: listing(block("Alpha"), with_text("Beta", STORY), block("Gamma")), BETA: beta}
    source, data = small(tmp_path, {**pages, "https://rtes.example/alpha": alpha})
    assert places_of(data, frozenset({STORY[:100]}))
    takedown(source, data, BETA, WHY, "moi")
    assert places_of(data, frozenset({STORY[:100]})) == set()
    refresh(source, data)
    assert places_of(data, frozenset({STORY[:100]})) == set()
    assert {row["title"] for row in latest(Layout(data, source.name), "resources")} == {"Alpha", "Gamma"}


def test_a_beginning_that_another_resource_states_too_stays(tmp_path: Path) -> None:
    theirs = f"{STORY[:100]} raconté autrement."
    foot = f"<footer><p>{STORY[:100]}, dit le pied de toutes les pages.</p><p>{STORY[:80]}…</p></footer></body>"
    alpha = own_page("Alpha").replace(b"</body>", foot.encode())
    pages = {
        LISTING: listing(with_text("Alpha", theirs), with_text("Beta", STORY), block("Gamma")),
        BETA: own_page("Beta"),
    }
    source, data = small(tmp_path, {**pages, "https://rtes.example/alpha": alpha})
    layout = Layout(data, source.name)
    before = next(row for row in latest(layout, "resources") if row["title"] == "Alpha")
    takedown(source, data, BETA, WHY, "moi")
    assert next(row for row in latest(layout, "resources") if row["title"] == "Alpha") == before
    place = next(at for at, r in records_of(data).items() if r.url.endswith("/alpha") and r.kind == "response")
    assert foot.encode() in read_payload(layout.raw / place[0], place[1]).content


def test_its_address_stays_where_it_is_the_words_of_its_title(tmp_path: Path) -> None:
    title, url = "Un panorama du tri sélectif", "https://rtes.example/un-panorama-du-tri-selectif"
    named = own_page("Beta").replace(b">Beta<", f">{title}<".encode())
    shown = block("Beta").replace(">Beta<", f">{title}<").replace("'/beta'", "'/un-panorama-du-tri-selectif'")
    menu = b"<aside><a href=/un-panorama-du-tri-selectif>Lire</a></aside></body>"
    alpha = own_page("Alpha").replace(b"</body>", menu)
    pages = {LISTING: listing(block("Alpha"), shown, block("Gamma")), url: named, "https://rtes.example/alpha": alpha}
    source, data = small(tmp_path, pages)
    assert f"{url} taken down" in takedown(source, data, url, WHY, "moi")
    layout = Layout(data, source.name)
    place = next(at for at, r in records_of(data).items() if r.url.endswith("/alpha") and r.kind == "response")
    assert menu in read_payload(layout.raw / place[0], place[1]).content
    assert {row["title"] for row in latest(layout, "resources")} == {"Alpha", "Gamma"}


def test_a_teaser_in_a_table_is_left_text(tmp_path: Path) -> None:
    passages = passages_of(sought_in([STORY]))
    table = pa.table({"a": [f"{STORY[:100]}", "autre"], "b": [["autre"], ["autre chose"]]})
    pq.write_table(table, tmp_path / "one.parquet")
    (left,) = find_residue([tmp_path], passages)
    assert left.endswith("one.parquet, a")


def test_a_teaser_in_the_copy_of_a_ledger_is_left_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.ledger._PIECE_BYTES", 64)  # no piece holds enough of it
    layout, at, passages = Layout(tmp_path, "mine"), datetime(2026, 1, 1, tzinfo=UTC), passages_of(sought_in([STORY]))
    layout.run(1).mkdir(parents=True)
    for words, left in (("autre", []), (STORY[:100], ["ledger"])):
        met = Visit(LISTING, "listing", "not_found", reason=words)
        keep_ledger(layout, Ledger(1, "refresh", 1, "mine", at, at, (met,)))
        assert [found.rpartition(", ")[2] for found in find_residue([tmp_path], passages)] == left


def test_its_title_goes_from_the_menus_of_other_pages_where_it_is_long_enough_to_be_its_own(tmp_path: Path) -> None:
    named = {url: answer.replace(b">Beta<", ">Un panorama du tri sélectif<".encode()) for url, answer in PAGES.items()}
    menu = "<aside><a href=/beta>Un panorama du tri sélectif</a> <a href=/gamma>Gamma</a></aside></body>".encode()
    alpha = "https://rtes.example/alpha"
    source, data = small(tmp_path, {**named, alpha: own_page("Alpha").replace(b"</body>", menu)})
    layout = Layout(data, source.name)
    place = next(place for place, r in records_of(data).items() if r.url == alpha and r.kind == "response")
    assert "Un panorama du tri sélectif".encode() in read_payload(layout.raw / place[0], place[1]).content
    takedown(source, data, BETA, WHY, "moi")
    content = read_payload(layout.raw / place[0], place[1]).content
    assert b"panorama" not in content
    assert b"<a href=/gamma>Gamma</a>" in content
    assert not any("panorama" in json.dumps(row, default=str) for row in latest(layout, "ids"))


def test_a_text_copy_and_an_interrupted_run_lose_it_too(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    layout = Layout(data, source.name)
    text = tmp_path / "copie.txt"
    text.write_text(
        "Alpha\nType de ressource\nGuide\nRessource privée\nNon\nRésumé\nLe texte de Alpha, plus long que cela.\n\n"
        f"Beta\nType de ressource\nGuide\nRessource privée\nNon\nRésumé\n{BETA_TEXT}\n",
        encoding="utf-8",
    )
    import_copy(source, data, text, f"{LISTING}?page=3", datetime(2020, 1, 1, tzinfo=UTC))
    with ArchiveWriter(layout.archive(9), "essai") as part:
        part.add_exchange(LISTING, b"GET / HTTP/1.1\r\n\r\n", PAGES[LISTING], NOW)
    with (layout.raw / "000009.warc.gz.part").open("ab") as torn:
        torn.write(gzip.compress(BETA_TEXT.encode())[:-9])
    takedown(source, data, BETA, WHY, "moi")
    (layout.raw / "000009.warc.gz.part").rename(layout.raw / "000009.warc.gz")
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert [r.kind for r in scan_records(layout.raw / "000009.warc.gz") if not isinstance(r, Damage)] == [
        "warcinfo",
        "response",
        "request",
    ]
    assert is_tombstone(b"") is False


@pytest.mark.parametrize(
    ("url", "why", "words"),
    [
        ("https://rtes.example/nowhere", WHY, "no page, record or resource of mine goes by it"),
        (LISTING, WHY, "is a listing; give the address of one resource's own page"),
        ("nowhere", WHY, "not an http"),
        (BETA, " ", "--why says nothing"),
        (BETA, "caf\udce9", "--why is not UTF-8 text"),
        (BETA, BETA_TEXT, "--why repeats the text"),
    ],
)
def test_what_cannot_be_taken_down_is_said_and_nothing_changes(tmp_path: Path, url: str, why: str, words: str) -> None:
    source, data = small(tmp_path)
    layout = Layout(data, source.name)
    before = files_of(data)
    with pytest.raises(UsageError, match=words):
        takedown(source, data, url, why, "moi")
    assert files_of(data) == before
    assert not (layout.raw / "takedown").exists()


def test_a_source_that_another_run_holds_is_left_alone(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    before = files_of(data)
    with locked(Layout(data, source.name)), pytest.raises(AlreadyRunning, match="another run holds"):
        takedown(source, data, BETA, WHY, "moi")
    assert files_of(data) == before


def test_a_source_of_which_nothing_is_kept_is_an_error_and_nothing_is_made(tmp_path: Path) -> None:
    source, _ = small(tmp_path)
    with pytest.raises(UsageError, match="nothing of mine was archived"):
        takedown(source, tmp_path / "other", BETA, WHY, "moi")
    assert not (tmp_path / "other").exists()


def test_a_held_run_and_kept_tables_lose_it_too(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    layout = Layout(data, source.name)
    untyped = {u: whole(a.replace(b"Type de ressource", b"#################")) for u, a in PAGES.items()}
    with pytest.raises(HeldByGate):
        refresh(with_replay(source, warc(tmp_path / "untyped.warc.gz", untyped)), data)
    refresh(source, data)
    held = places_of(data, frozenset({BETA_TEXT}))
    assert {name.split("/")[2] for name in held if name.startswith("clean")} == {
        "held",
        "readings.txt",
        "releases",
        "state",
    }
    takedown(source, data, BETA, WHY, "moi")
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    told = json.loads((layout.held(2) / "release.json").read_text(encoding="utf-8"))
    assert [said["url"] for said in told["takedowns"]] == [BETA]
    for name, table in told["tables"].items():
        assert sha256((layout.held(2) / f"{name}.parquet").read_bytes()).hexdigest() == table["sha256"]
    assert "equal to release 2" in rebuild(source, data).verdict


# --- the nights after -------------------------------------------------------------------------------------------------


def test_what_has_another_address_tonight_is_known_again_by_its_words(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    takedown(source, data, BETA, WHY, "moi")
    moved = with_text("Beta", BETA_TEXT, SHARED).replace("/beta", "/autre-adresse")
    night = {LISTING: listing(with_text("Alpha", SHARED), moved, block("Gamma"))}
    night["https://rtes.example/autre-adresse"] = PAGES[BETA].replace(b"Le texte de Beta.", BETA_TEXT.encode())
    refresh(with_replay(source, warc(tmp_path / "moved.warc.gz", {u: whole(a) for u, a in night.items()})), data)
    assert {row["title"] for row in latest(Layout(data, source.name), "resources")} == {"Alpha", "Gamma"}
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    require_sound_index(Layout(data, source.name))


def test_revisits_of_what_is_gone_state_what_is_there_now(tmp_path: Path) -> None:
    filler = b"<!-- %s -->" % bytes(32 + (n * n) % 90 for n in range(700)).replace(b"-", b"_")
    source, data = small(tmp_path, {url: answer + filler for url, answer in PAGES.items()})
    layout = Layout(data, source.name)
    (tmp_path / "small.warc.gz").rename(tmp_path / "night.warc.gz")
    refresh(with_replay(source, tmp_path / "night.warc.gz"), data)
    kinds = {r.url: (place, r.kind) for place, r in records_of(data).items() if place[0] == "000002.warc.gz"}
    assert [kinds[url][1] for url in (LISTING, BETA)] == ["revisit", "revisit"]
    before = trace(source, data, "https://rtes.example/alpha")
    takedown(source, data, BETA, WHY, "moi")
    after = records_of(data)
    for url in (LISTING, BETA):
        name, offset = kinds[url][0]
        assert after[name, offset].kind == "revisit"
        content = read_payload(layout.raw / name, offset).content
        assert is_tombstone(content) is (url == BETA)
        assert (b"Alpha" in content) is (url == LISTING)
        assert b"Beta" not in content
    assert trace(source, data, "https://rtes.example/alpha").split("its bytes")[1] == before.split("its bytes")[1]
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert "equal to release 2" in rebuild(source, data).verdict
    require_sound_index(layout)


def test_a_run_that_fails_leaves_nothing_of_it_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, data = small(tmp_path)
    takedown(source, data, BETA, WHY, "moi")

    def fail(*_: object, **__: object) -> None:
        raise SiteUnreachable("gone")

    with monkeypatch.context() as patch:
        patch.setattr("harvest.client.Client.receipt", fail)
        with pytest.raises(SiteUnreachable):
            refresh(source, data)
    assert len(list(Layout(data, source.name).raw.glob("*.part"))) == 1
    assert places_of(data, frozenset({BETA_TEXT})) == set()


def test_a_text_copy_that_comes_in_later_is_not_published(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    takedown(source, data, BETA, WHY, "moi")
    text = tmp_path / "copie.txt"
    head = "Type de ressource\nGuide\nRessource privée\nNon\nRésumé\n"
    text.write_text(f"Delta\n{head}Le texte de Delta.\n\nBeta\n{head}{BETA_TEXT}\n", encoding="utf-8")
    import_copy(source, data, text, f"{LISTING}?page=3", datetime(2020, 1, 1, tzinfo=UTC))
    rebuild(source, data)
    assert {row["title"] for row in latest(Layout(data, source.name), "resources")} == {"Alpha", "Gamma", "Delta"}
    assert places_of(data, frozenset({BETA_TEXT})) == set()


def test_a_warc_that_comes_in_later_leaves_no_word_of_it(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    takedown(source, data, BETA, WHY, "moi")
    import_warc(source, data, tmp_path / "small.warc.gz")
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert {row["title"] for row in latest(Layout(data, source.name), "resources")} == {"Alpha", "Gamma"}
    verdict = rebuild(source, data).verdict
    assert "equal" in verdict or "unchanged" in verdict
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    require_sound_index(Layout(data, source.name))


def test_the_only_resource_of_a_site_goes_too(tmp_path: Path) -> None:
    source, data = small(tmp_path, {LISTING: listing(with_text("Beta", BETA_TEXT)), BETA: PAGES[BETA]})
    assert "release 2" in takedown(source, data, BETA, WHY, "moi")
    assert latest(Layout(data, source.name), "resources") == []
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert "equal to release 2" in rebuild(source, data).verdict
    with pytest.raises(StructureChanged):
        refresh(source, data)
    assert places_of(data, frozenset({BETA_TEXT})) == set()


def test_the_only_resource_of_a_listing_goes_and_no_gate_holds_the_nights_after(tmp_path: Path) -> None:
    other = "https://rtes.example/thematique/autre"
    pages = {LISTING: listing(block("Alpha"), block("Gamma")), other: listing(with_text("Beta", BETA_TEXT))}
    answers = {url: whole(answer) for url, answer in {**pages, BETA: PAGES[BETA]}.items()}
    replay = warc(tmp_path / "two.warc.gz", answers)
    source = read_source(source_file(tmp_path, replay, listings=f'["{LISTING}", "{other}"]'))
    data = tmp_path / "data"
    refresh(source, data)
    takedown(source, data, BETA, WHY, "moi")
    assert "unchanged since release 2" in refresh(source, data).verdict
    assert "equal to release 2" in rebuild(source, data).verdict


# --- what is beside it ------------------------------------------------------------------------------------------------


def test_the_ledger_of_a_night_that_confirmed_what_is_gone_says_what_is_there_now(tmp_path: Path) -> None:
    source, (first, second) = small(tmp_path)[0], (tmp_path / f"00000{n}.warc.gz" for n in (1, 2))
    with ArchiveWriter(first, "essai") as archive:
        place = archive.add_exchange(BETA, b"", whole(PAGES[BETA]), NOW)
        archive.add_ledger({"visits": []}, NOW)
    said = {"payload_digest": "before", "size_bytes": 1, "etag": "e", "last_modified": "l", "media_type": "text/html"}
    with ArchiveWriter(second, "essai") as archive:
        original = Original(first.name, place.offset, BETA, NOW, "before")
        again = archive.add_revisit(BETA, b"", b"HTTP/1.1 304 Not Modified\r\n\r\n", NOW, original)
        told = {"file": first.name, "offset": place.offset, "payload_digest": "before"}
        archive.add_ledger({"visits": [{**said, "pointer": asdict(again), "original": told}]}, NOW)
    found = survey(source, [first, second], Sought(Taken(frozenset({BETA}))))
    plan = plan_erasure(source, found, found.keys()[0], Note(WHY, NOW))
    visit = json.loads(write_and_read_ledger(plan, second, tmp_path / "new"))["visits"][0]
    digest = sha256(read_payload(tmp_path / "new" / first.name, place.offset).content).hexdigest()
    assert visit["payload_digest"] == visit["original"]["payload_digest"] == digest
    assert (visit["etag"], visit["last_modified"]) == (None, None)


def write_and_read_ledger(plan: Erasure, path: Path, folder: Path) -> bytes:
    folder.mkdir()
    write_erasure(plan, folder)
    return next(r.block for r in scan_records(folder / path.name) if not isinstance(r, Damage) and r.kind == "metadata")


def test_what_a_person_called_the_same_goes_with_it(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    layout = Layout(data, source.name)
    names = {row["title"]: row["resource_id"] for row in latest(layout, "resources")}
    judge(source, data, (names["Alpha"], names["Beta"]), "same", "one thing", "moi")
    rebuild(source, data)
    assert {row["title"] for row in latest(layout, "resources")} < {"Alpha", "Beta", "Gamma"}
    takedown(source, data, BETA, WHY, "moi")
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    assert {row["title"] for row in latest(layout, "resources")} == {"Gamma"}
    assert "equal to release" in rebuild(source, data).verdict


def test_two_takedowns_stand_beside_each_other(tmp_path: Path) -> None:
    source, data = small(tmp_path, {**PAGES, "https://rtes.example/old": redirect("/beta")})
    for name in ("beta", "gamma"):
        takedown(source, data, f"https://rtes.example/{name}", f"{WHY}: {name}", "moi")
    layout = Layout(data, source.name)
    assert [row["title"] for row in latest(layout, "resources")] == ["Alpha"]
    release = latest_release(layout)
    assert release is not None
    assert len(release.manifest["takedowns"]) == 2
    assert "equal to release" in rebuild(source, data).verdict
    refresh(source, data)
    assert [row["title"] for row in latest(layout, "resources")] == ["Alpha"]


def test_text_that_is_left_is_a_bug_and_said(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    stray = Layout(data, source.name).raw / "notes.txt"
    stray.write_text(BETA_TEXT, encoding="utf-8")
    with pytest.raises(Bug, match=r"notes\.txt"):
        takedown(source, data, BETA, WHY, "moi")


DELTA_TEXT = "Le texte tout autre d'une ressource à laquelle on a donné l'adresse, et qui doit s'en aller aussi."
GIVEN_AWAY = with_text("Delta", DELTA_TEXT).replace("/delta'", "/beta'")


def test_what_stood_at_an_address_that_was_given_to_another_goes_with_it(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    second = {LISTING: listing(with_text("Alpha", SHARED), GIVEN_AWAY, block("Gamma"))}
    replay = warc(tmp_path / "second.warc.gz", {url: whole(page) for url, page in second.items()})
    refresh(with_replay(source, replay), data)
    assert "taken down" in takedown(source, data, BETA, WHY, "moi")
    assert places_of(data, frozenset((BETA_TEXT, DELTA_TEXT))) == set()
    layout = Layout(data, "mine")
    assert [row["fate"] for row in latest(layout, "ids")].count("taken_down") == 2
    assert "equal to release" in rebuild(source, data).verdict


def test_what_stood_at_an_address_and_stands_elsewhere_now_stays(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    moved = with_text("Beta", BETA_TEXT, SHARED).replace("/beta'", "/ailleurs'")
    second = {LISTING: listing(with_text("Alpha", SHARED), moved, GIVEN_AWAY, block("Gamma"))}
    replay = warc(tmp_path / "second.warc.gz", {url: whole(page) for url, page in second.items()})
    refresh(with_replay(source, replay), data)
    assert "taken down" in takedown(source, data, BETA, WHY, "moi")
    layout = Layout(data, "mine")
    assert {row["url"] for row in latest(layout, "resources")} == {
        f"https://rtes.example/{name}" for name in ("alpha", "gamma", "ailleurs")
    }
    assert places_of(data, frozenset((DELTA_TEXT,))) == set()
    assert any(BETA_TEXT in (row["summary"] or "") for row in latest(layout, "resources"))

"""A takedown: nothing of the content is left in whatever file, all else is as it was, and a kill does no harm."""

from __future__ import annotations

import gzip
import html
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator

import flows.takedown as job
from flows.importing import import_copy
from flows.jobs import rebuild, refresh, with_replay
from flows.sources_found import find_source
from flows.takedown import takedown
from harvest.archive import ArchiveWriter
from harvest.index import known_originals, write_index
from harvest.members import Damage, WarcRecord, record_at, scan_records
from harvest.payloads import read_payload
from harvest.redact import Note, fitted_member, is_tombstone, repeating, tombstone, without_passages
from harvest.revisits import answer_bytes, effective_answer
from parsers.sought import blank_sought, blank_spans, find_sought, key_of, sought_in
from receipts.trace import trace
from releases.store import latest_release
from releases.tables import read_rows
from schema.errors import Bug, UsageError
from schema.layout import Layout
from schema.nouns import Original
from schema.sources import Source
from schema.tables import BY_NAME
from tests.small_site import LISTING, block, listing, own_page, page_of, redirect, source_file, warc

WHY = "à la demande de l'auteur"
SHARED_NIGHTS = ("night1", "night2")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
NOTE = Note(WHY, NOW)


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


@pytest.fixture
def fresh(published: tuple[Source, Path, str, frozenset[str]], tmp_path: Path) -> tuple[Source, Path, str]:
    """The same in a folder of its own."""
    source, data, url, _ = published
    shutil.copytree(data, tmp_path / "data", symlinks=True)
    return source, tmp_path / "data", url


def latest(layout: Layout, table: str) -> list[dict[str, Any]]:
    release = latest_release(layout)
    assert release is not None
    return release.rows(table)


def unpacked(path: Path) -> Iterator[bytes]:
    """Everything a file holds, by other means than those of the product."""
    raw = path.read_bytes()
    yield raw
    if raw[:2] == b"\x1f\x8b":
        whole = gzip.decompress(raw)
        yield whole
        with path.open("rb") as file:
            bodies = [record.reader.read() for record in ArchiveIterator(file, parse_http=True)]
        for body in bodies:
            yield body
            for undo in (gzip.decompress, dechunked):
                try:
                    yield undo(body)
                except (OSError, ValueError, EOFError):
                    continue
    elif path.suffix == ".parquet":
        yield json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False, default=str).encode()


def dechunked(body: bytes) -> bytes:
    head, _, rest = body.partition(b"\r\n")
    out = b""
    while size := int(head, 16):
        out, rest = out + rest[:size], rest[size + 2 :]
        head, _, rest = rest.partition(b"\r\n")
    return out


def places_of(data: Path, passages: frozenset[str]) -> set[str]:
    """Files below a folder in which a passage stands, as letters or as entities."""
    ways = [w.encode(c, "ignore") for p in passages for w in (p, html.escape(p)) for c in ("utf-8", "cp1252")]
    ways += [html.escape(p).encode("ascii", "xmlcharrefreplace") for p in passages]
    files = [p for p in data.rglob("*") if p.is_file() and not p.is_symlink()]
    return {
        str(p.relative_to(data)) for p in files if any(w in held for held in unpacked(p) for w in ways if len(w) >= 40)
    }


def records_of(data: Path) -> dict[tuple[str, int], WarcRecord]:
    found = {}
    for path in sorted((data / "raw").rglob("*.warc.gz")):
        for record in scan_records(path):
            assert not isinstance(record, Damage)
            found[path.name, record.offset] = record
    return found


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
    published: tuple[Source, Path, str, frozenset[str]], tmp_path: Path
) -> None:
    source, kept, url, passages = published
    data = tmp_path / "data"
    shutil.copytree(kept, data, symlinks=True)
    layout = Layout(data, source.name)
    ids = {row["resource_id"] for row in latest(layout, "resources") if row["url"] == url}
    before, tables = records_of(data), tables_but(data, ids)
    held = places_of(data, passages)
    assert any("000001.warc.gz" in name for name in held)
    assert any("000002.warc.gz" in name for name in held)  # the imported copy
    assert any("000003.warc.gz" in name for name in held)
    assert any(name.endswith("releases/000001/passages.parquet") for name in held)

    verdict = takedown(source, data, url, WHY, "moi")

    assert f"{url} taken down" in verdict
    assert places_of(data, passages) == set()
    assert tables_but(data, ids) == tables
    after = records_of(data)
    assert list(before) == list(after)
    ledgers = {place for place, r in before.items() if r.kind == "metadata"}
    changed = {place for place, r in before.items() if after[place] != r} - ledgers
    assert len(changed) == int(verdict.split(" archive records")[0].split()[-1])
    assert all(after[place].length == before[place].length for place in before.keys() - ledgers)
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
    fresh: tuple[Source, Path, str],
) -> None:
    source, data, url = fresh
    takedown(source, data, url, WHY, "moi")
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


def test_afterwards_every_command_still_holds_and_it_does_not_come_back(
    published: tuple[Source, Path, str, frozenset[str]], fresh: tuple[Source, Path, str]
) -> None:
    source, data, url = fresh
    passages = published[3]
    layout = Layout(data, source.name)
    ids = {row["resource_id"] for row in latest(layout, "resources") if row["url"] == url}
    other = next(row["url"] for row in latest(layout, "resources") if row["url"] and row["resource_id"] not in ids)
    takedown(source, data, url, WHY, "moi")
    assert f"is already down since {datetime.now(UTC):%Y}" in takedown(source, data, url, "encore", "moi")
    assert len(layout.decisions.read_text(encoding="utf-8").splitlines()) == 1
    assert "equal to release 3" in rebuild(source, data).verdict
    assert WHY in trace(source, data, url)
    assert WHY in trace(source, data, next(iter(ids)))
    assert "its bytes" in trace(source, data, other)
    fates = {row["resource_id"]: row for row in latest(layout, "ids")}
    assert all(fates[name]["fate"] == "taken_down" and WHY in fates[name]["why"] for name in ids)
    assert all(
        not json.loads(x)["title"] for x in layout.register.read_text("utf-8").splitlines() if any(i in x for i in ids)
    )
    refresh(with_replay(source, source.path.parent / "sample" / "night2.warc.gz"), data)
    refresh(source, data)
    assert not ids & {row["resource_id"] for row in latest(layout, "resources")}
    assert url not in {row["url"] for row in latest(layout, "resources")}
    assert places_of(data, passages) == set()
    asked = {row["url"]: row for row in latest(layout, "pages")}
    assert url not in asked or asked[url]["attempts"] == 0
    assert "equal to release" in rebuild(source, data).verdict


class Killed(BaseException):
    """The end of a process, as far as it can be played."""


STAGES = ("add_takedown", "plan_erasure", "write_erasure", "_stage_tables", "_write_plan", "_apply", "_publish",
          "drop_states", "_swap_tables", "_close", "_require_gone")  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("again", ["takedown", "rebuild"])
def test_a_kill_at_any_boundary_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, again: str
) -> None:
    source, data = small(tmp_path)
    layout, url = Layout(data, source.name), "https://rtes.example/beta"
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
            takedown(source, data, "https://rtes.example/beta", WHY, "moi")
    assert not layout.release(1).exists()
    assert layout.latest.resolve().is_dir()
    rebuild(source, data)
    assert layout.release_numbers() == [1, 2]
    assert places_of(data, frozenset({BETA_TEXT})) == set()


# --- small sites ------------------------------------------------------------------------------------------------------

BETA_TEXT = "Un paragraphe que personne d'autre n'a écrit, et qui doit s'en aller."
SHARED = "Un paragraphe de mentions légales qui se trouve dans plusieurs ressources."


def with_text(title: str, *texts: str) -> str:
    return block(title).replace(f"<p>Le texte de {title}.</p>", "".join(f"<p>{text}</p>" for text in texts))


PAGES = {
    LISTING: listing(with_text("Alpha", SHARED), with_text("Beta", BETA_TEXT, SHARED), block("Gamma")),
    "https://rtes.example/beta": own_page("Beta").replace(
        b"<h1>", b"<meta name=description content='" + html.escape(BETA_TEXT).encode() + b"'><h1>"
    ),
}


def small(folder: Path, pages: dict[str, bytes] | None = None) -> tuple[Source, Path]:
    """A site of three resources, published."""
    answers = {url: whole(answer) for url, answer in (pages or PAGES).items()}
    source = read_small(folder, warc(folder / "small.warc.gz", answers))
    refresh(source, folder / "data")
    return source, folder / "data"


def whole(answer: bytes) -> bytes:
    """An answer with the length that its body has."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


def read_small(folder: Path, replay: Path) -> Source:
    from schema.sources import read_source  # noqa: PLC0415  # one use

    return read_source(source_file(folder, replay))


def test_what_another_resource_states_too_stays_and_is_counted(tmp_path: Path) -> None:
    source, data = small(tmp_path)
    verdict = takedown(source, data, "https://rtes.example/beta", WHY, "moi")
    assert "1 passage left, stated by other resources too" in verdict
    rows = {row["title"]: row for row in latest(Layout(data, source.name), "resources")}
    assert SHARED in rows["Alpha"]["summary"]
    assert places_of(data, frozenset({BETA_TEXT})) == set()


def test_text_outside_any_block_is_taken_out_of_a_page_of_another_resource(tmp_path: Path) -> None:
    quote = f"<aside>Voir aussi&nbsp;: {html.escape(BETA_TEXT)}</aside><script>var a = {json.dumps(BETA_TEXT)}</script>"
    page = own_page("Alpha").replace(b"</body>", quote.encode() + b"</body>")
    source, data = small(tmp_path, {**PAGES, "https://rtes.example/alpha": page})
    rows = {row["title"]: row for row in latest(Layout(data, source.name), "resources")}
    takedown(source, data, "https://rtes.example/beta", WHY, "moi")
    after = {row["title"]: row for row in latest(Layout(data, source.name), "resources")}
    assert after["Alpha"] == rows["Alpha"]
    assert after.keys() == {"Alpha", "Gamma"}
    held = places_of(data, frozenset({BETA_TEXT, json.dumps(BETA_TEXT).strip('"')}))
    assert held == set()


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
    takedown(source, data, "https://rtes.example/beta", WHY, "moi")
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
        ("https://rtes.example/beta", " ", "--why is empty"),
        ("https://rtes.example/beta", BETA_TEXT, "--why repeats the text"),
    ],
)
def test_what_cannot_be_taken_down_is_said_and_nothing_changes(tmp_path: Path, url: str, why: str, words: str) -> None:
    source, data = small(tmp_path)
    layout = Layout(data, source.name)
    before = {p: p.read_bytes() for p in data.rglob("*") if p.is_file() and not p.is_symlink()}
    with pytest.raises(UsageError, match=words):
        takedown(source, data, url, why, "moi")
    assert before == {p: p.read_bytes() for p in data.rglob("*") if p.is_file() and not p.is_symlink()}
    assert not (layout.raw / "takedown").exists()


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
        takedown(source, data, "https://rtes.example/beta", WHY, "moi")


# --- records ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [0, 1, 2, 300, 70_000, 1_000_000])
def test_a_member_fills_any_room_and_all_readers_take_it(room: int) -> None:
    content = b"WARC/1.1\r\nWARC-Type: warcinfo\r\nContent-Length: 2\r\n\r\nab\r\n\r\n"
    least = next(n for n in range(1, 200) if fitted_member(content, n))
    assert fitted_member(content, least - 1) is None
    member = fitted_member(content, least + room)
    assert member is not None
    assert len(member) == least + room
    assert gzip.decompress(member * 2) == content * 2


def exchange(folder: Path, answer: bytes) -> tuple[tuple[Path, int], list[tuple[Path, int]]]:
    """The place of an answer, and those of its revisits in later archives: the site said 304; it sent it again."""
    path, asked = folder / "000001.warc.gz", b"GET / HTTP/1.1\r\n\r\n"
    with ArchiveWriter(path, "essai") as archive:
        first = archive.add_exchange(LISTING, asked, answer, NOW)
        archive.add_ledger({"visits": []}, NOW)
    known, later = known_originals(write_index(folder)), folder / "000002.warc.gz"
    with ArchiveWriter(later, "essai", known) as archive:
        place = Original(path.name, first.offset, LISTING, NOW, "")
        places = [
            archive.add_revisit(LISTING, asked, b"HTTP/1.1 304 Not Modified\r\n\r\n", NOW, place).offset,
            archive.add_exchange(LISTING, asked, answer, NOW).offset,
        ]
        archive.add_ledger({"visits": []}, NOW)
    assert all(record_at(later, offset).kind == "revisit" for offset in places)
    return (path, first.offset), [(later, offset) for offset in places]


def put(place: tuple[Path, int], stored: bytes) -> None:
    """Overwrite a record with another of the same length."""
    path, offset = place
    assert record_at(path, offset).length == len(stored)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(stored)


@pytest.mark.parametrize("coding", ["", "gzip", "chunked"])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_revisit_states_what_its_original_states_now(tmp_path: Path, coding: str, is_whole: bool) -> None:  # noqa: FBT001
    page = b"<html>" + BETA_TEXT.encode() + b"".join(b"<p>%d</p>" % n for n in range(400)) + b"</html>"
    body = {"gzip": gzip.compress(page), "chunked": b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page)}.get(coding, page)
    told = {"gzip": b"Content-Encoding: gzip\r\n", "chunked": b"Transfer-Encoding: chunked\r\n"}.get(coding, b"")
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + told + b"\r\n" + body
    first, later = exchange(tmp_path, answer)
    assert read_payload(*first).content == page
    blank = blank_spans(page, [(6, 6 + len(BETA_TEXT.encode()))])
    record = record_at(*first)
    made = tombstone(record, NOTE) if is_whole else without_passages(record, blank, NOTE)
    assert made is not None
    after = [repeating(record_at(*place), made, NOTE) for place in later]
    for place, one in zip([first, *later], [made, *after], strict=True):
        put(place, one.stored)
    for place in (first, *later):
        content = read_payload(*place).content
        assert is_tombstone(content) is is_whole
        assert is_whole or content == blank
        assert sha256(content).hexdigest() == made.payload_sha256
    assert answer_bytes(*later[0]).startswith(b"HTTP/1.1 304")
    block = record_at(*first).block
    assert effective_answer(*later[0]) == block
    assert answer_bytes(*later[1]).endswith(block.partition(b"\r\n\r\n")[2])


def test_a_long_reason_is_cut_to_the_room_there_is_and_none_fits_into_nothing(tmp_path: Path) -> None:
    record = record_at(*exchange(tmp_path, page_of(b"x" * 600))[0])
    made = tombstone(record, Note("".join(map(chr, range(0x4E00, 0x5E00))), NOW))
    assert len(made.stored) == record.length
    with pytest.raises(Bug, match="no tombstone fits"):
        tombstone(WarcRecord(0, 60, record.headers, record.block), NOTE)


# --- words ------------------------------------------------------------------------------------------------------------

WAYS = {
    "as it is": BETA_TEXT,
    "typography": BETA_TEXT.replace("'", "’").replace(" ", "\xa0"),
    "entities": "".join(f"&#{ord(c)};" for c in BETA_TEXT),
    "hexadecimal": "".join(f"&#x{ord(c):x};" for c in BETA_TEXT),
    "named": html.escape(BETA_TEXT).replace("é", "&eacute;"),
    "tags": BETA_TEXT.replace("personne", "<b>per<i>sonne</i></b>"),
    "comment within": BETA_TEXT.replace("autre", "au<!-- THEME > DEBUG -->tre"),
    "in a comment": f"<!-- {BETA_TEXT} -->",
    "attribute": f"<img alt='{html.escape(BETA_TEXT)}'>",
    "json": json.dumps({"a": BETA_TEXT}),
    "lines": BETA_TEXT.replace(" ", "\n   "),
    "case": BETA_TEXT.upper(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_a_passage_is_found_and_overwritten_however_it_is_written(way: str, charset: str) -> None:
    keys = sought_in([BETA_TEXT])
    page = f"<p>avant é</p>{WAYS[way]}<p>après</p>".encode(charset)
    assert find_sought(page, keys) == keys
    made = blank_sought(page, keys)
    assert made.left == frozenset()
    assert len(made.content) == len(page)
    assert made.content.startswith("<p>avant é</p>".encode(charset))
    assert made.content.endswith("<p>après</p>".encode(charset))


def test_short_passages_and_other_words_are_let_be() -> None:
    assert sought_in(["trop court"]) == frozenset()
    page = b"<p>Un paragraphe que quelqu'un d'autre a ecrit.</p>"
    assert blank_sought(page, sought_in([BETA_TEXT])).content == page
    assert blank_spans(b"ab\ncd\r\nef", [(1, 8)]) == b"a \n  \r\n f"


def test_a_page_in_a_page_that_cannot_be_overwritten_is_said() -> None:
    page = html.escape(html.escape(f"<p>{BETA_TEXT.replace('é', '&eacute;')}</p>")).encode()
    keys = sought_in([BETA_TEXT])
    assert find_sought(page, keys) == keys
    assert blank_sought(page, keys).left == keys

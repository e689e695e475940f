"""A trace leads from whatever a person holds to the very bytes in the archive, or says why it cannot."""

from __future__ import annotations

import gzip
import re
import shutil
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from flows.importing import import_copy
from flows.jobs import rebuild, refresh
from harvest.archive import ArchiveWriter, read_block
from harvest.payloads import read_payload
from receipts.trace import trace
from releases.store import Release, latest_release
from schema.errors import DamagedArchive, UsageError
from schema.layout import Layout
from schema.sources import Source, read_source
from tests.site_server import answer, block, listing, make_source, page, resource

Row = dict[str, Any]
HOST = "https://rtes.example"


@pytest.fixture(scope="module")
def source() -> Source:
    return read_source(Path(__file__).parent.parent / "sources" / "sample.toml")


@pytest.fixture(scope="module")
def data(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled sample, published."""
    folder = tmp_path_factory.mktemp("data")
    refresh(source, folder)
    return folder


@pytest.fixture(scope="module")
def release(data: Path) -> Release:
    found = latest_release(Layout(data, "sample"))
    assert found is not None
    return found


def records_of(release: Release, resource_id: str) -> list[Row]:
    return [record for record in release.rows("records") if record["resource_id"] == resource_id]


def shown_blocks(text: str) -> list[str]:
    """The bytes of each record as the trace shows them, its marks taken off."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line == "  its bytes:":
            found.append([])
        elif line.startswith("  | ") and found:
            found[-1].append(line.removeprefix("  | "))
    return ["\n".join(lines) for lines in found]


# --- the ways in


def test_a_resource_is_traced_by_its_id(source: Source, data: Path, release: Release) -> None:
    for wanted in release.rows("resources")[:5]:
        text = trace(source, data, wanted["resource_id"])
        assert text.startswith(f"resource {wanted['resource_id']} as of release 1 (run 1)\n")
        records = records_of(release, wanted["resource_id"])
        assert f"{len(records)} records (release 1):" in text
        assert re.findall(r"^record (\w+)$", text, re.MULTILINE) == [
            r["record_id"] for r in sorted(records, key=lambda r: (r["page_url"], r["position"]))
        ]


def test_every_cell_of_the_row_is_shown(source: Source, data: Path, release: Release) -> None:
    wanted = next(r for r in release.rows("resources") if r["links"] and r["summary"] and r["themes"])
    text = trace(source, data, wanted["resource_id"])
    for name in wanted:
        assert re.search(rf"^  {name} +\S", text, re.MULTILINE), name
    assert wanted["title"] in text
    assert f"<{wanted['links'][0]['url']}>" in text
    assert all(line in text for line in wanted["summary"].split("\n"))


@pytest.mark.parametrize("spelling", ["{url}", "{url}/?utm_source=x#haut", "{plain}"])
def test_every_resource_is_traced_by_its_own_address_however_it_is_written(
    source: Source, data: Path, release: Release, spelling: str
) -> None:
    for wanted in release.rows("resources")[::6]:
        what = spelling.format(url=wanted["url"], plain=wanted["url"].replace("https://", "http://"))
        assert trace(source, data, what).startswith(f"resource {wanted['resource_id']} ")


def test_a_resource_is_traced_by_any_of_its_records(source: Source, data: Path, release: Release) -> None:
    for record in release.rows("records")[::9]:
        text = trace(source, data, record["record_id"])
        assert text.startswith(f"resource {record['resource_id']} ")
        assert f"record {record['record_id']}" in text


def test_a_listing_that_states_many_names_them(source: Source, data: Path, release: Release) -> None:
    record = release.rows("records")[0]
    listing_url = next(p["url"] for p in release.rows("pages") if p["role"] == "listing" and p["record_count"] > 1)
    on_it = {r["resource_id"] for r in release.rows("records") if r["page_url"] == listing_url}
    assert record["page_url"]
    with pytest.raises(UsageError, match=f"names {len(on_it)} resources") as caught:
        trace(source, data, listing_url)
    assert any(resource_id in str(caught.value) for resource_id in on_it)
    assert "give one resource_id" in str(caught.value)


@pytest.mark.parametrize(
    "what",
    ["r0000000000000000", "", "../..", f"{HOST}/jamais-vue", "https://autre.example/", "Un titre", "m%00"],
)
def test_what_is_unknown_is_said(source: Source, data: Path, what: str) -> None:
    with pytest.raises(UsageError, match="no resource, record or address of release 1"):
        trace(source, data, what)


@pytest.mark.parametrize("what", ["http://[rtes", "ftp://rtes.example/a", "://"])
def test_an_address_that_is_none_is_said(source: Source, data: Path, what: str) -> None:
    with pytest.raises(UsageError, match="give an address, a resource_id or a record_id"):
        trace(source, data, what)


def test_before_the_first_release_the_way_to_it_is_said(source: Source, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`moisson refresh sample` comes first"):
        trace(source, tmp_path, "r0000000000000000")


# --- the bytes


def test_the_bytes_shown_are_those_of_the_block(source: Source, data: Path, release: Release) -> None:
    layout = Layout(data, source.name)
    for wanted in release.rows("resources")[::4]:
        records = sorted(records_of(release, wanted["resource_id"]), key=lambda r: (r["page_url"], r["position"]))
        shown = shown_blocks(trace(source, data, wanted["resource_id"]))
        for record, text in zip(records, shown, strict=True):
            payload = read_payload(layout.raw / record["warc_file"], record["warc_offset"])
            held = payload.content[record["block_start"] : record["block_end"]]
            assert sha256(held).hexdigest() == record["block_digest"]
            assert text == "\n".join(held.decode().splitlines())
            assert sha256(payload.content).hexdigest() == record["payload_digest"]


def test_where_a_record_lies_is_said(source: Source, data: Path, release: Release) -> None:
    record = release.rows("records")[3]
    text = trace(source, data, record["record_id"])
    assert f"{Layout(data, 'sample').archive(1)} at offset {record['warc_offset']}" in text
    assert f"block     bytes {record['block_start']} to {record['block_end']}, sha256:{record['block_digest']}" in text
    assert f"page      {record['page_url']}" in text
    assert re.search(r"fetched   2026-11-23 \d\d:\d\d:\d\d UTC", text)


def test_a_resource_that_no_page_states_tonight_is_traced_to_the_release_that_held_it(
    source: Source, data: Path, release: Release, tmp_path: Path
) -> None:
    shutil.copytree(data, tmp_path / "data", symlinks=True)
    second = source.model_copy(update={"replay": "sample/night2.warc.gz"})
    refresh(second, tmp_path / "data")
    newest = latest_release(Layout(tmp_path / "data", source.name))
    assert newest is not None
    assert newest.number == 2
    stated = {record["resource_id"] for record in newest.rows("records")}
    gone = [row for row in newest.rows("resources") if row["resource_id"] not in stated]
    assert gone
    for row in gone:
        text = trace(second, tmp_path / "data", row["resource_id"])
        assert "as of release 2" in text
        assert "records (release 1):" in text
        assert shown_blocks(text)


# --- damage


@pytest.fixture
def own_copy(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data, tmp_path / "data", symlinks=True))


def test_a_damaged_archive_is_said_with_file_and_offset(source: Source, own_copy: Path, release: Release) -> None:
    record = release.rows("records")[0]
    path = Layout(own_copy, source.name).archive(1)
    content = bytearray(path.read_bytes())
    content[record["warc_offset"] + 900] ^= 0x20
    path.write_bytes(content)
    with pytest.raises(DamagedArchive) as caught:
        trace(source, own_copy, record["record_id"])
    assert str(path) in str(caught.value)
    assert str(record["warc_offset"]) in str(caught.value)


def test_an_archive_that_is_gone_is_said(source: Source, own_copy: Path, release: Release) -> None:
    Layout(own_copy, source.name).archive(1).unlink()
    with pytest.raises(DamagedArchive, match=r"000001\.warc\.gz"):
        trace(source, own_copy, release.rows("records")[0]["record_id"])


def test_other_bytes_in_the_place_of_a_block_are_not_shown(source: Source, own_copy: Path, release: Release) -> None:
    # the last page: no other record moves when its own changes its length
    record = max(release.rows("records"), key=lambda r: int(r["warc_offset"]))
    path = Layout(own_copy, source.name).archive(1)
    content, start = path.read_bytes(), record["warc_offset"]
    end = start + read_block(path, start)[0].length
    member = gzip.decompress(content[start:end])
    # a sound record, without the digest that would give it away
    forged = re.sub(rb"WARC-Block-Digest: [^\r]+\r\n", b"", member).replace(b"Type de ressource", b"Tipe de ressource")
    path.write_bytes(content[:start] + gzip.compress(forged) + content[end:])
    with pytest.raises(DamagedArchive, match="are not those it was read from"):
        trace(source, own_copy, record["record_id"])


# --- charsets


def published_from(folder: Path, head: str, page_bytes: bytes) -> tuple[Source, Release]:
    """A release of one listing and one resource whose page has these bytes under this media type."""
    warc = folder / "night.warc.gz"
    when = datetime(2026, 11, 23, tzinfo=UTC)
    with ArchiveWriter(warc, "essai") as archive:
        archive.add_exchange(f"{HOST}/liste", b"", listing("Liste", ["a", "b"]), when)
        archive.add_exchange(f"{HOST}/a", b"", answer(page_bytes, media_type=head), when)
        archive.add_exchange(f"{HOST}/b", b"", resource("b"), when)
        archive.add_ledger({}, when)
    source = make_source(HOST, replay=str(warc), name="essai")
    refresh(source, folder)
    found = latest_release(Layout(folder, "essai"))
    assert found is not None
    return source, found


LETTERS = "écrit pour l’être, à 15 €"
MIXES = [
    (header, meta, actual)
    for header in (None, "utf-8", "iso-8859-1", "windows-1252", "x-nothing", "utf8mb4")
    for meta in (None, "utf-8", "iso-8859-1")
    for actual in ("utf-8", "utf-8-sig", "cp1252")
]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Path]:
    """A release of one listing whose resources' own pages are in all mixes of header, meta, mark and bytes."""
    folder, when = tmp_path_factory.mktemp("mixed"), datetime(2026, 11, 23, tzinfo=UTC)
    names = [f"m{n}" for n in range(len(MIXES))]
    with ArchiveWriter(folder / "night.warc.gz", "essai") as archive:
        archive.add_exchange(f"{HOST}/liste", b"", listing("Liste", names), when)
        for name, (header, meta, actual) in zip(names, MIXES, strict=True):
            head = f'<meta charset="{meta}">' if meta else ""
            body = block(name).replace("h2", "h1").replace("écrit pour être lu", LETTERS)
            html = f"<html><head>{head}</head><body>{body}</body></html>".encode(actual)
            kind = f"text/html; charset={header}" if header else "text/html"
            archive.add_exchange(f"{HOST}/{name}", b"", answer(html, media_type=kind), when)
        archive.add_ledger({}, when)
    source = make_source(HOST, replay=str(folder / "night.warc.gz"), name="essai")
    refresh(source, folder)
    for number, coding in enumerate(("utf-8", "utf-8-sig", "cp1252")):
        copy = folder / f"copie{number}.txt"
        text = f"Copie {number}\n\n{LETTERS}\n\nType de ressource\nGuide\nRessource privée\nNon\nRésumé\n\n{LETTERS}\n"
        copy.write_bytes(text.encode(coding))
        import_copy(source, folder, copy, f"{HOST}/copie{number}", when)
    rebuild(source, folder)
    return source, folder


@pytest.mark.parametrize("number", range(len(MIXES)), ids=["-".join(map(str, mix)) for mix in MIXES])
def test_a_page_is_shown_in_the_letters_in_which_it_was_read(mixed: tuple[Source, Path], number: int) -> None:
    source, folder = mixed
    text = trace(source, folder, f"{HOST}/m{number}")
    (shown,) = [page for page in shown_blocks(text) if "<h1>" in page]
    assert LETTERS in shown
    assert LETTERS in text.partition("its bytes:")[0], "the row itself"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_text_copy_is_shown_in_the_letters_in_which_it_was_read(mixed: tuple[Source, Path], number: int) -> None:
    source, folder = mixed
    text = trace(source, folder, f"{HOST}/copie{number}")
    assert [shown.count(LETTERS) for shown in shown_blocks(text)] == [2]
    assert "(imported copy)" in text


def test_a_byte_that_is_no_letter_is_shown_as_what_it_is(tmp_path: Path) -> None:
    html = page(block("a").replace("h2", "h1")).partition(b"\r\n\r\n")[2].replace(b"pour", b"p\xffur")
    source, _ = published_from(tmp_path, "text/html; charset=utf-8", html)
    assert "écrit p\\xffur être lu" in shown_blocks(trace(source, tmp_path, f"{HOST}/a"))[0]

"""A killed run goes on where it was: nothing that was finished is lost, asked again, or archived twice."""

# ruff: noqa: S311 - the random numbers are seeded

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType

from flows.stages import find_unfinished, harvest
from harvest.archive import ArchiveWriter, read_block, read_blocks, read_ledger
from harvest.client import Client, Pace
from harvest.foreign import ForeignPage
from harvest.index import known_originals, write_index
from harvest.members import Damage, scan_records
from harvest.payloads import read_payload
from harvest.repair import Recovered, recover
from harvest.resuming import ResumingTransport
from harvest.revisits import answer_bytes, request_bytes
from harvest.wire import Exchange, NetworkTransport
from schema.errors import DamagedArchive
from schema.layout import Layout
from schema.sources import Source
from tests.site_server import (
    Answer,
    Hourglass,
    Script,
    SiteServer,
    answer,
    chunked,
    listing,
    make_source,
    redirect,
    resource,
)

ROOT = Path(__file__).parent.parent
IS_LONG = os.environ.get("MOISSON_LONG") == "1"
KILLS = 200 if IS_LONG else 5
REQUEST = b"GET / HTTP/1.1\r\nHost: rtes.example\r\n\r\n"
WHEN = datetime.now(UTC).replace(microsecond=125)
BODY = random.Random(1).randbytes(500).hex()
EXCHANGES = (
    ("https://rtes.example/a", REQUEST, answer("<p>a</p>")),
    ("https://rtes.example/b", b"", answer("<p>b</p>")),
    ("https://rtes.example/c", REQUEST, chunked(b"<p>", b"c</p>")),
)


def begin(raw: Path, run: int = 1) -> Path:
    """A part as a killed run leaves it, with three exchanges."""
    with ArchiveWriter(raw / f"{run:06d}.warc.gz", "essai") as archive:
        for number, exchange in enumerate(EXCHANGES):
            archive.add_exchange(*exchange, WHEN + timedelta(seconds=number))
    return archive.path


def exchanges_of(path: Path) -> list[tuple[str, bytes, bytes]]:
    """What an archive holds: address, request, answer as it was received."""
    places = [(b.url, b.offset) for b in read_blocks(path) if b.kind in ("response", "revisit")]
    return [(url, request_bytes(path, at), answer_bytes(path, at)) for url, at in places]


def mended(part: Path) -> Recovered:
    recovered = recover(part, WHEN)
    assert recovered is not None
    return recovered


# --- mending


def test_a_part_cut_at_every_byte_keeps_its_finished_exchanges_and_is_gone_on_with(tmp_path: Path) -> None:
    part = begin(tmp_path)
    data = part.read_bytes()
    records = [r for r in scan_records(part) if not isinstance(r, Damage)]
    # warcinfo, (answer, request), answer alone, (answer, request)
    ends = [records[i].offset + records[i].length for i in (0, 2, 3, 5)]
    near = {place for end in ends for place in range(end - 10, end + 3)}
    for size in sorted({*range(0, len(data), 1 if IS_LONG else 11), *near} - {len(data) + 1, len(data) + 2}):
        part.write_bytes(data[:size])
        count = sum(end <= size for end in ends)
        recovered = recover(part, WHEN)
        if count == 0:
            assert recovered is None
            assert part.stat().st_size == size
            continue
        assert recovered is not None
        assert [e.url for e in recovered.exchanges] == [url for url, _, _ in EXCHANGES[: count - 1]]
        assert recovered.cut_bytes == size - ends[count - 1]
        assert part.read_bytes() == data[: ends[count - 1]]


def test_a_mended_part_is_gone_on_with_under_its_number(tmp_path: Path) -> None:
    part = begin(tmp_path, 7)
    part.write_bytes(part.read_bytes()[:-9])
    recovered = mended(part)
    assert (recovered.run, recovered.part) == (7, part)
    assert abs(recovered.started_at - datetime.now(UTC)) < timedelta(minutes=1)
    with ArchiveWriter.resume(recovered, "essai/2") as archive:
        pointers = [archive.add_exchange(*e, WHEN + timedelta(seconds=n)) for n, e in enumerate(EXCHANGES)]
        archive.add_ledger({"format": 1}, WHEN)
    path = tmp_path / "000007.warc.gz"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    # the first two were there already, the third was written anew
    assert [p.offset for p in pointers[:2]] == [e.pointer.offset for e in recovered.exchanges]
    assert exchanges_of(path) == list(EXCHANGES)
    assert [read_block(path, p.offset)[1] for p in pointers] == [got for _, _, got in EXCHANGES]
    programs = [r.block for r in scan_records(path) if not isinstance(r, Damage) and r.kind == "warcinfo"]
    assert [b"essai/2" in program for program in programs] == [False, True]


def test_records_after_damage_within_a_part_are_kept(tmp_path: Path) -> None:
    part = begin(tmp_path)
    records = [r for r in scan_records(part) if not isinstance(r, Damage)]
    data = bytearray(part.read_bytes())
    hit = records[1]
    data[hit.offset : hit.offset + hit.length] = bytes(hit.length)  # as a power cut leaves a page that was not written
    part.write_bytes(data)
    recovered = mended(part)
    # the request of the lost answer goes with it
    assert recovered.cut_bytes == hit.length + records[2].length
    assert exchanges_of(part) == list(EXCHANGES[1:])
    for exchange, (url, _, got) in zip(recovered.exchanges, EXCHANGES[1:], strict=True):
        assert (exchange.url, read_block(part, exchange.pointer.offset)[1]) == (url, got)
    assert [p.name for p in tmp_path.iterdir()] == [part.name]


def test_an_answer_beside_the_request_of_another_is_not_finished(tmp_path: Path) -> None:
    part = tmp_path / "000001.warc.gz.part"
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive:
        for number in range(3):
            archive.add_exchange(f"https://rtes.example/{number}", REQUEST, answer(f"{number}"), WHEN)
    records = [r for r in scan_records(part) if not isinstance(r, Damage)]
    # warcinfo, answer 0, [request 0, answer 1,] request 1, answer 2, request 2
    data = part.read_bytes()
    part.write_bytes(data[: records[2].offset] + data[records[4].offset :])
    assert [e.url for e in mended(part).exchanges] == ["https://rtes.example/2"]


def test_a_run_that_was_killed_before_its_archive_had_its_name_ends_without_its_old_ledger(tmp_path: Path) -> None:
    path = tmp_path / "000001.warc.gz"
    with ArchiveWriter(path, "essai") as archive:
        archive.add_exchange(*EXCHANGES[0], WHEN)
        archive.add_ledger({"format": 1, "ended": "first"}, WHEN)
    part = path.rename(archive.path.with_name(path.name + ".part"))
    with ArchiveWriter.resume(mended(part), "essai") as archive:
        archive.add_exchange(*EXCHANGES[0], WHEN)
        archive.add_ledger({"format": 1, "ended": "second"}, WHEN)
    assert [b.kind for b in read_blocks(path)] == ["response", "request", "metadata"]
    assert read_ledger(path) == {"format": 1, "ended": "second"}


def test_revisits_of_a_part_are_kept_and_known_again(tmp_path: Path) -> None:
    page, not_modified = answer(BODY, "Date: un"), b"HTTP/1.1 304 Not Modified\r\n\r\n"
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive:
        archive.add_exchange("https://rtes.example/p", REQUEST, page, WHEN)
        archive.add_ledger({"format": 1}, WHEN)
    known = known_originals(write_index(tmp_path))
    original = next(o for o in known.values() if o.url.endswith("/p"))

    def add(writer: ArchiveWriter) -> list[int]:
        same = writer.add_exchange("https://rtes.example/p", REQUEST, page, WHEN + timedelta(hours=1))
        confirmed = writer.add_revisit("https://rtes.example/q", REQUEST, not_modified, WHEN, original)
        return [same.offset, confirmed.offset]

    with ArchiveWriter(tmp_path / "000002.warc.gz", "essai", known) as archive:
        offsets = add(archive)
    recovered = mended(archive.path)
    assert [e.pointer.offset for e in recovered.exchanges] == offsets
    with ArchiveWriter.resume(recovered, "essai", known) as archive:
        assert add(archive) == offsets
        archive.add_ledger({"format": 1}, WHEN)
    assert [b.kind for b in read_blocks(tmp_path / "000002.warc.gz")] == ["revisit", "revisit", "metadata"]
    assert read_payload(tmp_path / "000002.warc.gz", offsets[1]).content == BODY.encode()


# --- what is not gone on with


@pytest.mark.parametrize("age", [timedelta(hours=25), -timedelta(hours=25)])
def test_a_part_of_another_day_is_left_as_it_is(tmp_path: Path, age: timedelta) -> None:
    part = begin(tmp_path)
    part.write_bytes(part.read_bytes()[:-5])
    before = part.read_bytes()
    assert recover(part, WHEN + age) is None
    assert part.read_bytes() == before
    assert recover(part, WHEN + timedelta(hours=23)) is not None


def test_the_age_at_which_a_part_is_given_up_can_be_set(tmp_path: Path) -> None:
    part = begin(tmp_path)
    assert recover(part, WHEN + timedelta(hours=2), max_age=timedelta(hours=1)) is None
    assert recover(part, WHEN + timedelta(hours=2), max_age=timedelta(hours=3)) is not None


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b\x08", b"<html>", (ROOT / "sources/sample/night1.warc.gz").read_bytes()]
)
def test_what_is_not_the_beginning_of_that_run_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    part = tmp_path / "000001.warc.gz.part"
    part.write_bytes(content)
    assert recover(part, WHEN) is None
    assert part.read_bytes() == content
    assert recover(tmp_path / "000002.warc.gz.part", WHEN) is None
    other = begin(tmp_path / "other", 3).rename(tmp_path / "000004.warc.gz.part")
    assert recover(other, WHEN) is None


def test_an_import_is_not_gone_on_with_as_if_it_were_a_visit(tmp_path: Path) -> None:
    page = ForeignPage("https://x.fr/", "https://x.fr/", WHEN, "response", answer("x"), "text/html", "urn:uuid:1")
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as foreign:
        foreign.add_foreign(page, "autre.warc.gz")
    with ArchiveWriter(tmp_path / "000002.warc.gz", "essai") as copy:
        copy.add_copy("https://x.fr/", b"x", "text/html", "resource", WHEN)
    for part in (foreign.path, copy.path):
        part.write_bytes(part.read_bytes() + b"torn")
        before = part.read_bytes()
        assert recover(part, WHEN) is None
        assert part.read_bytes() == before


def killed(source: Source, layout: Layout) -> None:
    """A run that dies when all was asked, before its archive has a name."""

    def die(_courtesy: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        harvest(source, layout, 1, [], tell=die)
    assert (layout.raw / "000001.warc.gz.part").exists()


def test_a_replay_and_a_visit_do_not_go_on_with_each_other(tmp_path: Path) -> None:
    with SiteServer({"/liste": listing("Liste", ["a"]), "/a": resource("a")}) as site:
        live = make_source(site.origin)
        harvest(live, Layout(tmp_path / "first", "essai"), 1, [])
        played = make_source(site.origin, replay=str(Layout(tmp_path / "first", "essai").archive(1)))
        other = tmp_path / "other.warc.gz"
        other.write_bytes(Layout(tmp_path / "first", "essai").archive(1).read_bytes() * 2)
        another = make_source(site.origin, replay=str(other))
        for begun in (live, played):
            layout = Layout(tmp_path / ("played" if begun.replay_path else "live"), "essai")
            killed(begun, layout)
            went_on = [find_unfinished(source, layout, "refresh") is not None for source in (live, played, another)]
            assert went_on == [begun is live, begun is played, False]
            assert find_unfinished(begun, layout, "dry") is None


# --- playing


def test_each_finished_exchange_is_played_once_and_in_its_turn(tmp_path: Path) -> None:
    url = "https://rtes.example/a"
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive:
        for number, status in enumerate(("503 Service Unavailable", "200 OK")):
            archive.add_exchange(url, REQUEST, answer("x", status=status), WHEN + timedelta(seconds=number))
    inner = httpx.MockTransport(lambda _: httpx.Response(200, extensions={"exchange": "asked"}))
    with httpx.Client(transport=ResumingTransport(inner, mended(archive.path))) as client:
        played: list[Exchange] = [client.get(url).extensions["exchange"] for _ in range(2)]
        assert [e.response[9:12] for e in played] == [b"503", b"200"]
        assert [e.request for e in played] == [REQUEST] * 2
        assert [e.fetched_at for e in played] == [WHEN, WHEN + timedelta(seconds=1)]
        assert client.get(url).extensions["exchange"] == "asked"
        assert client.get(url + "b").extensions["exchange"] == "asked"


def test_pauses_are_kept_before_the_site_is_asked_and_not_before_a_played_answer(tmp_path: Path) -> None:
    pages: dict[str, Script] = {f"/{n}": answer(f"page {n}") for n in range(6)}
    with SiteServer(pages) as site:
        source = make_source(site.origin)

        def visit(archive: ArchiveWriter, transport: httpx.BaseTransport, pace: Pace, count: int) -> list[str]:
            with archive, Client(source, transport, archive, pace) as client:
                return [client.fetch(f"{site.origin}/{n}", "resource")[-1].outcome for n in range(count)]

        first = Hourglass()
        archive = ArchiveWriter(tmp_path / "000001.warc.gz", "essai")
        visit(archive, NetworkTransport(), Pace(2.0, first.wait, first.clock), 4)
        assert [w for w in first.waits if w] == [2.0] * 3
        recovered, glass = mended(archive.path), Hourglass()
        transport = ResumingTransport(NetworkTransport(), recovered, glass.wait, glass.clock)
        resumed = ArchiveWriter.resume(recovered, "essai")
        outcomes = visit(resumed, transport, Pace(2.0, transport.wait, glass.clock), 6)
        assert outcomes == ["fetched"] * 6
        assert glass.waits == [2.0, 2.0]
        assert transport.played == 4
        assert Counter(site.targets()) == Counter(pages.keys())


# --- kill -9


def small_site() -> dict[str, Script]:
    def slow(got: bytes) -> Answer:
        return (0.004, got[: len(got) // 2], 0.004, got[len(got) // 2 :])

    slugs = [f"r{n}" for n in range(12)]
    pages = {f"/{slug}": slow(resource(slug)) for slug in slugs}
    return {
        **pages,
        "/liste": slow(listing("Liste", slugs[:5], "/liste?page=1")),
        "/liste?page=1": slow(listing("Liste", slugs[5:9])),
        "/autre": slow(listing("Autre", [*slugs[8:], "vieux", "absent"])),
        "/vieux": slow(redirect("/neuf")),
        "/neuf": slow(resource("neuf")),
    }


def run(raw: Path, origin: str, kill_after_s: float | None = None) -> int | None:
    """Start the program; kill it so long after it has begun, or let it end: how many exchanges it played."""
    command = [sys.executable, "-m", "tests.killed_crawl", str(raw), origin]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "begun\n"
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            program.kill()
        said = program.stdout.read()
        assert program.wait() in ((0,) if kill_after_s is None else (0, -9))
        return int(said) if said else None


def payloads_of(path: Path) -> Counter[tuple[str, bytes]]:
    return Counter((url, got) for url, _, got in exchanges_of(path))


def finished_in(part: Path) -> list[str]:
    """Addresses whose answer and request are whole in a part, once for each."""
    try:
        records = [r for r in scan_records(part) if not isinstance(r, Damage)]
    except DamagedArchive:  # killed before its first record
        return []
    return [a.url for a, b in pairwise(records) if a.kind in ("response", "revisit") and b.kind == "request"]


def test_a_run_that_is_killed_at_any_instant_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    with SiteServer(small_site()) as site:
        whole = tmp_path / "raw" / "whole"
        run(whole, site.origin)
        wanted = payloads_of(whole / "000001.warc.gz")
        in_all = Counter(site.origin + target for target in site.targets())
        assert len(wanted) == 19 + 2  # the probe, and what comes after a listing of one page
        dice, kills, attempt = random.Random(45), 0, 0
        while kills < KILLS:
            attempt += 1
            raw = tmp_path / "raw" / f"{attempt}"
            while not list(raw.glob("*.warc.gz")):
                finished = Counter(url for part in raw.glob("*.part") for url in finished_in(part))
                before, is_last = len(site.asked), kills == KILLS
                kills += run(raw, site.origin, None if is_last else dice.uniform(0.0, 0.15)) is None
                asked = Counter(site.origin + target for target in site.targets()[before:])
                # a page of a listing is looked at twice
                again = [url for url in asked if finished[url] and asked[url] + finished[url] > in_all[url]]
                assert not again, f"asked again: {again}"
            (path,) = raw.glob("*.warc.gz")
            assert_sound(path)
            assert payloads_of(path) == wanted
            # a file whose first record was torn holds nothing to go on with, and keeps its number
            assert all(not finished_in(part) for part in raw.iterdir() if part != path)


def assert_sound(path: Path) -> None:
    assert read_ledger(path) is not None
    assert not [found for found in scan_records(path) if isinstance(found, Damage)]
    checked = subprocess.run([sys.executable, "-m", "warcio.cli", "check", str(path)], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout
    with path.open("rb") as stream:
        for record in FastIterator(stream, record_types=WarcRecordType.any_type, parse_http=False):
            assert record.verify_block_digest()

"""What a killed run left is gone on with, though another run has begun since, under a number of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.importing import import_copy
from flows.jobs import rebuild, refresh
from flows.ledger import ledger_of
from flows.stages import find_unfinished
from harvest.adopting import adopt
from harvest.archive import ArchiveWriter
from harvest.members import Damage, scan_records
from harvest.repair import recover
from harvest.revisits import answer_bytes, request_bytes
from releases.store import latest_release
from schema.layout import Layout
from schema.nouns import Original
from schema.sources import Source
from tests.site_server import Script, SiteServer, answer, listing, make_source, resource

NAMES = [f"r{n:02d}" for n in range(12)]
SITE: dict[str, Script] = {"/liste": listing("Liste", NAMES), **{f"/{name}": resource(name) for name in NAMES}}
PER_NIGHT = len(NAMES) + 4  # robots.txt, the probe, the listing, what comes after it
NOW = datetime.now(UTC)


def kill(source: Source, data: Path, after: int, *, is_dry: bool = False) -> None:
    """A run that is stopped after so many addresses."""

    def stop(_stage: str, done: int, _wanted: int) -> None:
        if done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh(source, data, is_dry=is_dry, progress=stop)


def bring_copy(source: Source, data: Path) -> None:
    file = data.parent / "copie.html"
    file.write_bytes(resource("ancienne").partition(b"\r\n\r\n")[2])
    import_copy(source, data, file, source.listings[0].replace("liste", "ancienne"), datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("between", ["an import", "a dry run", "a killed dry run", "two imports"])
def test_what_was_finished_is_not_asked_again_whatever_came_between(tmp_path: Path, between: str) -> None:
    data, layout = tmp_path / "data", Layout(tmp_path / "data", "essai")
    with SiteServer(SITE) as server:
        source = make_source(server.origin)
        kill(source, data, 9)
        (part,) = layout.raw.glob("*.part")
        begun, finished = next(scan_records(part)), len(server.asked)
        assert not isinstance(begun, Damage)
        if "import" in between:
            bring_copy(source, data)
        elif between == "a dry run":
            refresh(source, data, is_dry=True)
        else:
            kill(source, data, 5, is_dry=True)
        if between == "two imports":
            other = data.parent / "autre.html"
            other.write_bytes(resource("autre").partition(b"\r\n\r\n")[2])
            import_copy(source, data, other, f"{server.origin}/autre", datetime(2020, 1, 2, tzinfo=UTC))
        before, newest = len(server.asked), layout.last_begun()
        refresh(source, data)
        assert len(server.asked) - before == PER_NIGHT - finished
        assert layout.runs()[-1] == newest + 1
        assert not part.exists()
        told = ledger_of(layout, newest + 1)
        assert abs(told.started_at - begun.archived_at).total_seconds() < 0.01
        assert {v.outcome for v in told.visits} == {"fetched", "not_found"}
        release = latest_release(layout)
        assert release is not None
        titles = {row["title"] for row in release.rows("resources")}
        assert titles >= {f"Ressource {name}" for name in NAMES}
        assert "equal to release" in rebuild(source, data).verdict
        for found in scan_records(layout.archive(newest + 1)):
            assert not isinstance(found, Damage)
        for visit in told.visits:
            assert visit.pointer is not None
            place = layout.raw / visit.pointer.file, visit.pointer.offset
            assert answer_bytes(*place).startswith(b"HTTP/1.1 ")
            assert request_bytes(*place).startswith(b"GET ")


def test_an_adopted_run_that_is_killed_again_goes_on_under_its_new_number(tmp_path: Path) -> None:
    data, layout = tmp_path / "data", Layout(tmp_path / "data", "essai")
    with SiteServer(SITE) as server:
        source = make_source(server.origin)
        kill(source, data, 5)
        bring_copy(source, data)
        kill(source, data, 9)
        assert [path.name for path in layout.raw.glob("*.part*")] == ["000003.warc.gz.part"]
        refresh(source, data)
        assert len(server.asked) == PER_NIGHT
        assert layout.runs() == [2, 3]


def test_a_visit_that_came_between_ends_it(tmp_path: Path) -> None:
    data, layout = tmp_path / "data", Layout(tmp_path / "data", "essai")
    with SiteServer({**SITE, "/autre": listing("Autre", NAMES[:3])}) as server:
        source = make_source(server.origin)
        kill(source, data, 9)
        refresh(make_source(server.origin, ("/liste", "/autre")), data)
        before = len(server.asked)
        assert find_unfinished(source, layout, "refresh") is None
        refresh(source, data)
        assert len(server.asked) - before == PER_NIGHT
        assert (layout.raw / "000001.warc.gz.part").exists(), "what holds a page stays"


def test_a_part_that_names_its_own_places_stays_as_it_is(tmp_path: Path) -> None:
    got = answer("x" * 2000)
    with ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive:
        first = archive.add_exchange("https://rtes.example/a", b"GET /a HTTP/1.1\r\n\r\n", got, NOW)
    part = archive.path
    # one that a later program might write: a revisit of an answer in the same file
    known = recover(part, NOW)
    assert known is not None
    kept = part.rename(tmp_path / "000001.warc.gz")
    with ArchiveWriter(tmp_path / "000002.warc.gz", "essai") as other:
        original = Original("000001.warc.gz", first.offset, "https://rtes.example/a", NOW, "")
        not_modified = b"HTTP/1.1 304 N\r\n\r\n"
        at = other.add_revisit("https://rtes.example/a", b"GET /a HTTP/1.1\r\n\r\n", not_modified, NOW, original)
    revisit = other.path.read_bytes()[at.offset :]
    kept.write_bytes(kept.read_bytes() + revisit)
    kept.rename(part)
    content = part.read_bytes()
    assert adopt(known, tmp_path / "000003.warc.gz", "essai") is None
    assert part.read_bytes() == content
    assert not list(tmp_path.glob("000003*"))

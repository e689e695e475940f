"""A catalogue that really shrank is published on a person's word, once, and every rebuild comes to the same tables."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import flows.accepting as accepting_module
import harvest.client as client_module
from flows.accepting import accept
from flows.cli import main
from flows.decisions import read_acceptances
from flows.importing import import_copy
from flows.jobs import Outcome, rebuild, refresh
from flows.judging import judge
from releases.store import Release, latest_release, run_state
from schema.errors import DamagedArchive, DiskTrouble, HeldByGate, MoissonError, UsageError
from schema.layout import Layout
from schema.sources import Source
from tests.site_server import Script, SiteServer, answer, block, listing, make_source, page, resource

SLUGS = [f"r{n}" for n in range(20)]
WHY, WHO = "the site parted with its old notices", "Camille"
GONE = answer("", status="404 Not Found")


def showing(slugs: list[str]) -> dict[str, Script]:
    return {"/liste": listing("Liste", slugs), **{f"/{slug}": resource(slug) for slug in slugs}}


@dataclass
class House:
    """A site, its source and its data; release 1 holds twenty resources."""

    site: SiteServer
    source: Source
    layout: Layout

    def night(self, slugs: list[str], **options: Any) -> Outcome:
        self.site.scripts = showing(slugs)
        return refresh(self.source, self.layout.data, **options)

    def held(self, slugs: list[str], **options: Any) -> None:
        with pytest.raises(HeldByGate):
            self.night(slugs, **options)

    def accept(self, run: int | None = None) -> Outcome:
        return accept(self.source, self.layout.data, WHY, WHO, run)

    def release(self) -> Release:
        release = latest_release(self.layout)
        assert release is not None
        return release

    def listed(self) -> set[str]:
        rows = self.release().rows("resources")
        return {row["url"].rpartition("/")[2] for row in rows if row["state"] == "listed"}

    def report(self, run: int) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.layout.run(run) / "run.json").read_text(encoding="utf-8"))
        return report

    def refused(self, match: str, run: int | None = None) -> None:
        before = self.layout.decisions.read_bytes() if self.layout.decisions.exists() else b""
        with pytest.raises(UsageError, match=match):
            self.accept(run)
        assert (self.layout.decisions.read_bytes() if self.layout.decisions.exists() else b"") == before


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)
    with SiteServer() as site:
        made = House(site, make_source(site.origin), Layout(tmp_path / "data", "essai"))
        assert "release 1 published" in made.night(SLUGS).verdict
        yield made


FEW = SLUGS[:5]


def digests(release: Release) -> dict[str, str]:
    tables: Mapping[str, Mapping[str, Any]] = release.manifest["tables"]
    return {name: table["logical_digest"] for name, table in tables.items()}


def test_without_a_word_a_shrunken_catalogue_is_held_for_ever(house: House) -> None:
    for _ in range(3):
        house.held(FEW)
    assert "rebuilt, equal to release 1" in rebuild(house.source, house.layout.data).verdict
    assert house.release().number == 1


def test_a_word_publishes_the_newest_held_run_and_is_said_once(house: House) -> None:
    house.held(FEW)
    house.held(FEW)
    assert "release 2 published" in house.accept().verdict
    assert house.listed() == set(FEW)
    manifest = house.release().manifest
    assert (manifest["run"], manifest["night"], manifest["cause"]) == (3, 3, "run 3 accepted by Camille")
    (said,) = manifest["accepted"]
    assert (said["run"], said["why"], said["author"]) == (3, WHY, WHO)
    assert datetime.fromisoformat(said["said_at"]).tzinfo == UTC
    (line,) = house.layout.decisions.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"kind": "accept", **said}
    assert "unchanged since release 2" in house.night(FEW).verdict, "it is the measure of later nights"
    house.held(FEW[:1])


def test_the_report_of_the_run_says_who_published_it_and_why(house: House) -> None:
    house.held(FEW)
    before = house.report(2)
    house.accept()
    report = house.report(2)
    assert (report["state"], report["exit_code"]) == ("published", 0)
    assert (report["accepted_by"], report["accepted_why"]) == (WHO, WHY)
    assert report["courtesy"] == before["courtesy"]
    assert (house.layout.run(2) / "pages.parquet").exists()
    assert house.layout.held(2).exists(), "what the gate said stays to be read"


def test_a_rebuild_equals_the_release_to_the_digest(house: House) -> None:
    house.held(FEW)
    house.accept()
    assert "rebuilt, equal to release 2 in every table" in rebuild(house.source, house.layout.data).verdict
    wanted = digests(house.release())
    shutil.rmtree(house.layout.clean)
    rebuild(house.source, house.layout.data)
    again = digests(house.release())
    # what changed is told against the release before, which is gone
    assert {name for name in wanted if wanted[name] != again[name]} <= {"changes"}


def test_a_word_that_is_taken_away_by_hand_is_missed_and_nobody_is_taken_back_a_night(house: House) -> None:
    house.held(FEW)
    house.accept()
    listed = house.listed()
    house.layout.decisions.write_text("", encoding="utf-8")
    with pytest.raises(HeldByGate, match="on no listing any more"):
        rebuild(house.source, house.layout.data)
    assert (house.release().number, house.listed()) == (2, listed)


def test_a_word_whose_release_could_not_be_written_is_brought_in_by_rebuild(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.held(FEW)

    def full(*_: object) -> Outcome:
        raise DiskTrouble("full")

    with monkeypatch.context() as patch:
        patch.setattr(accepting_module, "bring_in", full)
        with pytest.raises(DiskTrouble):
            house.accept()
    assert house.release().number == 1
    house.refused("run 2 was accepted already, by Camille; `moisson rebuild essai` brings it in")
    assert "release 2 published" in rebuild(house.source, house.layout.data).verdict
    assert house.listed() == set(FEW)


def test_a_word_whose_release_could_not_be_written_is_brought_in_by_the_next_night(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.held(FEW)
    with monkeypatch.context() as patch:
        patch.setattr(accepting_module, "_published", lambda *_: Outcome("killed"))
        house.accept()
    assert "release 2 published" in house.night(FEW).verdict
    assert house.release().manifest["accepted"][0]["run"] == 2


def test_a_word_on_two_resources_that_was_published_meanwhile_stays(house: House) -> None:
    house.held(FEW)
    names = {row["url"].rpartition("/")[2]: row["resource_id"] for row in house.release().rows("resources")}
    judge(house.source, house.layout.data, (names["r0"], names["r1"]), "same", "one", WHO)
    assert "release 2 published" in rebuild(house.source, house.layout.data).verdict
    # it stands behind the held night, and without it
    assert (house.release().manifest["run"], house.release().manifest["night"]) == (2, 1)
    assert "release 3 published" in house.accept().verdict
    manifest = house.release().manifest
    assert (manifest["run"], manifest["night"], manifest["judgements"]) == (2, 2, 1)
    assert house.listed() < set(FEW)
    assert len(house.listed()) == 4
    assert "equal to release 3" in rebuild(house.source, house.layout.data).verdict
    assert "unchanged since release 3" in house.night(FEW).verdict


def test_a_copy_that_came_in_meanwhile_does_not_stand_in_the_way(house: House, tmp_path: Path) -> None:
    house.held(FEW)
    copy = tmp_path / "copie.html"
    copy.write_bytes(page(block("ancienne")).partition(b"\r\n\r\n")[2])
    import_copy(house.source, house.layout.data, copy, f"{house.site.origin}/copie", datetime(2023, 6, 1, tzinfo=UTC))
    assert "release 2 published" in house.accept().verdict
    assert house.listed() == set(FEW)
    assert "equal to release" in rebuild(house.source, house.layout.data).verdict


# --- what is refused, and leaves no word behind


def test_a_run_that_is_not_the_newest_held_one_is_refused(house: House) -> None:
    house.held(FEW)
    house.held(FEW[:2])
    house.refused("run 2 is not the newest held one, which is run 3", run=2)
    house.refused("run 1 is not the newest held one", run=1)
    house.refused("run 9 is not the newest held one", run=9)
    assert "release 2 published" in house.accept(3).verdict


def test_without_a_held_run_there_is_nothing_to_accept(house: House) -> None:
    house.refused("no run of essai waits: run 1, the newest good one, is published")
    house.night(SLUGS)
    house.refused("run 2, the newest good one, is unchanged")


def test_a_held_run_behind_which_a_good_one_came_is_refused(house: House) -> None:
    house.held(FEW)
    house.night(SLUGS)
    house.refused("no run of essai waits: run 3, the newest good one, is unchanged")


def test_a_run_is_accepted_once(house: House) -> None:
    house.held(FEW)
    house.accept()
    house.refused("no run of essai waits: run 2, the newest good one, is published")


def test_a_dry_run_is_no_run_to_publish(house: House) -> None:
    house.held(FEW, is_dry=True)
    assert run_state(house.layout, 2) == "held"
    house.refused("no run of essai waits: run 1")


def test_a_night_on_which_nothing_could_be_read_cannot_be_accepted(house: House) -> None:
    house.site.scripts = {"/liste": page("<h1>Liste</h1><p>Rien.</p>")}
    with pytest.raises(MoissonError):
        refresh(house.source, house.layout.data)
    house.refused("no run of essai waits: run 1")


def test_before_the_first_run_there_is_nothing_to_accept(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`moisson refresh essai` makes one"):
        accept(make_source("https://a.example"), tmp_path, WHY, WHO)


@pytest.mark.parametrize(("why", "who", "option"), [(" ", WHO, "--why"), (WHY, "…", "--author")])
def test_a_word_without_reason_or_name_is_refused(house: House, why: str, who: str, option: str) -> None:
    house.held(FEW)
    with pytest.raises(UsageError, match=f"{option} says nothing"):
        accept(house.source, house.layout.data, why, who)
    assert read_acceptances(house.layout) == {}


def test_a_damaged_word_is_said(house: House) -> None:
    house.held(FEW)
    house.layout.decisions.write_text('{"kind": "accept", "run": "x"}\n', encoding="utf-8")
    with pytest.raises(DamagedArchive, match="line 1 is damaged"):
        house.accept()


# --- on the command line

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def moisson(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moisson", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return (ended.value.code if isinstance(ended.value.code, int) else 0), out, err

    return run


def test_the_command_says_what_it_published_and_by_whose_word(house: House, moisson: Run, tmp_path: Path) -> None:
    house.held(FEW)
    path = tmp_path / "essai.toml"
    path.write_text(
        f'name = "essai"\nlistings = ["{house.site.origin}/liste"]\nparser = "labelled-blocks"\n'
        '[labels]\ntype = ["Type de ressource"]\n',
        encoding="utf-8",
    )
    where = ("--data", str(house.layout.data), "--author", "Dominique")
    assert moisson("accept", str(path), *where)[0] == 2, "a word needs its reason"
    code, out, err = moisson("accept", str(path), "--why", WHY, "--run", "1", *where)
    assert (code, out) == (2, "")
    assert err.startswith("moisson: failed: run 1 is not the newest held one")
    code, out, err = moisson("accept", str(path), "--why", WHY, *where)
    assert (code, err) == (0, "")
    assert out.startswith("essai: rebuilt (run 2 accepted by Dominique), release 2 published: ")
    assert out.count("\n") == 1


def test_a_first_night_that_is_held_can_be_accepted(tmp_path: Path) -> None:
    untitled = re.sub(rb"<h2>.*?</h2>", lambda found: b" " * len(found[0]), listing("Liste", SLUGS), count=6)
    with SiteServer({**showing(SLUGS), "/liste": untitled}) as site:
        source, layout = make_source(site.origin), Layout(tmp_path / "data", "essai")
        with pytest.raises(HeldByGate, match=r"6 of 20 blocks on .*/liste could not be read"):
            refresh(source, layout.data)
        assert latest_release(layout) is None
        assert "release 1 published" in accept(source, layout.data, WHY, WHO).verdict
        assert "unchanged since release 1" in refresh(source, layout.data).verdict

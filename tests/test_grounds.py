"""What a rebuild under other labels may do to what is published, and what it may not."""

from __future__ import annotations

import json
import random
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dedup.history import TRACKED, as_of, as_text
from flows.importing import import_copy
from flows.jobs import rebuild, refresh
from flows.judging import judge
from flows.reading import read_visits
from flows.register import with_replaced
from releases.store import Release, latest_release, whole_release
from schema.errors import HeldByGate, StructureChanged
from schema.layout import Layout
from schema.nouns import JudgedAs, Reading
from schema.sources import Source, read_source
from tests.judged_site import APPEL, APPEL_0, OTHERS, SECOND, UNSURE, told
from tests.small_site import LISTING, listing, page_of, redirect, source_file, warc

RENAMED = {"Type de ressource": "Nature", "Ressource privée": "Réservé", "Résumé": "Sommaire"}
NOW = datetime(2026, 1, 2, tzinfo=UTC)
GOOD = [APPEL, *OTHERS[:2]], [APPEL_0, OTHERS[2]]


def renamed(text: str) -> str:
    """A text with the labels that the site has after it renamed them."""
    for old, new in RENAMED.items():
        text = text.replace(old, new)
    return text


class Site:
    """A site of two listings, its source file and its data."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.folder, self.data = folder, folder / "data"
        self.path = source_file(folder, None, listings=f'["{LISTING}", "{SECOND}"]', **changes)

    @property
    def source(self) -> Source:
        return read_source(self.path)

    @property
    def layout(self) -> Layout:
        return Layout(self.data, "mine")

    @property
    def release(self) -> Release:
        release = latest_release(self.layout)
        assert release is not None
        return release

    def night(self, first: list[str], second: list[str], **answers: bytes) -> str:
        """Refresh from two listings of these blocks; the verdict."""
        pages = {LISTING: listing(*first), SECOND: listing(*second)}
        return self.visit(pages | {f"https://rtes.example/{slug}": answer for slug, answer in answers.items()})

    def visit(self, pages: dict[str, bytes]) -> str:
        """Refresh from a site of these pages; the verdict."""
        replay = warc(self.folder / "night.warc.gz", pages)
        return refresh(self.source.model_copy(update={"replay": str(replay)}), self.data).verdict

    def renamed_night(self, first: list[str], second: list[str]) -> str:
        """The same of a site that renamed its labels."""
        return self.night([renamed(b) for b in first], [renamed(b) for b in second])

    def rebuild(self) -> str:
        return rebuild(self.source, self.data).verdict

    def relabel(self) -> None:
        """Replace the labels in the source file."""
        self.path.write_text(renamed(self.path.read_text(encoding="utf-8")), encoding="utf-8")

    def judge(self, one: str, two: str, verdict: JudgedAs) -> None:
        """A word on two ids."""
        judge(self.source, self.data, (one, two), verdict, "read side by side", "a person")

    def id_at(self, url: str) -> str:
        """The resource that has a record at an address."""
        return next(str(row["resource_id"]) for row in self.release.rows("records") if row["url"] == url)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_labels_that_read_nothing_leave_the_release_as_it_was(site: Site) -> None:
    site.night(*GOOD)
    site.relabel()
    with pytest.raises(StructureChanged, match="labels"):
        site.rebuild()
    assert (site.release.number, len(site.release.rows("resources"))) == (1, 5)


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_a_word_upon_labels_that_read_nothing_publishes_nothing(site: Site, verdict: JudgedAs) -> None:
    site.night(*GOOD)
    site.judge(site.id_at(UNSURE[0]), site.id_at(UNSURE[1]), verdict)
    site.relabel()
    with pytest.raises(StructureChanged, match="labels"):
        site.rebuild()
    assert (site.release.number, len(site.release.rows("resources"))) == (1, 5)


def test_a_source_of_imported_copies_alone_is_published(site: Site) -> None:
    copy = site.folder / "copie.html"
    copy.write_text(f"<html><body><h1>Copie</h1>{APPEL}</body></html>", encoding="utf-8")
    import_copy(site.source, site.data, copy, f"{LISTING}?page=7", datetime(2020, 1, 2, tzinfo=UTC))
    assert "release 1 published: 1 resources" in site.rebuild()
    assert "equal to release 1" in site.rebuild()


# --- a site that renamed its labels


def test_labels_that_were_mended_let_the_next_night_pass_with_the_ids_of_before(site: Site) -> None:
    site.night(*GOOD)
    before = {row["url"]: row["resource_id"] for row in site.release.rows("resources")}
    edited = [APPEL.replace("cinq", "six"), *OTHERS[:2]], GOOD[1]
    with pytest.raises(StructureChanged):
        site.renamed_night(*edited)
    site.relabel()
    assert "release 2 published: 5 resources" in site.renamed_night(*edited)
    assert {row["url"]: row["resource_id"] for row in site.release.rows("resources")} == before
    (change,) = site.release.rows("changes")
    assert (change["resource_id"], change["field"]) == (before[UNSURE[0]], "summary")
    assert {(row["fate"], *row["now"]) for row in site.release.rows("ids")} == {("kept", r) for r in before.values()}
    assert "equal to release 2" in site.rebuild()
    assert "unchanged since release 2" in site.renamed_night(*edited)


def test_a_night_that_was_harvested_under_labels_that_found_nothing_stays_refused(site: Site) -> None:
    site.night(*GOOD)
    with pytest.raises(StructureChanged):
        site.renamed_night(*GOOD)
    site.relabel()
    # that night followed no link of a listing that it could not read
    with pytest.raises(StructureChanged, match="stands on any listing"):
        site.rebuild()
    assert site.release.number == 1


def test_labels_that_read_neither_the_old_nor_the_new_nights_are_refused(site: Site) -> None:
    site.night(*GOOD)
    site.judge(site.id_at(UNSURE[0]), site.id_at(UNSURE[1]), "different")
    site.path.write_text(site.path.read_text(encoding="utf-8").replace("R", "X"), encoding="utf-8")
    site.path.write_text(site.path.read_text(encoding="utf-8").replace("Type", "Tipe"), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(StructureChanged, match="labels"):
            site.night(*GOOD)
    assert (site.release.number, len(site.release.rows("resources"))) == (1, 5)


@pytest.mark.parametrize("is_copied", [False, True])
def test_labels_that_read_only_older_nights_than_the_release_take_nobody_back(
    site: Site,
    is_copied: bool,  # noqa: FBT001  # a case of the table
) -> None:
    old = site.path.read_text(encoding="utf-8")
    site.night(*GOOD)
    site.relabel()
    site.renamed_night([*GOOD[0], told("Neuf", "neuf", "Une ferme ouvre.")], GOOD[1])
    site.path.write_text(old, encoding="utf-8")
    if is_copied:
        bring(site, APPEL, 2020)
    with pytest.raises(HeldByGate, match="labels" if is_copied else "was its label renamed"):
        site.rebuild()
    assert (site.release.number, len(site.release.rows("resources"))) == (2, 6)
    # a night that they read is brought in
    assert "release 3 published: 5 resources" in site.night(*GOOD)
    assert "equal to release 3" in site.rebuild()


# --- an id names one thing, whoever reads the archive

GARAGES = told("Garages solidaires de Nantes", "x", "Le Département cherche des associations pour gérer cinq garages.")
CANTINE = told("Cantine bio de Quimper", "x", "Les repas scolaires passent au bio local grâce aux maraîchers voisins.")
ELSEWHERE = told("Ressourceries du Vercors", "y", "Trois ressourceries ouvrent pour réparer vélos et meubles.")


def titles(site: Site) -> dict[str, str]:
    """Title by resource_id."""
    return {row["resource_id"]: row["title"] for row in site.release.rows("resources")}


@pytest.mark.parametrize("is_judged", [False, True])
def test_an_id_of_what_stood_at_an_address_before_is_not_given_to_what_stands_there_now(
    site: Site,
    is_judged: bool,  # noqa: FBT001  # a case of the table
) -> None:
    site.night([GARAGES, *OTHERS[:2]], [ELSEWHERE, OTHERS[2]])
    published = titles(site)
    site.night([CANTINE, *OTHERS[:2]], [ELSEWHERE, OTHERS[2]])
    published |= titles(site)
    if is_judged:
        pair = site.id_at("https://rtes.example/x"), site.id_at("https://rtes.example/y")
        site.judge(*pair, "same")
        site.rebuild()
        site.judge(*pair, "different")
        site.rebuild()
    with pytest.raises(StructureChanged):
        site.renamed_night([CANTINE, *OTHERS[:2]], [ELSEWHERE, OTHERS[2]])
    site.relabel()
    site.renamed_night([CANTINE, *OTHERS[:2]], [ELSEWHERE, OTHERS[2]])
    now = titles(site)
    assert sorted(now.values()) == sorted(t for t in published.values() if not t.startswith("Garages"))
    assert {name: published.get(name) for name in now} == now
    assert "equal to release" in site.rebuild()


def test_an_id_follows_its_resource_though_nothing_of_its_past_can_be_read(site: Site) -> None:
    site.night([GARAGES, *OTHERS[:2]], [ELSEWHERE, OTHERS[2]])
    before = {title: name for name, title in titles(site).items()}
    moved = GARAGES.replace("'/x'", "'/z'"), ELSEWHERE.replace("Vercors", "Vercors et du Trièves")
    site.night([moved[0], *OTHERS[:2]], [moved[1], OTHERS[2]], x=redirect("/z"))
    assert len(titles(site)) == len(before)
    site.relabel()
    site.renamed_night([moved[0], *OTHERS[:2]], [moved[1], OTHERS[2].replace("parle", "traite")])
    after = {title.removesuffix(" et du Trièves"): name for name, title in titles(site).items()}
    assert (site.release.number, after) == (3, before)
    assert "equal to release 3" in site.rebuild()


def test_a_night_read_with_other_titles_keeps_its_ids(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.night([GARAGES, *OTHERS[:2]], [ELSEWHERE, OTHERS[2]])
    before = {row["url"]: row["resource_id"] for row in site.release.rows("resources")}
    real = read_visits

    def retitled(*arguments: Any) -> tuple[Reading, ...]:
        return tuple(
            replace(one, page=replace(one.page, records=tuple(replace(r, title=f"N° {n}") for n, r in enumerate(rs))))
            for one in real(*arguments)
            for rs in [one.page.records]
        )

    monkeypatch.setattr("flows.stages.read_visits", retitled)
    site.path.write_text(site.path.read_text(encoding="utf-8").replace('"Résumé"', '"Résumé", "Sommaire"'))
    site.rebuild()
    assert site.release.number == 2
    assert {row["url"]: row["resource_id"] for row in site.release.rows("resources")} == before


def test_a_register_of_before_still_reads(site: Site) -> None:
    site.night([GARAGES, *OTHERS[:2]], [ELSEWHERE, OTHERS[2]])
    before = titles(site)
    lines = [json.loads(line) for line in site.layout.register.read_text(encoding="utf-8").splitlines()]
    old = [{k: v for k, v in line.items() if k != "minted_run"} for line in lines]
    site.layout.register.write_text("".join(json.dumps(line) + "\n" for line in old), encoding="utf-8")
    assert "equal to release 1" in site.rebuild()
    shutil.rmtree(site.layout.clean)
    site.rebuild()
    assert titles(site) == before


def test_an_id_that_moved_and_that_no_reading_knows_leads_to_where_it_went() -> None:
    line = {"resource_id": "r1", "title": "Guide", "known_by": ["/a"], "run": 1, "published_at": NOW}
    moved = {**line, "title": "Guide revu", "known_by": ["/a", "/b"], "run": 3}
    rows = [
        {"resource_id": name, "now": [name], "fate": "kept", "known_by": [known], "title": name}
        for name, known in (("r2", "/a"), ("r3", "/b"))
    ]
    for register, run, heir in (
        ([line, moved], 3, "r2"),
        ([line], 1, "r2"),
        ([{**moved, "known_by": ["/b"]}], 3, "r3"),
    ):
        told = {row["resource_id"]: row for row in with_replaced(rows, rows, register, run)}
        assert (told["r1"]["fate"], told["r1"]["now"]) == ("replaced", [heir])
    # what a later run published is not known yet
    (early,) = [r for r in with_replaced(rows, rows, [line, moved], 2) if r["resource_id"] == "r1"]
    assert (early["known_by"], early["since_run"]) == (["/a"], 1)


# --- a release that is damaged


@pytest.mark.parametrize("damaged", ["resources.parquet", "passages.parquet", "release.json"])
def test_a_damaged_release_that_was_made_again_stays_behind(site: Site, damaged: str) -> None:
    site.night(*GOOD)
    site.night([APPEL.replace("cinq", "six"), *OTHERS[:2]], GOOD[1])
    assert site.release.manifest["told"] == 1
    path = site.release.path / damaged
    path.write_bytes(path.read_bytes()[:100])
    assert "release 3 published" in site.rebuild()
    assert (site.release.manifest["told"], [row["field"] for row in site.release.rows("changes")]) == (1, ["summary"])
    for _ in range(2):
        assert "equal to release 3 in every table" in site.rebuild()
    assert "release 4 published" in site.night(*GOOD)
    assert (site.release.manifest["told"], len(site.release.rows("changes"))) == (3, 1)
    assert "equal to release 4 in every table" in site.rebuild()


def test_a_release_is_proven_without_the_one_that_it_was_told_against(site: Site) -> None:
    site.night(*GOOD)
    assert site.release.manifest["told"] is None
    first = site.release.path
    site.night([APPEL.replace("cinq", "six"), *OTHERS[:2]], GOOD[1])
    (first / "records.parquet").write_bytes(b"PAR1")
    # what changed cannot be told again, all else can
    assert "equal to release 2 in every table but `changes`" in site.rebuild()


# --- what leaves the tables, and what does not


PLACES = ("Nantes", "Quimper", "Vercors", "Dijon")


def records_of(suffix: str, seed: int) -> list[str]:
    """A record of each place, whose text hangs on its number and a seed."""
    records = []
    for number, place in enumerate(PLACES):
        chance = random.Random(seed + number)  # noqa: S311  # the same words on every run
        words = ["".join(chance.choices("bcdfglmnprstv", k=3) + chance.choices("aeiou", k=3)) for _ in range(30)]
        records.append(told(f"Fabrique de {place}", f"fabrique-{place.lower()}{suffix}", f"{' '.join(words)}."))
    return records


def test_copies_that_become_one_are_not_held_as_gone(site: Site) -> None:
    one = records_of("", 1)
    site.night([*one, *OTHERS[:2]], [*records_of("-0", 9), OTHERS[2]])
    assert len(titles(site)) == 11
    assert "release 2 published: 7 resources" in site.night([*one, *OTHERS[:2]], [*records_of("-0", 1), OTHERS[2]])
    assert sorted(row["fate"] for row in site.release.rows("ids")).count("merged") == 4


GONE = page_of(b"<h1>Introuvable</h1>", status="404 Not Found")


def bring(site: Site, block: str, year: int) -> None:
    """Import a copy of a page."""
    copy = site.folder / f"copie{year}.html"
    copy.write_text(f"<html><body><h1>Copie</h1>{block}</body></html>", encoding="utf-8")
    import_copy(site.source, site.data, copy, f"{LISTING}?page={year}", datetime(year, 1, 2, tzinfo=UTC))


def test_a_copy_does_not_bring_back_what_is_retired(site: Site) -> None:
    site.night([APPEL, *OTHERS[:2]], [OTHERS[2]])
    bring(site, APPEL, 2020)
    name = site.id_at(UNSURE[0])
    for _ in range(8):
        site.night([*OTHERS[:2]], [OTHERS[2]], appel=GONE)
    assert site.release.number == 3  # not found, then retired
    bring(site, APPEL.replace("cinq", "six"), 2021)
    site.rebuild()
    assert site.release.number == 3
    assert name not in titles(site)
    (row,) = [row for row in site.release.rows("ids") if row["resource_id"] == name]
    assert (row["fate"], row["now"]) == ("retired", [name])
    for table in ("records", "passages"):
        assert not [r for r in site.release.rows(table) if "/appel" in str(r.get("url"))], table
    assert "equal to release 3" in site.rebuild()
    # the site itself does
    site.night([APPEL, *OTHERS[:2]], [OTHERS[2]])
    assert titles(site)[name] == "Appel à projets"
    (row,) = [row for row in site.release.rows("ids") if row["resource_id"] == name]
    assert row["fate"] == "kept"
    assert len([r for r in site.release.rows("records") if r["resource_id"] == name]) == 3


def test_what_only_a_copy_states_is_retired_once(site: Site) -> None:
    site.night([*OTHERS[:2]], [OTHERS[2]])
    bring(site, APPEL, 2020)
    site.rebuild()
    assert len(titles(site)) == 4
    for _ in range(8):
        site.night([*OTHERS[:2]], [OTHERS[2]], appel=GONE)
    assert len(titles(site)) == 3
    assert site.release.number == 4  # brought, not found, retired
    assert "equal to release 4" in site.rebuild()


# --- what is news


OWN = page_of(
    f"<html><head><link rel=shortlink href='/node/7'></head><body>{APPEL.replace('h2', 'h1')}</body></html>".encode()
)
BUSY = page_of(b"x", status="503 Busy")


def test_another_name_of_a_resource_is_no_release_and_is_not_forgotten(site: Site) -> None:
    pages = [APPEL, *OTHERS[:2]], [OTHERS[2]]
    site.night(*pages, appel=BUSY)
    name = site.id_at(UNSURE[0])
    assert "unchanged since release 1" in site.night(*pages, appel=OWN)
    for _ in range(2):
        assert "unchanged since release 1" in site.night(*pages, appel=BUSY)
    # the first thing that a reader sees takes it along
    assert "release 2 published" in site.night([APPEL.replace("cinq", "six"), *OTHERS[:2]], [OTHERS[2]], appel=BUSY)
    (row,) = [row for row in site.release.rows("ids") if row["resource_id"] == name]
    assert "https://rtes.example/node/7" in row["known_by"]
    assert "equal to release 2" in site.rebuild()
    # and the resource is found under it
    moved = APPEL.replace("'/appel'", "'/node/7'").replace("Appel", "Dernier appel")
    assert "release 3 published" in site.night([moved, *OTHERS[:2]], [OTHERS[2]], appel=BUSY)
    assert titles(site)[name].startswith("Dernier appel")


def test_records_without_an_address_that_wander_over_the_pages_of_a_listing_are_no_news(site: Site) -> None:
    told_of = ("vélos", "légumes", "loyers", "musées")
    blocks = [told(f"Titre {what}", what, f"Voici un texte qui parle de {what} à tous.") for what in told_of]
    blocks = [re.sub("<a href='[^']*'>(.*?)</a>", r"\1", block) for block in blocks]
    pager = "<nav class='pager'><ul><li><a href='?page=0'>1</a></li><li><a href='?page=1'>2</a></li></ul></nav>"
    chance = random.Random(1)  # noqa: S311  # the same order on every run
    for _ in range(4):
        chance.shuffle(blocks)
        halves = ("".join(part) for part in (blocks[:2], blocks[2:]))
        pages = [f"<html><body><h1>Mobilités</h1><div>{half}</div>{pager}</body></html>" for half in halves]
        verdict = site.visit(
            {LISTING: page_of(pages[0].encode()), f"{LISTING}?page=1": page_of(pages[1].encode())}
            | {SECOND: listing(*OTHERS)}
        )
    assert len(titles(site)) == 7
    assert "unchanged since release 1" in verdict
    assert "equal to release 1" in site.rebuild()


@pytest.mark.parametrize("by", ["rebuild", "night"])
def test_a_copy_of_earlier_days_is_news(site: Site, by: str) -> None:
    pages = [APPEL, *OTHERS[:2]], [OTHERS[2]]
    site.night(*pages)
    bring(site, APPEL, 2020)
    assert "release 2 published" in (site.rebuild() if by == "rebuild" else site.night(*pages))
    years = {row["title"]: row["first_seen_at"].year for row in site.release.rows("resources")}
    assert (years["Appel à projets"], years["Mobilité garages"]) == (2020, 2026)
    bring(site, APPEL, 2021)
    assert "unchanged since release 2" in site.night(*pages)
    assert "equal to release 2" in site.rebuild()


def test_history_gives_every_release_again_also_those_that_a_word_made(site: Site) -> None:
    site.night(*GOOD)
    pair = site.id_at(UNSURE[0]), site.id_at(UNSURE[1])
    site.judge(*pair, "same")
    site.rebuild()
    site.night(GOOD[0], [APPEL_0, OTHERS[2].replace("parle", "traite")])
    for verdict in ("different", "same"):
        site.judge(*pair, verdict)
    site.night(*GOOD)
    site.judge(*pair, "different")
    site.rebuild()
    history, places = site.release.rows("history"), set()
    for number in site.layout.release_numbers():
        release = whole_release(site.layout, number)
        assert release is not None
        place = int(release.manifest["run"]), int(release.manifest["judgements"])
        places.add(place)
        stated = {row["resource_id"]: {f: as_text(row[f]) for f in TRACKED} for row in release.rows("resources")}
        assert as_of(history, *place) == {
            name: {field: value for field, value in values.items() if value is not None}
            for name, values in stated.items()
        }
    assert len(places) == len(site.layout.release_numbers()) == 5
    assert len({run for run, _ in places}) == 3
    assert "equal to release 5" in site.rebuild()

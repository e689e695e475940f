"""What a release says of the one before it: every edit as what it is, with its cause, and nothing for noise."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dedup.causes import Reading as Reread
from dedup.causes import rereading_causes
from dedup.history import as_of, as_text, find_changes
from flows.importing import import_copy
from flows.jobs import rebuild, refresh, with_replay
from flows.ledger import load_readings, write_readings
from flows.reading import read_visits
from flows.sources_found import find_source
from releases.store import Release, latest_release
from schema.errors import HeldByGate
from schema.layout import Layout
from schema.nouns import Reading
from schema.shelf import Shelf
from schema.sources import Source, read_source
from tests.judged_site import HOST, Site, told
from tests.small_site import LISTING, block, listing, own_page, page_of, source_file, warc

SITE = "https://rtes.example/"
# what was edited on the sample between its two nights, by a part of the address
EDITED = {
    "guide-pratique-reserver-marche": {"summary"},
    "caisse-alimentaire-locale": {"summary"},
    "velo-ecole-associative": {"title", "url"},
    "guide-ecrire-charte-locale": {"title"},
    "podcast-5-ca-se-partage": {"state"},
    "rapport-detude-precarite": {"state"},
    "modele-convention-mise-a-disposition": {"is_private", "summary"},
    "boite-a-outils-projet": {"is_private", "summary", "links"},
    "ressourceries-construire": {"type"},
    "organismes-foncier-solidaire": {"themes"},
    "panorama-2026-reemploi": {"state"},
    "acheter-local-sans-dire": {"state"},
}


def newest(data: Path, name: str) -> Release:
    """The newest release of a source."""
    release = latest_release(Layout(data, name))
    assert release is not None
    return release


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, source = tmp_path_factory.mktemp("nights"), find_source("sample")
    refresh(source, data)
    refresh(with_replay(source, source.path.parent / "sample" / "night2.warc.gz"), data)
    return data


def test_every_edit_of_the_second_night_is_told_as_what_it_is_and_nothing_else(two_nights: Path) -> None:
    release = newest(two_nights, "sample")
    urls = {row["resource_id"]: row["url"].removeprefix(SITE) for row in release.rows("resources")}
    told: dict[str, set[str]] = {}
    for row in release.rows("changes"):
        name = next(part for part in EDITED if urls[row["resource_id"]].startswith(part))
        told.setdefault(name, set()).add(row["field"])
        assert row["cause"] == "source"
    assert told == EDITED


def test_changes_say_what_was_and_what_is(two_nights: Path) -> None:
    told = {(row["field"], row["before"], row["after"]) for row in newest(two_nights, "sample").rows("changes")}
    assert ("state", None, "listed") in told
    assert ("state", "listed", "forbidden") in told
    assert ("state", "listed", "not_found") in told
    assert ("is_private", "true", "false") in told
    assert ("type", "Ressources externes", "Documents") in told
    velo = "velo-ecole-associative-remettre-selle-300-adultes"
    assert ("url", f"{SITE}{velo}", f"{SITE}{velo}-edition-revue") in told


def test_the_first_release_lists_each_resource_once(two_nights: Path) -> None:
    first = Layout(two_nights, "sample").release(1)
    release = Release(1, first, json.loads((first / "release.json").read_text(encoding="utf-8")))
    rows = release.rows("changes")
    assert {(r["field"], r["before"], r["after"], r["cause"]) for r in rows} <= {
        ("state", None, "listed", "source"),
        ("state", None, "unlisted", "source"),
    }
    assert len(rows) == len(release.rows("resources"))


def test_history_as_of_each_release_is_what_was_published(two_nights: Path) -> None:
    history = newest(two_nights, "sample").rows("history")
    for number in (1, 2):
        folder = Layout(two_nights, "sample").release(number)
        release = Release(number, folder, json.loads((folder / "release.json").read_text(encoding="utf-8")))
        held = as_of(history, int(release.manifest["run"]))
        rows = {row["resource_id"]: row for row in release.rows("resources")}
        assert held.keys() == rows.keys()
        for name, values in held.items():
            stated = {field: as_text(rows[name][field]) for field in rows[name]}
            assert values == {f: v for f, v in stated.items() if f in values}
            assert all(
                stated[f] is None for f in ("title", "url", "type", "summary", "published_month") if f not in values
            )


# --- noise


def noisy(chance: random.Random, edited: str = "") -> dict[str, bytes]:
    """A night of one site: tokens, sidebar, order of what ties, an own page that fails now and then."""
    titles = ["Alpha", "Beta", "Gamma", "Delta"]
    chance.shuffle(titles)
    token = f"<input type=hidden name=form_build_id value={chance.getrandbits(64):x}>"
    sidebar = f"<aside>il y a {chance.randrange(9)} heures <a href=/{chance.choice(titles).lower()}>lu</a></aside>"
    blocks = [block(t).replace("texte", edited or "texte") if t == "Beta" else block(t) for t in titles]
    pages = {LISTING: listing(token, *blocks, sidebar)}
    for title in titles:
        own = own_page(title).replace(b"texte", edited.encode()) if title == "Beta" and edited else own_page(title)
        pages[SITE + title.lower()] = page_of(b"x", status="503 Busy") if chance.random() < 0.2 else own
    return pages


@pytest.fixture
def small(tmp_path: Path) -> Source:
    return read_source(source_file(tmp_path, None))


def night(source: Source, data: Path, pages: dict[str, bytes]) -> str:
    """Refresh from a site of these pages; the verdict."""
    replay = warc(data.parent / "night.warc.gz", pages)
    return refresh(source.model_copy(update={"replay": str(replay)}), data).verdict


def test_thirty_noisy_nights_give_no_release_and_one_edited_word_one_row(small: Source, tmp_path: Path) -> None:
    data, chance = tmp_path / "data", random.Random(30)  # noqa: S311  # the same nights on every run
    assert "release 1 published" in night(small, data, noisy(chance))
    for _ in range(30):
        assert "unchanged since release 1" in night(small, data, noisy(chance))
    assert "release 2 published" in night(small, data, noisy(chance, edited="propos"))
    (row,) = newest(data, "mine").rows("changes")
    assert (row["field"], row["before"], row["after"]) == ("summary", "Le texte de Beta.", "Le propos de Beta.")
    assert "equal to release 2" in rebuild(small, data).verdict


def test_a_night_after_many_without_news_reads_only_itself(
    small: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, chance = tmp_path / "data", random.Random(7)  # noqa: S311  # the same nights on every run
    for _ in range(5):
        night(small, data, noisy(chance))
    assert Layout(data, "mine").states() == [5]
    read: list[str] = []
    real = load_readings

    def noted(path: Path, shelf: Shelf) -> Any:
        read.append(path.name)
        return real(path, shelf)

    monkeypatch.setattr("flows.building.load_readings", noted)
    night(small, data, noisy(chance))
    assert len(read) == 1
    copy = tmp_path / "copy.html"
    copy.write_text(f"<html><body><h1>Copie</h1>{block('Omega')}</body></html>", encoding="utf-8")
    import_copy(small, data, copy, f"{LISTING}?page=7", datetime(2020, 1, 2, tzinfo=UTC))
    night(small, data, noisy(chance))
    assert len(read) == 1 + 3  # the copy, the night before it, upon which it rests, and tonight
    assert "equal to release" in rebuild(small, data).verdict


def test_without_the_kept_tables_the_result_is_the_same(small: Source, tmp_path: Path) -> None:
    tables = []
    for name in ("kept", "lost"):
        data, chance = tmp_path / name / "data", random.Random(9)  # noqa: S311  # the same nights in both
        data.mkdir(parents=True)
        for _ in range(4):
            night(small, data, noisy(chance))
            if name == "lost":
                shutil.rmtree(Layout(data, "mine").clean / "state", ignore_errors=True)
        night(small, data, noisy(chance, edited="propos"))
        tables.append({t: d["logical_digest"] for t, d in newest(data, "mine").manifest["tables"].items()})
    assert tables[0] == tables[1]


# --- disappearance


def titled(*titles: str, **answers: bytes) -> dict[str, bytes]:
    """A site of one listing, and what some addresses answer."""
    return {LISTING: listing(*map(block, titles)), **{SITE + slug: page for slug, page in answers.items()}}


GONE = page_of(b"<h1>Introuvable</h1>", status="404 Not Found")


def states(source: Source, data: Path) -> dict[str, str]:
    """State by title in the newest tables, published or not."""
    layout = Layout(data, source.name)
    run = max(layout.states(), default=0)
    release = newest(data, source.name)
    folder = layout.state(run) if run > int(release.manifest["run"]) else release.path
    rows = Release(0, folder, json.loads((folder / "release.json").read_text(encoding="utf-8"))).rows("resources")
    return {row["title"]: row["state"] for row in rows}


@pytest.mark.parametrize("nights", [1, 3])
def test_a_resource_is_retired_on_the_exact_night_and_returns_with_its_id(tmp_path: Path, nights: int) -> None:
    source = read_source(source_file(tmp_path, None, retire_after_nights=str(nights)))
    data = tmp_path / "data"
    night(source, data, titled("Alpha", "Beta"))
    before = {row["title"]: row["resource_id"] for row in newest(data, "mine").rows("resources")}
    for count in range(1, nights + 1):
        night(source, data, titled("Alpha", beta=GONE))
        assert ("Beta" in states(source, data)) == (count < nights)
    ids = {row["resource_id"]: row for row in newest(data, "mine").rows("ids")}
    assert (ids[before["Beta"]]["fate"], ids[before["Beta"]]["now"]) == ("retired", [before["Beta"]])
    assert ("state", None) in {(r["field"], r["after"]) for r in newest(data, "mine").rows("changes")}
    night(source, data, titled("Alpha", "Beta"))
    after = {row["title"]: row["resource_id"] for row in newest(data, "mine").rows("resources")}
    assert after == before
    release = newest(data, "mine")
    intervals = [r for r in release.rows("history") if r["resource_id"] == before["Beta"] and r["field"] == "title"]
    assert [r["is_open"] for r in intervals] == [False, True]
    assert "equal to release" in rebuild(source, data).verdict


def test_a_night_with_a_gap_or_an_address_that_answers_retires_nobody(small: Source, tmp_path: Path) -> None:
    data = tmp_path / "data"
    night(small, data, titled("Alpha", "Beta"))
    for _ in range(5):
        night(small, data, titled("Alpha", beta=own_page("Beta")))
    assert states(small, data) == {"Alpha": "listed", "Beta": "unlisted"}
    pager = b"<a href='?page=1'>2</a></div>"
    for _ in range(5):
        # the second page of the listing is not in the archive: the night proves no absence
        pages = titled("Alpha", beta=GONE)
        pages[LISTING] = page_of(pages[LISTING].split(b"\r\n\r\n", 1)[1].replace(b"</div></body>", pager + b"</body>"))
        night(small, data, pages)
    assert states(small, data)["Beta"] == "not_found"


def test_too_much_gone_at_once_is_held(small: Source, tmp_path: Path) -> None:
    data, names = tmp_path / "data", [f"Titre{n}" for n in range(10)]
    night(small, data, titled(*names))
    assert "release 2 published" in night(small, data, titled(*names[:8]))
    with pytest.raises(HeldByGate, match="4 of 8 listed resources are on no listing any more"):
        night(small, data, titled(*names[:4]))
    assert len(newest(data, "mine").rows("resources")) == 10
    assert "unchanged since release 2" in night(small, data, titled(*names[:8]))


def test_how_much_may_vanish_can_be_set(tmp_path: Path) -> None:
    source = read_source(source_file(tmp_path, None, max_vanished_share="0.9"))
    data, names = tmp_path / "data", [f"Titre{n}" for n in range(10)]
    night(source, data, titled(*names))
    assert "release 2 published" in night(source, data, titled(*names[:4]))


# --- causes


def row_of(**values: Any) -> dict[str, Any]:
    """A row of `resources`, as far as changes look at it."""
    row: dict[str, Any] = {"resource_id": "r1", "state": "listed", "themes": [], "keywords": [], "links": []}
    return row | dict.fromkeys(("title", "url", "type", "is_private", "summary", "published_month")) | values


RECORD: dict[str, Any] = {
    "record_id": "m1",
    "resource_id": "r1",
    "title": "a",
    "type": None,
    "is_private": None,
    "body": "b",
}
RECORD |= {"resume": None, "links": [], "url": "u", "page_url": "p"}
KEPT: dict[str, Any] = {"record_id": "m1", "section": "body", "position": 0, "is_kept": True}
KEPT |= {"summary_position": 0, "into_section": None, "into_positions": []}


@pytest.mark.parametrize(
    ("field", "record", "passage", "cause"),
    [
        ("title", {"title": "b"}, {}, "parser"),
        ("summary", {"body": "c"}, {}, "parser"),
        ("summary", {}, {"is_kept": False}, "collapse"),
        ("summary", {}, {}, "dedup"),
        ("title", {}, {"is_kept": False}, "dedup"),
        ("themes", {}, {}, "dedup"),
        ("links", {"links": [{"text": "x", "url": "y"}]}, {}, "parser"),
        ("title", {"record_id": "m2"}, {}, "parser"),
    ],
)
def test_another_reading_of_the_same_archive_is_told_by_what_read_it_otherwise(
    field: str, record: dict[str, Any], passage: dict[str, Any], cause: str
) -> None:
    changed = {"themes": ["Eau"], "links": [{"text": "x", "url": "y"}]}.get(field, "autre")
    before = Reread([row_of()], [RECORD], [KEPT])
    after = Reread([row_of(**{field: changed})], [{**RECORD, **record}], [{**KEPT, **passage}])
    assert rereading_causes(before, after) == {("r1", field): cause}


def test_what_is_the_same_has_no_cause_and_no_change() -> None:
    same = Reread([row_of()], [RECORD], [KEPT])
    assert rereading_causes(same, same) == {}
    assert find_changes([row_of()], [row_of()], {}) == []


def test_other_code_and_another_night_are_told_apart(
    small: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    night(small, data, titled("Alpha", "Beta"))
    real = write_readings

    def louder(path: Path, readings: tuple[Reading, ...]) -> Path:
        return real(path, tuple(louder_reading(reading) for reading in readings))

    monkeypatch.setattr("flows.stages.write_readings", louder)
    monkeypatch.setattr("flows.manifest.code_digest", lambda: "other code")
    night(small, data, {LISTING: listing(block("Alpha"), block("Beta").replace("texte", "propos"))})
    told = {(r["field"], r["after"], r["cause"]) for r in newest(data, "mine").rows("changes")}
    assert told == {("title", "ALPHA", "parser"), ("summary", "Le propos de Beta.", "source")}


def louder_reading(reading: Reading) -> Reading:
    """The reading with the title of Alpha in capitals."""
    records = tuple(replace(r, title=r.title.upper()) if r.title == "Alpha" else r for r in reading.page.records)
    return replace(reading, page=replace(reading.page, records=records))


def readdressed(reading: Reading) -> Reading:
    """The reading with every record at another address."""
    records = tuple(replace(record, url=f"{record.url}-neuf") for record in reading.page.records)
    return replace(reading, page=replace(reading.page, records=records))


@pytest.mark.parametrize("is_reading_other", [False, True])
def test_what_other_code_published_still_resolves(
    small: Source,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_reading_other: bool,  # noqa: FBT001  # a case of the table
) -> None:
    data, layout = tmp_path / "data", Layout(tmp_path / "data", "mine")
    night(small, data, titled("Alpha", "Beta"))
    published = {row["title"]: row["resource_id"] for row in newest(data, "mine").rows("resources")}
    real = read_visits
    if is_reading_other:  # a later version of ours that reads other addresses
        monkeypatch.setattr("flows.stages.read_visits", lambda *said: tuple(map(readdressed, real(*said))))
    else:  # or that gives other ids
        monkeypatch.setattr("dedup.lineage.mint_id", lambda source, key, *_: "r-other-" + key.rsplit("/", 1)[1])
    monkeypatch.setattr("flows.manifest.code_digest", lambda: "other code")
    monkeypatch.setattr("flows.jobs.code_digest", lambda: "other code")
    shutil.rmtree(layout.clean)
    rebuild(small, data)
    ids = {row["resource_id"]: row for row in newest(data, "mine").rows("ids")}
    today = {row["title"]: row["resource_id"] for row in newest(data, "mine").rows("resources")}
    for title, name in published.items():
        assert (ids[name]["fate"], ids[name]["now"]) == ("replaced" if is_reading_other else "kept", [today[title]])
    assert is_reading_other or today == published
    assert "equal to release 1" in rebuild(small, data).verdict


def test_an_import_never_gives_a_resource_another_id(small: Source, tmp_path: Path) -> None:
    data = tmp_path / "data"
    night(small, data, titled("Alpha", "Beta"))
    before = {row["url"]: row["resource_id"] for row in newest(data, "mine").rows("resources")}
    copy = tmp_path / "copie.html"
    copy.write_text(f"<html><body><h1>Copie</h1>{block('Alpha')}</body></html>", encoding="utf-8")
    import_copy(small, data, copy, f"{LISTING}?page=7", datetime(2019, 1, 2, tzinfo=UTC))
    rebuild(small, data)
    night(small, data, titled("Alpha", "Beta", "Gamma"))
    rows = {row["url"]: row for row in newest(data, "mine").rows("resources")}
    assert {url: rows[url]["resource_id"] for url in before} == before
    assert {row["title"]: row["first_seen_at"].year for row in rows.values()}["Alpha"] == 2019


GARAGES = (
    "Le Département cherche des associations pour gérer cinq garages solidaires ouverts aux demandeurs d'emploi, dans "
    "tout le territoire de la Haute-Sarine."
)


@pytest.mark.parametrize("edited", [0, 1])
@pytest.mark.parametrize(("old", "new", "is_one"), [("gérer", "animer", True), ("cinq", "six", False)])
def test_an_ordinary_word_edited_in_one_of_two_copies_does_not_part_them(
    tmp_path: Path, edited: int, old: str, new: str, *, is_one: bool
) -> None:
    site = Site(tmp_path)
    urls = (f"{HOST}/garages-solidaires", f"{HOST}/garages-solidaires-0")
    copies = [told("Garages solidaires", url.rsplit("/", 1)[1], GARAGES) for url in urls]
    site.visit(copies[:1], copies[1:])
    one, same = site.ids_of(urls)
    assert one == same
    copies[edited] = copies[edited].replace(old, new)
    site.visit(copies[:1], copies[1:])
    left, right = site.ids_of(urls)
    assert (left == right, one in (left, right)) == (is_one, True)
    news = [row for row in site.rows("changes") if row["before"] is not None]
    assert {(row["resource_id"], row["field"]) for row in news} <= {(one, "summary")}
    assert "equal to release" in site.rebuild()

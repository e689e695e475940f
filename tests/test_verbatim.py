"""What a resource says to the letter tells it wherever it stands; an address given to something else tells nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dedup.likeness import is_another, is_another_after_absence, is_title_kept
from flows.importing import import_copy
from tests.judged_site import HOST, OTHERS, SECOND, Site
from tests.small_site import LISTING, listing, redirect

RESERVED = "Compte rendu réservé aux adhérents."
NO_TEXT = ""
VISIT = (
    "Compte rendu du groupe de travail alimentation",
    "Les communes membres ont visité une légumerie et chiffré un approvisionnement local pour trente écoles.",
)
RENTAL = (
    "Compte rendu du groupe de travail mobilité",
    "Un loueur associatif de voitures expose son modèle économique et ses difficultés à assurer les véhicules prêtés.",
)
CALLS = (
    ("Appel à projets ESS 2021 - Métropole", "Les ateliers de réparation de vélos sont prioritaires cette fois-ci."),
    ("Appel à projets ESS 2022 - Métropole", "Cette édition retient les crèches parentales et l'aide à domicile."),
)
SERIES = ((VISIT, RENTAL), CALLS)
REPORTS = ("Synthèse des ateliers marchés réservés", "Relevé de décisions du bureau")
NIGHTS = 3


def told(title: str, href: str, text: str) -> str:
    """One record of a listing; without a text it has no summary."""
    summary = f"<div><b>Résumé</b><p>{text}</p></div>" if text else ""
    fields = f"<div><b>Type de ressource</b><i>Guide</i></div><div><b>Ressource privée</b><i>Non</i></div>{summary}"
    return f"<article><h2><a href='/{href}'>{title}</a></h2><div>{fields}</div></article>"


class Place:
    """A site whose first listing shows what a test says, night after night."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)

    def night(self, *shown: tuple[str, str, str], gone: Sequence[str] = ()) -> dict[str, str]:
        """A night that shows (title, address, text), other addresses not found; resource_id by address."""
        self.site.visit([told(*one) for one in shown], [], *gone)
        return self.ids()

    def ids(self) -> dict[str, str]:
        return {str(url).removeprefix(f"{HOST}/"): name for url, name in self.site.owners().items()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# --- the address of one is given to another -------------------------------------------------------------------------


@pytest.mark.parametrize("pair", SERIES)
def test_two_of_a_series_that_change_places_keep_their_ids(
    place: Place, pair: tuple[tuple[str, str], tuple[str, str]]
) -> None:
    (one, text), (two, other) = pair
    before = place.night((one, "node/1", text), (two, "node/2", other))
    after = place.night((two, "node/1", other), (one, "node/2", text))
    assert (after["node/1"], after["node/2"]) == (before["node/2"], before["node/1"])
    # and nothing moves on the nights after
    assert place.night((two, "node/1", other), (one, "node/2", text)) == after


@pytest.mark.parametrize("pair", SERIES)
def test_one_that_moved_takes_its_id_with_it_and_its_address_tells_nothing(
    place: Place, pair: tuple[tuple[str, str], tuple[str, str]]
) -> None:
    (one, text), (two, other) = pair
    name = place.night((one, "node/1", text))["node/1"]
    after = place.night((two, "node/1", other), (one, "node/3", text))
    assert after["node/3"] == name
    assert after["node/1"] != name


@pytest.mark.parametrize("pair", SERIES)
def test_the_next_of_a_series_in_the_place_of_one_that_is_gone_is_another(
    place: Place, pair: tuple[tuple[str, str], tuple[str, str]]
) -> None:
    (one, text), (two, other) = pair
    name = place.night((one, "node/1", text))["node/1"]
    assert place.night((two, "node/1", other))["node/1"] != name


@pytest.mark.parametrize("text", [RESERVED, NO_TEXT])
def test_reports_without_a_text_of_their_own_that_change_places_keep_their_ids(place: Place, text: str) -> None:
    one, two, three = VISIT[0], RENTAL[0], REPORTS[0]
    before = place.night((one, "a", text), (two, "b", text), (three, "c", text))
    after = place.night((two, "a", text), (three, "b", text), (one, "c", text))
    assert after == {**before, "a": before["b"], "b": before["c"], "c": before["a"]}


def test_a_title_that_a_theme_sets_in_capitals_is_the_same(place: Place) -> None:
    name = place.night((VISIT[0], "a", NO_TEXT))["a"]
    assert place.night((VISIT[0].upper(), "b", NO_TEXT), gone=["a"])["b"] == name


# --- what is edited where it stands ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title",
    [
        VISIT[0] + " et restauration",
        "Le groupe de travail alimentation",
        VISIT[0].replace("alimentation", "alimentations"),
    ],
)
def test_a_text_written_anew_under_an_edited_title_is_no_other_resource(place: Place, title: str) -> None:
    name = place.night((VISIT[0], "node/1", VISIT[1]))["node/1"]
    assert place.night((title, "node/1", RENTAL[1]))["node/1"] == name


def test_what_stands_where_it_stood_is_not_taken_away_by_its_words_elsewhere(place: Place) -> None:
    name = place.night((VISIT[0], "a", NO_TEXT))["a"]
    after = place.night((VISIT[0], "a", NO_TEXT), (VISIT[0], "b", NO_TEXT))
    assert after["a"] == name
    assert after["b"] != name
    # its old words are posted elsewhere on the night on which they are edited
    edited = f"{VISIT[0]} (suite)"
    later = place.night((edited, "a", NO_TEXT), (VISIT[0], "b", NO_TEXT), (f"{VISIT[0]} ", "c", NO_TEXT))
    assert (later["a"], later["b"]) == (name, after["b"])


def test_edited_words_are_no_absence(place: Place) -> None:
    name = place.night((VISIT[0], "a", NO_TEXT))["a"]
    after = place.night((f"{VISIT[0]} (suite)", "a", NO_TEXT), (VISIT[0], "b", NO_TEXT))
    assert after["a"] == name
    assert after["b"] != name


def test_two_that_say_the_same_are_not_told_by_it(place: Place) -> None:
    before = place.night((VISIT[0], "a", NO_TEXT), (VISIT[0], "b", NO_TEXT))
    assert before["a"] != before["b"]
    after = place.night((VISIT[0], "a", NO_TEXT), (VISIT[0], "c", NO_TEXT), gone=["b"])
    assert after["a"] == before["a"]
    assert after["c"] not in (before["a"], before["b"])


# --- what was gone --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nights", [1, NIGHTS + 1])
def test_a_reserved_report_at_the_address_of_one_that_was_gone_is_another(place: Place, nights: int) -> None:
    beside = [(title, f"m{number}", RESERVED) for number, title in enumerate(REPORTS)]
    name = place.night((VISIT[0], "cr", RESERVED), *beside)["cr"]
    for _ in range(nights):
        place.night(*beside, gone=["cr"])
    assert place.night((RENTAL[0], "cr", RESERVED), *beside)["cr"] != name


def test_a_reserved_report_that_comes_back_to_its_address_is_itself(place: Place) -> None:
    beside = [(title, f"m{number}", RESERVED) for number, title in enumerate(REPORTS)]
    name = place.night((VISIT[0], "cr", RESERVED), *beside)["cr"]
    for _ in range(NIGHTS + 1):
        place.night(*beside, gone=["cr"])
    assert place.night((VISIT[0], "cr", RESERVED), *beside)["cr"] == name


@pytest.mark.parametrize(("nights", "is_kept"), [(0, True), (1, True), (NIGHTS + 1, False)])
def test_a_title_alone_tells_until_what_bore_it_is_retired(place: Place, nights: int, is_kept: bool) -> None:  # noqa: FBT001
    name = place.night((VISIT[0], "a", NO_TEXT), (RENTAL[0], "m", NO_TEXT))["a"]
    for _ in range(nights):
        place.night((RENTAL[0], "m", NO_TEXT), gone=["a"])
    assert (place.night((VISIT[0], "b", NO_TEXT), (RENTAL[0], "m", NO_TEXT), gone=["a"])["b"] == name) is is_kept


# --- copies of other days -------------------------------------------------------------------------------------------


def bring_in(place: Place, *blocks: str) -> None:
    site = place.site
    file = site.folder / "copy.html"
    file.write_text(f"<html><body><h1>Copie</h1>{''.join(blocks)}</body></html>", encoding="utf-8")
    import_copy(site.source, site.data, file, f"{LISTING}?page=7", datetime(2019, 5, 6, tzinfo=UTC))
    site.rebuild()


@pytest.mark.parametrize("text", [RESERVED, NO_TEXT])
def test_an_old_capture_of_reports_without_texts_counts_none_twice(place: Place, text: str) -> None:
    shown = [(title, f"slug-{number}", text) for number, title in enumerate((VISIT[0], RENTAL[0], *REPORTS))]
    before = place.night(*shown)
    bring_in(place, *(told(title, f"node/{number}", words) for number, (title, _, words) in enumerate(shown)))
    assert len(place.site.rows("resources")) == len(before)
    assert place.ids() == before | {f"node/{number}": before[href] for number, (_, href, _) in enumerate(shown)}
    # by their addresses on the night after, and by their words where the site moves again
    place.night(*shown)
    assert len(place.site.rows("resources")) == len(before)
    place.night(*((title, f"fr/{href}", words) for title, href, words in shown))
    assert {row["resource_id"] for row in place.site.rows("resources")} == {*before.values()}
    assert "equal" in place.site.rebuild()


def test_a_copy_that_a_person_parts_stays_apart(place: Place) -> None:
    place.night((VISIT[0], "slug", NO_TEXT))
    bring_in(place, told(VISIT[0], "node/1", NO_TEXT))
    records = place.site.records_of((f"{HOST}/slug", f"{HOST}/node/1"))
    place.site.judge(records, "different")
    place.site.rebuild()
    apart = place.ids()
    assert apart["slug"] != apart["node/1"]
    after = place.night((VISIT[0], "slug", NO_TEXT))
    assert (after["slug"], after["node/1"]) == (apart["slug"], apart["node/1"])


def test_a_reserved_report_that_stood_at_an_address_once_is_no_record_of_what_stands_there_now(place: Place) -> None:
    shown = [(title, f"node/{number}", RESERVED) for number, title in enumerate(("Étude de Bologne", *REPORTS))]
    before = place.night(*shown)
    bring_in(place, told("Bilan annuel", "node/0", RESERVED))
    records = {row["title"]: row["resource_id"] for row in place.site.rows("records")}
    assert records["Étude de Bologne"] == before["node/0"]
    assert records["Bilan annuel"] not in before.values()


# --- the rules by themselves ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two", "is_kept"),
    [
        ("Guide de l'achat socialement responsable", "Guide de l'achat écologiquement responsable", False),
        ("Lettre d'information n° 45", "Lettre d'information n° 46", False),
        ("Guide des SPASER - tome I", "Guide des SPASER - tome II", False),
        ("Rencontre régionale à Nantes", "Rencontre régionale à Mantes", False),
        ("Guide de l'achat responsable", "Le guide de l'achat responsable, nouvelle version", True),
        ("Conférence sur les mobilités solidaires", "Conférences sur les mobilites solidaires", True),
        ("Conférence sur les mobilités solidaires", "Conférence sur les mobilités soldaires", True),
    ],
)
def test_a_word_in_the_place_of_another_makes_another_title(one: str, two: str, *, is_kept: bool) -> None:
    assert is_title_kept(one, two) is is_title_kept(two, one) is is_kept
    assert is_another(one, VISIT[1], two, RENTAL[1]) is not is_kept
    assert is_another_after_absence(one, "", two, "") is not is_kept


def test_where_a_text_is_missing_the_titles_must_be_alike() -> None:
    assert is_another("Friche", "", "Clauses", "")
    assert is_another("Compte rendu de la visite à Bologne", "", "Compte rendu des ateliers de mars", "")
    assert not is_another("Friche", "", "Une friche", "")
    assert not is_another("Friche", VISIT[1], "Une friche", "")
    assert not is_another("Friche", VISIT[1], "Clauses", VISIT[1])


@pytest.mark.parametrize("text", [VISIT[1], RESERVED, NO_TEXT])
@pytest.mark.parametrize("other", [RENTAL[1], RESERVED, NO_TEXT])
def test_another_report_at_an_address_is_another_whatever_the_two_have_for_a_text(
    place: Place, text: str, other: str
) -> None:
    beside = [(title, f"m{number}", RESERVED) for number, title in enumerate(REPORTS)]
    name = place.night(("Compte rendu de la visite à Bologne", "cr", text), *beside)["cr"]
    assert place.night(("Compte rendu des ateliers de mars", "cr", other), *beside)["cr"] != name


@pytest.mark.parametrize("text", [RESERVED, NO_TEXT])
def test_a_report_whose_address_follows_its_title_is_told_by_the_redirection(place: Place, text: str) -> None:
    beside = [told(title, f"m{number}", RESERVED) for number, title in enumerate(REPORTS)]
    name = place.night(("Bilan de la visite", "bilan", text), *((t, f"m{n}", RESERVED) for n, t in enumerate(REPORTS)))
    first = listing(told("Restitution du voyage à Bologne", "voyage", text), *beside, *OTHERS[:2])
    place.site.read({LISTING: first, SECOND: listing(OTHERS[2]), f"{HOST}/bilan": redirect("/voyage")})
    assert place.ids()["voyage"] == name["bilan"]


def test_the_sample_is_what_these_tests_take_it_for(place: Place) -> None:
    place.site.read({LISTING: listing(told("Sans texte", "a", NO_TEXT)), SECOND: listing(*OTHERS)})
    assert next(row for row in place.site.rows("resources") if row["title"] == "Sans texte")["summary"] is None

"""The rules of identity across nights, one by one, on a site of a few pages."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dedup.catalogue import Catalogue, Former, Moment, make_catalogue
from dedup.likeness import is_another, is_another_after_absence, is_another_led_to, is_text_alike
from flows.importing import import_copy
from flows.jobs import rebuild
from releases.store import latest_release
from schema.layout import Layout
from schema.nouns import JudgedAs, Judgement
from schema.sources import read_source
from tests.simulated_site import HOST, START, Node, Site, Weather, harvest
from tests.simulated_words import Words
from tests.simulated_year import RETIRE_AFTER
from tests.small_site import LISTING, source_file

TEXT = [
    "La commune rachète une friche ferroviaire et y installe un atelier de réparation de vélos, puis un café.",
    "Les habitants ont formé une coopérative dont la collectivité détient un quart des parts sociales.",
]
OTHER = [
    "Le syndicat mixte publie un recueil de clauses sociales que ses membres reprennent dans leurs marchés de voirie.",
    "Une grille de suivi mesure chaque trimestre les heures réalisées par les personnes éloignées de l'emploi.",
]
THIRD = ["Un fonds territorial garantit les emprunts de structures culturelles installées dans des villages isolés."]


class Diary:
    """A site of a few pages, and its catalogue night after night."""

    def __init__(self, *pages: tuple[str, Sequence[str]], has_shortlinks: bool = True) -> None:
        chance = random.Random(1)  # noqa: S311  # only the order of records on a listing
        self.site = Site(chance, Words(chance), ("Mobilités", "Eau"), has_shortlinks)
        self.now, self.run, self.said = Catalogue(), 0, list[Judgement]()
        self.nodes = [self.enter(title, text) for title, text in pages]

    def enter(self, title: str, text: Sequence[str], address: str | None = None) -> Node:
        node = self.site.enter(self.site.new_uid(), title, list(text), address)
        node.themes, node.is_private, node.shown, node.type = {"Mobilités"}, False, len(text), "Guide"
        return node

    def night(self, weather: Weather | None = None) -> Diary:
        """The site is visited once more."""
        self.run += 1
        known = [row["url"] for row in self.now.resources if row["url"]]
        former = Former(self.now.resources, self.now.ids, tuple(self.now.history))
        night = harvest(self.site, self.run, known, weather)
        moment = Moment(self.run, night.started_at)
        self.now = make_catalogue("small", moment, night, (), former, self.said, retire_after_nights=RETIRE_AFTER)
        return self

    def nights(self, count: int) -> Diary:
        for _ in range(count):
            self.night()
        return self

    def judge(self, left: str, right: str, verdict: JudgedAs) -> None:
        self.said.append(Judgement(left, right, verdict, "seen", "anyone", START, self.run))

    def id_of(self, node: Node) -> str:
        """The id under which tonight's records of a page stand."""
        (name,) = {row["resource_id"] for row in self.now.records if row["url"] == node.address}
        return str(name)

    def record_of(self, node: Node) -> str:
        return str(next(row["record_id"] for row in self.now.records if row["page_url"] == node.address))

    def row(self, name: str) -> dict[str, Any] | None:
        return next((row for row in self.now.resources if row["resource_id"] == name), None)

    def fate(self, name: str) -> tuple[str, list[str]]:
        row = next(row for row in self.now.ids if row["resource_id"] == name)
        return row["fate"], row["now"]


def move(node: Node, name: str) -> None:
    node.address = f"{HOST}/{name}"


def delete(diary: Diary, node: Node, status: int = 404) -> None:
    node.status = "deleted"
    diary.site.closed[node.address] = status


# --- one resource ---------------------------------------------------------------------------------------------------


def retitled(diary: Diary, node: Node) -> None:
    node.title = "Recueil de clauses"


def moved_with_its_number(diary: Diary, node: Node) -> None:
    node.title, node.body = "Tout autre titre", [*THIRD, node.body[0]]
    move(node, "ailleurs")


def moved_without_a_trace(diary: Diary, node: Node) -> None:
    node.number = diary.site.new_number()
    move(node, "ailleurs")


def moved_and_told(diary: Diary, node: Node) -> None:
    diary.site.redirects[node.address] = node
    node.number, node.title = diary.site.new_number(), "Tout autre titre"
    move(node, "ailleurs")


def made_private(diary: Diary, node: Node) -> None:
    node.is_private, node.shown = True, 1


def edited_and_retyped(diary: Diary, node: Node) -> None:
    node.type, node.body = "Vidéo", [node.body[0].replace("atelier", "garage"), *node.body[1:]]


def renumbered(diary: Diary, node: Node) -> None:
    first, second = diary.nodes
    first.number, second.number = second.number, first.number


@pytest.mark.parametrize(
    "change",
    [
        retitled,
        moved_with_its_number,
        moved_without_a_trace,
        moved_and_told,
        made_private,
        edited_and_retyped,
        renumbered,
    ],
)
def test_a_resource_keeps_its_id(change: Callable[[Diary, Node], None]) -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    names = [diary.id_of(node) for node in diary.nodes]
    change(diary, diary.nodes[0])
    diary.night()
    assert [diary.id_of(node) for node in diary.nodes] == names
    row = diary.row(names[0])
    assert row
    assert (row["state"], row["title"], row["url"]) == ("listed", diary.nodes[0].title, diary.nodes[0].address)
    assert row["first_seen_at"] < row["last_seen_at"]


def test_pages_that_were_renumbered_keep_their_ids_when_they_move_later() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    names = [diary.id_of(node) for node in diary.nodes]
    renumbered(diary, diary.nodes[0])
    diary.night()
    moved_with_its_number(diary, diary.nodes[0])
    diary.night()
    assert [diary.id_of(node) for node in diary.nodes] == names


def test_noise_changes_nothing() -> None:
    diary = Diary(
        *((f"Titre {word}", [f"{word} {text}" for text in TEXT]) for word in ("café", "four", "gare"))
    ).night()
    before = diary.now
    diary.nights(30)
    assert diary.now.ids == before.ids
    assert list(diary.now.history) == list(before.history)
    assert [row["content_digest"] for row in diary.now.resources] == [r["content_digest"] for r in before.resources]


def test_a_redirection_to_another_resource_that_is_taken_back_changes_no_id() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER), has_shortlinks=False).night()
    one, two = diary.nodes
    names = [diary.id_of(one), diary.id_of(two)]
    address, one.address, one.themes = one.address, f"{HOST}/parti", set()
    diary.site.redirects[address] = two
    diary.night()
    row = diary.row(names[0])
    assert row
    assert row["state"] == "moved"
    assert diary.id_of(two) == names[1]
    one.address, one.themes = address, two.themes
    one.body = list(THIRD)  # only its address tells now
    del diary.site.redirects[address]
    diary.night()
    assert [diary.id_of(one), diary.id_of(two)] == names


# --- several --------------------------------------------------------------------------------------------------------


def test_where_one_of_two_copies_goes_the_row_goes_on_at_the_other() -> None:
    diary = Diary(("Friche et vélos", TEXT)).night()
    (one,) = diary.nodes
    name = diary.id_of(one)
    two = diary.enter(one.title, one.body)
    diary.night()
    row = diary.row(name)
    assert row
    assert (diary.id_of(two), row["url"], row["record_count"]) == (name, one.address, 4)
    delete(diary, one)
    diary.nights(RETIRE_AFTER + 1)
    row = diary.row(name)
    assert row
    assert (diary.id_of(two), row["url"], row["state"]) == (name, two.address, "listed")


def numbered(diary: Diary, *numbers: int) -> list[Node]:
    """Pages with the same words but for a number, entered on as many nights."""
    nodes = []
    for number in numbers:
        nodes.append(diary.enter(f"Fiche n°{number} : friche et vélos", TEXT, f"{HOST}/fiche-{number}"))
        diary.night()
    return nodes


def test_two_that_become_one_keep_the_senior_and_the_junior_comes_back_when_they_part() -> None:
    diary = Diary()
    senior, junior = numbered(diary, 112, 113)
    names = diary.id_of(senior), diary.id_of(junior)
    assert names[0] != names[1]
    title, junior.title = junior.title, senior.title
    diary.night()
    assert (diary.id_of(senior), diary.id_of(junior)) == (names[0], names[0])
    assert diary.fate(names[1]) == ("merged", [names[0]])
    junior.title = title
    diary.night()
    assert (diary.id_of(senior), diary.id_of(junior)) == names
    assert diary.fate(names[1]) == ("kept", [names[1]])


def test_an_id_that_led_to_one_that_was_merged_leads_to_the_last() -> None:
    diary = Diary()
    a, b, c = numbered(diary, 112, 113, 114)
    names = [diary.id_of(node) for node in (a, b, c)]
    c.title = b.title
    diary.night()
    assert diary.fate(names[2]) == ("merged", [names[1]])
    b.title = c.title = a.title
    diary.night()
    assert [diary.fate(name)[1] for name in names] == [[names[0]]] * 3


@pytest.mark.parametrize("title", ["Clauses sociales", "Fiche n°113 : friche et vélos"])
def test_a_copy_that_becomes_another_resource_takes_no_id(title: str) -> None:
    diary = Diary(("Fiche n°112 : friche et vélos", TEXT)).night()
    one = diary.nodes[0]
    name = diary.id_of(one)
    two = diary.enter(one.title, one.body)
    diary.night()
    one.title, one.body = title, OTHER
    diary.night()
    assert diary.id_of(two) == name
    assert diary.id_of(one) != name


# --- what goes, and what comes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "state"), [(404, "not_found"), (410, "gone"), (403, "forbidden")])
def test_a_resource_is_retired_on_the_third_complete_night_with_evidence(status: int, state: str) -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    node, other = diary.nodes
    name = diary.id_of(node)
    delete(diary, node, status)
    node.status = "forbidden" if status == 403 else "deleted"
    for nights in (1, 2):
        row = diary.night().row(name)
        assert row
        assert (row["state"], row["absent_nights"]) == (state, nights)
        # a night on which the listing could not be read proves nothing, nor one without an answer
        assert diary.night(Weather(cut={"Mobilités": 0})).row(name)
        assert diary.night(Weather(silent=frozenset({node.address}))).row(name)
    assert diary.night().row(name) is None
    assert diary.fate(name) == ("retired", [name])
    assert diary.id_of(other)


def test_what_is_on_no_listing_but_answers_is_never_retired() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    name = diary.id_of(diary.nodes[0])
    diary.nodes[0].themes = set()
    row = diary.nights(10).row(name)
    assert row
    assert (row["state"], row["absent_nights"], row["title"]) == ("unlisted", 0, "Friche et vélos")


def test_a_listing_that_was_not_read_takes_nothing_off_it() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    one, two = diary.nodes
    names = diary.id_of(one), diary.id_of(two)
    one.themes = {"Mobilités", "Eau"}
    diary.night()
    rows = [diary.night(Weather(cut={"Mobilités": 0})).row(name) for name in names]
    assert [(row["state"], row["themes"]) for row in rows if row] == [
        ("listed", ["Eau", "Mobilités"]),
        ("listed", ["Mobilités"]),
    ]
    one.themes, two.themes = {"Mobilités"}, set()
    row = diary.night(Weather(cut={"Mobilités": 0})).row(names[0])
    assert row
    assert row["themes"] == ["Mobilités"]  # the other listing was read, and does not show it
    rows = [diary.night().row(name) for name in names]
    assert [(row["state"], row["themes"]) for row in rows if row] == [("listed", ["Mobilités"]), ("unlisted", [])]


def test_one_whose_address_leads_to_another_becomes_that_one() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    one, two = diary.nodes
    names = diary.id_of(one), diary.id_of(two)
    delete(diary, one)
    diary.site.redirects[one.address] = two
    diary.nights(RETIRE_AFTER)
    assert diary.row(names[0]) is None
    assert diary.fate(names[0]) == ("merged", [names[1]])


def test_one_whose_address_was_given_to_another_does_not_become_that_one_when_it_moves_on() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Fonds territorial", THIRD), has_shortlinks=False).night()
    node = diary.nodes[0]
    name, address = diary.id_of(node), node.address
    delete(diary, node)
    heir = diary.enter("Clauses sociales", OTHER, address)
    diary.night()
    move(heir, "plus-loin")
    diary.site.closed.pop(address, None)
    diary.site.redirects[address] = heir
    row = diary.night().row(name)
    assert row
    assert row["state"] == "not_found"
    diary.nights(RETIRE_AFTER)
    assert diary.fate(name) == ("retired", [name])


def test_an_id_that_became_another_does_not_come_back_with_another_resource_at_its_address() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    one, two = diary.nodes
    name, target = diary.id_of(one), diary.id_of(two)
    delete(diary, one)
    diary.site.redirects[one.address] = two
    diary.nights(RETIRE_AFTER)
    third = diary.enter("Fonds territorial", THIRD, one.address)
    diary.night()
    assert diary.id_of(third) not in (name, target)
    assert diary.fate(name) == ("merged", [target])
    # the same words elsewhere are the resource itself
    again = diary.enter(one.title, one.body)
    diary.night()
    assert diary.id_of(again) == name
    assert diary.fate(name) == ("kept", [name])


@pytest.mark.parametrize("told_on", range(1, RETIRE_AFTER + 1))
@pytest.mark.parametrize("later", [0, 2])
def test_an_id_that_became_another_comes_back_by_its_words_whenever_its_address_led_there(
    told_on: int, later: int
) -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER), has_shortlinks=False).night()
    one, two = diary.nodes
    name, target = diary.id_of(one), diary.id_of(two)
    delete(diary, one)
    diary.nights(told_on - 1)
    del diary.site.closed[one.address]
    diary.site.redirects[one.address] = two
    diary.nights(RETIRE_AFTER - told_on + 1)
    assert diary.fate(name) == ("merged", [target])
    if later:
        del diary.site.redirects[one.address]
        diary.site.closed[one.address] = 404
    diary.nights(later)
    again = diary.enter(one.title, one.body, f"{HOST}/ailleurs")
    diary.night()
    assert diary.id_of(again) == name


@pytest.mark.parametrize("nights", [1, 2, 6])
def test_what_comes_back_has_its_id_and_a_second_interval(nights: int) -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    node = diary.nodes[0]
    name = diary.id_of(node)
    delete(diary, node)
    diary.nights(nights)
    back = diary.enter(node.title, node.body, f"{node.address}-0")
    diary.night()
    assert diary.id_of(back) == name
    titles = [row for row in diary.now.history if (row["resource_id"], row["field"]) == (name, "title")]
    assert [row["is_open"] for row in titles] == ([True] if nights < RETIRE_AFTER else [False, True])
    row = diary.row(name)
    assert row
    assert row["first_seen_at"] < START.replace(day=3)


@pytest.mark.parametrize("nights", [0, 1, RETIRE_AFTER])
def test_another_resource_at_an_address_has_an_id_of_its_own(nights: int) -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Fonds territorial", THIRD)).night()
    node = diary.nodes[0]
    name = diary.id_of(node)
    delete(diary, node)
    diary.nights(nights)
    other = diary.enter("Clauses sociales", OTHER, node.address)
    diary.nights(RETIRE_AFTER)
    assert diary.id_of(other) != name
    # its address is no longer its own: it is not found there
    assert diary.row(name) is None
    assert diary.fate(name) == ("retired", [name])
    assert next(row for row in diary.now.ids if row["resource_id"] == diary.id_of(other))["fate"] == "kept"


def test_one_that_moved_is_found_although_another_stands_where_it_was() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Fonds territorial", THIRD), has_shortlinks=False).night()
    node = diary.nodes[0]
    name, address = diary.id_of(node), node.address
    move(node, "ailleurs")
    other = diary.enter("Clauses sociales", OTHER, address)
    diary.night()
    assert diary.id_of(node) == name
    assert diary.id_of(other) != name


def test_a_title_that_is_given_again_brings_nothing_back() -> None:
    title = "Quimper rachète sa gare : ateliers, brasserie, recyclerie, fournil et cinéma associatif"
    diary = Diary((title, TEXT), ("Fonds territorial", THIRD), has_shortlinks=False).night()
    node = diary.nodes[0]
    name = diary.id_of(node)
    delete(diary, node)
    diary.nights(RETIRE_AFTER)
    other = diary.enter(title, OTHER, f"{HOST}/tout-autre")
    diary.night()
    (pair,) = (row for row in diary.now.pairs if name in (row["left"], row["right"]))
    assert (pair["verdict"], pair["held"]) == ("same", "other text")
    assert diary.id_of(other) != name


def test_an_address_that_was_left_brings_nothing_back_without_its_text() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Fonds territorial", THIRD)).night()
    node = diary.nodes[0]
    name, address = diary.id_of(node), node.address
    move(node, "ailleurs")
    diary.night()
    other = diary.enter("Friche sans vélos", OTHER, address)
    delete(diary, node)
    diary.night()
    assert diary.id_of(other) != name


# --- a person's word ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["records", "resources"])
def test_a_person_joins_two_and_takes_it_back(kind: str) -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Clauses sociales", OTHER)).night()
    one, two = diary.nodes
    names = diary.id_of(one), diary.id_of(two)
    named = names if kind == "resources" else (diary.record_of(one), diary.record_of(two))
    diary.judge(*named, "same")
    diary.night()
    assert diary.id_of(one) == diary.id_of(two) == min(names)
    assert diary.fate(max(names)) == ("merged", [min(names)])
    diary.judge(*named, "withdrawn")
    diary.night()
    assert (diary.id_of(one), diary.id_of(two)) == names


def test_a_person_parts_two_that_read_the_same() -> None:
    diary = Diary(("Friche et vélos", TEXT)).night()
    one = diary.nodes[0]
    two = diary.enter(one.title, one.body)
    name = diary.night().id_of(one)
    assert diary.id_of(two) == name
    diary.judge(diary.record_of(one), diary.record_of(two), "different")
    diary.night()
    assert diary.id_of(one) == name
    assert diary.id_of(two) != name
    assert diary.fate(name) == ("split", [name, diary.id_of(two)])


def test_a_person_may_say_that_what_reads_otherwise_is_what_was_gone() -> None:
    diary = Diary(("Friche et vélos", TEXT), ("Fonds territorial", THIRD)).night()
    node = diary.nodes[0]
    name = diary.id_of(node)
    delete(diary, node)
    diary.nights(RETIRE_AFTER)
    other = diary.enter("Clauses sociales", OTHER)
    assert diary.night().id_of(other) != name
    junior = diary.id_of(other)
    diary.judge(name, junior, "same")
    diary.night()
    assert diary.id_of(other) == name
    assert diary.fate(junior) == ("merged", [name])


# --- copies ---------------------------------------------------------------------------------------------------------

TEXTS = Path(__file__).parent / "pages" / "text" / "rtes-listing.txt"


def test_a_text_copy_and_an_html_copy_of_one_resource_meet(tmp_path: Path) -> None:
    source, data = read_source(source_file(tmp_path, None)), tmp_path / "data"
    import_copy(source, data, TEXTS, LISTING, datetime(2023, 1, 2, tzinfo=UTC))
    rebuild(source, data)
    release = latest_release(Layout(data, source.name))
    assert release
    before = {row["title"]: row for row in release.rows("resources")}
    title = next(name for name in before if "112" in name)
    record = next(row for row in release.rows("records") if row["title"] == title)
    paragraphs = "".join(f"<p>{text}</p>" for text in record["resume"].split("\n\n"))
    page = tmp_path / "page.html"
    page.write_text(
        f"<html><body><h1>Copie</h1><article><h2><a href='/fiche-112'>{title}</a></h2><div>{paragraphs}"
        f"<div><b>Type de ressource</b><i>Ressources RTES</i></div><div><b>Ressource privée</b><i>Non</i></div>"
        f"<div><b>Résumé</b>{paragraphs}</div></div></article></body></html>",
        encoding="utf-8",
    )
    import_copy(source, data, page, f"{LISTING}?page=9", datetime(2024, 1, 2, tzinfo=UTC))
    rebuild(source, data)
    release = latest_release(Layout(data, source.name))
    assert release
    after = {row["title"]: row for row in release.rows("resources")}
    assert after.keys() == before.keys()
    assert after[title]["resource_id"] == before[title]["resource_id"]
    assert (before[title]["url"], after[title]["url"]) == (None, "https://rtes.example/fiche-112")
    assert after[title]["record_count"] == 2


# --- what is alike --------------------------------------------------------------------------------------------------


def test_two_texts_of_one_language_are_not_alike() -> None:
    assert not is_text_alike(" ".join(TEXT), " ".join(OTHER))
    assert is_text_alike(" ".join(TEXT), TEXT[0])
    assert is_text_alike(" ".join(TEXT), " ".join([OTHER[0], TEXT[1]]))
    assert is_text_alike("Le texte de Gamma.", "Le nouveau texte de Gamma.")
    # words that every page of a site uses
    common = "avec les collectivités dans leurs territoires pour cette économie sociale"
    assert not is_text_alike(f"{TEXT[0]} {common}", f"{OTHER[0]} dans ces territoires, cette économie avec leurs élus")


def test_at_one_address_either_title_or_text_tells_and_after_an_absence_the_text() -> None:
    assert is_another("Friche", TEXT[0], "Clauses", OTHER[0])
    assert not is_another("Friche", TEXT[0], "Friche", OTHER[0])
    assert not is_another("Friche", TEXT[0], "La friche et ses vélos", "")
    assert is_another("Friche", TEXT[0], "Clauses", "")
    assert not is_another_led_to("Friche", TEXT[0], "Clauses", "")
    assert is_another_led_to("Friche", TEXT[0], "Clauses", OTHER[0])
    assert is_another("Appel à projets : friches et gares", TEXT[0], "Appel à projets : marchés et voirie", OTHER[0])
    assert is_another_after_absence("Friche", TEXT[0], "Friche", OTHER[0])
    assert not is_another_after_absence("Friche", TEXT[0], "Clauses", TEXT[0])
    assert not is_another_after_absence("Friche", "", "Friche", OTHER[0])

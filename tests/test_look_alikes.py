"""Two resources of one text, told apart by a word of their titles: what is left to a person, and what stays one."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from dedup.clashing import Clash
from dedup.deciding import COLUMNS, DEFAULT_DECIDE_RULES, decide, judge
from dedup.items import Item
from dedup.matching import match
from dedup.titling import read_title

SITE = "https://rtes.example"
TEXT = (
    "Le document présente le cadre juridique, des retours d'expérience et des outils pour les agents et les élus qui "
    "soutiennent les structures de leur territoire. Il se télécharge en ligne."
)
BOILERPLATE = "Compte rendu réservé aux adhérents."
OTHERS = (
    "la rénovation des écoles", "le schéma cyclable", "la restauration collective", "la tarification de l'eau",
    "les jardins partagés", "la mutuelle communale", "le réemploi des matériaux", "le chauffage des gymnases",
)  # fmt: skip
# two titles, each with words of its own, all else equal
ORDINARY = (
    ("Appel à projets : volet investissement", "Appel à projets : volet fonctionnement"),
    ("Webinaire : les clauses sociales", "Webinaire : les clauses environnementales"),
    ("Formation des maires : niveau débutant", "Formation des maires : niveau avancé"),
    ("Modèle d'acte : entrée au capital d'une coopérative", "Modèle d'acte : sortie du capital d'une coopérative"),
    ("Observatoire de l'entraide locale : les associations", "Observatoire de l'entraide locale : les mutuelles"),
    ("Les monnaies locales : mode d'emploi des habitants", "Les monnaies locales : mode d'emploi des commerçants"),
    ("Étude d'impact du dispositif - synthèse", "Étude d'impact du dispositif - rapport complet"),
)


def beside(left: str, right: str, text: str = TEXT, *, other: str | None = None) -> list[Item]:
    """Two records at two addresses of one night, in a catalogue of others; other: the text of the second."""
    rest = [
        Item(f"o{n}", f"Retour d'expérience sur {s}", f"La collectivité raconte {s}, pas à pas.", url=f"{SITE}/o{n}")
        for n, s in enumerate(OTHERS)
    ]
    texts = text, text if other is None else other
    titles = left, right
    return [Item(f"k{n}", titles[n], texts[n], type="Guide", url=f"{SITE}/k{n}") for n in range(2)] + rest


def found(items: list[Item]) -> tuple[bool, dict[str, Any]]:
    """Whether k0 and k1 are one, and the row on them."""
    matching = match(items)
    row = next(row for row in matching.pairs.rows() if {row["left"], row["right"]} == {"k0", "k1"})
    again = decide(row, row["needed"], DEFAULT_DECIDE_RULES)
    assert (again.score, again.verdict, again.rule) == (row["score"], row["verdict"], row["rule"])
    return any({"k0", "k1"} <= set(keys) for keys in matching.clusters), row


def changed(items: list[Item], **first: Any) -> list[Item]:
    """The same with other attributes of the first record."""
    return [replace(items[0], **first), *items[1:]]


@pytest.mark.parametrize(("left", "right"), ORDINARY)
@pytest.mark.parametrize("text", [TEXT, BOILERPLATE])
def test_two_addresses_whose_titles_have_words_of_their_own_are_left_to_a_person(
    left: str, right: str, text: str
) -> None:
    is_one, row = found(beside(left, right, text))
    assert not is_one
    assert row["verdict"] == "unsure"
    if text == TEXT:
        assert (row["rule"], row["flips_at"]) == ("other title", None)
        assert row["score"] >= row["needed"]


@pytest.mark.parametrize(("left", "right"), ORDINARY[:3])
def test_a_word_edited_in_the_title_of_one_copy_parts_no_two_that_were_one(left: str, right: str) -> None:
    items = [replace(item, known_as="r1") if item.key in ("k0", "k1") else item for item in beside(left, right)]
    assert found(items)[0]


@pytest.mark.parametrize(("left", "right"), ORDINARY[:3])
def test_what_the_site_does_not_give_as_two_is_joined_by_its_text(left: str, right: str) -> None:
    items = beside(left, right)
    pair = [replace(item, url=None) for item in items[:2]]
    assert found([*pair, *items[2:]])[0]
    listed = [replace(item, night="n1", listing=place) for item, place in zip(pair, "ab", strict=True)]
    assert found([*listed, *items[2:]])[0]
    assert found([pair[0], *items[1:]])[0]


@pytest.mark.parametrize("is_linked", [True, False])
def test_what_one_page_states_twice_is_two_without_an_address_too(is_linked: bool) -> None:  # noqa: FBT001
    items = beside(*ORDINARY[0])
    first = replace(items[0], url=None, pages=("a n1", "b n1"))
    second = replace(items[1], url=items[1].url if is_linked else None)
    is_one, row = found([first, replace(second, pages=("b n1",)), *items[2:]])
    assert (is_one, row["rule"]) == (False, "other title")
    assert found([first, replace(second, pages=("b n2",)), *items[2:]])[0]


def test_one_that_is_gone_has_no_heir_in_a_page_of_another_title_at_another_address() -> None:
    for left, right in ORDINARY:
        gone = {"url": None, "night": "before", "known_as": "r1"}
        is_one, row = found(changed(beside(left, right), **gone, was_at=f"{SITE}/old"))
        assert (is_one, row["verdict"], row["rule"]) == (False, "unsure", "other title")
        # one that never had an address, or whose own it is, is told by its words
        assert found(changed(beside(left, right), **gone))[0]
        assert found(changed(beside(left, right), **gone, was_at=f"{SITE}/k1"))[0]


def test_a_title_worded_anew_from_the_text_is_no_other_title() -> None:
    text = "Le Pays de Guingamp a créé une plateforme de mobilité solidaire où des bénévoles conduisent des personnes."
    assert found(beside("Mobilité solidaire en Pays de Guingamp", "Guingamp : des bénévoles au volant", text))[0]
    assert found(beside("Guide des garages solidaires", "Guide des garages solidaires (réédition)"))[0]
    assert found(beside("Mobilité dans le Pays de Guingamp", "Mobilité au Pays de Guingamp", text))[0]


def test_words_that_both_texts_state_tell_in_one_place_of_both_titles() -> None:
    text = "L'appel a deux volets, investissement et fonctionnement ; les dossiers sont à déposer en ligne chaque mois."
    titles = "Appel à projets : volet investissement", "Appel à projets : volet fonctionnement"
    is_one, row = found(beside(*titles, text))
    assert (is_one, row["rule"]) == (False, "other title")
    # and not where the second was worded anew
    assert found(beside(titles[0], "Fonctionnement : déposer un dossier d'appel à projets, second volet", text))[0]


def test_a_third_copy_does_not_join_two_of_other_titles() -> None:
    left, right = ORDINARY[1]
    items = changed(beside(left, right), known_as="r1")
    third = Item("k2", "Webinaire : les clauses", TEXT, type="Guide", url=f"{SITE}/k2", known_as="r1")
    clusters = match([*items, third]).clusters
    assert ["k0", "k2"] in clusters
    assert ["k1"] in clusters


def test_an_other_title_is_no_reason_to_join_what_the_score_would_not() -> None:
    row = dict.fromkeys(COLUMNS, 0.0) | {"clash": float(Clash.TITLE), "has_text": 1.0, "shared": 9.0}
    verdicts = {score: judge(row, score, 1.25, DEFAULT_DECIDE_RULES) for score in (1.25, 1.2, -1.7, -1.8)}
    assert [(v.verdict, v.rule) for v in verdicts.values()] == [
        ("unsure", "other title"), ("unsure", "score"), ("unsure", "score"), ("different", "score")
    ]  # fmt: skip
    assert judge(row, 9.0, inf, DEFAULT_DECIDE_RULES).rule == "known apart"


# --- names, parts and numbers in titles -----------------------------------------------------------------------------

# two titles, and what tells them apart
NAMED = (
    ("Appel à projets ESS de Saint-Denis", "Appel à projets ESS de Saint-Ouen", "names"),
    ("Panorama de l'ESS en Normandie", "Panorama de l'ESS en Nouvelle-Aquitaine", "names"),
    ("Entretien avec Jean Dupont, maire", "Entretien avec Jean Dupond, maire", "names"),
    ("Replay - Les mardis de l'ESS : Bretagne", "Replay - Les mardis de l'ESS : Occitanie", "names"),
    ("Tiers-lieu Le Moulin, Aubenas", "Tiers-lieu Le Moulin, Arles", "names"),
    ("Le PTCE du Grand Albigeois", "Le PTCE du Grand Avignon", "names"),
    ("Appel à projets de la Savoie", "Appel à projets de la Haute-Savoie", "names"),
    ("Panorama de l'ESS dans la Loire", "Panorama de l'ESS dans la Haute-Loire", "names"),
    ("L'ESS en Franche-Comté", "L'ESS en Bourgogne-Franche-Comté", "names"),
    ("Guide des achats - tome I", "Guide des achats - tome II", "numbers"),
    ("Modèle de cahier des charges - lot A", "Modèle de cahier des charges - lot B", "numbers"),
    ("Cahier des clauses, partie A : travaux", "Cahier des clauses, partie C : travaux", "numbers"),
    ("Podcast, épisode un : habiter", "Podcast, épisode deux : habiter", "numbers"),
    ("Cahier des clauses - lot A du marché", "Cahier des clauses - lot B du marché", "numbers"),
    ("Cahier des clauses « C »", "Cahier des clauses « D »", "numbers"),
    ("Cahier des clauses (a)", "Cahier des clauses (b)", "numbers"),
)


@pytest.mark.parametrize("is_addressed", [True, False])
@pytest.mark.parametrize(("left", "right", "clash"), NAMED)
def test_titles_that_name_two_places_persons_or_parts_are_two(
    left: str,
    right: str,
    clash: str,
    is_addressed: bool,  # noqa: FBT001
) -> None:
    items = beside(left, right)
    is_one, row = found(items if is_addressed else [*(replace(item, url=None) for item in items[:2]), *items[2:]])
    assert (is_one, row["verdict"], row["rule"]) == (False, "different", f"clash of {clash}")
    # what was one the night before is parted by a fact all the same
    assert not found([*(replace(item, known_as="r1") for item in items[:2]), *items[2:]])[0]


def test_a_name_of_several_parts_is_the_same_name_however_it_is_joined() -> None:
    assert found(beside("Panorama de la Haute-Savoie", "Panorama de la Haute Savoie"))[0]
    assert found(beside("Rencontre à Saint-Denis", "Rencontre à Saint-Denis et à Saint-Ouen"))[0]
    assert found(beside("Fiche de l'entraide locale, tome I", "Fiche d'entraide locale, tome 1"))[0]
    text = f"La Haute-Savoie raconte. {TEXT}"
    assert found(beside("Panorama de la Savoie", "Panorama de la Haute-Savoie", text))[0]


def test_a_name_in_the_place_of_another_that_only_one_of_them_states_elsewhere_is_no_clash() -> None:
    text = f"Le pôle de Figeac réunit soixante structures. {TEXT}"
    assert found(beside("Le pôle solidaire de Figeac", "Le pôle solidaire des Figeacteurs", text))[0]
    text = f"Étapes à Figeac et à Cahors. {TEXT}"
    assert found(beside("Le pôle solidaire de Figeac", "Le pôle solidaire de Cahors", text))[1]["rule"] == (
        "clash of names"
    )


@pytest.mark.parametrize(
    ("title", "words", "names", "compounds"),
    [
        ("Appel ESS de Saint-Denis", "appel ess de saint denis", "appel denis ess saint", "saint denis"),
        ("Nouvelle-Aquitaine", "nouvelle aquitaine", "aquitaine nouvelle", "nouvelle aquitaine"),
        ("LE PANORAMA DES LIEUX DE HAUTE-SAVOIE", "le panorama des lieux de haute savoie", "", ""),
        ("Learning Bayesian Networks from Noisy Data", "learning bayesian networks from noisy data", "", ""),
        ("Tiers-lieu Le Moulin, Aubenas", "tiers lieu le moulin aubenas", "aubenas moulin tiers", ""),
        ("Replay : A la rencontre de Lyon", "replay a la rencontre de lyon", "lyon replay", ""),
        ("Cahier - lot A", "cahier lot A", "cahier", ""),
        ("Lot A - Gros œuvre", "lot A gros oeuvre", "gros lot", ""),
        ("Le plan B des communes", "le plan B des communes", "", ""),
        ("Guide A l'usage des élus", "guide a l usage des elus", "guide", ""),
        ("Étude de J. Dupont sur la R & D", "etude de j dupont sur la r d", "dupont etude", ""),
        ("Vitamine C-réactive et N° 12", "vitamine c reactive et n 12", "vitamine", ""),
        ("Épisode un : habiter un lieu", "episode 1 habiter un lieu", "episode", ""),
        ("Article vingt et un", "article 21", "article", ""),
        ("Guide des achats, tome I", "guide des achats tome 1", "guide", ""),
        ("Annexe (C) et fiche n° D", "annexe C et fiche n D", "annexe", ""),
        ("", "", "", ""),
    ],
)  # fmt: skip
def test_a_title_is_read_as_words_names_and_parts(title: str, words: str, names: str, compounds: str) -> None:
    read = read_title(title)
    assert " ".join(read.words) == words
    assert " ".join(sorted(read.names)) == names
    assert " ".join(" ".join(name) for name in read.compounds) == compounds


# --- what is gone, and a look-alike at another address --------------------------------------------------------------

CALL = (
    "La Métropole lance un appel à projets pour soutenir les initiatives de la Ville de Pantin en 2021. Les dossiers "
    "sont à déposer avant le 30 avril 2021 ; l'enveloppe est de 150 000 euros, sans condition."
)
FACTS = {
    "year": ("en 2021", "en 2022"),
    "month": ("avril", "mai"),
    "amount": ("150 000", "200 000"),
    "place": ("de Pantin", "de Bagnolet"),
    "negation": ("sans condition", "sous condition"),
}


def after_absence(other: str, **first: Any) -> list[Item]:
    """One that is on no page tonight, and a new page of the same title and of another text."""
    gone = {"url": None, "night": "before", "known_as": "r1", "was_at": f"{SITE}/2021"}
    return changed(beside("Appel à projets", "Appel à projets", CALL, other=other), **{**gone, **first})


@pytest.mark.parametrize("kind", FACTS)
def test_next_years_page_at_another_address_is_no_heir_of_one_that_is_gone(kind: str) -> None:
    other = CALL.replace(*FACTS[kind])
    is_one, row = found(after_absence(other))
    assert (is_one, row["verdict"], row["rule"], row["flips_at"]) == (False, "unsure", "other facts", None)
    assert row["score"] >= row["needed"]
    # at its own address, or where it never had one, or on two real nights, it was edited
    assert found(after_absence(other, was_at=f"{SITE}/k1"))[0]
    assert found(after_absence(other, was_at=None))[0]
    nights = [replace(item, night=f"n{n}", listing="a") for n, item in enumerate(after_absence(other, was_at=None)[:2])]
    assert found(nights)[0]


@pytest.mark.parametrize(("before", "after"), [("soutenir", "aider"), ("Les dossiers", "Tous les dossiers")])
def test_a_page_that_moved_without_a_trace_and_was_edited_in_an_ordinary_word_is_found_again(
    before: str, after: str
) -> None:
    items = after_absence(CALL.replace(before, after))
    known = Item("o8", "Aide à la mobilité", "Comment aider et soutenir : tous les dossiers.", url=f"{SITE}/o8")
    assert found([*items, known])[0]


def test_a_third_does_not_join_what_is_gone_and_a_page_of_other_facts() -> None:
    items = after_absence(CALL.replace("2021", "2022"))
    third = Item("k2", "Appel à projets", f"{CALL.partition('.')[0]}.", type="Guide", url=f"{SITE}/k2")
    assert not any({"k0", "k1"} <= set(keys) for keys in match([*items, third]).clusters)


# --- numbers written in two ways ------------------------------------------------------------------------------------

SAME_NUMBERS = (
    ("vingt", "20"), ("cent vingt", "120"), ("dix-sept", "17"), ("mille", "1 000"), ("1000", "1 000"),
    ("1 500", "1500"), ("deux", "2"), ("40 %", "quarante pour cent"), ("40 %", "40 pour cent"), ("1,5", "1.5"),
    ("150 000 euros", "150 000 €"), ("deux cent mille", "200 000"), ("quatre-vingts", "80"), ("vingt et un", "21"),
    ("un", "1"), ("premier", "1er"), ("première", "1ère"), ("troisième", "3e"), ("20h", "20 heures"),
)  # fmt: skip
OTHER_NUMBERS = (
    ("vingt", "30"), ("cent vingt", "130"), ("cent vingt", "vingt"), ("1 200", "200"), ("1000", "10 000"),
    ("quarante", "quarante-deux"), ("deux cent mille", "200"), ("premier", "2e"), ("40 pour cent", "40 euros"),
    ("vingt", "21"), ("12", "14"), ("un", "2"),
)  # fmt: skip


def with_number(number: str, other: str) -> list[Item]:
    """Two copies of one text in which a number is written in two ways."""
    text = f"Le guide des achats responsables présente les outils des acheteurs et s'appuie sur {{}} avis reçus. {TEXT}"
    title = "Guide des achats responsables"
    return beside(title, title, text.format(number), other=text.format(other))


@pytest.mark.parametrize(("number", "other"), SAME_NUMBERS)
def test_one_number_written_in_two_ways_parts_no_copies(number: str, other: str) -> None:
    for items in (with_number(number, other), with_number(other, number)):
        assert found(items)[0]


@pytest.mark.parametrize(("number", "other"), OTHER_NUMBERS)
def test_two_numbers_part_two_copies_however_they_are_written(number: str, other: str) -> None:
    for items in (with_number(number, other), with_number(other, number)):
        is_one, row = found(items)
        assert (is_one, row["rule"]) == (False, "clash of text")


def test_a_number_that_only_one_text_states_is_no_clash() -> None:
    assert found(with_number("douze", "douze ou 14"))[0]
    assert found(with_number("12", "12, soit 100 %, des"))[0]


AMOUNTS = (
    "La régie avance aux porteurs {} de la dépense éligible, et le solde quand les travaux sont reçus par la commune."
)


@pytest.mark.parametrize(
    ("left", "right"),
    [("40 %", "40 €"), ("40 pour cent", "40 euros"), ("5 k€", "5 k%")],
)
def test_a_share_is_no_amount_of_money(left: str, right: str) -> None:
    title = "Aide aux travaux des cafés associatifs"
    texts = AMOUNTS.format(left), AMOUNTS.format(right)
    assert not found(beside(title, title, texts[0], other=texts[1]))[0]
    assert not found(beside(f"{title} : {left}", f"{title} : {right}"))[0]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("40 %", "40%"),
        ("40 %", "40 pour cent"),
        ("40 €", "40 euros"),
        ("40\u00a0€", "quarante euros"),
        ("1 €", "1 euro"),
    ],
)
def test_a_unit_is_one_however_it_is_written(left: str, right: str) -> None:
    title = "Aide aux travaux des cafés associatifs"
    texts = AMOUNTS.format(left), AMOUNTS.format(right)
    assert found(beside(title, title, texts[0], other=texts[1]))[0]
    assert found(beside(f"{title} : {left}", f"{title} : {right}"))[0]

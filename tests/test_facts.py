"""What counts as a fact, and which texts state the same."""

# ruff: noqa: E501 - tables of cases are read by line

from __future__ import annotations

import pytest

from dedup.facts import differ, facts, includes
from dedup.numerals import read_number, read_ordinal
from dedup.tokens import even_tokens
from dedup.wording import is_slip
from schema.folding import fold


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        ("vingt", "20"), ("vingt et un", "21"), ("soixante-dix", "70"), ("soixante et onze", "71"), ("soixante-dix-huit", "78"),
        ("quatre-vingts", "80"), ("quatre-vingt-dix-sept", "97"), ("cent", "100"), ("cent un", "101"), ("deux cents", "200"),
        ("trois cent quarante-deux", "342"), ("mille", "1000"), ("deux mille vingt-trois", "2023"), ("dix-neuf", "19"),
        ("cent quatre-vingt-un", "181"), ("vingt et unième", "21e"), ("quatre-vingtième", "80e"), ("deux-centième", "200e"),
        ("septante-cinq", "75"), ("nonante-neuf", "99"), ("zéro", "0"), ("douze mille cinq cents", "12500"),
    ],
)  # fmt: skip
def test_numbers_in_letters_are_read(words: str, figures: str) -> None:
    assert even_tokens(words) == [figures]


@pytest.mark.parametrize("words", ["un", "une", "un guide", "des dizaines", "demi"])
def test_articles_and_rounded_counts_are_no_numbers(words: str) -> None:
    assert even_tokens(words) == words.split()


def test_two_numbers_side_by_side_stay_two() -> None:
    assert even_tokens("deux trois") == ["2", "3"]
    assert even_tokens("cent et deux") == ["100", "et", "2"]
    assert even_tokens("vingt et trente") == ["20", "et", "30"]


def test_nothing_is_read_where_no_number_stands() -> None:
    assert read_number(["le", "guide"], 0) == ("", 0)


@pytest.mark.parametrize(
    ("word", "rank"),
    [
        ("3e", 3),
        ("3ème", 3),
        ("1er", 1),
        ("1re", 1),
        ("2nd", 2),
        ("troisième", 3),
        ("première", 1),
        ("3d", None),
        ("guide", None),
    ],
)
def test_ranks_are_read(word: str, rank: int | None) -> None:
    assert read_ordinal(word) == rank


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("20 pages", "vingt pages"), ("1 000 pages", "mille pages"), ("1\u202f000", "1000"), ("la 3e", "la troisième"), ("5 %", "5\xa0%"),
        ("cinq pour cent", "5 %"), ("40 000 €", "40000 euros"), ("20h30", "20 h 30"), ("20 heures", "20 h"), ("l’État", "l'Etat"),
        ("la Région", "la région"), ("1er", "premier"), ("2,5", "2,5"), ("–3 °C", "-3 °C"), ("un guide", "le guide"), ("LE GUIDE", "le guide"),
    ],
)  # fmt: skip
def test_the_same_facts_are_seen_in_two_spellings(left: str, right: str) -> None:
    assert not differ(facts(left), facts(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("20 pages", "21 pages"), ("5 %", "5 €"), ("-3", "3"), ("2,5", "25"), ("10²", "102"), ("5 km", "5 m"), ("5 M€", "5 k€"),
        ("3 mai", "3 mars"), ("lundi", "mardi"), ("3e", "4e"), ("3e", "3"), ("tome II", "tome III"), ("XXe", "XXIe"), ("pas", ""),
        ("n'est", "est"), ("sans", "avec"), ("aucune", "une"), ("il ne vient plus", "il vient"), ("sauf", ""), ("contre", "pour"),
        ("à Lyon", "à Laon"), ("le RTES", "le RTS"), ("M. Petit", "M. Petot"), ("https://a.example/1", "https://a.example/2"),
        ("a@b.example", "c@b.example"), ("< 5", "> 5"), ("dons ou prêts", "dons et prêts"), ("CO2", "CO3"), ("2 millions", "2"),
        ("des dons", "quelques dons"), ("avant", "après"), ("Brévannes", "Brevannes"),
    ],
)  # fmt: skip
def test_different_facts_are_seen(left: str, right: str) -> None:
    assert differ(facts(left), facts(right))
    assert differ(facts(right), facts(left))


def test_what_is_left_out_is_no_difference() -> None:
    longer = facts("Réunis à Lyon le 3 mai 2022, 40 000 € votés, sans réserve")
    assert includes(longer, facts("Réunis à Lyon le 3 mai"))
    assert not includes(longer, facts("Réunis à Laon le 3 mai"))
    assert not includes(longer, facts("40 000"))
    assert includes(longer, facts("40 000"), is_cut=True)
    assert not includes(longer, facts("40"), is_cut=True)


def test_a_text_holds_its_own_facts() -> None:
    text = facts("Le 12 mai 2022, 3e édition à Brévannes-sur-Loue : 5 % n’ont pas voté, voir https://a.example/x.")
    assert includes(text, text)
    assert not differ(text, text)
    assert text.addresses == ("https://a.example/x",)
    assert text.ranks == ("3e",)
    assert text.dates == ("mai",)
    assert text.amounts == ("12", "2022", "5 %")
    assert text.negations == ("n'", "pas")


def test_an_empty_text_states_nothing() -> None:
    assert facts("") == facts(" … ")


@pytest.mark.parametrize(
    ("left", "right"),
    [("expérience", "expérence"), ("développement", "dévelopement"), ("territoires", "terrtoires"), ("règlement", "reglement"),
     ("adhérent", "adhérente"), ("marchés", "marché"), ("territorial", "territoriaux"), ("collectivités", "collectivtiés"), ("État", "Etat"),
     ("présente", "présentent"), ("Région", "région"), ("convention", "covnention")],
)  # fmt: skip
def test_slips_are_told(left: str, right: str) -> None:
    assert is_slip(left, right)
    assert is_slip(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [("légal", "illégal"), ("possible", "impossible"), ("centralisé", "décentralisé"), ("régulier", "irrégulier"), ("emploi", "réemploi"),
     ("acteurs", "auteurs"), ("précision", "prévision"), ("salaire", "salarié"), ("mandat", "mandant"), ("porte", "poste"), ("Lyon", "Laon"),
     ("Durand", "Durant"), ("organisme", "organise"), ("formation", "information"), ("devait", "devrait"), ("actif", "inactif")],
)  # fmt: skip
def test_changed_words_are_no_slips(left: str, right: str) -> None:
    assert not is_slip(left, right)
    assert not is_slip(right, left)


def test_tokens_are_those_of_the_folded_text() -> None:
    assert even_tokens(fold("R. 2124‑3, 2014–2020 : –3 °C")) == [
        "R",
        ".",
        "2124",
        "-",
        "3",
        ",",
        "2014",
        "-",
        "2020",
        ":",
        "-3",
        "°",
        "C",
    ]

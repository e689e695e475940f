"""Keywords and month are read from one line of a settled form, and from nothing else."""

from datetime import date

import pytest

from parsers.keywords import read_keywords
from schema.nouns import Passage

MAY = date(2022, 5, 1)
THREE = ("emploi", "insertion", "transition énergétique")


def read(*texts: str) -> tuple[tuple[str, ...], date | None]:
    return read_keywords([Passage("paragraph", text) for text in texts])


@pytest.mark.parametrize(
    "line",
    [
        "Mots-clés : emploi ; insertion ; transition énergétique - Mai 2022",
        "Mots-clés : emploi ; insertion ; transition énergétique - mai 2022.",
        "Mots-clés\u00a0: emploi\u00a0; insertion\u00a0; transition\u00a0énergétique\u00a0- Mai\u00a02022",
        "Mots clés : emploi ; insertion ; transition énergétique – MAI 2022",
        "Mot-clé: emploi; insertion; transition énergétique — Mai 2022 .",
        "mots‑cles : emploi;insertion;transition énergétique -Mai 2022",
        "MOTS-CLÉS : emploi ; insertion ; transition énergétique ; Mai 2022",
        "Mots-clefs : emploi, insertion, transition énergétique - Mai 2022",
        "Mots-cle\u0301s : emploi ; insertion ; transition e\u0301nerge\u0301tique - Mai 2022",
        "  Mots-clés :  emploi ; ; insertion ; emploi ; transition énergétique ; - 12 mai 2022",
    ],
)
def test_every_spelling_of_the_line_gives_the_same_words_and_month(line: str) -> None:
    words, month = read(line)
    assert (words, month) == (THREE, MAY)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("Janvier", 1),
        ("Février", 2),
        ("fevrier", 2),
        ("févr.", 2),
        ("Mars", 3),
        ("AVRIL", 4),
        ("mai", 5),
        ("juin", 6),
        ("Juillet", 7),
        ("Août", 8),
        ("aout", 8),
        ("Septembre", 9),
        ("sept.", 9),
        ("octobre", 10),
        ("novembre", 11),
        ("DÉCEMBRE", 12),
        ("decembre", 12),
    ],
)
def test_every_month_is_known_with_and_without_accents(written: str, number: int) -> None:
    assert read(f"Mots-clés : ruralité - {written} 2021") == (("ruralité",), date(2021, number, 1))


@pytest.mark.parametrize(
    ("line", "words", "month"),
    [
        ("Mots-clés : réemploi ; SCIC ; friche", ("réemploi", "SCIC", "friche"), None),
        ("Mots-clés : Septembre 2021", (), date(2021, 9, 1)),
        ("Mots-clés : - Septembre 2021", (), date(2021, 9, 1)),
        ("Mots-clés : friche - Septembre", ("friche",), None),
        ("Mots-clés : mise-à-disposition ; co-mars", ("mise-à-disposition", "co-mars"), None),
        ("Mots-clés : eau - assainissement ; sol - mai 2022", ("eau - assainissement", "sol"), MAY),
        ("Mots-clés : eau, air et sol ; friche", ("eau, air et sol", "friche"), None),
        ("Mots-clés : plan 2030 ; marché - 2022", ("plan 2030", "marché - 2022"), None),
        ("Mots-clés : l’achat ; L'achat ; l'achat", ("l’achat",), None),
        ("Mots-clés :", (), None),
    ],
)
def test_what_stands_between_the_separators_is_kept_as_written(
    line: str, words: tuple[str, ...], month: date | None
) -> None:
    assert read(line) == (words, month)


@pytest.mark.parametrize(
    "line",
    [
        "Les mots-clés : emploi ; insertion - Mai 2022",
        "Mots-clés utiles pour la recherche ; emploi",
        "Mots d'élus : emploi ; insertion",
        "Relais",
        "",
    ],
)
def test_a_sentence_that_only_mentions_keywords_gives_none(line: str) -> None:
    assert read(line) == ((), None)


def test_the_first_line_that_says_anything_wins() -> None:
    assert read("Relais", "Mots-clés :", "Mots-clés : un - Mai 2022", "Mots-clés : deux - Juin 2022") == (("un",), MAY)


def test_no_passage_gives_none() -> None:
    assert read() == ((), None)

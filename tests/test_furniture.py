"""Lines around a text: left out whatever the number of records on the page, and never all that a record says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.test_parted_fields import Card, listing, parts, require_cards

LINES = (
    "<p class=submitted>Par Anne Le Goff</p>",
    "<div class=stats>{} vues</div>",
    "<div class=media><span>Image</span></div>",
    "<p><strong>Date</strong> : 12/05/2022</p>",
)
NAMES = ("Bourg", "Clisson", "Pornic", "Sautron", "Orvault", "Rezé", "Vertou", "Legé", "Vallet", "Donges")
RESERVED = "Compte rendu réservé aux adhérents. Connectez-vous pour le lire."


def cards(count: int) -> tuple[Card, ...]:
    """Resources each with a text of its own."""
    return tuple(
        Card(f"Titre {n}", "Guides", is_private=False, body=f"Un texte sur {name}.", summary=f"Bref, {name}.")
        for n, name in enumerate(NAMES[:count])
    )


def with_line(line: str, *, is_inside: bool) -> Callable[[Card], str]:
    """A card with a line between its title and its text, inside the box of the fields or above it."""

    def card_of(card: Card) -> str:
        shown, told = parts(card), line.format(100 + int(card.title.split()[1]) * 37)
        above, inside = ("", told) if is_inside else (told, "")
        return f"<article>{shown['h']}{above}<div>{inside}{''.join(shown[x] for x in 'btps')}</div></article>"

    return card_of


@pytest.mark.parametrize("is_inside", [True, False])
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("count", [2, 3, 10])
def test_a_line_is_left_out_on_a_page_of_two_as_on_a_page_of_ten(line: str, count: int, *, is_inside: bool) -> None:
    require_cards(listing(with_line(line, is_inside=is_inside), cards(count)), cards(count))


def test_two_records_that_share_a_paragraph_keep_it() -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        return (
            f"<article>{shown['h']}<p>Le guide en douze fiches</p><p>{card.body}</p>{shown['t']}{shown['p']}</article>"
        )

    read_bodies = [[p.text for p in r.body] for r in listing(card_of, cards(2)).records]
    assert read_bodies == [["Le guide en douze fiches", card.body] for card in cards(2)]


@pytest.mark.parametrize(("same", "summary"), [(8, ""), (8, "En bref, réservé."), (10, "")])
def test_a_text_that_most_records_have_for_their_body_is_their_body(same: int, summary: str) -> None:
    shown = tuple(
        Card(
            f"Titre {n}",
            "Notes",
            is_private=True,
            body=RESERVED if n < same else f"Séance de {NAMES[n]}.",
            summary=summary,
        )
        for n in range(10)
    )
    require_cards(listing(lambda card: f"<article>{''.join(parts(card)[x] for x in 'hbtps')}</article>", shown), shown)

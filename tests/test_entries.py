"""Teasers beside the entries of a page bear the same labels: they are none of its entries."""

from __future__ import annotations

import pytest

from tests.test_parted_fields import CARDS, Card, listing, parts, plain, read, require_cards


def article(card: Card) -> str:
    """An entry with all its fields."""
    return f"<article>{parts(card)['h']}<div>{''.join(parts(card)[x] for x in 'btps')}</div></article>"


def teasers(fields: str, count: int = 3) -> str:
    """Teasers of what is read most, with some of the fields."""
    told = (parts(Card(f"Lu {n}", "Guides", is_private=False, body="", summary="")) for n in range(count))
    return "".join(f"<li>{shown['h']}<div>{''.join(shown[x] for x in fields)}</div></li>" for shown in told)


@pytest.mark.parametrize("fields", ["t", "p", "tp"])
@pytest.mark.parametrize("tag", ["aside", "nav", "div"])
@pytest.mark.parametrize("shown", [CARDS, CARDS[:2], CARDS[:1]])
@pytest.mark.parametrize("is_first", [True, False])
def test_teasers_beside_a_listing_are_no_entries(
    fields: str, tag: str, shown: tuple[Card, ...], *, is_first: bool
) -> None:
    main = f"<main><h1>Liste</h1><div class=rows>{''.join(map(article, shown))}</div></main>"
    side = f"<{tag} class=side><h2>Les plus lues</h2><ul>{teasers(fields)}</ul></{tag}>"
    require_cards(read(side + main if is_first else main + side), shown)


def test_entries_in_an_aside_are_read_where_there_are_no_others() -> None:
    reading = read(f"<main><h1>Liste</h1><aside><ul>{teasers('tp')}</ul></aside></main>")
    assert [r.title for r in reading.records] == ["Lu 0", "Lu 1", "Lu 2"]


def test_an_entry_built_otherwise_is_an_entry_among_the_others() -> None:
    odd = "<section><h2><a href=/x>À part</a></h2><p>Chapeau.</p><ul><li>{t}</li><li>{p}</li></ul></section>"
    odd = odd.format(**parts(Card("À part", "Guides", is_private=False, body="", summary="")))
    reading = listing(lambda card: article(card) if card.title != "Un four à pain" else odd)
    assert [r.title for r in reading.records] == [c.title if c.title != "Un four à pain" else "À part" for c in CARDS]


def test_a_second_long_list_is_a_list_of_entries() -> None:
    main = f"<main><h1>Liste</h1><div>{''.join(map(article, CARDS[:1]))}</div></main>"
    assert len(read(f"{main}<div><ul>{teasers('tp', 12)}</ul></div>").records) == 13


@pytest.mark.parametrize("fields", ["t", "tp"])
@pytest.mark.parametrize("card", [CARDS[0], CARDS[1]])
def test_an_own_page_states_its_own_resource_whatever_teasers_stand_below(fields: str, card: Card) -> None:
    shown = parts(card)
    own = f"<article class=full><div>{''.join(shown[x] for x in 'btps')}</div></article>"
    related = f"<section><h2>Ressources liées</h2><ul>{teasers(fields)}</ul></section>"
    reading = read(f"<main><h1>{card.title}</h1>{own}{related}</main>", is_listing=False)
    require_cards(reading, (card,))
    assert plain(reading.records[0]) == card

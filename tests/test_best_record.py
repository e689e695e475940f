"""Which of several records of one resource gives its row the values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from dedup.collapse import collapse
from dedup.merge import Stated, best_first, tell
from schema.nouns import PageReading, Passage, Reading, Record, Span, Visit
from schema.shelf import MemoryShelf
from tests.judged_site import HOST, OTHERS, SECOND, Site, told
from tests.small_site import LISTING, listing, page_of

FULL = "Le guide présente douze fiches pour les communes. Il a été relu par l'agence régionale."
CUT = "Le guide présente douze fiches pour les communes. Il a été…"
OWN = f"{HOST}/guide"
ROLES = {"own": "resource", "card": "resource", "listing": "listing", "copy": "copy"}


def stated(kind: str, page_url: str, text: str = FULL, position: int = 0, day: int = 5) -> Stated:
    """A record of the guide on a page; kind: own, card (on the page of another), listing or copy."""
    body = (Passage("paragraph", text),) if text else ()
    record = Record(page_url, position, OWN, "Guide", "Guide", None, body, (), (), Span(0, 1))
    visit = Visit(page_url, ROLES[kind], "fetched", fetched_at=datetime(2026, 1, day, tzinfo=UTC))
    name = f"{kind} {page_url} {position}"
    reading = Reading(visit, PageReading(page_url, page_url, records=(record,), parser="p", parser_version="1"))
    return Stated.of(reading, 0, record, name, tell(collapse(body, ()), MemoryShelf()), is_own=kind == "own")


def first(*several: Stated) -> str:
    """The name of the best, whatever the order in which they are given."""
    (name,) = {best_first(order)[0].record_id for order in permutations(several)}
    return name


def test_its_own_page_goes_before_listings_those_before_cards_and_copies_are_last() -> None:
    own, card = stated("own", OWN, CUT), stated("card", f"{HOST}/autre")
    shown, copy = stated("listing", LISTING, CUT), stated("copy", f"{LISTING}?page=9")
    order = [own, shown, card, copy]
    assert first(*order) == own.record_id
    assert first(*order[1:]) == shown.record_id
    assert first(*order[2:]) == card.record_id


@pytest.mark.parametrize("cut_on", [0, 1])
def test_of_two_listings_the_one_that_says_more_counts(cut_on: int) -> None:
    several = [
        stated("listing", url, CUT if cut_on == number else FULL) for number, url in enumerate((LISTING, SECOND))
    ]
    assert first(*several) == several[1 - cut_on].record_id


@pytest.mark.parametrize("place", [("", 3), ("?page=1", 0), ("?page=10", 2)])
def test_no_place_on_a_listing_and_none_of_its_pages_decides(place: tuple[str, int]) -> None:
    page, position = place
    long, short = f"{HOST}/taxonomy/term/40", f"{HOST}/taxonomy/term/4"
    other = stated("listing", long, FULL.replace("douze", "treize"))
    other = replace(other, title="Le guide")
    same_length = stated("listing", f"{short}{page}", FULL.replace("douze", "trente"), position)
    assert first(other, same_length) == same_length.record_id


def test_of_copies_the_newest_counts_though_it_says_less() -> None:
    old, new = stated("copy", f"{LISTING}?page=7", day=2), stated("copy", f"{LISTING}?page=8", CUT, day=3)
    assert first(old, new) == new.record_id


# --- on a site ------------------------------------------------------------------------------------------------------

CARD = (
    "<article><h3><a href='/guide'>Guide des communes</a></h3><div><b>Type de ressource</b><i>Guide</i></div>"
    "<div><b>Ressource privée</b><i>Non</i></div></article>"
)


def test_a_card_on_the_page_of_another_takes_no_words_away(tmp_path: Path) -> None:
    site = Site(tmp_path)
    pages = {LISTING: listing(told("Guide des communes", "guide", FULL), *OTHERS[:2]), SECOND: listing(OTHERS[2])}
    other = OTHERS[2].replace("h2", "h1")
    site.read(
        pages | {f"{HOST}/habitat": page_of(f"<html><body>{other}<section>{CARD}</section></body></html>".encode())}
    )
    pages_read = {row["page_url"] for row in site.rows("records") if row["url"] == OWN}
    assert pages_read == {LISTING}, "a card is no entry of the page of another"
    (row,) = (row for row in site.rows("resources") if row["url"] == OWN)
    assert row["summary"] == FULL


def test_a_tie_that_moves_a_record_between_pages_makes_no_release(tmp_path: Path) -> None:
    first_page, second_page = listing(told("Guide", "guide", CUT), OTHERS[0]), listing(told("Guide", "guide", FULL))
    site = Site(tmp_path)
    site.read({LISTING: first_page, SECOND: second_page})
    (row,) = (row for row in site.rows("resources") if row["url"] == OWN)
    assert row["summary"] == FULL
    verdict = site.read({LISTING: listing(OTHERS[0], told("Guide", "guide", CUT)), SECOND: second_page})
    assert "unchanged" in verdict

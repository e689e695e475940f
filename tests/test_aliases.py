"""Which addresses lead to which: the site of tonight tells, a copy of another day only where the site is silent."""

from __future__ import annotations

from dedup.identity import find_aliases
from schema.nouns import PageReading, Reading, Visit

SITE = "https://rtes.example"
NODE, OLD, NEW = f"{SITE}/node/5", f"{SITE}/fiche-5", f"{SITE}/fiche-6"


def reading(url: str, canonical: str, *others: str, role: str = "known") -> Reading:
    return Reading(Visit(url, role, "imported" if role == "copy" else "fetched"), PageReading(url, canonical, others))


def test_a_page_leads_to_its_canonical_address_and_so_do_its_shortlinks() -> None:
    assert find_aliases([], [reading(OLD, NEW, NODE)]) == {OLD: NEW, NODE: NEW}


def test_an_old_copy_does_not_take_an_address_that_the_site_uses_today() -> None:
    live, copy = reading(NEW, NEW, NODE), reading(OLD, OLD, NODE, role="copy")
    assert find_aliases([live.visit], [live, copy]) == {NODE: NEW}
    assert find_aliases([live.visit], [copy, live]) == {NODE: NEW}
    # that it is not there any more is the site's word too
    gone = Visit(NODE, "known", "not_found")
    assert find_aliases([gone], [copy]) == {}


def test_where_the_site_is_silent_a_copy_tells() -> None:
    assert find_aliases([], [reading(OLD, NEW, NODE, role="copy")]) == {OLD: NEW, NODE: NEW}

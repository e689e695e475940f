"""A resource whose block could not be read tonight has not left the listing that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dedup.states import with_unread
from dedup.unread import find_unread
from schema.nouns import Night, PageReading, Reading, Reject, Visit
from tests.judged_site import HOST, Site, told
from tests.test_states import LISTING, NOW, ROW, URL

TITLE = "Friche à Quimper"
FRICHE = told(TITLE, "friche", "La Ville occupe l'ancienne gare.")
TWO_TYPES = "<div><b>Type de ressource</b><i>Guide</i></div>"


def night_of(*excerpts: str, role: str = "listing") -> Night:
    """A night on whose listing blocks with these words could not be read."""
    rejects = tuple(Reject(LISTING.url, "two_types", "", None, words) for words in excerpts)
    page = PageReading(LISTING.url, LISTING.url, heading="Thème", rejects=rejects)
    return Night(5, NOW, (), (LISTING,), (Reading(Visit(LISTING.url, role, "fetched", fetched_at=NOW), page),))


@pytest.mark.parametrize(
    ("excerpt", "is_found"),
    [
        ("Friche à Quimper Type de ressource Guide", True),
        ("Guide — FRICHE À  QUIMPER", True),
        ("Friche à Quimperlé Type de ressource Guide", False),
        ("Friche", False),
        ("", False),
    ],
)
def test_a_title_in_an_unread_block_names_its_listing(excerpt: str, *, is_found: bool) -> None:
    found = find_unread([{"resource_id": "r1", "title": TITLE}], night_of(excerpt))
    assert found == ({"r1": frozenset({"Thème"})} if is_found else {})


def test_a_short_title_and_other_pages_tell_nothing() -> None:
    assert find_unread([{"resource_id": "r1", "title": "Guide"}], night_of("Type de ressource Guide")) == {}
    assert find_unread([{"resource_id": "r1", "title": TITLE}], night_of(TITLE, role="resource")) == {}


def test_a_theme_stays_where_the_block_could_not_be_read() -> None:
    former = ROW | {"state": "listed", "themes": ["Autre", "Thème"]}
    row: dict[str, Any] = ROW | {"state": "listed", "themes": ["Autre"], "last_seen_at": NOW, "url": URL}
    assert with_unread(row, former, night_of())["themes"] == ["Autre"]
    assert with_unread(row, former, night_of(), {"Thème"})["themes"] == ["Autre", "Thème"]


def test_a_resource_stays_listed_while_its_block_cannot_be_read(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.visit([FRICHE], [])
    broken = FRICHE.replace("<div><b>Type", f"{TWO_TYPES}<div><b>Type", 1)
    assert "unchanged since release 1: 4 resources, 1 rejects" in site.visit([broken], [])
    assert site.visit([broken], []).startswith("mine: unchanged")
    site.visit([], [])
    state = {row["url"]: row["state"] for row in site.rows("resources")}
    assert state == {f"{HOST}/friche": "unlisted"} | dict.fromkeys(state.keys() - {f"{HOST}/friche"}, "listed")
    assert "equal to release 2" in site.rebuild()

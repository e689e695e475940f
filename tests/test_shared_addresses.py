"""An address that several resources share joins none of them: private ones that lead to one page, notes on one page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judged_site import HOST, OTHERS, SECOND, Site, told
from tests.small_site import LISTING, listing, own_page, page_of, redirect

RESERVED = "Compte rendu réservé aux adhérents."
TITLES = ("Compte rendu du groupe mobilités", "Restitution du voyage à Bologne", "Diagnostic foncier de la Sarine")
TEXTS = (RESERVED, RESERVED, "Un diagnostic du foncier agricole, commune par commune.")
HREFS = {
    "one page": ("adherer", "adherer", "adherer"),
    "parts of one page": ("prives#n1", "prives#n2", "prives#n3"),
    "pages that lead to one": ("prive-1", "prive-2", "prive-3"),
}
JOIN = page_of(
    b"<html><head><title>Rejoindre | Centre</title></head><body><h1>Rejoindre le centre</h1>"
    b"<p>Ces pages sont celles des membres du centre.</p><a href='/contact'>Contact</a></body></html>"
)
LED = {f"{HOST}/prive-{n}": redirect("/adherer", "302 Found") for n in (1, 2, 3)} | {f"{HOST}/adherer": JOIN}


def night(site: Site, way: str, shown: tuple[int, ...] = (0, 1, 2), *, is_split: bool = False) -> str:
    """A night on which some of the three stand on one listing, or the first of them on the other."""
    blocks = [told(TITLES[n], HREFS[way][n], TEXTS[n]) for n in shown]
    first, second = (blocks[:1], blocks[1:]) if is_split else (blocks, [])
    pages = {LISTING: listing(*first, *OTHERS[:2]), SECOND: listing(*second, OTHERS[2])}
    return site.read(pages | (LED if way == "pages that lead to one" else {}))


def ids(site: Site) -> dict[str, str]:
    """resource_id by title, of the three that are listed."""
    rows = [row for row in site.rows("resources") if row["title"] in TITLES and row["state"] == "listed"]
    return {row["title"]: row["resource_id"] for row in rows}


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("way", HREFS)
def test_resources_that_share_an_address_are_as_many_as_their_titles(
    tmp_path: Path, way: str, *, is_split: bool
) -> None:
    site = Site(tmp_path)
    night(site, way, is_split=is_split)
    found = ids(site)
    assert sorted(found) == sorted(TITLES)
    assert len(set(found.values())) == 3
    assert "unchanged since release 1" in night(site, way, is_split=is_split)
    assert "equal to release 1" in site.rebuild()


@pytest.mark.parametrize("way", HREFS)
def test_each_keeps_its_id_when_the_others_come_and_go(tmp_path: Path, way: str) -> None:
    site = Site(tmp_path)
    night(site, way)
    before = ids(site)
    for shown in ((1, 2), (2, 0, 1), (0, 2), (1, 0, 2)):
        night(site, way, shown)
        assert ids(site) == {TITLES[n]: before[TITLES[n]] for n in shown}
        assert "equal to release" in site.rebuild()


def test_one_resource_shown_twice_on_a_page_is_one(tmp_path: Path) -> None:
    site = Site(tmp_path)
    twice = [told(TITLES[2], "foncier", TEXTS[2]), told(f"{TITLES[2]} : synthèse", "foncier", TEXTS[2])]
    site.read({LISTING: listing(*twice, *OTHERS[:2]), SECOND: listing(OTHERS[2])})
    assert [row["url"] for row in site.rows("resources")].count(f"{HOST}/foncier") == 1


def test_an_address_that_leads_to_a_page_with_the_resource_is_another_name_of_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    block = told("Diagnostic", "ancien", "Le texte de Diagnostic.")
    pages = {LISTING: listing(block, *OTHERS[:2]), SECOND: listing(OTHERS[2])}
    site.read(pages | {f"{HOST}/ancien": redirect("/nouveau"), f"{HOST}/nouveau": own_page("Diagnostic")})
    (row,) = (row for row in site.rows("resources") if row["title"] == "Diagnostic")
    assert row["url"] == f"{HOST}/nouveau"

"""A takedown leaves alone what once stood at the resource's address and is another resource's."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.jobs import rebuild, refresh, with_replay
from flows.takedown import takedown
from harvest.payloads import read_payload
from harvest.redact import is_tombstone
from schema.layout import Layout
from schema.sources import Source
from tests.small_site import LISTING, block, page_of, warc
from tests.taken_site import BETA_TEXT, latest, places_of, read_small, records_of, whole, with_text

BETA, ALPHA = "https://rtes.example/beta", "https://rtes.example/alpha"
WHY = "à la demande de l'auteur"


def private(title: str, heading: str = "h2") -> str:
    """A resource that has no page of its own."""
    text = f"Un texte sur {title}, écrit pour être lu un jour par quelqu'un d'autre."
    named = block(title).replace(f"<a href='/{title.lower()}'>{title}</a>", title).replace("h2>", f"{heading}>")
    return named.replace(f"Le texte de {title}.", text)


def page(*blocks: str) -> bytes:
    return whole(page_of(f"<html><body>{''.join(blocks)}</body></html>".encode()))


def own(title: str, *texts: str) -> str:
    """A resource's block at the head of its own page."""
    return with_text(title, *texts).replace("h2>", "h1>")


LIST = page("<h1>Liste</h1>", block("Alpha"), with_text("Beta", BETA_TEXT), private("Une"), private("Deux"))
BESIDE = page(own("Beta", BETA_TEXT), "<section><h2>À lire aussi</h2>", private("Une", "h3"), "</section>")
SITE = {LISTING: LIST, ALPHA: page(own("Alpha", "Le texte de Alpha.")), BETA: page(own("Beta", BETA_TEXT))}


def night(source: Source, data: Path, number: int, **changed: bytes) -> Source:
    """One more night, with other answers."""
    answers = SITE | {f"https://rtes.example/{name}": answer for name, answer in changed.items()}
    tonight = with_replay(source, warc(data.parent / f"night{number}.warc.gz", answers))
    refresh(tonight, data)
    return tonight


def titles(layout: Layout) -> set[str]:
    return {row["title"] for row in latest(layout, "resources")}


def began(folder: Path, **changed: bytes) -> tuple[Source, Path, Layout]:
    source = read_small(folder, warc(folder / "first.warc.gz", SITE))
    data = folder / "data"
    night(source, data, 1, **changed)
    return source, data, Layout(data, source.name)


def test_a_resource_that_its_page_shows_too_stays(tmp_path: Path) -> None:
    source, data, layout = began(tmp_path, beta=BESIDE)
    before = titles(layout)
    takedown(source, data, BETA, WHY, "moi")
    assert titles(layout) == before - {"Beta"} == {"Alpha", "Une", "Deux"}
    place = next(place for place, r in records_of(data).items() if r.url == BETA and r.kind == "response")
    content = read_payload(layout.raw / place[0], place[1]).content
    assert "sur Une, écrit".encode() in content
    assert b"<h1>" not in content
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    night(source, data, 2, beta=BESIDE)
    assert titles(layout) == {"Alpha", "Une", "Deux"}
    assert "equal to release" in rebuild(source, data).verdict
    assert "already down" in takedown(source, data, BETA, WHY, "moi")


@pytest.mark.parametrize(
    "stale",
    [LIST, page("<h1>Liste</h1>", private("Une"), block("Alpha"), with_text("Beta", BETA_TEXT), private("Deux"))],
    ids=["the listing's bytes", "a listing, otherwise"],
)
def test_a_listing_that_its_address_once_answered_with_stays(tmp_path: Path, stale: bytes) -> None:
    source, data, layout = began(tmp_path)
    night(source, data, 2, beta=stale)
    night(source, data, 3)
    takedown(source, data, BETA, WHY, "moi")
    assert titles(layout) == {"Alpha", "Une", "Deux"}
    for (file, offset), record in records_of(data).items():
        if record.url == LISTING and record.kind in ("response", "revisit"):
            assert "sur Une, écrit".encode() in read_payload(layout.raw / file, offset).content
    assert places_of(data, frozenset({BETA_TEXT})) == set()
    night(source, data, 4)
    assert titles(layout) == {"Alpha", "Une", "Deux"}
    assert "equal to release" in rebuild(source, data).verdict


def test_the_page_of_another_resource_that_its_address_once_answered_with_stays(tmp_path: Path) -> None:
    source, data, layout = began(tmp_path)
    night(source, data, 2, beta=SITE[ALPHA])
    night(source, data, 3)
    assert f"{BETA} in 000002.warc.gz was left" in takedown(source, data, BETA, WHY, "moi")
    assert titles(layout) == {"Alpha", "Une", "Deux"}
    for (file, offset), record in records_of(data).items():
        if record.url == ALPHA and record.kind in ("response", "revisit"):
            assert b"Le texte de Alpha" in read_payload(layout.raw / file, offset).content
    assert places_of(data, frozenset({BETA_TEXT})) == set()


def test_its_own_page_goes_whole_where_nothing_else_stands_on_it(tmp_path: Path) -> None:
    source, data, layout = began(tmp_path)
    assert "was left" not in takedown(source, data, BETA, WHY, "moi")
    place = next(place for place, r in records_of(data).items() if r.url == BETA and r.kind == "response")
    assert is_tombstone(read_payload(layout.raw / place[0], place[1]).content)

"""A site that turns from http to https, or whose owner writes it so in the source file, keeps every identifier."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dedup.identity import Promise, Promises, other_scheme
from flows.register import with_replaced
from schema.sources import read_source
from tests.judged_site import OTHERS, SECOND, Site
from tests.small_site import LISTING, listing

NIGHT = datetime(2026, 1, 5, tzinfo=UTC)


def write_listings(site: Site, scheme: str) -> None:
    """The listings as the source file names them."""
    path = site.folder / "mine.toml"
    plain = path.read_text(encoding="utf-8").replace("http://", "https://")
    path.write_text(plain.replace("https://", scheme), encoding="utf-8")
    site.source = read_source(path)


def visit(site: Site, scheme: str) -> dict[str, str]:
    """A night under a scheme; resource_id by title."""
    write_listings(site, scheme)
    pages = {LISTING: listing(*OTHERS[:2]), SECOND: listing(OTHERS[2])}
    site.read({url.replace("https://", scheme): page for url, page in pages.items()})
    return {row["title"]: row["resource_id"] for row in site.rows("resources")}


@pytest.mark.parametrize("schemes", [("http://", "https://"), ("https://", "http://")])
def test_ids_outlive_another_scheme_in_the_source_file(tmp_path: Path, schemes: tuple[str, str]) -> None:
    site = Site(tmp_path)
    before = visit(site, schemes[0])
    after = visit(site, schemes[1])
    assert after == before
    assert {str(row["url"]).split("//")[0] + "//" for row in site.rows("resources")} == {schemes[1]}
    assert {row["fate"] for row in site.rows("ids")} == {"kept"}
    # and back again
    assert visit(site, schemes[0]) == before


def test_a_promise_is_found_under_either_scheme_the_exact_one_first() -> None:
    one, two = (
        Promise("r1", "", frozenset({"http://a.example/x"})),
        Promise("r2", "", frozenset({"https://a.example/x"})),
    )
    found = Promises.of([one, two])
    assert found.of_name("https://a.example/x") == [two, one]
    assert found.of_name("http://a.example/x") == [one, two]
    assert found.of_name("http://a.example/y") == []
    assert other_scheme("urn:moisson:1") == "urn:moisson:1"


def test_an_id_that_no_reading_gives_any_more_leads_to_its_address_under_the_other_scheme() -> None:
    now = {"resource_id": "r2", "now": ["r2"], "fate": "kept", "known_by": ["https://a.example/x"]}
    line = {"resource_id": "r1", "known_by": ["http://a.example/x"], "title": "Autre", "run": 1, "published_at": NIGHT}
    replaced, kept = with_replaced([now], [], [line], run=1)
    assert (replaced["now"], replaced["fate"], kept) == (["r2"], "replaced", now)

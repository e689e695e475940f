"""Listings whose pages are counted in other ways than Drupal's, or behind another address, from the wire on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.stages import harvest
from harvest import client as client_module
from harvest.archive import read_blocks
from releases.gates import is_missing_from_replay
from schema.layout import Layout
from schema.nouns import Certificate
from tests.site_server import Script, SiteServer, block, make_source, page, redirect, resource

PAGES = 5
A_PAGE = 6

Address = Callable[[int], str]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)


def slugs(number: int) -> list[str]:
    return [f"r{number}x{place}" for place in range(A_PAGE)]


def shown(number: int, pager: str = "") -> bytes:
    return page("<h1>Liste</h1>" + "".join(map(block, slugs(number))) + pager)


def related(address: Address, number: int) -> str:
    return f'<a rel="next" href="{address(number + 1)}">Suivant</a>' if number + 1 < PAGES else ""


def counted(address: Address, number: int) -> str:
    links = (f'<li><a href="{address(n)}">{n + 1}</a></li>' for n in range(PAGES) if n != number)
    return f"<ul>{''.join(links)}</ul>"


def site(address: Address, pager: Callable[[Address, int], str] = related) -> dict[str, Script]:
    found: dict[str, Script] = {f"/{slug}": resource(slug) for number in range(PAGES) for slug in slugs(number)}
    return found | {address(number): shown(number, pager(address, number)) for number in range(PAGES)}


FORMS: dict[str, Address] = {
    "?page=": lambda n: f"/liste?page={n}" if n else "/liste",
    "?page=0,N": lambda n: f"/liste?page=0%2C{n}" if n else "/liste",
    "?p=": lambda n: f"/liste?p={n + 1}" if n else "/liste",
    "/page/": lambda n: f"/liste/page/{n + 1}" if n else "/liste",
    "?debut=": lambda n: f"/liste?debut={n * A_PAGE}" if n else "/liste",
    "with how many to a page": lambda n: f"/liste?items_per_page=6&page={n}" if n else "/liste",
}


def certified(folder: Path, scripts: dict[str, Script], listing: str = "/liste") -> tuple[Certificate, list[str]]:
    """The certificate of a listing, and the pages of it that were asked for."""
    with SiteServer(scripts) as server:
        ledger = harvest(make_source(server.origin, (listing,)), Layout(folder, "essai"), 1, [])
        asked = [target for target in server.targets() if "liste" in target]
    assert ledger.listings[0].certificate is not None
    return ledger.listings[0].certificate, asked


@pytest.mark.parametrize("pager", [related, counted])
@pytest.mark.parametrize("form", FORMS)
def test_a_listing_is_read_whole_however_its_pages_are_counted(
    tmp_path: Path, form: str, pager: Callable[[Address, int], str]
) -> None:
    certificate, asked = certified(tmp_path, site(FORMS[form], pager))
    assert (certificate.is_complete, certificate.gap, certificate.unique_records) == (True, None, PAGES * A_PAGE)
    # each page twice but the last, and what comes after a last page that is full and names no other
    assert len(asked) <= 2 * PAGES - 1 + 1


@pytest.mark.parametrize("is_once", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_a_page_that_lost_its_pager_hides_nothing(tmp_path: Path, form: str, is_once: bool) -> None:  # noqa: FBT001  # pytest passes it
    scripts = site(FORMS[form])
    whole, bare = shown(2, related(FORMS[form], 2)), shown(2)
    scripts[FORMS[form](2)] = [bare, whole] if is_once else bare
    certificate, _ = certified(tmp_path, scripts)
    assert (certificate.is_complete, certificate.unique_records) == (True, PAGES * A_PAGE)


@pytest.mark.parametrize("is_once", [True, False])
def test_a_listing_that_sends_elsewhere_is_read_there_to_its_end(tmp_path: Path, is_once: bool) -> None:  # noqa: FBT001  # pytest passes it
    def address(number: int) -> str:
        return f"/fr/liste?page={number}" if number else "/fr/liste"

    scripts = site(address) | {"/liste": redirect("/fr/liste", "302 Found")}
    scripts[address(2)] = [shown(2), shown(2, related(address, 2))] if is_once else shown(2)
    certificate, _ = certified(tmp_path, scripts)
    assert (certificate.is_complete, certificate.unique_records) == (True, PAGES * A_PAGE)


def test_pages_that_a_pager_named_before_another_lost_it_are_all_read(tmp_path: Path) -> None:
    address = FORMS["?p="]
    scripts = site(address, counted)
    scripts[address(2)] = shown(2)
    certificate, _ = certified(tmp_path, scripts)
    assert (certificate.is_complete, certificate.unique_records) == (True, PAGES * A_PAGE)


def test_a_page_that_a_pager_named_and_is_not_there_is_a_gap(tmp_path: Path) -> None:
    address = FORMS["/page/"]
    scripts = site(address, counted)
    del scripts[address(4)]
    certificate, _ = certified(tmp_path, scripts)
    assert certificate.gap is not None
    assert certificate.gap.endswith("/liste/page/5: 404")


@pytest.mark.parametrize("pager", ["", "<a rel='prev' href='/liste'>Retour</a>"])
def test_a_full_page_whose_followers_nobody_can_count_is_the_end_where_it_shows_a_pager(
    tmp_path: Path, pager: str
) -> None:
    scripts = site(lambda number: f"/liste?apres=n{number}" if number else "/liste")
    scripts["/liste?apres=n2"] = shown(2, pager)
    certificate, _ = certified(tmp_path, scripts)
    if pager:
        assert (certificate.gap, certificate.unique_records) == (None, 3 * A_PAGE)
    else:
        assert certificate.gap is not None
        assert certificate.gap.endswith("/liste?apres=n2: leads nowhere, is full and shows no pager")


def test_a_page_without_its_pager_once_is_looked_at_twice_where_nobody_can_count(tmp_path: Path) -> None:
    def address(number: int) -> str:
        return f"/liste?apres=n{number}" if number else "/liste"

    back = "<a rel='prev' href='/liste'>Retour</a>"
    scripts = site(address) | {address(PAGES - 1): shown(PAGES - 1, back)}
    scripts[address(2)] = [shown(2), shown(2, related(address, 2))]
    certificate, _ = certified(tmp_path, scripts)
    assert (certificate.is_complete, certificate.unique_records) == (True, PAGES * A_PAGE)


def test_a_first_page_that_lost_its_pager_answers_again_to_a_number_that_it_does_not_know(tmp_path: Path) -> None:
    address = FORMS["?p="]
    scripts = site(address, counted)
    whole = shown(0, counted(address, 0))
    scripts |= {"/liste": [shown(0), whole], "/liste?page=1": whole}
    certificate, _ = certified(tmp_path, scripts)
    assert (certificate.is_complete, certificate.unique_records) == (True, PAGES * A_PAGE)


def test_what_looks_like_a_further_page_and_was_not_read_is_a_gap_by_name(tmp_path: Path) -> None:
    pager = "<nav class='pager'><a href='/suite-de-la-liste'>Page suivante</a></nav>"
    scripts: dict[str, Script] = {"/liste": shown(0, pager), **{f"/{slug}": resource(slug) for slug in slugs(0)}}
    certificate, _ = certified(tmp_path, scripts)
    assert certificate.gap is not None
    assert "/suite-de-la-liste: looks like a further page of http" in certificate.gap


# --- another view's pager on the page

ASIDE = "<h2>Agenda</h2><a rel='next' href='{}'>suivant</a>"


def with_aside(address: Address, aside: Callable[[int], str]) -> dict[str, Script]:
    """A listing beside an agenda of three pages, which shows the listing's own page whatever it shows itself."""
    scripts = site(address)
    for number in reversed(range(PAGES)):
        beside = ASIDE.format(aside(number))
        scripts[address(number)] = shown(number, beside + related(address, number))
        scripts[aside(number)] = shown(number, related(address, number))
    return scripts


@pytest.mark.parametrize(
    "aside",
    [
        lambda n: f"/liste?page={n}%2C0%2C1",
        lambda _: "/liste?page=0%2C0%2C1",
        lambda n: f"/liste?agenda=2&page={n}" if n else "/liste?agenda=2",
    ],
    ids=["its own number beside", "always the first", "another name"],
)
def test_another_pager_on_the_page_stops_nothing(tmp_path: Path, aside: Callable[[int], str]) -> None:
    certificate, asked = certified(tmp_path, with_aside(FORMS["?page="], aside))
    assert (certificate.is_complete, certificate.gap, certificate.unique_records) == (True, None, PAGES * A_PAGE)
    assert len(asked) <= 2 * PAGES - 1 + 2, "it is asked for once, and what comes after the last page"


def test_a_listing_that_repeats_itself_beside_another_pager_is_a_gap(tmp_path: Path) -> None:
    address = FORMS["?page="]
    scripts = with_aside(address, lambda n: f"/liste?page={n}%2C0%2C1")
    scripts[address(2)] = shown(0, ASIDE.format("/liste?page=2%2C0%2C1") + related(address, 2))
    certificate, _ = certified(tmp_path, scripts)
    assert certificate.gap is not None
    assert certificate.gap.endswith("?page=2: repeats an earlier page")


def test_a_page_that_leads_to_repeats_alone_is_a_gap(tmp_path: Path) -> None:
    address = FORMS["?page="]
    scripts = with_aside(address, lambda n: f"/liste?page={n}%2C0%2C1")
    for number in range(1, PAGES):
        scripts[address(number)] = shown(0)
    certificate, _ = certified(tmp_path, scripts)
    assert certificate.gap is not None
    assert certificate.gap.endswith("repeats an earlier page")


def test_a_pager_that_the_replayed_archive_lacks_is_a_gap_and_stops_no_other(tmp_path: Path) -> None:
    scripts = with_aside(FORMS["?page="], lambda _: "/liste?page=0%2C0%2C1")
    with SiteServer(scripts) as server:
        source = make_source(server.origin)
        harvest(source, Layout(tmp_path, "essai"), 1, [])
    whole, part = tmp_path / "raw" / "essai" / "000001.warc.gz", tmp_path / "part.warc.gz"
    kept = [b for b in read_blocks(whole) if not b.url.endswith("page=0%2C0%2C1")]
    data = whole.read_bytes()
    part.write_bytes(b"".join(data[b.offset : b.offset + b.length] for b in kept))
    ledger = harvest(source.model_copy(update={"replay": str(part)}), Layout(tmp_path / "again", "essai"), 1, [])
    (read,) = ledger.listings
    assert (read.record_count, len(read.pages)) == (PAGES * A_PAGE, PAGES)
    assert read.gap is not None
    assert is_missing_from_replay(read.gap)
    assert read.gap.partition(": ")[0].endswith("?page=0%2C0%2C1")

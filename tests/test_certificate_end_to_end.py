"""From a site that moves while it is read to the published tables: nothing lost, every row led back to its bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from flows.jobs import rebuild, refresh
from flows.ledger import Ledger, read_ledgers
from flows.sources_found import SHIPPED
from flows.stages import harvest
from harvest import client as client_module
from harvest import sitemap as witness
from harvest.archive import read_blocks
from releases.gates import is_missing_from_replay, reasons_to_hold
from releases.store import latest_release
from schema.errors import HeldByGate
from schema.layout import Layout
from schema.nouns import Certificate, ListingVisit
from schema.sources import read_source
from tests.site_server import Answer, Script, SiteServer, answer, listing, make_source, resource

SLUGS = [f"r{n:02}" for n in range(1, 26)]
PAGES = {slug: resource(slug) for slug in [*SLUGS, "neuf"]}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)


def moving(*changes: tuple[int, Callable[[list[str]], None]]) -> dict[str, Script]:
    """A listing of 25 in pages of 10; before the how-manieth look what happens to it."""
    slugs, looks = list(SLUGS), [0]

    def show(target: str) -> Answer:
        looks[0] += 1
        for look, change in changes:
            if look == looks[0]:
                change(slugs)
        number = int(target.partition("page=")[2] or 0)
        further = f"?page={number + 1}" if (number + 1) * 10 < len(slugs) else None
        return listing("Liste", slugs[number * 10 : (number + 1) * 10], further)

    return {**{f"/{slug}": content for slug, content in PAGES.items()}, **dict.fromkeys(addresses(), show)}


def addresses() -> list[str]:
    return ["/liste", *(f"/liste?page={number}" for number in range(1, 5))]


def put_first(slugs: list[str]) -> None:
    slugs.insert(0, "neuf")


def take_15(slugs: list[str]) -> None:
    slugs.remove("r15")


def listed(folder: Path) -> set[str]:
    release = latest_release(Layout(folder, "essai"))
    assert release is not None
    return {row["url"].rpartition("/")[2] for row in release.rows("resources") if row["state"] == "listed"}


def test_what_is_put_first_and_taken_out_mid_crawl_leaves_the_exact_set(tmp_path: Path) -> None:
    with SiteServer(moving((2, put_first))) as site:
        refresh(make_source(site.origin), tmp_path / "put")
    assert listed(tmp_path / "put") == {*SLUGS, "neuf"}
    with SiteServer(moving((3, take_15))) as site:
        refresh(make_source(site.origin), tmp_path / "taken")
    assert listed(tmp_path / "taken") >= set(SLUGS) - {"r15"}


def test_answers_of_one_page_that_both_are_needed_are_both_in_the_tables(tmp_path: Path) -> None:
    """Page 1 shows r10 and page 2 r11, but never in one pass: they take turns at the end of page 1."""

    def turn(slugs: list[str]) -> None:
        slugs[9], slugs[10] = slugs[10], slugs[9]

    with SiteServer(moving(*((look, turn) for look in range(2, 40, 2)))) as site:
        refresh(make_source(site.origin), tmp_path)
    assert listed(tmp_path) == set(SLUGS)
    assert "equal to release 1" in rebuild(make_source(site.origin), tmp_path).verdict


def test_every_answer_is_archived_and_the_row_counts_its_requests(tmp_path: Path) -> None:
    with SiteServer(moving()) as site:
        ledger = harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, [])
        asked = [target for target in site.targets() if target.startswith("/liste")]
    archived = [b.url for b in read_blocks(tmp_path / "raw" / "essai" / "000001.warc.gz") if b.kind == "response"]
    assert asked == ["/liste", "/liste?page=1", "/liste?page=2", "/liste", "/liste?page=1"]
    assert sum("/liste" in url for url in archived) == 5
    rows = {visit.url.rpartition("/")[2]: visit.attempts for visit in ledger.visits if visit.role == "listing"}
    assert rows == {"liste": 2, "liste?page=1": 2, "liste?page=2": 1}


def test_a_replay_of_a_run_is_certified_as_the_run_was(tmp_path: Path) -> None:
    with SiteServer(moving((3, take_15))) as site:
        source = make_source(site.origin)
        live = harvest(source, Layout(tmp_path, "essai"), 1, [])
    replay = source.model_copy(update={"replay": str(tmp_path / "raw" / "essai" / "000001.warc.gz")})
    again = harvest(replay, Layout(tmp_path / "again", "essai"), 1, [])
    assert again.listings == live.listings
    assert again.listings[0].certificate is not None
    assert again.listings[0].certificate.is_complete


def test_a_listing_that_never_rests_is_held_and_names_its_gap(tmp_path: Path) -> None:
    def churn(slugs: list[str]) -> None:
        slugs.insert(0, f"n{len(slugs)}-{slugs[0]}"[:60])
        slugs.pop()

    with SiteServer(moving(*((look, churn) for look in range(2, 400)))) as site:
        with pytest.raises(HeldByGate, match=r"changed while it was read \d times"):
            refresh(make_source(site.origin), tmp_path)
        assert latest_release(Layout(tmp_path, "essai")) is None


def test_the_certificate_is_in_the_ledger_as_plain_values(tmp_path: Path) -> None:
    with SiteServer(moving()) as site:
        harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, [])
    (ledger,) = read_ledgers(Layout(tmp_path, "essai"))
    certificate = ledger.listings[0].certificate
    assert isinstance(certificate, Certificate)
    assert certificate.is_complete
    assert Certificate(**json.loads(json.dumps(asdict(certificate)))).slots == 25


def test_the_sitemap_is_a_witness_and_no_failure(tmp_path: Path) -> None:
    with SiteServer(moving()) as site:
        named = "".join(f"<loc>{site.origin}/{slug}</loc>" for slug in [*SLUGS[2:], "seule", "liste"])
        site.scripts["/sitemap.xml"] = answer(f"<urlset>{named}</urlset>", media_type="text/xml")
        source = make_source(site.origin, sitemap=f"{site.origin}/sitemap.xml")
        certificate = harvest(source, Layout(tmp_path, "essai"), 1, []).listings[0].certificate
    assert certificate is not None
    assert certificate.is_complete
    assert (certificate.sitemap_only_count, certificate.sitemap_only) == (1, (f"{site.origin}/seule",))
    lacking = tuple(f"{site.origin}/{slug}" for slug in SLUGS[:2])
    assert (certificate.not_in_sitemap_count, certificate.not_in_sitemap) == (2, lacking)


def test_the_witness_names_the_first_twenty(tmp_path: Path) -> None:
    with SiteServer(moving()) as site:
        site.scripts["/sitemap.xml"] = answer(f"<urlset><loc>{site.origin}/</loc></urlset>", media_type="text/xml")
        source = make_source(site.origin, sitemap=f"{site.origin}/sitemap.xml")
        certificate = harvest(source, Layout(tmp_path, "essai"), 1, []).listings[0].certificate
    assert certificate is not None
    assert (certificate.not_in_sitemap_count, len(certificate.not_in_sitemap)) == (25, 20)


def witnessed(tmp_path: Path, site: SiteServer, sitemaps: dict[str, str]) -> tuple[Certificate, Ledger]:
    """The certificate of a listing, and the ledger, on a site with these sitemaps; {o} is its origin."""
    for path, named in sitemaps.items():
        site.scripts[path] = answer(named.replace("{o}", site.origin), media_type="text/xml")
    source = make_source(site.origin, sitemap=f"{site.origin}/sitemap.xml")
    ledger = harvest(source, Layout(tmp_path, "essai"), 1, [])
    assert ledger.listings[0].certificate is not None
    return ledger.listings[0].certificate, ledger


@pytest.mark.parametrize(("count", "is_cut"), [(29, False), (30, False), (31, True), (1000, True)])
def test_a_sitemap_that_names_too_much_is_told_of_as_far_as_there_is_room(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    is_cut: bool,  # noqa: FBT001  # a case of the table
) -> None:
    monkeypatch.setattr(witness, "MAX_ADDRESSES", 30)
    slugs = [*SLUGS, *(f"seule-{number:03}" for number in range(count - len(SLUGS)))]
    named = "".join(f"<loc>{{o}}/{slug}</loc>" for slug in slugs)
    with SiteServer(moving()) as site:
        certificate, ledger = witnessed(tmp_path, site, {"/sitemap.xml": f"<urlset>{named}</urlset>"})
    assert certificate.is_complete, "the sitemap is a second witness, and no more"
    assert (certificate.sitemap_only_count, certificate.not_in_sitemap_count) == (min(count, 30) - 25, 0)
    assert sum(visit.outcome == "not_listed" for visit in ledger.visits) == min(count, 30) - 25
    gap = "the sitemap names more than 30 addresses or 50 sitemaps: the others were not compared"
    assert certificate.sitemap_gap == (gap if is_cut else None)


@pytest.mark.parametrize(
    ("sitemaps", "room", "asked", "is_cut"),
    [(3, 50_000, 3, False), (49, 50_000, 49, False), (50, 50_000, 49, True), (90, 50_000, 49, True), (3, 2, 2, True)],
)
def test_of_too_many_sitemaps_the_first_are_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sitemaps: int,
    room: int,
    asked: int,
    is_cut: bool,  # noqa: FBT001  # a case of the table
) -> None:
    monkeypatch.setattr(witness, "MAX_ADDRESSES", room)
    named = "".join(f"<sitemap><loc>{{o}}/s{number}.xml</loc></sitemap>" for number in range(sitemaps))
    index = f"<sitemapindex><sitemap><loc>{{o}}/sitemap.xml</loc></sitemap>{named}</sitemapindex>"
    parts = {f"/s{number}.xml": f"<urlset><loc>{{o}}/{number}</loc></urlset>" for number in range(sitemaps)}
    with SiteServer(moving()) as site:
        certificate, _ = witnessed(tmp_path, site, {"/sitemap.xml": index, **parts})
        assert sum(target.startswith("/s") and target.endswith(".xml") for target in site.targets()) == asked + 1
    assert certificate.sitemap_only_count == asked
    assert (certificate.sitemap_gap is not None) == is_cut


def test_a_sitemap_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    index = (
        "<sitemapindex><sitemap><loc>{o}/s1.xml</loc></sitemap><sitemap><loc>{o}/s2.xml</loc></sitemap></sitemapindex>"
    )
    part = "<urlset>" + "".join(f"<loc>{{o}}/{slug}</loc>" for slug in SLUGS[:20]) + "</urlset>"
    with SiteServer(moving()) as site:
        certificate, _ = witnessed(tmp_path, site, {"/sitemap.xml": index, "/s1.xml": part})
    assert (certificate.is_complete, certificate.not_in_sitemap_count) == (True, 5)
    assert certificate.sitemap_gap == f"{site.origin}/s2.xml: 404"


def test_a_sitemap_that_is_not_there_is_named(tmp_path: Path) -> None:
    with SiteServer(moving()) as site:
        certificate, _ = witnessed(tmp_path, site, {})
    assert (certificate.sitemap_only_count, certificate.not_in_sitemap_count) == (None, None)
    assert certificate.sitemap_gap == f"{site.origin}/sitemap.xml: 404"


def test_a_sitemap_on_the_other_name_of_the_host_names_the_same_pages(tmp_path: Path) -> None:
    with SiteServer(moving()) as site:
        named = "".join(f"<loc>{site.origin.replace('//', '//www.')}/{slug}</loc>" for slug in SLUGS)
        certificate, ledger = witnessed(tmp_path, site, {"/sitemap.xml": f"<urlset>{named}</urlset>"})
    assert (certificate.sitemap_only_count, certificate.not_in_sitemap_count) == (0, 0)
    assert not any(visit.outcome == "not_listed" for visit in ledger.visits)


def test_without_a_sitemap_there_is_no_witness(tmp_path: Path) -> None:
    with SiteServer(moving()) as site:
        certificate = harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, []).listings[0].certificate
    assert certificate is not None
    assert (certificate.sitemap_only_count, certificate.not_in_sitemap_count) == (None, None)
    assert certificate.sitemap_gap is None


def test_a_page_that_the_replayed_archive_lacks_stays_no_gap_for_the_gates(tmp_path: Path) -> None:
    with SiteServer(moving()) as site:
        source = make_source(site.origin)
        site.scripts["/liste?page=1"] = listing("Liste", SLUGS[10:20], "?page=2")
        harvest(source, Layout(tmp_path, "essai"), 1, [])
    whole = tmp_path / "raw" / "essai" / "000001.warc.gz"
    part = tmp_path / "part.warc.gz"
    last = next(b for b in read_blocks(whole) if b.kind == "response" and b.url.endswith("page=2"))
    part.write_bytes(whole.read_bytes()[: last.offset])
    replay = source.model_copy(update={"replay": str(part)})
    ledger = harvest(replay, Layout(tmp_path / "again", "essai"), 1, [])
    (read,) = ledger.listings
    assert read.gap is not None
    assert is_missing_from_replay(read.gap)
    assert reasons_to_hold([read], {}) == []


def test_what_a_replay_cannot_answer_of_our_own_questions_leaves_no_row(tmp_path: Path) -> None:
    """The sample's WARC was made by others: it holds no probe, and no page after a full one that leads nowhere."""
    source = read_source(SHIPPED / "sample.toml")
    ledger = harvest(source, Layout(tmp_path, "sample"), 1, [])
    assert not any("moisson-probe" in visit.url for visit in ledger.visits)
    assert {visit.outcome for visit in ledger.visits if visit.role == "listing"} == {"fetched"}
    assert all(found.certificate and found.certificate.is_complete for found in ledger.listings)
    looks = [found.certificate.looks for found in ledger.listings if found.certificate]
    assert looks == [3, 3, 1, 3, 1, 1]  # one more for the three of two pages, none for those of one


def test_a_ledger_of_before_the_certificate_is_read() -> None:
    assert ListingVisit("https://site.example/liste", (), None, 0, None).certificate is None


# --- a page that arrives as its beginning, with a length that agrees


def beginning(content: bytes, at: bytes) -> bytes:
    """An answer whose body stops where some bytes stand last."""
    body = content.partition(b"\r\n\r\n")[2]
    return answer(body[: body.rindex(at)], media_type="text/html; charset=utf-8")


AFTER_TWO, IN_A_TAG = b'<article><h2><a href="/r03', b'href="/r03'


@pytest.mark.parametrize(("at", "why"), [(AFTER_TWO, "has no end as the other pages have"), (IN_A_TAG, "inside a tag")])
def test_a_listing_that_is_cut_between_two_resources_is_a_gap(tmp_path: Path, at: bytes, why: str) -> None:
    scripts: dict[str, Script] = {f"/{slug}": resource(slug) for slug in SLUGS[:4]}
    scripts |= {"/liste": beginning(listing("Liste", SLUGS[:4]), at), "/autre": listing("Autre", SLUGS[3:4])}
    with SiteServer(scripts) as site:
        first, other = harvest(
            make_source(site.origin, ("/liste", "/autre")), Layout(tmp_path, "essai"), 1, []
        ).listings
    assert first.gap is not None
    assert first.gap.endswith(why)
    assert first.certificate is not None
    assert (first.certificate.is_complete, first.certificate.gap) == (False, first.gap)
    assert (other.gap, other.record_count) == (None, 1)


@pytest.mark.parametrize("at", [AFTER_TWO, IN_A_TAG])
def test_a_page_of_a_listing_that_is_cut_once_is_read_whole(tmp_path: Path, at: bytes) -> None:
    with SiteServer(moving()) as site:
        whole = listing("Liste", SLUGS[:10], "?page=1")
        site.scripts["/liste"] = [beginning(whole, at), whole]
        (read,) = harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, []).listings
    assert (read.gap, read.record_count) == (None, 25)


def test_a_site_whose_pages_have_no_end_tags_is_whole(tmp_path: Path) -> None:
    def bare(content: bytes) -> bytes:
        return answer(content.partition(b"\r\n\r\n")[2].replace(b"</body></html>", b""), media_type="text/html")

    scripts: dict[str, Script] = {f"/{slug}": bare(resource(slug)) for slug in SLUGS[:4]}
    with SiteServer({"/liste": bare(listing("Liste", SLUGS[:4])), **scripts}) as site:
        (read,) = harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, []).listings
    assert (read.gap, read.record_count) == (None, 4)

"""Discovery on a real site: what is asked, what is not, and that every address met stands in the ledger once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from flows.jobs import refresh
from flows.ledger import Ledger
from flows.stages import harvest
from harvest import client as client_module
from harvest import listings as listings_module
from harvest.archive import ArchiveWriter
from harvest.client import Client, Pace
from harvest.crawl import crawl
from harvest.wire import NetworkTransport
from parsers.page import parse_page
from releases.store import latest_release
from schema.addresses import canonical_url
from schema.errors import Forbidden, SiteUnreachable
from schema.layout import Layout
from schema.nouns import PageReading, Payload, Visit
from tests.site_server import (
    Answer,
    Hourglass,
    Script,
    SiteServer,
    answer,
    block,
    listing,
    make_source,
    page,
    redirect,
    resource,
)

BASE: Mapping[str, Script] = {
    "/liste": listing("Liste", ["a", "b"], "?page=1"),
    "/liste?page=1": listing("Liste", ["c"]),
    **{f"/{slug}": resource(slug) for slug in "abc"},
}


@dataclass(frozen=True)
class Crawled:
    """One harvest of a site: its ledger, by path, and what the server saw."""

    site: SiteServer
    ledger: Ledger
    folder: Path

    @property
    def visits(self) -> dict[str, Visit]:
        return {visit.url.removeprefix(self.site.origin): visit for visit in self.ledger.visits}

    @property
    def outcomes(self) -> dict[str, str]:
        return {path: visit.outcome for path, visit in self.visits.items()}

    def pages(self, number: int = 0) -> list[str]:
        return [url.removeprefix(self.site.origin) for url in self.ledger.listings[number].pages]


PROBE = f"/moisson-probe-{sha256(b'essai').hexdigest()[:16]}"


def rules(text: str) -> bytes:
    return answer(text, media_type="text/plain")


def sitemap(origin: str, *paths: str) -> bytes:
    return answer("<urlset>" + "".join(f"<loc>{origin}{p}</loc>" for p in paths) + "</urlset>", media_type="text/xml")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)


def visit_site(
    folder: Path,
    scripts: Mapping[str, Script],
    known: Iterable[str] = (),
    listings: Iterable[str] = ("/liste",),
    **said: Any,
) -> Crawled:
    """Harvest a site; whatever it is, each address asked for has its one row in the ledger."""
    with SiteServer(scripts) as site:
        values = {key: value.format(o=site.origin) if isinstance(value, str) else value for key, value in said.items()}
        source = make_source(site.origin, list(listings), **values)
        if "/sitemap.xml" in site.scripts:
            site.scripts["/sitemap.xml"] = sitemap(site.origin, "/a", "/seule", "/liste")
        ledger = harvest(source, Layout(folder, source.name), 1, [site.origin + path for path in known])
    rows = Counter(visit.url for visit in ledger.visits)
    assert set(rows.values()) == {1}
    return Crawled(site, ledger, folder)


def asked_addresses(crawled: Crawled) -> set[str]:
    return {canonical_url(crawled.site.origin + target) for target in crawled.site.targets()}


# --- the whole way


def test_a_site_is_read_to_its_last_page_and_each_resource_is_asked_once(tmp_path: Path) -> None:
    crawled = visit_site(tmp_path, BASE)
    assert crawled.site.targets() == ["/robots.txt", PROBE, "/liste", "/liste?page=1", "/liste", "/a", "/b", "/c"]
    assert [(path, v.role, v.outcome) for path, v in crawled.visits.items()] == [
        ("/robots.txt", "robots", "not_found"),
        (PROBE, "probe", "not_found"),
        ("/liste", "listing", "fetched"),
        ("/liste?page=1", "listing", "fetched"),
        ("/a", "resource", "fetched"),
        ("/b", "resource", "fetched"),
        ("/c", "resource", "fetched"),
    ]
    (read,) = crawled.ledger.listings
    assert (crawled.pages(), read.heading, read.record_count, read.gap) == (
        ["/liste", "/liste?page=1"],
        "Liste",
        3,
        None,
    )
    assert crawled.site.open_at_once == 1


def test_each_visit_names_the_address_that_led_to_it(tmp_path: Path) -> None:
    crawled = visit_site(tmp_path, BASE)
    origin = crawled.site.origin
    assert {path: visit.via and visit.via.removeprefix(origin) for path, visit in crawled.visits.items()} == {
        "/robots.txt": None,
        PROBE: None,
        "/liste": None,
        "/liste?page=1": "/liste",
        "/a": "/liste",
        "/b": "/liste",
        "/c": "/liste?page=1",
    }


def test_every_address_asked_stands_in_the_ledger(tmp_path: Path) -> None:
    scripts = {**BASE, "/b": redirect("/c"), "/a": answer("", status="500 Oops"), "/sitemap.xml": answer("")}
    crawled = visit_site(tmp_path, scripts, known=["/vieille"], sitemap="{o}/sitemap.xml")
    assert asked_addresses(crawled) == {visit.url for visit in crawled.ledger.visits if visit.attempts}
    assert crawled.outcomes == {
        "/robots.txt": "not_found",
        PROBE: "not_found",
        "/sitemap.xml": "fetched",
        "/liste": "fetched",
        "/liste?page=1": "fetched",
        "/a": "http_error",
        "/b": "redirected",
        "/c": "fetched",
        "/vieille": "not_found",
        "/seule": "not_listed",
    }


def test_a_resource_on_two_listings_is_asked_once(tmp_path: Path) -> None:
    scripts = {**BASE, "/autre": listing("Autre", ["c", "a"])}
    crawled = visit_site(tmp_path, scripts, listings=["/liste", "/autre"])
    assert {path: n for path, n in Counter(crawled.site.targets()).items() if n > 1} == {"/liste": 2}
    assert [(v.heading, v.record_count) for v in crawled.ledger.listings] == [("Liste", 3), ("Autre", 2)]


def test_the_same_page_by_two_addresses_is_asked_once(tmp_path: Path) -> None:
    first = page("<h1>Liste</h1>" + block("a") + block("a/?utm_source=lettre#haut").replace("Ressource a/", "Autre a/"))
    crawled = visit_site(tmp_path, {"/liste": first, "/a": resource("a")})
    assert crawled.site.targets() == ["/robots.txt", PROBE, "/liste", "/a"]


def test_progress_is_told_and_never_goes_back(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    with SiteServer(BASE) as site:
        harvest(make_source(site.origin), Layout(tmp_path, "essai"), 1, [], progress=lambda *told: heard.append(told))
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)
    assert all(done <= wanted for _, done, wanted in heard)
    assert heard[-1] == ("resource", 7, 7)


# --- pagers


def numbered(target: str) -> Answer:
    """A listing without end: each page brings a new resource and leads to the next."""
    number = int(target.partition("page=")[2] or 0)
    return listing("Sans fin", [f"r{number}"], f"?page={number + 1}")


def endless() -> dict[str, Script]:
    pages: dict[str, Script] = {f"/liste?page={n}": numbered for n in range(1, 40)}
    return {"/liste": numbered, **pages}


def test_a_pager_without_end_is_left_at_the_cap_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings_module, "MAX_LISTING_PAGES", 5)
    crawled = visit_site(tmp_path, endless())
    (read,) = crawled.ledger.listings
    assert len(read.pages) == 5
    assert read.gap == f"{crawled.site.origin}/liste?page=5: more than 5 pages"
    assert "/liste?page=5" not in crawled.site.targets()


def test_a_pager_that_shows_the_same_page_again_is_left_and_said(tmp_path: Path) -> None:
    scripts = {
        **BASE,
        "/liste": listing("Liste", ["a"], "?page=1"),
        "/liste?page=1": listing("Liste", ["b"], "?page=2"),
        "/liste?page=2": listing("Liste", ["a"], "?page=3"),
        "/liste?page=3": listing("Liste", ["b"], "?page=4"),
    }
    crawled = visit_site(tmp_path, scripts)
    assert crawled.pages() == ["/liste", "/liste?page=1"]
    assert crawled.ledger.listings[0].gap == f"{crawled.site.origin}/liste?page=2: repeats an earlier page"
    assert "/liste?page=3" not in crawled.site.targets()


def test_a_pager_that_leads_back_ends_where_it_began(tmp_path: Path) -> None:
    scripts = {
        **BASE,
        "/liste": listing("Liste", ["a"], "?page=1"),
        "/liste?page=1": listing("Liste", ["b"], "/liste?page=0"),
    }
    crawled = visit_site(tmp_path, scripts)
    assert crawled.pages() == ["/liste", "/liste?page=1"]
    assert crawled.ledger.listings[0].gap is None


def test_an_empty_further_page_is_the_end(tmp_path: Path) -> None:
    scripts = {
        **BASE,
        "/liste": listing("Liste", ["a"], "?page=1"),
        "/liste?page=1": listing("Liste", [], "?page=2"),
        "/liste?page=2": listing("Liste", ["c"]),
    }
    crawled = visit_site(tmp_path, scripts)
    assert (crawled.pages(), crawled.ledger.listings[0].gap) == (["/liste"], None)
    assert "/liste?page=2" not in crawled.site.targets()


def test_a_further_page_that_fails_is_a_gap(tmp_path: Path) -> None:
    scripts = {**BASE, "/liste?page=1": answer("", status="502 Bad Gateway")}
    crawled = visit_site(tmp_path, scripts)
    (read,) = crawled.ledger.listings
    assert (crawled.pages(), read.gap) == (["/liste"], f"{crawled.site.origin}/liste?page=1: 502")


def test_a_pager_that_leads_to_another_host_is_not_followed(tmp_path: Path) -> None:
    scripts = {**BASE, "/liste": listing("Liste", ["a"], "http://127.0.0.2:1/liste?page=1")}
    crawled = visit_site(tmp_path, scripts)
    assert (crawled.pages(), crawled.ledger.listings[0].gap) == (["/liste"], None)


def test_a_listing_that_moved_is_read_where_it_went(tmp_path: Path) -> None:
    scripts = {**BASE, "/vieux": redirect("/liste")}
    crawled = visit_site(tmp_path, scripts, listings=["/vieux"])
    assert crawled.outcomes["/vieux"] == "redirected"
    assert crawled.ledger.listings[0].record_count == 3


def test_a_listing_that_fails_beside_one_that_answers_is_a_gap(tmp_path: Path) -> None:
    crawled = visit_site(tmp_path, BASE, listings=["/liste", "/perdue"])
    assert [v.gap for v in crawled.ledger.listings] == [None, f"{crawled.site.origin}/perdue: 404"]


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "403 Forbidden"])
def test_without_any_listing_the_site_counts_as_unreachable_or_closed(tmp_path: Path, status: str) -> None:
    with pytest.raises(Forbidden if status.startswith("403") else SiteUnreachable, match=status[:3] + r"|no listing"):
        visit_site(tmp_path, {"/liste": answer("", status=status)})


# --- robots


@pytest.mark.parametrize("known", [[], ["/interdit/vieux"]])
def test_what_robots_denies_is_ledgered_and_never_asked(tmp_path: Path, known: list[str]) -> None:
    scripts: dict[str, Script] = {
        **BASE,
        "/robots.txt": rules("User-agent: *\nDisallow: /interdit\nDisallow: /*?page=\nDisallow: /b$\n"),
        "/liste": listing("Liste", ["a", "b", "interdit/x"], "?page=1"),
        "/sitemap.xml": answer(""),
    }
    crawled = visit_site(tmp_path, scripts, known, sitemap="{o}/sitemap.xml", ask_not_listed=True)
    assert crawled.site.targets() == ["/robots.txt", PROBE, "/sitemap.xml", "/liste", "/a", "/seule"]
    denied = [path for path, outcome in crawled.outcomes.items() if outcome == "refused_by_robots"]
    assert sorted(denied) == sorted(["/liste?page=1", "/b", "/interdit/x", *known])
    assert all(crawled.visits[path].attempts == 0 for path in denied)
    assert crawled.ledger.listings[0].gap == f"{crawled.site.origin}/liste?page=1: robots.txt: Disallow: /*?page="


def test_where_a_redirection_leads_robots_is_obeyed_too(tmp_path: Path) -> None:
    scripts: dict[str, Script] = {
        **BASE,
        "/robots.txt": rules("User-agent: *\nDisallow: /interdit\n"),
        "/b": redirect("/interdit/b"),
        "/interdit/b": resource("b"),
    }
    crawled = visit_site(tmp_path, scripts)
    assert "/interdit/b" not in crawled.site.targets()
    assert crawled.outcomes["/interdit/b"] == "refused_by_robots"


def test_robots_that_denies_every_listing_is_an_end_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(Forbidden, match="no listing may be read"):
        visit_site(tmp_path, {**BASE, "/robots.txt": rules("User-agent: moisson\nDisallow: /\n")})


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "401 Unauthorized", "410 Gone", "429 Slow down"])
def test_robots_that_is_not_there_is_no_rule(tmp_path: Path, status: str) -> None:
    crawled = visit_site(tmp_path, {**BASE, "/robots.txt": answer("", status=status)})
    assert crawled.outcomes["/c"] == "fetched"


@pytest.mark.parametrize(
    "broken",
    [
        answer("", status="500 Oops"),
        answer("", status="503 Service Unavailable"),
        (answer("User-agent: *\nAllow: /\n")[:-3], "close"),
        (b"", "reset"),
        answer("User-agent: *", "Content-Encoding: br"),
        redirect("http://127.0.0.1:1/robots.txt"),
    ],
    ids=["500", "503", "cut", "reset", "coding", "elsewhere"],
)
def test_robots_that_cannot_be_had_denies_everything(tmp_path: Path, broken: Answer) -> None:
    with SiteServer({**BASE, "/robots.txt": broken}) as site:
        with pytest.raises(SiteUnreachable, match="nothing may be asked"):
            harvest(make_source(site.origin, sitemap=f"{site.origin}/sitemap.xml"), Layout(tmp_path, "essai"), 1, [])
        assert set(site.targets()) == {"/robots.txt"}


def test_robots_behind_a_redirection_is_obeyed(tmp_path: Path) -> None:
    scripts = {**BASE, "/robots.txt": redirect("/regles.txt"), "/regles.txt": rules("User-agent: *\nDisallow: /b\n")}
    assert visit_site(tmp_path, scripts).outcomes["/b"] == "refused_by_robots"


def test_robots_behind_a_redirection_stands_in_the_ledger_hop_by_hop(tmp_path: Path) -> None:
    scripts = {**BASE, "/robots.txt": redirect("/regles.txt"), "/regles.txt": rules("User-agent: *\nDisallow: /b\n")}
    outcomes = visit_site(tmp_path, scripts).outcomes
    assert (outcomes.get("/robots.txt"), outcomes.get("/regles.txt")) == ("redirected", "fetched")


def test_robots_of_any_bytes_does_not_stop_the_run(tmp_path: Path) -> None:
    garbage = answer(bytes(range(256)) * 2000, media_type="application/octet-stream")
    assert visit_site(tmp_path, {**BASE, "/robots.txt": garbage}).outcomes["/c"] == "fetched"


def test_the_delay_that_robots_asks_for_is_kept(tmp_path: Path) -> None:
    time_ = Hourglass()
    with SiteServer({**BASE, "/robots.txt": rules("User-agent: *\nCrawl-delay: 9\n")}) as site:
        source = make_source(site.origin)

        def read_page(payload: Payload, url: str, *, is_listing: bool) -> PageReading:
            return parse_page(payload, page_url=url, source=source, is_listing=is_listing)

        with (
            ArchiveWriter(tmp_path / "000001.warc.gz", "essai") as archive,
            Client(source, NetworkTransport(), archive, Pace(0.0, time_.wait, time_.clock)) as client,
        ):
            crawl(source, client, read_page, [])
    assert time_.waits[2:] == [9.0] * 6


# --- sitemap, known addresses, other hosts


def test_what_only_the_sitemap_names_is_ledgered_and_not_asked(tmp_path: Path) -> None:
    crawled = visit_site(tmp_path, {**BASE, "/sitemap.xml": answer("")}, sitemap="{o}/sitemap.xml")
    alone = crawled.visits["/seule"]
    assert (alone.outcome, alone.role, alone.reason, alone.attempts) == (
        "not_listed",
        "other",
        "only the sitemap names it",
        0,
    )
    assert alone.via == f"{crawled.site.origin}/sitemap.xml"
    assert "/seule" not in crawled.site.targets()


def test_what_only_the_sitemap_names_is_asked_where_the_source_file_says_so(tmp_path: Path) -> None:
    scripts = {**BASE, "/sitemap.xml": answer(""), "/seule": resource("seule")}
    crawled = visit_site(tmp_path, scripts, sitemap="{o}/sitemap.xml", ask_not_listed=True)
    assert (crawled.outcomes["/seule"], crawled.visits["/seule"].role) == ("fetched", "known")


def test_an_index_of_sitemaps_is_read_to_its_parts(tmp_path: Path) -> None:
    with SiteServer(BASE) as site:
        index = "".join(f"<sitemap><loc>{site.origin}/s{n}.xml</loc></sitemap>" for n in (1, 2))
        site.scripts |= {
            "/index.xml": answer(f"<sitemapindex>{index}</sitemapindex>"),
            "/s1.xml": sitemap(site.origin, "/un"),
            "/s2.xml": sitemap(site.origin, "/deux", "/a"),
        }
        source = make_source(site.origin, sitemap=f"{site.origin}/index.xml")
        ledger = harvest(source, Layout(tmp_path, source.name), 1, [])
    crawled = Crawled(site, ledger, tmp_path)
    assert [crawled.outcomes[path] for path in ("/index.xml", "/s1.xml", "/s2.xml", "/un", "/deux", "/a")] == [
        *["fetched"] * 3,
        *["not_listed"] * 2,
        "fetched",
    ]


def test_an_index_that_names_itself_comes_to_an_end(tmp_path: Path) -> None:
    with SiteServer(BASE) as site:
        loop = answer(f"<sitemapindex><sitemap><loc>{site.origin}/index.xml</loc></sitemap></sitemapindex>")
        site.scripts["/index.xml"] = loop
        source = make_source(site.origin, sitemap=f"{site.origin}/index.xml")
        harvest(source, Layout(tmp_path, source.name), 1, [])
    assert site.targets().count("/index.xml") == 1


def test_a_sitemap_named_by_no_address_is_no_row(tmp_path: Path) -> None:
    index = answer("<sitemapindex><sitemap><loc>mailto:a@b.fr</loc></sitemap></sitemapindex>")
    with SiteServer({**BASE, "/index.xml": index}) as site:
        source = make_source(site.origin, sitemap=f"{site.origin}/index.xml")
        ledger = harvest(source, Layout(tmp_path, source.name), 1, [])
    assert "" not in {visit.url for visit in ledger.visits}


@pytest.mark.parametrize("broken", [answer("", status="500 Oops"), (b"", "close"), answer("<html>404</html>")])
def test_a_sitemap_that_cannot_be_read_changes_nothing_else(tmp_path: Path, broken: Answer) -> None:
    with SiteServer({**BASE, "/index.xml": broken}) as site:
        source = make_source(site.origin, sitemap=f"{site.origin}/index.xml")
        ledger = harvest(source, Layout(tmp_path, source.name), 1, [])
    assert sum(visit.outcome == "fetched" and visit.role == "resource" for visit in ledger.visits) == 3


def test_addresses_of_earlier_nights_are_asked_where_no_listing_shows_them(tmp_path: Path) -> None:
    scripts = {**BASE, "/vieille": resource("vieille"), "/partie": answer("", status="410 Gone")}
    crawled = visit_site(tmp_path, scripts, known=["/vieille", "/partie", "/perdue", "/a"])
    roles = {path: (visit.role, visit.outcome) for path, visit in crawled.visits.items()}
    assert roles["/vieille"] == ("known", "fetched")
    assert roles["/partie"] == ("known", "gone")
    assert roles["/perdue"] == ("known", "not_found")
    assert roles["/a"] == ("resource", "fetched")
    assert crawled.site.targets().count("/a") == 1


def test_a_known_address_that_another_page_names_as_its_own_is_not_asked(tmp_path: Path) -> None:
    own = page(block("a").replace("h2", "h1"), '<link rel="shortlink" href="/node/12">')
    crawled = visit_site(tmp_path, {**BASE, "/a": own}, known=["/node/12"])
    assert "/node/12" not in crawled.site.targets()


def test_other_hosts_are_ledgered_and_never_asked(tmp_path: Path) -> None:
    with SiteServer({"/ailleurs": resource("ailleurs")}) as other, SiteServer(BASE) as site:
        shown = block("x").replace('href="/x"', f'href="{other.origin}/ailleurs"')
        site.scripts["/liste"] = page("<h1>Liste</h1>" + shown + block("a"))
        site.scripts["/sitemap.xml"] = sitemap(other.origin, "/plan")
        source = make_source(site.origin, sitemap=f"{site.origin}/sitemap.xml", ask_not_listed=True)
        ledger = harvest(source, Layout(tmp_path, source.name), 1, [f"{other.origin}/connue"])
        assert other.targets() == []
    rows = {visit.url: (visit.outcome, visit.reason) for visit in ledger.visits}
    for path in ("/ailleurs", "/connue", "/plan"):
        assert rows[other.origin + path] == ("not_asked", "on another host")


# --- redirections between pages of the site


def test_a_resource_that_moved_is_read_where_it_went(tmp_path: Path) -> None:
    crawled = visit_site(tmp_path, {**BASE, "/b": redirect("/b-bis"), "/b-bis": resource("b")})
    assert crawled.outcomes["/b"] == "redirected"
    assert crawled.visits["/b-bis"].role == "resource"
    assert crawled.visits["/b-bis"].via == f"{crawled.site.origin}/b"


def test_a_resource_that_leads_to_its_listing_leaves_the_listing_a_listing(tmp_path: Path) -> None:
    crawled = visit_site(tmp_path, {**BASE, "/b": redirect("/liste")})
    assert crawled.visits["/liste"].role == "listing"
    assert crawled.visits["/liste"].attempts == crawled.site.targets().count("/liste") == 2  # its own second look


def published_states(folder: Path, scripts: Mapping[str, Script]) -> dict[str, str]:
    """Refresh from a site; the state of each resource by its path."""
    with SiteServer(scripts) as site:
        refresh(make_source(site.origin), folder)
    release = latest_release(Layout(folder, "essai"))
    assert release is not None
    return {row["url"].removeprefix(site.origin): row["state"] for row in release.rows("resources")}


def test_a_resource_that_leads_to_its_listing_takes_no_other_off_it(tmp_path: Path) -> None:
    states = published_states(tmp_path, {**BASE, "/b": redirect("/liste")})
    assert states["/a"] == states["/c"] == "listed"


def test_resources_that_lead_to_their_listing_stay_themselves(tmp_path: Path) -> None:
    states = published_states(tmp_path, {**BASE, "/a": redirect("/liste"), "/b": redirect("/liste")})
    assert len(states) == 3
    assert "/liste" not in states


def test_a_chain_beyond_the_limit_says_nothing_of_robots(tmp_path: Path) -> None:
    chain: dict[str, Script] = {f"/saut{n}": redirect(f"/saut{n + 1}") for n in range(20)}
    outcomes = visit_site(tmp_path, {**BASE, **chain, "/b": redirect("/saut0")}).outcomes
    assert "failed" in outcomes.values()
    assert "refused_by_robots" not in outcomes.values()


def test_resources_are_on_our_host_however_the_source_file_writes_it(tmp_path: Path) -> None:
    with SiteServer(BASE) as site:
        source = make_source("", [f"http://LOCALHOST:{site.port}/liste"])
        ledger = harvest(source, Layout(tmp_path, source.name), 1, [])
    assert [visit.outcome for visit in ledger.visits if visit.role == "resource"] == ["fetched"] * 3


def test_a_site_that_wants_its_slash_is_given_it(tmp_path: Path) -> None:
    scripts: dict[str, Script] = {
        "/liste": redirect("/liste/"),
        "/liste/": listing("Liste", ["a/"]),
        "/a": redirect("/a/"),
        "/a/": resource("a/"),
    }
    assert visit_site(tmp_path, scripts, listings=["/liste/"]).ledger.listings[0].record_count == 1


def test_two_resources_that_lead_to_one_page_give_it_one_row(tmp_path: Path) -> None:
    crawled = visit_site(tmp_path, {**BASE, "/a": redirect("/c"), "/b": redirect("/c")})
    assert [crawled.outcomes[path] for path in ("/a", "/b", "/c")] == ["redirected", "redirected", "fetched"]

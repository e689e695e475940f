"""Answers of status 200 that are no page: each kind is told, none gives a row, no ordinary page is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.jobs import refresh
from flows.ledger import Ledger
from flows.stages import batches, harvest
from harvest.answers import read_answer
from harvest.archive import read_blocks
from harvest.payloads import read_payload
from harvest.soft_failures import SameBodies, find_soft_failure
from schema.errors import Blocked
from schema.layout import Layout
from schema.nouns import Payload, Visit
from tests.site_server import Script, SiteServer, answer, block, listing, make_source, page, resource
from tests.small_site import SAMPLE
from tests.theme_site import SHAPES, Shape, pages, sample_entries, site_entries
from tests.theme_site import page as theme_page

URL = "https://site.example/thematique/eau"
MENU = (
    "<ul>" + "".join(f'<li><a href="/m{n}">Rubrique {n} du centre de ressources</a></li>' for n in range(9)) + "</ul>"
)
LOGIN_BLOCK = (
    '<form id="user-login-form"><label>Nom d’utilisateur</label><input name="name"><label>Mot de passe</label>'
    '<input type="password" name="pass"><a href="/user/password">Mot de passe oublié ?</a></form>'
)


def themed(title: str, content: str) -> str:
    """A page as the site's theme frames it: menu, log-in form beside, the page's own words."""
    head = f"<!DOCTYPE html><html lang=fr><head><title>{title} | Centre de ressources</title></head>"
    body = f"<header>{MENU}</header><main><h1>{title}</h1>{content}</main><aside>{LOGIN_BLOCK}</aside>{MENU}"
    return f"{head}<body>{body}</body></html>"


CANNED = {
    "log-in in the site's theme": ("log-in page", themed("Se connecter", LOGIN_BLOCK)),
    "log-in of another service": (
        "log-in page",
        (
            "<html><head><title>Sign in to your account</title></head><body><form "
            "action='https://login.other.example/'>"
            "<input name=login><input type=password name=passwd></form></body></html>"
        ),
    ),
    "Drupal's maintenance": (
        "maintenance page",
        (
            "<html><head><title>Site en maintenance | Centre</title></head><body><h1>Site en "
            "maintenance</h1><p>Centre est "
            "actuellement en maintenance. Nous serons de retour rapidement. Merci de votre patience.</p></body></html>"
        ),
    ),
    "a host's maintenance": (
        "maintenance page",
        ("<html><body><p>Service temporarily unavailable, please try again later.</p></body></html>"),
    ),
    "Cloudflare's challenge": (
        "challenge page",
        (
            "<!DOCTYPE html><html><head><title>Just a moment...</title><meta http-equiv=refresh "
            "content=360></head><body>"
            "<noscript>Enable JavaScript and cookies to "
            "continue</noscript><script>window._cf_chl_opt={cRay:'8'}</script>"
            "</body></html>"
        ),
    ),
    "Cloudflare's refusal": (
        "challenge page",
        (
            "<html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have "
            "been blocked</h1>"
            "<h2>You are unable to access site.example</h2><p>This website is using a security service to "
            "protect itself "
            "from online attacks. Cloudflare Ray ID: 8a</p></body></html>"
        ),
    ),
    "a captcha in French": (
        "challenge page",
        (
            "<html><head><title>Vérification de sécurité</title></head><body><p>Confirmez que vous n’êtes "
            "pas un robot.</p>"
            "<div class=h-captcha></div></body></html>"
        ),
    ),
    "a challenge in a frame": (
        "challenge page",
        (
            '<html><head><META NAME="robots" CONTENT="noindex"></head><body><iframe src="/_Incapsula_Resource?x=1">'
            "Request unsuccessful. Incapsula incident ID: 77</iframe></body></html>"
        ),
    ),
    "what is not found, with 200": (
        "page of what is not found",
        themed("Page non trouvée", "La page demandée n'a pas pu être trouvée."),
    ),
    "refused access, with 200": (
        "page of refused access",
        themed("Accès refusé", "Vous n'êtes pas autorisé à accéder à cette page."),
    ),
    "Drupal's error, with 200": (
        "error page",
        ("The website encountered an unexpected error. Please try again later.<br>"),
    ),
    "a server without a site": (
        "error page",
        (
            "<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1><p>If you "
            "see this page, "
            "the web server is successfully installed and working.</p></body></html>"
        ),
    ),
    "an empty shell": (
        "empty shell",
        '<html><head><title>Centre</title></head><body><div id="root"></div></body></html>',
    ),
    "nothing at all": ("empty shell", ""),
    "a page that only sends on": (
        "only sends elsewhere",
        (
            "<html><head><meta http-equiv='refresh' content='0; url=https://autre.example/'></head><body>"
            "<h1>…</h1></body></html>"
        ),
    ),
}


SAME = f"<h1>Le centre</h1><p>Un texte que rien ne trahit, le même pour chaque adresse du site.</p>{MENU}"


def judge(html: str, *, has_records: bool = False, url: str = URL) -> str | None:
    payload = Payload(url, html.encode(), "text/html", "utf-8")
    return find_soft_failure(payload, SameBodies(), has_records=has_records, is_listing=True)


@pytest.mark.parametrize("name", CANNED)
def test_each_kind_is_told(name: str) -> None:
    kind, html = CANNED[name]
    reason = judge(html)
    assert reason is not None
    assert reason.startswith("soft failure: ")
    assert kind in reason


@pytest.mark.parametrize("name", CANNED)
def test_where_resources_stand_the_page_is_one(name: str) -> None:
    assert judge(CANNED[name][1], has_records=True) is None


@pytest.mark.parametrize("name", CANNED)
def test_no_row_comes_of_one_and_its_kind_is_in_the_ledger(tmp_path: Path, name: str) -> None:
    soft = answer(CANNED[name][1])
    scripts: dict[str, Script] = {"/liste": listing("Liste", ["a", "b"]), "/a": soft, "/b": resource("b"), "/eau": soft}
    ledger = crawled(tmp_path, scripts, ["/liste", "/eau"])
    visits = {visit.url.rpartition("/")[2]: visit for visit in ledger.visits}
    assert {visits[path].outcome for path in ("a", "eau")} == {"soft_failure"}
    assert all(CANNED[name][0] in str(visits[path].reason) for path in ("a", "eau"))
    assert {visit.url.rpartition("/")[2] for visit in parsed(ledger)} == {"liste", "b"}
    assert ledger.listings[0].gap is None
    assert ledger.listings[1].gap == f"{visits['eau'].url}: {visits['eau'].reason}"


def crawled(folder: Path, scripts: dict[str, Script], listings: list[str]) -> Ledger:
    with SiteServer(scripts) as site:
        return harvest(make_source(site.origin, listings), Layout(folder, "essai"), 1, [])


def parsed(ledger: Ledger) -> list[Visit]:
    return [visit for batch in batches(ledger.visits) for visit in batch]


def test_where_every_listing_is_one_the_run_ends_blocked(tmp_path: Path) -> None:
    soft = answer(CANNED["Cloudflare's challenge"][1])
    with SiteServer({"/liste": soft, "/eau": soft}) as site, pytest.raises(Blocked, match="challenge page") as caught:
        refresh(make_source(site.origin, ["/liste", "/eau"]), tmp_path)
    assert (caught.value.exit_code, caught.value.is_retryable) == (4, True)


def test_a_further_page_that_is_one_is_a_gap_and_no_end(tmp_path: Path) -> None:
    soft = answer(CANNED["log-in in the site's theme"][1])
    scripts: dict[str, Script] = {"/liste": listing("Liste", ["a"], "?page=1"), "/liste?page=1": soft}
    gap = crawled(tmp_path, {**scripts, "/a": resource("a")}, ["/liste"]).listings[0].gap
    assert gap is not None
    assert "log-in page" in gap


# --- ordinary pages


@pytest.mark.parametrize("night", ["night1", "night2"])
def test_no_ordinary_page_of_the_sample_is_taken_for_one(night: str) -> None:
    told = {}
    for found in read_blocks(SAMPLE.with_name(f"{night}.warc.gz")):
        if found.kind == "response" and read_answer(found.read()).status == 200:
            payload = read_payload(found.path, found.offset)
            told[found.url] = find_soft_failure(payload, SameBodies(), has_records=False, is_listing=True)
    assert {url for url, reason in told.items() if reason} == {"https://rtes.example/user/login"}
    assert len(told) > 75


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_no_page_of_any_theme_is_taken_for_one(shape: Shape) -> None:
    entries = site_entries(shape, sample_entries()[:12])
    told = [judge(html.decode(), url=url) for url, html in pages(shape, entries, own_pages=True)]
    told.append(judge(theme_page(shape, "Eau", "", []).decode()))
    assert len(told) > len(entries)
    assert set(told) == {None}


CALLED_SO = (
    "Maintenance des bâtiments",
    "Connexion au numérique",
    "Identification des besoins",
    "Erreurs à éviter",
    "Accès aux droits",
    "Robots et emploi",
    "Oups, mon budget",
)


@pytest.mark.parametrize("heading", CALLED_SO)
def test_a_theme_that_is_called_so_is_none(heading: str) -> None:
    empty = "<p>Aucune ressource ne correspond à cette thématique pour le moment. Consultez les autres rubriques.</p>"
    assert judge(themed(heading, empty)) is None


# --- the same for every address


def test_what_is_answered_to_an_impossible_address_is_no_page(tmp_path: Path) -> None:
    front = page(
        f"<h1>Accueil du centre</h1><p>Bienvenue dans un centre qui répond à tout, toujours le même.</p>{MENU}"
    )
    with SiteServer({"/liste": listing("Liste", ["a", "b"]), "/a": front, "/b": resource("b")}) as site:
        probe = next(v for v in harvest_of(site, tmp_path / "first").visits if v.role == "probe")
        assert probe.outcome == "not_found"
        site.scripts[probe.url.removeprefix(site.origin)] = front
        ledger = harvest_of(site, tmp_path / "second")
    outcomes = {visit.url.rpartition("/")[2]: (visit.outcome, visit.reason) for visit in ledger.visits}
    assert outcomes["a"] == ("soft_failure", "soft failure: answered like an address that cannot exist")
    assert outcomes["b"][0] == outcomes["liste"][0] == "fetched"


def harvest_of(site: SiteServer, folder: Path) -> Ledger:
    return harvest(make_source(site.origin), Layout(folder, "essai"), 1, [])


def test_one_soft_failure_among_fifty_is_the_one_told(tmp_path: Path) -> None:
    slugs = [f"r{n}" for n in range(50)]
    scripts: dict[str, Script] = {"/liste": listing("Liste", slugs), **{f"/{s}": resource(s) for s in slugs}}
    scripts["/r7"] = answer(CANNED["what is not found, with 200"][1])
    ledger = crawled(tmp_path, scripts, ["/liste"])
    assert [v.url.rpartition("/")[2] for v in ledger.visits if v.outcome == "soft_failure"] == ["r7"]


@pytest.mark.parametrize("count", [2, 3])
def test_one_body_for_three_addresses_is_no_page(tmp_path: Path, count: int) -> None:
    same = page(SAME)
    slugs = [f"r{n}" for n in range(count)]
    scripts: dict[str, Script] = {"/liste": listing("Liste", [*slugs, "b"]), "/b": resource("b")}
    ledger = crawled(tmp_path, {**scripts, **{f"/{slug}": same for slug in slugs}}, ["/liste"])
    soft = [visit for visit in ledger.visits if visit.outcome == "soft_failure"]
    assert len(soft) == (3 if count == 3 else 0)
    assert all(visit.reason == "soft failure: the same body for 3 addresses" for visit in soft)


def test_one_resource_for_three_addresses_is_no_page_of_theirs(tmp_path: Path) -> None:
    scripts: dict[str, Script] = {"/liste": listing("Liste", "abcd"), "/d": resource("d")}
    ledger = crawled(tmp_path, {**scripts, **{f"/{slug}": resource("a") for slug in "abc"}}, ["/liste"])
    assert sum(visit.outcome == "soft_failure" for visit in ledger.visits) == 3


def test_one_body_for_three_listings_blocks_the_run(tmp_path: Path) -> None:
    same = page(SAME)
    with pytest.raises(Blocked, match="the same body for 3 addresses"):
        crawled(tmp_path, dict.fromkeys(["/x", "/y", "/z"], same), ["/x", "/y", "/z"])


def test_twins_with_pages_of_their_own_are_pages(tmp_path: Path) -> None:
    twins = {f"/{slug}": page(block(slug, "Un guide").replace("h2", "h1")) for slug in "abc"}
    ledger = crawled(tmp_path, {"/liste": listing("Liste", "abc"), **twins}, ["/liste"])
    assert {visit.outcome for visit in ledger.visits if visit.role == "resource"} == {"fetched"}


def test_a_hostile_page_is_judged_in_a_moment() -> None:
    for content in ("<" * 200_000, "<a " * 60_000, "<script>" * 30_000, "<!--" * 50_000, '<a href="' * 25_000):
        judge(content)

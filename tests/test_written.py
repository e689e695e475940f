"""robots.txt speaks of addresses as the site writes them: one that it denies so is not asked for in our own form."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest

from flows.jobs import refresh
from flows.ledger import read_ledgers
from harvest.written import MAX_FORMS, MAX_LINKS, Written
from schema.errors import Forbidden, HeldByGate
from schema.layout import Layout
from schema.nouns import Payload, Visit
from tests.site_server import Script, SiteServer, answer, block, make_source, page, redirect, resource

SLUGS = ("a", "b")


def robots(*rules: str) -> bytes:
    return answer("\n".join(["User-agent: *", *rules, ""]), media_type="text/plain")


def liste(b_href: str, more: str = "") -> bytes:
    linked = block("b").replace('href="/b"', f'href="{b_href}"')
    return page(f"<h1>Liste</h1>{block('a')}{linked}{more}")


def night(server: SiteServer, data: Path, listings: tuple[str, ...] = ("/liste",)) -> dict[str, Visit]:
    with suppress(HeldByGate):
        refresh(make_source(server.origin, listings), data)
    visits = read_ledgers(Layout(data, "essai"))[-1].visits
    return {visit.url.removeprefix(server.origin): visit for visit in visits}


DENIED = [
    ("Disallow: /b/", "/b/", "/b"),
    ("Disallow: /*%20", "/f?q=a%20b", "/f?q=a+b"),
    ("Disallow: /*?page=", "/f?page=2&amp;f=1", "/f?f=1&page=2"),
    ("Disallow: /*utm_source", "/b?utm_source=lettre", "/b"),
    ("Disallow: /%C3%A9/", "/é/", "/%C3%A9"),
]


@pytest.mark.parametrize(("rule", "href", "asked"), DENIED)
def test_what_is_denied_as_it_is_linked_is_not_asked_in_another_form(
    tmp_path: Path, rule: str, href: str, asked: str
) -> None:
    scripts: dict[str, Script] = {"/liste": liste(href), "/a": resource("a"), asked: resource("b")}
    with SiteServer(scripts | {"/robots.txt": robots(rule)}) as server:
        visits = night(server, tmp_path)
        assert (visits[asked].outcome, visits[asked].reason) == ("refused_by_robots", f"robots.txt: {rule}")
        assert asked not in server.targets()
        assert "/a" in server.targets()


@pytest.mark.parametrize(("rule", "href", "asked"), DENIED)
def test_without_the_rule_it_is_asked(tmp_path: Path, rule: str, href: str, asked: str) -> None:
    scripts: dict[str, Script] = {"/liste": liste(href), "/a": resource("a"), asked: resource("b")}
    with SiteServer(scripts | {"/robots.txt": robots(rule + "x")}) as server:
        assert night(server, tmp_path)[asked].outcome == "fetched"


@pytest.mark.parametrize("other", ["/b", "/b#bas", "//{host}/b", "b"])
def test_one_form_that_is_allowed_is_enough(tmp_path: Path, other: str) -> None:
    scripts: dict[str, Script] = {"/robots.txt": robots("Disallow: /b/", "Disallow: /*?"), "/a": resource("a")}
    with SiteServer(scripts | {"/b": resource("b")}) as server:
        more = f"<a href='{other.format(host=server.origin.partition('//')[2])}'>b</a>"
        server.scripts["/liste"] = liste("/b/", f"<a href=/b?utm_source=x>b</a>{more}")
        assert night(server, tmp_path)["/b"].outcome == "fetched"


def test_a_listing_that_is_denied_as_the_source_file_names_it_is_not_asked(tmp_path: Path) -> None:
    with SiteServer({"/robots.txt": robots("Disallow: /liste/"), "/liste": liste("/b")}) as server:
        with pytest.raises(Forbidden, match="Disallow: /liste/"):
            night(server, tmp_path, ("/liste/",))
        assert "/liste" not in server.targets()


def test_what_a_redirection_names_is_judged_as_it_names_it(tmp_path: Path) -> None:
    scripts: dict[str, Script] = {"/robots.txt": robots("Disallow: /c/"), "/liste": liste("/b"), "/a": resource("a")}
    with SiteServer(scripts | {"/b": redirect("/c/"), "/c": resource("b"), "/c/": resource("b")}) as server:
        visits = night(server, tmp_path)
        assert (visits["/b"].outcome, visits["/c"].outcome) == ("redirected", "refused_by_robots")
        assert not {"/c", "/c/"} & set(server.targets())


def test_what_a_sitemap_names_is_judged_as_it_names_it(tmp_path: Path) -> None:
    scripts: dict[str, Script] = {"/robots.txt": robots("Disallow: /c/"), "/liste": liste("/b"), "/a": resource("a")}
    scripts |= {"/b": resource("b"), "/c": resource("c"), "/d": resource("d")}
    with SiteServer(scripts) as server:
        named = "".join(f"<url><loc>{server.origin}/{path}</loc></url>" for path in ("c/", "d/"))
        xml = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{named}</urlset>'
        server.scripts["/sitemap.xml"] = answer(xml, media_type="text/xml")
        source = make_source(server.origin, sitemap=f"{server.origin}/sitemap.xml", ask_not_listed=True)
        refresh(source, tmp_path)
        assert "/c" not in server.targets()
        assert "/d" in server.targets()


# --- links


def read(html: str | bytes, url: str = "https://rtes.example/l") -> Written:
    written = Written({"rtes.example": "https"})
    content = html if isinstance(html, bytes) else html.encode()
    written.read(Payload(url, content, "text/html", None), url)
    return written


@pytest.mark.parametrize(
    ("html", "url", "form"),
    [
        ("<a href=/b/>", "/b", "/b/"),
        ("<a\nHREF = '/b/'>", "/b", "/b/"),
        ('<a href=" ../b/ ">', "/b", "/b/"),
        ('<a href="?q=1&amp;p=2">', "/l?p=2&q=1", "/l?q=1&p=2"),
        ("<base href='/x/'><a href=b/>", "/x/b", "/x/b/"),
        ("<base href='/x/'><a href=/b>", "/b", "/b"),
        ("<a href='http://rtes.example/b/#c'>", "/b", None),
    ],
)
def test_a_link_is_read_however_it_is_written(html: str, url: str, form: str | None) -> None:
    stated = f"https://rtes.example{form}" if form else "http://rtes.example/b/"
    assert stated in read(html).forms_of(f"https://rtes.example{url}")


def test_a_link_in_another_charset_is_read_as_the_page_is() -> None:
    html = '<meta charset="iso-8859-1"><a href="/é/">'.encode("latin-1")
    assert read(html).forms_of("https://rtes.example/%C3%A9") == ("https://rtes.example/é/",)


def test_what_is_no_link_of_ours_is_not_kept() -> None:
    html = "<a href='#x'><a href='mailto:a@b'><a href='https://autre.example/b/'><a href='http://['><a href=''>"
    assert read(html).forms_of("https://autre.example/b") == ()


def test_many_links_and_many_forms_cost_little() -> None:
    html = "".join(f"<a href='/p{n}/?x={n}'>" for n in range(4 * MAX_LINKS)) + "<a href='" * 100_000
    started = time.monotonic()
    written = read(html)
    assert time.monotonic() - started < 4
    assert written.forms_of("https://rtes.example/p1?x=1")
    assert not written.forms_of(f"https://rtes.example/p{MAX_LINKS + 1}?x={MAX_LINKS + 1}")
    for n in range(2 * MAX_FORMS):
        written.note("https://rtes.example/b", f"https://rtes.example/b?utm_x={n}")
    assert len(written.forms_of("https://rtes.example/b")) == MAX_FORMS

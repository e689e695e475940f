"""A site that writes its addresses otherwise than we do is asked once for a page from the second night on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flows.jobs import refresh
from flows.ledger import Ledger, read_ledgers
from flows.stages import harvest
from harvest.archive import read_blocks
from harvest.spellings import written_of
from harvest.validators import validators_of
from schema.layout import Layout
from schema.nouns import Visit
from tests.own_questions import is_probe
from tests.site_server import Script, SiteServer, answer, listing, make_source, redirect, resource

NAMES = ["r0", "r1", "r2"]
STAMPS = b'\r\nETag: "1"\r\nLast-Modified: Fri, 01 Jan 2021 00:00:00 GMT\r\n\r\n'


def slashed() -> dict[str, Script]:
    """A site that wants its slash, and gives validators."""
    pages = {f"/{name}/": resource(name).replace(b"\r\n\r\n", STAMPS, 1) for name in NAMES}
    return {"/liste": listing("Liste", NAMES), **{f"/{name}": redirect(f"/{name}/") for name in NAMES}, **pages}


def asked(site: SiteServer, layout: Layout) -> list[str]:
    """What one more night asks for, robots.txt, probe and listing aside."""
    before = len(site.asked)
    refresh(make_source(site.origin), layout.data)
    targets = site.targets()[before:]
    return [path for path in targets if path not in ("/robots.txt", "/liste") and not is_probe(path)]


def last(layout: Layout) -> dict[str, Visit]:
    """The visits of the last night, by path."""
    ledger: Ledger = read_ledgers(layout)[-1]
    return {"/" + visit.url.split("/", 3)[3]: visit for visit in ledger.visits}


def test_the_spelling_that_a_site_wants_is_asked_for_at_once_from_the_second_night_on(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "essai")
    with SiteServer(slashed()) as site:
        assert asked(site, layout) == ["/r0", "/r0/", "/r1", "/r1/", "/r2", "/r2/"]
        site.scripts |= {f"/{name}/": b"HTTP/1.1 304 N\r\n\r\n" for name in NAMES}
        for _ in range(2):
            assert asked(site, layout) == ["/r0/", "/r1/", "/r2/"]
            visits = [last(layout)[f"/{name}"] for name in NAMES]
            assert {(visit.outcome, visit.attempts) for visit in visits} == {("not_modified", 1)}
            assert [visit.written_url for visit in visits] == [f"{site.origin}/{name}/" for name in NAMES]
        assert all(block.url.endswith("/") for block in read_blocks(layout.archive(3)) if "/r" in block.url[-4:])


@pytest.mark.parametrize(
    ("now", "wanted", "after"),
    [
        # as we write it, told by a redirection or by nothing at all
        ({"/r0": resource("r0"), "/r0/": redirect("/r0")}, ["/r0/", "/r0"], ["/r0"]),
        ({"/r0": resource("r0"), "/r0/": answer("", status="404 No")}, ["/r0/", "/r0"], ["/r0"]),
        ({"/r0": resource("r0"), "/r0/": answer("", status="403 No")}, ["/r0/", "/r0"], ["/r0"]),
        # a third way
        (
            {"/r0": redirect("/r0?page=0"), "/r0/": answer("", status="404 No"), "/r0?page=0": resource("r0")},
            ["/r0/", "/r0", "/r0?page=0"],
            ["/r0?page=0"],
        ),
    ],
)
def test_a_site_that_changes_its_mind_is_followed_again(
    tmp_path: Path, now: dict[str, Script], wanted: list[str], after: list[str]
) -> None:
    layout = Layout(tmp_path, "essai")
    with SiteServer(slashed()) as site:
        asked(site, layout)
        site.scripts |= now
        for expected in (wanted, after):
            assert asked(site, layout) == [*expected, "/r1/", "/r2/"]
            assert (last(layout)["/r0"].outcome, last(layout)["/r0"].attempts) == ("fetched", len(expected))


@pytest.mark.parametrize(
    ("status", "outcome"), [("404 No", "not_found"), ("410 Gone", "gone"), ("403 No", "forbidden")]
)
def test_a_page_that_is_gone_is_gone_by_either_spelling(tmp_path: Path, status: str, outcome: str) -> None:
    layout = Layout(tmp_path, "essai")
    with SiteServer(slashed()) as site:
        asked(site, layout)
        site.scripts["/r0/"] = answer("", status=status)
        assert asked(site, layout) == ["/r0/", "/r0", "/r1/", "/r2/"]
        visit = last(layout)["/r0"]
        assert (visit.outcome, visit.attempts, visit.redirect_url) == (outcome, 2, None)
        site.scripts["/r0/"] = resource("r0")
        asked(site, layout)
        assert last(layout)["/r0"].outcome == "fetched"


def test_a_spelling_that_robots_txt_denies_is_not_asked_for(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "essai")
    with SiteServer(slashed()) as site:
        asked(site, layout)
        site.scripts["/robots.txt"] = answer("User-agent: *\nDisallow: /r0/\n", media_type="text/plain")
        assert asked(site, layout) == ["/r0", "/r1/", "/r2/"]
        visit = last(layout)["/r0"]
        assert (visit.outcome, visit.attempts, visit.reason) == ("refused_by_robots", 1, "robots.txt: Disallow: /r0/")


def test_a_spelling_that_robots_txt_denies_is_not_asked_for_on_the_first_night_either(tmp_path: Path) -> None:
    rules = answer("User-agent: *\nDisallow: /r0/\n", media_type="text/plain")
    with SiteServer({**slashed(), "/robots.txt": rules}) as site:
        assert asked(site, Layout(tmp_path, "essai")) == ["/r0", "/r1", "/r1/", "/r2", "/r2/"]


def test_the_last_page_that_an_address_showed_says_how_it_is_written() -> None:
    ours = Visit("https://x.fr/a", "resource", "fetched")
    theirs = replace(ours, written_url="https://x.fr/a/")
    gone = replace(ours, outcome="not_found")
    assert written_of([[ours], [theirs]]) == {"https://x.fr/a": "https://x.fr/a/"}
    assert written_of([[theirs], [gone]]) == {"https://x.fr/a": "https://x.fr/a/"}
    assert written_of([[theirs], [replace(theirs, outcome="not_modified")]]) == {"https://x.fr/a": "https://x.fr/a/"}
    assert written_of([[theirs], [ours]]) == {}


def test_a_replay_is_asked_as_we_write_it(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data", "essai")
    with SiteServer({"/liste": listing("Liste", ["a"]), "/a": resource("a")}) as site:
        harvest(make_source(site.origin), Layout(tmp_path / "first", "essai"), 1, [])
        warc, origin = Layout(tmp_path / "first", "essai").archive(1), site.origin
    source = make_source(origin, replay=str(warc))
    ledger = harvest(source, layout, 1, [], validators=validators_of([]), written={f"{origin}/a": f"{origin}/zz/"})
    assert {visit.outcome for visit in ledger.visits if visit.role == "resource"} == {"fetched"}

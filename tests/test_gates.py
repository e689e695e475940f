"""Each gate rings when it should and is silent when it should; a night that is held leaves the release as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from flows.jobs import Outcome, refresh
from harvest import client as client_module
from releases.fields import changed_fields, emptied_fields
from releases.gates import is_missing_from_replay, reasons_to_hold, require_resources, unread_blocks, vanished
from releases.store import latest_release
from schema.errors import Blocked, HeldByGate, MoissonError, SiteUnreachable, StructureChanged
from schema.layout import Layout
from schema.nouns import ListingVisit
from tests.site_server import Script, SiteServer, answer, listing, make_source, page, redirect, resource

URL = "https://rtes.example/liste"
OTHER = "https://rtes.example/autre"
NOT_HELD = f"{URL}?page=1: the WARC that is replayed does not hold it"
RESOURCES = [{"resource_id": "r1"}]


def read(count: int, gap: str | None = None, heading: str | None = "Eau", url: str = URL) -> ListingVisit:
    return ListingVisit(url, (url,), heading, count, gap)


# --- as rules


@pytest.mark.parametrize("listings", [[read(3)], [read(0), read(1)], []])
def test_a_night_with_resources_is_let_pass(listings: list[ListingVisit]) -> None:
    require_resources(RESOURCES, listings)


@pytest.mark.parametrize("resources", [[], RESOURCES])
def test_listings_that_are_all_empty_are_a_changed_structure(resources: list[Mapping[str, Any]]) -> None:
    with pytest.raises(StructureChanged, match="no resource stands on any listing") as caught:
        require_resources(resources, [read(0), read(0, url=OTHER)])
    assert URL in str(caught.value)
    assert OTHER in str(caught.value)


@pytest.mark.parametrize("listings", [[read(3)], []])
def test_a_night_without_any_resource_is_a_changed_structure(listings: list[ListingVisit]) -> None:
    with pytest.raises(StructureChanged, match="no resource was read"):
        require_resources([], listings)


def test_a_listing_that_held_resources_and_is_empty_rings() -> None:
    assert reasons_to_hold([read(0), read(2, url=OTHER)], {URL: 3, OTHER: 2}) == [
        f"the listing {URL} held resources and is empty tonight"
    ]


def test_a_listing_that_never_held_any_is_silent() -> None:
    assert reasons_to_hold([read(0), read(2, url=OTHER)], {URL: 0, OTHER: 1}) == []
    assert reasons_to_hold([read(0, heading=None)], {}) == []


def test_listings_read_to_their_end_are_silent() -> None:
    assert reasons_to_hold([read(1), read(500, url=OTHER)], {URL: 3}) == []
    assert reasons_to_hold([], {URL: 3}) == []


@pytest.mark.parametrize(
    "gap", [f"{URL}?page=2: 502", f"{URL}?page=2: repeats an earlier page", f"{URL}?page=9: more than 9 pages"]
)
def test_a_listing_that_was_not_read_to_its_end_rings(gap: str) -> None:
    assert reasons_to_hold([read(3, gap), read(3)], {}) == [f"the listing was not read to its end: {gap}"]


def test_what_the_replayed_archive_never_held_is_no_gap() -> None:
    assert is_missing_from_replay(NOT_HELD)
    assert not is_missing_from_replay(f"{URL}: 404")
    assert reasons_to_hold([read(3, NOT_HELD)], {URL: 3}) == []


def listed(*names: str, state: str = "listed") -> list[dict[str, Any]]:
    """Rows of `resources`, as far as the gate looks at them."""
    return [{"resource_id": name, "state": state} for name in names]


@pytest.mark.parametrize(("before", "lost", "rings"), [(100, 21, True), (100, 20, False), (5, 2, False), (5, 3, True)])
def test_too_much_gone_at_once_rings(before: int, lost: int, rings: bool) -> None:  # noqa: FBT001  # a case of the table
    names = [f"r{n}" for n in range(before)]
    tonight = [*listed(*names[lost:]), *listed(*names[:lost], state="not_found")]
    assert bool(vanished(listed(*names), tonight, 0.2)) == rings
    assert bool(vanished(listed(*names), listed(*names[lost:]), 0.2)) == rings
    assert vanished([], tonight, 0.2) == vanished(tonight, [*tonight, *listed("new")], 0.0) == []


def test_what_became_part_of_a_listed_resource_has_not_vanished() -> None:
    names = [f"r{n}" for n in range(11)]
    merged = [{"resource_id": f"r{n}", "fate": "merged", "now": [f"r{n + 4}"]} for n in range(4)]
    assert vanished(listed(*names), listed(*names[4:]), 0.2, merged) == []
    # led to what is on no listing either, and gone without having been merged
    assert vanished(listed(*names), listed(*names[8:]), 0.2, merged) != []
    retired = [{**row, "fate": "retired", "now": [row["resource_id"]]} for row in merged]
    assert vanished(listed(*names), listed(*names[4:]), 0.2, retired) != []


def test_every_reason_is_told() -> None:
    listings = [read(0), read(1, f"{OTHER}: 500", url=OTHER), read(2, url=f"{URL}-3")]
    assert len(reasons_to_hold(listings, {URL: 3})) == 2


def stated(**values: Any) -> dict[str, Any]:
    """A record, as far as the gate looks at it."""
    return {"is_copy": False, "type": "Guide", "is_private": False, "resume": "a", **values}


def test_a_field_that_no_record_has_any_more_rings() -> None:
    full = [stated(), stated()]
    (told,) = emptied_fields(full, [stated(type=None), stated(type=None), stated(is_copy=True)])
    assert "type" in told
    assert len(emptied_fields(full, [stated(type=None, is_private=None, resume=None)])) == 3


def test_a_field_that_some_record_still_has_is_silent() -> None:
    full = [stated(), stated()]
    assert emptied_fields(full, full) == emptied_fields([], full) == emptied_fields([], []) == []
    assert emptied_fields(full, [stated(type=None), stated()]) == []
    assert emptied_fields([stated(type=None)], [stated(type=None)]) == []


def stands(count: int, place: str = URL, first: int = 0, **values: Any) -> list[dict[str, Any]]:
    """Records of different resources on one listing; {n} in a value is the number of the record."""
    rows = []
    for n in range(first, first + count):
        row = {"resource_id": f"r{n}", "page_url": f"{place}?page={n // 2}", "title": f"Titre {n}", "body": "b" * 100}
        own = {"type": f"Type {n % 2}", "url": f"https://rtes.example/{n}", "is_copy": False, "is_private": False}
        told = {key: v.format(n=n) if isinstance(v, str) else v for key, v in values.items()}
        rows.append({**row, **own, "resume": "a" * 100, **told})
    return rows


CHANGED: dict[str, tuple[dict[str, Any], str]] = {
    "type": ({"type": None}, "4 of 4 records on .*liste have no type"),
    "is_private": ({"is_private": None}, "have no is_private"),
    "resume": ({"resume": None}, "have no resume"),
    "body": ({"body": None}, "have no body"),
    "url": ({"url": None}, "lead nowhere"),
    "host": ({"url": "https://autre.example/{n}"}, "lead to another host, rtes.example to autre.example"),
    "private": ({"is_private": True}, "changed from private to public or back"),
    "short": ({"body": "b" * 45, "resume": "a" * 20}, "4 of 4 texts on .* are less than half as long"),
    "types": ({"type": ": Type {n}"}, "no type on .* is one of those before, ': Type 0' for one"),
    "titles": ({"title": "Ressource"}, "all records on .* are titled 'Ressource'"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_changes_on_half_of_a_listing_rings(name: str) -> None:
    values, words = CHANGED[name]
    other = stands(9, OTHER, 10)
    before, listings = [*stands(4), *other], [read(4), read(9, url=OTHER)]
    (told,) = changed_fields(before, [*stands(4, **values), *other], listings)
    assert re.search(words, told)
    # the same on the resources' own pages
    (told,) = changed_fields(
        stands(4, "https://rtes.example/x"), stands(4, "https://rtes.example/x", **values), listings
    )
    assert "own pages" in told


@pytest.mark.parametrize("name", CHANGED)
def test_what_changes_for_a_few_or_was_so_before_is_silent(name: str) -> None:
    values, _ = CHANGED[name]
    listings = [read(8)]
    assert changed_fields(stands(2), stands(2, **values), listings) == []
    if name not in ("types", "titles"):
        assert changed_fields(stands(8), [*stands(3, **values), *stands(5, first=3)], listings) == []
    else:
        assert changed_fields(stands(8), [*stands(7, **values), *stands(1, first=7)], listings) == []
    assert changed_fields(stands(8, **values), stands(8, **values), listings) == []
    assert changed_fields([], stands(8, **values), listings) == []
    # others, and copies, in the place of those before
    assert changed_fields(stands(8), stands(8, first=20, **values), listings) == []
    assert changed_fields(stands(8), stands(8, is_copy=True, **values), listings) == []


def test_a_field_that_comes_is_silent() -> None:
    bare: dict[str, Any] = {"type": None, "is_private": None, "resume": None, "body": None, "url": None}
    assert changed_fields(stands(8, **bare), stands(8), [read(8)]) == []


def test_one_type_for_all_that_was_renamed_is_silent() -> None:
    assert changed_fields(stands(8, type="Guide"), stands(8, type="Guides"), [read(8)]) == []
    assert (
        changed_fields(
            stands(8, url="http://rtes.example/{n}"), stands(8, url="https://www.rtes.example/{n}"), [read(8)]
        )
        == []
    )


@pytest.mark.parametrize(
    ("unread", "before", "rings"), [(3, 0, True), (2, 0, False), (5, 3, False), (6, 3, True), (3, 3, False)]
)
def test_blocks_that_can_no_longer_be_read_ring(unread: int, before: int, *, rings: bool) -> None:
    told = unread_blocks([read(6), read(5, url=OTHER)], {URL: unread, "x": 9}, {URL: before}, 0.2)
    assert bool(told) == rings
    assert all(f"{unread} of {unread + 6} blocks on {URL} could not be read" in reason for reason in told)


def test_a_few_unread_blocks_of_many_are_silent() -> None:
    assert unread_blocks([read(60)], {URL: 9}, {}, 0.2) == []
    assert unread_blocks([read(60)], {URL: 9}, {}, 0.1) != []


# --- as nights: a release, then a second night on a site that changed


Night = Callable[[Mapping[str, Script]], Outcome]
SITE: Mapping[str, Script] = {
    "/eau": listing("Eau", ["a", "b"], "?page=1"),
    "/eau?page=1": listing("Eau", ["c"]),
    "/air": listing("Air", ["d"]),
    **{f"/{slug}": resource(slug) for slug in "abcd"},
}
LOGIN = page("<h1>Connexion</h1><form><input name=nom></form>")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, "essai")


@pytest.fixture
def night(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """Refresh from a site whose pages are these; the first night is already published."""
    monkeypatch.setattr(client_module, "RETRY_PAUSE_S", 0.0)
    with SiteServer(SITE) as site:
        source = make_source(site.origin, ["/eau", "/air"])

        def refresh_from(scripts: Mapping[str, Script]) -> Outcome:
            site.scripts = dict(scripts)
            return refresh(source, layout.data)

        assert "release 1 published" in refresh_from(SITE).verdict
        yield refresh_from


def published(layout: Layout) -> dict[str, bytes]:
    """Every byte that a reader of the published data can see."""
    found = {str(p.relative_to(layout.clean)): p.read_bytes() for p in layout.releases.rglob("*") if p.is_file()}
    return {
        **found,
        "latest": str(layout.latest.readlink()).encode(),
        "json": (layout.clean / "latest.json").read_bytes(),
    }


def test_a_night_like_the_last_is_no_news(night: Night, layout: Layout) -> None:
    before = published(layout)
    assert "unchanged since release 1" in night(SITE).verdict
    assert published(layout) == before


def test_a_night_with_news_is_published(night: Night, layout: Layout) -> None:
    assert "release 2 published" in night({**SITE, "/air": listing("Air", ["d", "e"]), "/e": resource("e")}).verdict
    release = latest_release(layout)
    assert release is not None
    assert len(release.rows("resources")) == 5


LABELS = ("Type de ressource", "Ressource privée", "Résumé")


def relabelled(*labels: str) -> dict[str, Script]:
    """The site with other words in the place of its labels."""
    pattern = re.compile("|".join(f"(?<=<div>){label}(?=</div>)" for label in labels).encode())
    return {
        path: pattern.sub(lambda found: b"#" * len(found[0]), script)
        for path, script in SITE.items()
        if isinstance(script, bytes)
    }


BAD_NIGHTS: dict[str, tuple[Mapping[str, Script], type[MoissonError]]] = {
    "one listing empty": ({**SITE, "/air": listing("Air", [])}, HeldByGate),
    "a further page down": ({**SITE, "/eau?page=1": answer("", status="502 Bad Gateway")}, HeldByGate),
    "a further page again": ({**SITE, "/eau?page=1": listing("Eau", ["a", "b"])}, HeldByGate),
    "a listing gone": ({**SITE, "/air": answer("", status="404 Not Found")}, HeldByGate),
    "a listing elsewhere": ({**SITE, "/air": redirect("http://autre.example/air")}, HeldByGate),
    "all listings empty": ({**SITE, "/eau": listing("Eau", []), "/air": listing("Air", [])}, StructureChanged),
    "a login page for everything": (dict.fromkeys(SITE, LOGIN), Blocked),
    "other labels": (relabelled(*LABELS), StructureChanged),
    "all listings down": (
        {**SITE, **dict.fromkeys(("/eau", "/air"), answer("", status="500 Oops"))},
        SiteUnreachable,
    ),
    "the site down": (dict.fromkeys(("/robots.txt", *SITE), answer("", status="503 Busy")), SiteUnreachable),
}


@pytest.mark.parametrize("name", BAD_NIGHTS)
def test_a_bad_night_leaves_the_release_byte_for_byte(night: Night, layout: Layout, name: str) -> None:
    scripts, error = BAD_NIGHTS[name]
    before = published(layout)
    with pytest.raises(error) as caught:
        night(scripts)
    assert published(layout) == before
    assert layout.held(2).exists() == (error not in (SiteUnreachable, Blocked))
    assert "\n" not in str(caught.value)
    # the fault is past: nothing was lost
    assert "unchanged since release 1" in night(SITE).verdict


@pytest.mark.parametrize("shown", [LOGIN, page("<p>Service momentanément indisponible</p>"), answer("")])
def test_a_login_page_in_place_of_one_listing_is_held(night: Night, layout: Layout, shown: bytes) -> None:
    with pytest.raises(HeldByGate):
        night({**SITE, "/air": shown})


@pytest.mark.parametrize("label", LABELS)
def test_a_field_that_vanishes_everywhere_is_held(night: Night, layout: Layout, label: str) -> None:
    with pytest.raises(MoissonError):
        night(relabelled(label))


@pytest.mark.parametrize("label", LABELS)
def test_a_field_that_vanishes_on_one_listing_is_held(night: Night, layout: Layout, label: str) -> None:
    eau = {path: page for path, page in relabelled(label).items() if path.startswith("/eau")}
    with pytest.raises(HeldByGate, match=r"3 of 3 records on .*/eau have no"):
        night({**SITE, **eau})


def test_blocks_that_lost_their_titles_on_one_listing_are_held_on_a_first_night_too(layout: Layout) -> None:
    eau = {
        path: re.sub(rb"<h2>.*?</h2>", lambda found: b" " * len(found[0]), script)
        for path, script in SITE.items()
        if path.startswith("/eau") and isinstance(script, bytes)
    }
    scripts = {**SITE, **eau}
    with SiteServer(scripts) as site, pytest.raises(HeldByGate, match=r"3 of 3 blocks on .*/eau could not be read"):
        refresh(make_source(site.origin, ["/eau", "/air"]), layout.data)
    assert latest_release(layout) is None


def test_a_login_page_in_place_of_a_listing_that_moved_is_held(layout: Layout) -> None:
    with SiteServer({**SITE, "/vieux": redirect("/air")}) as site:
        source = make_source(site.origin, ["/eau", "/vieux"])
        refresh(source, layout.data)
        site.scripts["/air"] = LOGIN
        with pytest.raises(HeldByGate):
            refresh(source, layout.data)


def test_a_listing_that_is_empty_on_its_first_visit_is_let_pass_and_named(layout: Layout) -> None:
    with SiteServer({**SITE, "/air": listing("Air", [])}) as site:
        verdict = refresh(make_source(site.origin, ["/eau", "/air"]), layout.data).verdict
    assert "release 1 published" in verdict
    assert verdict.endswith(f"; no resource stands on {site.origin}/air: is that so on the site?")


def test_nothing_is_said_of_listings_that_show_resources(layout: Layout) -> None:
    with SiteServer(SITE) as site:
        assert "no resource stands" not in refresh(make_source(site.origin, ["/eau", "/air"]), layout.data).verdict


@pytest.mark.parametrize("kept", LABELS)
def test_a_listing_whose_blocks_bear_one_label_is_held_on_its_first_visit(layout: Layout, kept: str) -> None:
    shown = relabelled(*(label for label in LABELS if label != kept))["/eau"]
    with (
        SiteServer({**SITE, "/eau": shown}) as site,
        pytest.raises(HeldByGate, match="2 times and no block with label"),
    ):
        refresh(make_source(site.origin, ["/eau", "/air"]), layout.data)
    assert latest_release(layout) is None


def test_nothing_is_published_on_a_first_night_without_resources(layout: Layout) -> None:
    with SiteServer({"/eau": LOGIN}) as site, pytest.raises(Blocked):
        refresh(make_source(site.origin, ["/eau"]), layout.data)
    assert latest_release(layout) is None
    assert not layout.releases.exists()

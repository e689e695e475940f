"""A person's word when pages are edited, moved, deleted and re-used: it lasts, hides nothing, and can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.decisions import read_judgements
from releases.store import kept_state
from schema.errors import UsageError
from schema.nouns import JudgedAs
from tests.judged_site import HOST, OTHERS, SECOND, Site, told
from tests.small_site import LISTING, listing, page_of

GARAGES = "Le Département cherche des associations pour gérer cinq garages solidaires ouverts aux demandeurs d'emploi."
SHOPS = "Trois ressourceries ouvrent dans le massif pour réparer vélos, meubles et électroménager avec les habitants."
CANTEEN = "Les repas scolaires de Quimper passent au bio local grâce aux maraîchers du Finistère et à leur coopérative."
PLATFORM = "Une plateforme en ligne recense désormais toutes les épiceries coopératives bretonnes et leurs horaires."


def garage(href: str = "ga", text: str = GARAGES, title: str = "Garages solidaires") -> str:
    return told(title, href, text)


def shop(href: str = "gb", text: str = SHOPS, title: str = "Ressourceries du Vercors") -> str:
    return told(title, href, text)


class Pair:
    """A garage and a shop, nothing alike, and the ids that they were given; the shop's is the senior."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        self.site.visit([garage()], [shop()])
        self.garage, self.shop = self.site.ids_of((f"{HOST}/ga", f"{HOST}/gb"))
        assert self.shop < self.garage

    def say(self, verdict: JudgedAs, names: tuple[str, str] | None = None) -> None:
        """A word on the two, brought in; the archive gives every table again."""
        self.site.judge(names or (self.garage, self.shop), verdict)
        self.site.rebuild()
        self.prove()

    def visit(self, first: list[str], second: list[str], *gone: str) -> None:
        self.site.visit(first, second, *gone)
        self.prove()

    def prove(self) -> None:
        assert "equal to release" in self.site.rebuild()

    def at(self, href: str) -> str:
        """The resource whose record stands at an address, by the newest tables: another second address is no news."""
        newest = kept_state(self.site.layout) or self.site.release
        return str(next(row["resource_id"] for row in newest.rows("records") if row["url"] == f"{HOST}/{href}"))

    def why(self, name: str) -> str:
        """What `ids` says of an id, in words."""
        return next(str(row["why"]) for row in self.site.rows("ids") if row["resource_id"] == name)

    def told(self, name: str) -> tuple[str, str, str]:
        """State, address and title of a resource."""
        row = self.site.row(name)
        assert row is not None
        return row["state"], row["url"].removeprefix(f"{HOST}/"), row["title"]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.fixture
def joined(pair: Pair) -> Pair:
    """The two, called the same."""
    pair.say("same")
    assert pair.at("ga") == pair.at("gb") == pair.shop
    return pair


# --- addresses given to something else ------------------------------------------------------------------------------


@pytest.mark.parametrize(("href", "nights"), [("gb", 1), ("gb", 0), ("ga", 1), ("ga", 0)])
def test_a_word_hides_no_other_resource(joined: Pair, href: str, nights: int) -> None:
    other = told("Cantine bio de Quimper", href, CANTEEN)
    first, second = ([garage()], []) if href == "gb" else ([], [shop()])
    for _ in range(nights):
        joined.visit(first, second, href)
    joined.visit(first, [*second, other])
    new = joined.at(href)
    assert new not in (joined.garage, joined.shop)
    assert joined.told(new) == ("listed", href, "Cantine bio de Quimper")
    assert joined.at("ga" if href == "gb" else "gb") == joined.shop
    joined.visit(first, [*second, other])
    assert joined.at(href) == new


def test_a_joined_page_may_be_edited_as_any_other(joined: Pair) -> None:
    for page in (
        garage(text=PLATFORM),
        garage(text=PLATFORM, title="Épiceries"),
        garage(text=CANTEEN, title="Épiceries"),
    ):
        joined.visit([page], [shop()])
        assert joined.at("ga") == joined.at("gb") == joined.shop


# --- words on records -----------------------------------------------------------------------------------------------


def paged(*pages: list[str]) -> dict[str, bytes]:
    """The first listing, cut into pages."""
    links = "".join(f"<li><a href='?page={n}'>{n + 1}</a></li>" for n in range(len(pages)))
    made = [
        f"<html><body><h1>Mobilités</h1>{''.join(p)}<nav class='pager'><ul>{links}</ul></nav></body></html>"
        for p in pages
    ]
    return {LISTING + (f"?page={n}" if n else ""): page_of(page.encode()) for n, page in enumerate(made)}


@pytest.fixture
def parted(tmp_path: Path) -> tuple[Site, dict[str, str]]:
    """Two things that one address states on two listings, parted by a person; ids by title."""
    site = Site(tmp_path)
    site.read({**paged([garage("a"), OTHERS[0]], [OTHERS[1]]), SECOND: listing(shop("a"), OTHERS[2])})
    left, right = (row["record_id"] for row in site.rows("records") if row["url"] == f"{HOST}/a")
    site.judge((left, right), "different")
    site.rebuild()
    return site, ids_by_title(site)


def ids_by_title(site: Site) -> dict[str, str]:
    found = {row["title"]: row["resource_id"] for row in site.rows("records") if row["url"] == f"{HOST}/a"}
    listed = {row["resource_id"] for row in site.rows("resources") if row["state"] == "listed"}
    assert set(found.values()) <= listed
    return found


def test_the_order_of_a_listing_does_not_take_a_word_away(parted: tuple[Site, dict[str, str]]) -> None:
    site, ids = parted
    assert len(set(ids.values())) == 2
    shown = listing(shop("a"), OTHERS[2])
    for first in (paged([OTHERS[0], OTHERS[1]], [garage("a")]), paged([garage("a"), OTHERS[0]], [OTHERS[1]])):
        assert "unchanged" in site.read({**first, SECOND: shown})
        assert ids_by_title(site) == ids
    # nobody shows either under the name that was judged
    both = paged([OTHERS[0], OTHERS[1]], [garage("a"), shop("a")])
    site.read({**both, SECOND: listing(OTHERS[2])})
    assert ids_by_title(site) == ids
    edited = garage("a", text=GARAGES.replace("cinq", "six"))
    site.read({**paged([OTHERS[0], OTHERS[1]], [edited, shop("a")]), SECOND: listing(OTHERS[2])})
    assert ids_by_title(site) == ids
    assert "equal to release" in site.rebuild()


def test_a_word_on_records_is_taken_back_though_a_page_shows_one_elsewhere(parted: tuple[Site, dict[str, str]]) -> None:
    site, ids = parted
    site.read({**paged([OTHERS[0], OTHERS[1]], [garage("a")]), SECOND: listing(shop("a"), OTHERS[2])})
    word = read_judgements(site.layout)[0]
    site.judge((word.left, word.right), "withdrawn")
    site.rebuild()
    (one,) = set(ids_by_title(site).values())
    (other,) = set(ids.values()) - {one}
    assert site.fate(other) == ("merged", [one])


def test_what_is_parted_at_one_address_stays_joined_to_another(tmp_path: Path) -> None:
    site = Site(tmp_path)
    shown = listing(shop("a"), OTHERS[2])
    site.read({**paged([garage("a"), OTHERS[0]], [OTHERS[1]]), SECOND: shown})
    site.judge(site.ids_of((f"{HOST}/a", f"{HOST}/habitat")), "same")
    site.rebuild()
    left, right = (row["record_id"] for row in site.rows("records") if row["url"] == f"{HOST}/a")
    site.judge((left, right), "different")
    site.rebuild()
    for first in (paged([garage("a"), OTHERS[0]], [OTHERS[1]]), paged([OTHERS[0], OTHERS[1]], [garage("a")])):
        site.read({**first, SECOND: shown})
        owners = {row["title"]: row["resource_id"] for row in site.rows("records")}
        assert owners["Ressourceries du Vercors"] == owners["Logement habitat"] != owners["Garages solidaires"]
    assert "equal to release" in site.rebuild()


@pytest.mark.parametrize("verdict", ["different", "same"])
def test_a_word_on_records_does_not_pass_to_what_takes_an_address(pair: Pair, verdict: JudgedAs) -> None:
    pair.say(verdict, pair.site.records_of((f"{HOST}/ga", f"{HOST}/gb")))
    other = told("Cantine bio de Quimper", "gb", CANTEEN)
    for _ in range(2):
        pair.visit([garage()], [other])
        assert pair.at("gb") not in (pair.garage, pair.shop)
        assert pair.at("ga") == (pair.garage if verdict == "different" else pair.shop)


def test_one_of_two_that_are_different_may_move_to_the_address_of_the_other(pair: Pair) -> None:
    pair.say("different", pair.site.records_of((f"{HOST}/ga", f"{HOST}/gb")))
    for _ in range(2):
        pair.visit([], [garage("gb")], "ga")
        assert pair.at("gb") == pair.garage
        assert pair.told(pair.shop)[0] == "not_found"


def test_words_that_tell_of_no_resource_are_read(pair: Pair) -> None:
    pair.site.judge(pair.site.records_of((f"{HOST}/ga", f"{HOST}/gb")), "same")
    (word,) = read_judgements(pair.site.layout)
    assert (word.left_id, word.right_id) == (pair.garage, pair.shop)
    path = pair.site.layout.decisions
    values = {name: value for name, value in json.loads(path.read_text()).items() if not name.endswith("_id")}
    path.write_text(json.dumps(values) + "\n")
    pair.site.rebuild()
    assert pair.at("ga") == pair.at("gb") == pair.shop
    for _ in range(2):
        pair.visit([garage("gc")], [shop()], "ga")
        assert pair.at("gc") == pair.at("gb") == pair.shop


# --- new addresses that no redirection tells of ---------------------------------------------------------------------


@pytest.mark.parametrize("moved", ["garage", "shop", "both"])
@pytest.mark.parametrize("by", ["ids", "records"])
def test_a_word_outlives_addresses_that_lead_nowhere(pair: Pair, moved: str, by: str) -> None:
    names = (pair.garage, pair.shop) if by == "ids" else pair.site.records_of((f"{HOST}/ga", f"{HOST}/gb"))
    pair.say("same", names)
    before = pair.told(pair.shop)
    one, two = ("ga" if moved == "shop" else "gc"), ("gb" if moved == "garage" else "gd")
    for _ in range(2):
        pair.visit([garage(one)], [shop(two)], *{"ga", "gb"} - {one, two})
        assert pair.at(one) == pair.at(two) == pair.shop
    assert pair.told(pair.shop) == (before[0], two, before[2])
    pair.visit([garage(one, text=PLATFORM)], [shop(two)])
    assert pair.at(one) == pair.at(two) == pair.shop
    if by == "ids":
        pair.say("withdrawn")
        assert (pair.at(one), pair.at(two)) == (pair.garage, pair.shop)
        known_by = {row["resource_id"]: set(row["known_by"]) for row in pair.site.rows("ids")}
        assert known_by[pair.garage] == {f"{HOST}/ga", f"{HOST}/{one}"}
        assert known_by[pair.shop] == {f"{HOST}/gb", f"{HOST}/{two}"}


def test_a_part_that_moved_is_not_another_of_its_title(joined: Pair) -> None:
    joined.visit([told("Garages solidaires", "gc", CANTEEN)], [shop()], "ga")
    assert joined.at("gc") not in (joined.garage, joined.shop)


# --- taken back -----------------------------------------------------------------------------------------------------


def test_a_page_that_was_edited_meanwhile_has_its_id_again(joined: Pair) -> None:
    joined.visit([garage(text=PLATFORM)], [shop()])
    joined.visit([garage(text=PLATFORM, title="Épiceries")], [shop()])
    joined.say("withdrawn")
    assert (joined.at("ga"), joined.at("gb")) == (joined.garage, joined.shop)
    assert joined.site.fate(joined.garage) == ("kept", [joined.garage])
    assert joined.site.fate(joined.shop) == ("split", [joined.shop, joined.garage])


def test_a_page_that_is_gone_meanwhile_has_a_row_again_until_it_is_retired(joined: Pair) -> None:
    joined.visit([], [shop()], "ga")
    joined.say("withdrawn")
    assert joined.told(joined.garage) == ("unlisted", "ga", "Garages solidaires")
    assert joined.told(joined.shop) == ("listed", "gb", "Ressourceries du Vercors")
    joined.visit([], [shop()], "ga")
    assert joined.told(joined.garage)[0] == "not_found"
    for _ in range(2):
        joined.visit([], [shop()], "ga")
    assert joined.site.fate(joined.garage) == ("retired", [joined.garage])
    joined.visit([garage()], [shop()])
    assert joined.at("ga") == joined.garage


@pytest.mark.parametrize("nights", [1, 4])
def test_a_senior_that_is_gone_meanwhile_is_parted_too(joined: Pair, nights: int) -> None:
    for _ in range(nights):
        joined.visit([garage()], [], "gb")
    assert joined.told(joined.shop) == ("listed", "ga", "Garages solidaires")
    joined.say("withdrawn")
    assert joined.at("ga") == joined.garage
    assert joined.told(joined.shop)[1:] == ("gb", "Ressourceries du Vercors")
    joined.visit([garage()], [shop()])
    assert (joined.at("ga"), joined.at("gb")) == (joined.garage, joined.shop)


def test_what_was_gone_when_it_was_joined_is_parted_again(pair: Pair) -> None:
    pair.visit([garage()], [], "gb")
    pair.say("same")
    assert pair.at("ga") == pair.shop
    pair.say("withdrawn")
    assert pair.at("ga") == pair.garage
    assert pair.told(pair.shop) == ("not_found", "gb", "Ressourceries du Vercors")


def test_what_was_retired_when_it_was_joined_is_parted_again(pair: Pair) -> None:
    for _ in range(3):
        pair.visit([garage()], [], "gb")
    pair.say("same")
    assert pair.at("ga") == pair.shop
    pair.say("withdrawn")
    assert pair.at("ga") == pair.garage
    for _ in range(3):
        pair.visit([garage()], [], "gb")
    assert pair.site.fate(pair.shop) == ("retired", [pair.shop])


def test_a_joined_page_that_is_gone_can_be_called_another(joined: Pair) -> None:
    joined.visit([garage()], [], "gb")
    joined.say("different")
    assert joined.at("ga") == joined.garage
    assert joined.told(joined.shop)[1:] == ("gb", "Ressourceries du Vercors")


def test_the_names_of_a_word_may_be_gone_when_it_is_taken_back(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.visit([garage("ga")], [garage("gb")])
    one, same = site.ids_of((f"{HOST}/ga", f"{HOST}/gb"))
    names = site.records_of((f"{HOST}/ga", f"{HOST}/gb"))
    site.judge(names, "different")
    site.visit([garage("ga")], [garage("gc")], "gb")
    owners = site.owners()
    assert one == same
    assert owners[f"{HOST}/ga"] != owners[f"{HOST}/gc"]
    site.judge(names, "withdrawn")
    site.rebuild()
    owners = site.owners()
    assert owners[f"{HOST}/ga"] == owners[f"{HOST}/gc"]
    with pytest.raises(UsageError, match="no resource_id or record_id of release"):
        site.judge(names, "same")


def test_the_address_of_a_merged_id_is_kept_with_a_word(joined: Pair) -> None:
    joined.say("different")
    assert [(word.left_url, word.right_url) for word in read_judgements(joined.site.layout)] == [
        (f"{HOST}/ga", f"{HOST}/gb"),
        (f"{HOST}/ga", f"{HOST}/gb"),
    ]


def test_what_became_one_again_says_so(pair: Pair) -> None:
    pair.say("same")
    pair.say("different")
    assert pair.why(pair.shop) == f"{pair.garage} is a resource of its own: Garages solidaires"
    pair.say("same")
    assert pair.site.fate(pair.shop) == ("kept", [pair.shop])
    assert pair.why(pair.shop) == f"part of it again: {pair.garage}"


def test_a_part_stays_with_what_it_was_joined_to(joined: Pair) -> None:
    third = joined.at("habitat")
    joined.say("same", (joined.garage, third))
    assert joined.at("ga") == joined.at("gb") == joined.at("habitat")
    joined.say("withdrawn")
    assert joined.at("ga") == joined.at("habitat") != joined.at("gb")
    for name, href in ((joined.garage, "ga"), (third, "habitat"), (joined.shop, "gb")):
        fate, now = joined.site.fate(name)
        assert (joined.at(href) == name and fate != "merged") or (fate, now) == ("merged", [joined.at(href)])
    joined.say("withdrawn", (joined.garage, third))
    assert [joined.at(href) for href in ("ga", "gb", "habitat")] == [joined.garage, joined.shop, third]


def test_only_several_that_are_one_are_kept_apart_in_ids(joined: Pair) -> None:
    own = {row["resource_id"]: {v["name"]: v["value"] for v in row["own"]} for row in joined.site.rows("ids")}
    assert {name for name, values in own.items() if values} == {joined.garage, joined.shop}
    assert (own[joined.garage]["url"], own[joined.garage]["summary"]) == (f"{HOST}/ga", GARAGES)
    assert own[joined.shop]["title"] == "Ressourceries du Vercors"
    joined.say("withdrawn")
    assert all(row["own"] == [] for row in joined.site.rows("ids"))

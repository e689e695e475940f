"""A person's word when pages are edited, moved, deleted and re-used: it lasts, hides nothing, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.decisions import read_judgements
from schema.errors import UsageError
from schema.nouns import JudgedAs
from tests.judged_site import HOST, Site, told

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
        """The resource whose record stands at an address."""
        return self.site.owners()[f"{HOST}/{href}"]

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


def test_only_several_that_are_one_are_kept_apart_in_ids(joined: Pair) -> None:
    own = {row["resource_id"]: {v["name"]: v["value"] for v in row["own"]} for row in joined.site.rows("ids")}
    assert {name for name, values in own.items() if values} == {joined.garage, joined.shop}
    assert (own[joined.garage]["url"], own[joined.garage]["summary"]) == (f"{HOST}/ga", GARAGES)
    assert own[joined.shop]["title"] == "Ressourceries du Vercors"
    joined.say("withdrawn")
    assert all(row["own"] == [] for row in joined.site.rows("ids"))

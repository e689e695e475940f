"""Which links of a listing lead to its further pages, and which only look so."""

from __future__ import annotations

import time

import pytest

from parsers.labelled_blocks import parse_labelled_blocks
from schema.nouns import PageReading, Payload
from schema.sources import Labels
from schema.turns import Turn, counted_on, turn_of
from tests.site_server import block

LISTING = "https://x.fr/liste"
LABELS = Labels(type=("Type de ressource",))


def reading(pager: str, url: str = LISTING, count: int = 4, before: str = "", inside: str = "") -> PageReading:
    """What a listing of some resources says, with this below them."""
    blocks = "".join(block(f"r{number}") for number in range(count)).replace("écrit pour être lu.", f"{inside} lu.")
    page = f"<html><body><main><h1>Liste</h1>{before}{blocks}{pager}</main></body></html>"
    payload = Payload(url, page.encode(), "text/html", "utf-8")
    return parse_labelled_blocks(payload, page_url=url, labels=LABELS, is_listing=True, schemes={})


def numbers(address: str, texts: range, tag: str = "li") -> str:
    return "".join(f"<{tag}><a href='{address.replace('N', str(n))}'>{n}</a></{tag}>" for n in texts)


# what stands below the resources of /liste -> where it leads
PAGERS = {
    "?p=, all numbers": (numbers("?p=N", range(1, 5)), "?p=2"),
    "?p=, this page not linked": ("1 " + numbers("?p=N", range(2, 5)), "?p=2"),
    "?p=, two pages, in a row of their own": ("<p>1 <a href='?p=2'>2</a></p>", "?p=2"),
    "/page/N": (numbers("/liste/page/N", range(1, 4)), "/page/2"),
    "/page/N, two pages, in a nav that says so": (
        "<nav class='pager'><a href='/liste/page/2'>2</a></nav>",
        "/page/2",
    ),
    "with how many to a page": (numbers("?items_per_page=5&page=N", range(1, 4)), "?items_per_page=5&page=2"),
    "an ellipsis before the last": (numbers("?p=N", range(1, 4)) + "… <a href='?p=40'>40</a>", "?p=2"),
    "by resources": ("<ul>" + "".join(f"<li><a href='?debut={n * 4}'>{n + 1}</a></li>" for n in range(4)), "?debut=4"),
    "words": ("<a href='/liste/page/2'>Page suivante</a>", "/page/2"),
    "a word, and a class": ("<li class='pager-next'><a href='?offset=4'>suivant ›</a></li>", "?offset=4"),
    "a word alone": ("<a href='?p=2'>Suivant</a>", "?p=2"),
    "a title": ("<a href='?p=2' title='Aller à la page suivante'>››</a>", "?p=2"),
    "a label": ("<a href='?p=2' aria-label='Next page'><svg></svg></a>", "?p=2"),
    "an arrow": ("<a href='?p=2'>»</a>", "?p=2"),
    "a class": ("<li class='next'><a href='?p=2'><i class='icon'></i></a></li>", "?p=2"),
    "numbers that are called pages": (
        "<a href='?p=2' title='Page 2'><span>Page </span>2</a><a href='?p=3'><span>Page </span>3</a>",
        "?p=2",
    ),
    "Drupal's other pagers": ("<a href='?page=0,1'>2</a><a href='?page=0,2'>3</a>", "?page=0%2C1"),
}


@pytest.mark.parametrize("name", PAGERS)
def test_a_pager_is_followed_however_it_is_written(name: str) -> None:
    pager, further = PAGERS[name]
    read = reading(pager)
    assert [url.removeprefix(LISTING) for url in read.next_urls] == [further]
    assert read.has_pager
    assert read.doubtful_urls == ()
    assert len(read.records) == 4


def test_on_a_further_page_the_next_one_is_followed() -> None:
    there = f"{LISTING}/page/2"
    assert reading(numbers("/liste/page/N", range(1, 5)), there).next_urls == (f"{LISTING}/page/3",)
    assert reading("<a href='/liste?p=3'>Suivant</a>", f"{LISTING}?p=2").next_urls == (f"{LISTING}?p=3",)
    last = reading(f"<ul>{numbers('/liste/page/N', range(1, 3))}</ul>", there)
    assert (last.next_urls, last.has_pager) == ((), True)
    alone = reading("<nav class='pager'><a href='/liste'>1</a> 2</nav>", there)
    assert (alone.next_urls, alone.has_pager) == ((), True)


def test_pagers_above_and_below_are_one() -> None:
    pager = numbers("?p=N", range(1, 4))
    assert reading(pager, before=pager).next_urls == (f"{LISTING}?p=2",)


def test_all_pages_that_a_pager_names_are_told() -> None:
    read = reading(numbers("?p=N", range(1, 4)) + "<a href='?p=9'>Dernière page »</a>")
    assert [url.removeprefix(LISTING) for url in read.named_urls] == ["?p=2", "?p=3", "?p=9"]


def test_where_the_first_page_has_a_number_it_is_this_one() -> None:
    read = reading(numbers("?page=N", range(1, 5)))
    assert (read.next_urls, read.last_number) == ((f"{LISTING}?page=2",), 4)


def test_another_view_of_the_page_has_a_pager_of_its_own() -> None:
    own = "<a rel='next' href='?page=1'>Suivant</a><a href='?page=3'>Dernier</a>"
    aside = "<h2>Agenda</h2><a rel='next' href='?page=0%2C0%2C1'>suivant</a><a href='?page=0%2C0%2C7'>Dernier</a>"
    read = reading(own + aside)
    assert set(read.next_urls) == {f"{LISTING}?page=1", f"{LISTING}?page=0%2C0%2C1"}
    assert read.last_number == 3


DAYS = range(1, 31)
NO_PAGERS = {
    "years": numbers("?annee=N", range(2019, 2026)),
    "years in the path": numbers("/liste/N", range(2019, 2026)),
    "a calendar by address": numbers("?jour=N", DAYS),
    "a calendar in a list": f"<ul>{numbers('?jour=N', DAYS)}</ul>",
    "a calendar by path": numbers("/agenda/2026-11-N", DAYS),
    "a calendar in a table": f"<table><tr>{numbers('?jour=N', range(1, 8), 'td')}</tr></table>",
    "a few days of a calendar": numbers("?jour=N", range(2, 30, 9)),
    "the next month": "<div class='calendrier'><a href='?mois=2'>Suivant »</a></div>",
    "the next month by date": "<a href='?mois=2026-12'>»</a>",
    "how many to a page": "".join(f"<a href='?items_per_page={n}'>{n}</a>" for n in (10, 20, 50)),
    "an A-Z list": "".join(f"<a href='/liste?lettre={c}'>{c}</a>" for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "facets": "<a href='?f[0]=theme:1'>Énergie (2)</a><a href='?f[0]=theme:2'>Mobilité (3)</a>",
    "numbers of other pages": numbers("/chapitre/N", range(1, 5)),
    "numbers that lead elsewhere than they say": "<a href='?t=7'>1</a><a href='?t=3'>2</a><a href='?t=9'>3</a>",
    "sorting": "<a href='?sort=title&order=asc'>Titre ↑</a>",
    "read on": "<a href='/r1'>Lire la suite »</a>",
    "see also": "<a href='/liste-2025'>Voir aussi »</a>",
    "an arrow that leads elsewhere": "<a href='/autre'>»</a>",
    "the next article": "<div class='nav-next'><a href='/article-7'>L'article d'après</a></div>",
    "a slider": "<a class='carousel-control-next' href='#carousel'>›</a>",
    "another host": "<nav class='pager'><a href='https://y.fr/liste?p=2'>Page suivante</a></nav>",
    "notes": "<a href='#note1'>1</a> <a href='#note2'>2</a>",
}


@pytest.mark.parametrize("name", NO_PAGERS)
def test_what_only_looks_like_a_pager_is_none(name: str) -> None:
    read = reading(NO_PAGERS[name])
    assert (read.next_urls, read.named_urls, read.doubtful_urls, read.last_number) == ((), (), (), None)


def test_what_a_record_says_is_no_pager() -> None:
    read = reading("", inside="<a href='/liste?p=2'>Page suivante</a> <a href='?p=1'>1</a> <a href='?p=2'>2</a>")
    assert (read.next_urls, read.doubtful_urls) == ((), ())


DOUBTFUL = {
    "elsewhere": "<nav class='pager'><a href='/taxonomy/term/3/all/1'>Page suivante</a></nav>",
    "by a mark": "<nav class='pager'><a href='?apres=Zm9v'>Suivant</a></nav>",
    "numbers elsewhere": "<ul class='pagination'><a href='/autres/2'>2</a><a href='/autres/3'>3</a></ul>",
    "one of many": "<a href='/theme/4'>Page suivante</a>",
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_looks_like_a_further_page_and_is_not_known_to_be_one_is_told(name: str) -> None:
    read = reading(DOUBTFUL[name], "https://x.fr/theme/3" if name == "one of many" else LISTING)
    assert (read.next_urls, len(read.doubtful_urls) > 0) == ((), True)
    beside = reading(DOUBTFUL[name] + "<a rel='next' href='?page=1'>Suivant</a>")
    assert beside.doubtful_urls == (), "the page has a pager of its own"


def test_a_flood_of_numbers_is_read_in_time() -> None:
    flood = f"<ul>{numbers('?p=N', range(1, 9_000))}</ul>"
    began = time.process_time()
    reading(flood)
    assert time.process_time() - began < 5


# --- what a link does to an address


@pytest.mark.parametrize(
    ("here", "there", "turn"),
    [
        ("/l", "/l?p=2", Turn("p[0]", None, 2)),
        ("/l?p=2", "/l?p=3", Turn("p[0]", 2, 3)),
        ("/l?p=2", "/l", Turn("p[0]", 2, None)),
        ("/l?f=a", "/l?f=a&p=2", Turn("p[0]", None, 2)),
        ("/l?f=a", "/l?p=2", None),
        ("/l", "/l?f=3&p=2", Turn("p[0]", None, 2)),
        ("/l?f=1", "/l?f=3&p=2", None),
        ("/l", "/l?date=2026-11-02", None),
        ("/l", "/l?page=0%2C0%2C1", Turn("page[2]", None, 1)),
        ("/l?page=1", "/l?page=1%2C0%2C1", Turn("page[2]", 0, 1)),
        ("/l?page=1", "/l?page=2%2C0%2C1", None),
        ("/l", "/l/page/2", Turn("/", None, 2)),
        ("/l", "/l/2", Turn("/", None, 2)),
        ("/l", "/l-2", Turn("/", None, 2)),
        ("/l.html", "/l-2.html", Turn("/", None, 2)),
        ("/l/page/2", "/l/page/3", Turn("/", 2, 3)),
        ("/l/page/2", "/l", Turn("/", 2, None)),
        ("/theme/3", "/theme/4", Turn("/", 3, 4, is_plain=True)),
        ("/", "/page/2", Turn("/", None, 2)),
        ("/l", "/autre/page/2", None),
        ("/l", "/l?p=" + "9" * 5000, None),
    ],
)
def test_a_link_turns_one_number_or_more_differs(here: str, there: str, turn: Turn | None) -> None:
    assert turn_of(f"https://x.fr{here}", f"https://x.fr{there}") == turn


@pytest.mark.parametrize(
    ("before", "url", "after"),
    [
        ("/l", "/l?p=2", "/l?p=3"),
        ("/l", "/l?p=1", "/l?p=2"),
        ("/l", "/l?debut=10", "/l?debut=20"),
        ("/l?debut=10", "/l?debut=20", "/l?debut=30"),
        ("/l/page/2", "/l/page/3", "/l/page/4"),
        ("/l-2.html", "/l-3.html", "/l-4.html"),
        ("/l", "/l?page=0%2C0%2C1", "/l?page=0%2C0%2C2"),
        ("/l", "/l?apres=Zm9v", None),
        ("/l?p=3", "/l?p=2", None),
    ],
)
def test_the_page_after_two_is_counted(before: str, url: str, after: str | None) -> None:
    counted = counted_on(f"https://x.fr{before}", f"https://x.fr{url}")
    assert counted == (f"https://x.fr{after}" if after else None)

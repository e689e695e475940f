"""A resource centre made of words, with editors, and what a run of ours would bring home from it; no HTTP.

The truth: a `uid` is one thing in the world, stated by one page (node) or, where it was entered twice, by several. What
the editors do is in tests/simulated_editors.py. Addresses follow Drupal: a slug of the title, `-0`, `-1` where another
page bears it, free again once that page is gone; a page's node number stands in its shortlink.

Out of scope, for no evidence can decide it: a private page without a node number that is given another title, address
and text at once; a page rewritten from top to bottom where it stands; two pages of one title and wholly other texts on
one night; one copy of two whose words are replaced one by
one; and several of these things to one page between two nights on which it could be read. A page is therefore left in
peace by the editors until its own page was read again.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from schema.folding import fold, strip_accents
from schema.nouns import ListingVisit, Night, PageReading, Passage, Pointer, Reading, Record, Span, Visit
from tests.simulated_words import Words

HOST = "https://rtes.example"
TYPES = ("Ressources RTES", "Guide", "Étude", "Article", "Vidéo")
PAGE_SIZE = 10
START = datetime(2026, 1, 1, 2, tzinfo=UTC)
Status = Literal["live", "forbidden", "deleted"]


@dataclass(slots=True)
class Node:
    """One page of the site: what it states, and whose.

    number: of its shortlink. shown: how many of its passages the résumé repeats. ends: status of its address once it is
    deleted.
    """

    number: int
    uid: int
    address: str
    title: str
    type: str
    is_private: bool
    body: list[str]
    shown: int
    themes: set[str]
    status: Status = "live"
    ends: int = 404


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong on a night: listings by theme -> pages that could be read; addresses that give no answer."""

    cut: dict[str, int] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()


@dataclass
class Site:
    """The site as it is now; changed by its editors, read by `harvest`.

    redirects: address -> the page it leads to. parents: uid -> the uid it was parted from. closed: addresses of deleted
    pages, with their status. resting: pages that the editors leave in peace. unseen: addresses whose end nobody saw.
    """

    chance: random.Random
    words: Words
    themes: tuple[str, ...]
    has_shortlinks: bool = True
    nodes: list[Node] = field(default_factory=list)
    redirects: dict[str, Node] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    resting: set[int] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    uids: int = 0
    numbers: int = 0

    def live(self) -> list[Node]:
        """The pages that anybody may read."""
        return [node for node in self.nodes if node.status == "live"]

    def copies(self, uid: int) -> list[Node]:
        """The readable pages of one resource."""
        return [node for node in self.nodes if node.uid == uid and node.status == "live"]

    def at(self, address: str) -> Node | None:
        """The page that bears an address."""
        return next((n for n in self.nodes if n.address == address and n.status != "deleted"), None)

    def free_address(self, title: str) -> str:
        """The address that Drupal gives a page of a title."""
        plain = strip_accents(fold(title)).lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:90]
        address, count = f"{HOST}/{slug}", 0
        while self.at(address) is not None:
            address, count = f"{HOST}/{slug}-{count}", count + 1
        return address

    def new_uid(self, parent: int | None = None) -> int:
        """A new thing in the world."""
        self.uids += 1
        if parent is not None:
            self.parents[self.uids] = parent
        return self.uids

    def new_number(self) -> int:
        """The next node number."""
        self.numbers += self.chance.randint(1, 3)
        return self.numbers

    def enter(self, uid: int, title: str, body: list[str], address: str | None = None) -> Node:
        """A new page."""
        themes = set(self.chance.sample(self.themes, self.chance.choice((1, 1, 1, 2))))
        given = address or self.free_address(title)
        shown = self.chance.randint((len(body) + 1) // 2, len(body))
        kind, is_private = self.chance.choice(TYPES), self.chance.random() < 0.15
        node = Node(self.new_number(), uid, given, title, kind, is_private, body, shown, themes)
        self.nodes.append(node)
        self.redirects.pop(given, None)
        self.rest(node)
        return node

    def rest(self, node: Node) -> None:
        """Leave a page in peace until it was read again."""
        self.resting.add(id(node))

    def is_resting(self, node: Node) -> bool:
        """Whether a page is to be left in peace."""
        return id(node) in self.resting

    def open_new(self, size: int) -> None:
        """Fill an empty site."""
        for _ in range(size):
            self.enter(self.new_uid(), self.words.title(), self.words.text())


def make_site(seed: int, size: int, *, has_shortlinks: bool = True) -> Site:
    """A site of `size` resources on a listing for each sixty of them, three at least."""
    chance = random.Random(seed)  # noqa: S311  # the same site on every run
    themes = tuple(f"Thème {n}" for n in range(max(3, size // 60)))
    site = Site(chance, Words(chance), themes, has_shortlinks)
    site.open_new(size)
    return site


# --- a night --------------------------------------------------------------------------------------------------------


def harvest(site: Site, run: int, known: Iterable[str], weather: Weather | None = None) -> Night:
    """What a run brings home: listings, the pages they show, then known addresses that no listing showed.

    The order of the records on a listing is that of the night, and nothing that varies with the clock is the same.
    """
    return _Visitor(site, run, weather or Weather()).go(known)


class _Visitor:
    """One run over the site."""

    def __init__(self, site: Site, run: int, weather: Weather) -> None:
        self.site, self.run, self.weather = site, run, weather
        self.at = START + timedelta(days=run)
        self.visits: dict[str, Visit] = {}
        self.readings: list[Reading] = []
        self.listings: list[ListingVisit] = []

    def go(self, known: Iterable[str]) -> Night:
        shown: list[Node] = []
        for theme in self.site.themes:
            shown += self._read_listing(theme)
        for node in shown:
            self._ask(node.address, "resource")
        for address in sorted(known):
            self._ask(address, "known")
        self._wake()
        visits = tuple(self.visits.values())
        return Night(self.run, self.at, visits, tuple(self.listings), tuple(self.readings))

    def _wake(self) -> None:
        """What was read needs no rest any more; an address that was seen to be empty is so for everybody."""
        read = {reading.page.canonical_url for reading in self.readings if reading.visit.role != "listing"}
        site = self.site
        site.resting -= {id(n) for n in site.nodes if n.address in read or n.status != "live"}
        site.unseen -= {v.url for v in self.visits.values() if v.outcome in ("not_found", "gone")}

    def _visit(self, url: str, role: str, outcome: str, status: int | None = None, **more: str | None) -> Visit:
        pointer = Pointer(f"{self.run:06d}.warc.gz", len(self.visits), 1) if status else None
        at = self.at + timedelta(seconds=len(self.visits))
        visit = Visit(url, role, outcome, status, fetched_at=at if status else None, pointer=pointer, **more)  # type: ignore[arg-type]  # the texts of a visit
        self.visits[url] = visit
        return visit

    def _read_listing(self, theme: str) -> list[Node]:
        start = f"{HOST}/theme-{self.site.themes.index(theme)}"
        nodes = [node for node in self.site.live() if theme in node.themes]
        self.site.chance.shuffle(nodes)
        pages = [nodes[n : n + PAGE_SIZE] for n in range(0, max(len(nodes), 1), PAGE_SIZE)]
        readable = min(self.weather.cut.get(theme, len(pages)), len(pages))
        read = []
        for number, chunk in enumerate(pages[:readable]):
            url = start if number == 0 else f"{start}?page={number}"
            read.append(url)
            visit = self._visit(url, "listing", "fetched", 200)
            records = tuple(_record(node, url, place) for place, node in enumerate(chunk))
            page = PageReading(url, url, heading=theme, records=records, parser="simulated", parser_version="1")
            self.readings.append(Reading(visit, page))
        gap = None
        if readable < len(pages):
            lost = start if readable == 0 else f"{start}?page={readable}"
            self._visit(lost, "listing", "failed", reason="no answer")
            gap = f"{lost}: no answer"
        shown = [node for chunk in pages[:readable] for node in chunk]
        self.listings.append(ListingVisit(start, tuple(read), theme if read else None, len(shown), gap))
        return shown

    def _ask(self, address: str, role: str) -> None:
        if address in self.visits:
            return
        site, node = self.site, self.site.at(address)
        if address in self.weather.silent:
            self._visit(address, role, "failed", reason="no answer")
        elif node is not None and node.status == "forbidden":
            self._visit(address, role, "forbidden", 403)
        elif node is not None:
            self._read_page(node, role)
        elif address in site.redirects and site.redirects[address].status != "deleted":
            target = site.redirects[address].address
            self._visit(address, role, "redirected", 301, redirect_url=target)
            self._ask(target, role)
        else:
            status = site.closed.get(address, 404)
            self._visit(address, role, "gone" if status == 410 else "not_found", status)

    def _read_page(self, node: Node, role: str) -> None:
        visit = self._visit(node.address, role, "fetched", 200)
        others = (f"{HOST}/node/{node.number}",) if self.site.has_shortlinks else ()
        records = (_record(node, node.address, 0),)
        page = PageReading(
            node.address, node.address, others, node.title, records=records, parser="simulated", parser_version="1"
        )
        self.readings.append(Reading(visit, page))


def _record(node: Node, page_url: str, position: int) -> Record:
    def passages(texts: Sequence[str]) -> tuple[Passage, ...]:
        return tuple(Passage("paragraph", text) for text in texts)

    return Record(
        page_url=page_url,
        position=position,
        url=node.address,
        title=node.title,
        type=node.type,
        is_private=node.is_private,
        body=() if node.is_private else passages(node.body),
        resume=passages(node.body[: node.shown]),
        links=(),
        span=Span(position * 100, position * 100 + 99),
    )

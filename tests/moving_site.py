"""A listing that moves while it is read, in memory: every answer is made for its moment, nothing of it touches a wire.

What a run published of it is compared with what it held: `always` is what stood on it from the first look to the last.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from harvest.client import Client
from harvest.crawl import crawl
from schema.addresses import canonical_url, page_number
from schema.nouns import ListingVisit, PageReading, Payload, Pointer, Record, Span, Visit
from tests.site_server import make_source

ORIGIN = "https://mouvant.example"
START = f"{ORIGIN}/liste"
A_PAGE = 10


def chances(seed: int) -> random.Random:
    """Chance as a seed settles it."""
    return random.Random(seed)  # noqa: S311  # no secret


# status, and the body as it stands
Answer = tuple[int, str]


@dataclass
class Listing:
    """What the site holds, in order of `key`; `shuffle` orders ties anew for each answer."""

    items: list[tuple[float, int]]
    shuffle: random.Random | None = None
    is_full_pager: bool = True
    size: int = A_PAGE

    def shown(self) -> list[int]:
        """Its resources, as one answer orders them."""
        chance = self.shuffle
        ordered = sorted(self.items, key=lambda item: (item[0], chance.random() if chance else item[1]))
        return [number for _, number in ordered]

    def page(self, number: int) -> tuple[list[int], int]:
        """What a page holds, and how many pages there are."""
        shown = self.shown()
        return shown[number * self.size : (number + 1) * self.size], max(1, -(-len(shown) // self.size))


def html(numbers: Sequence[int], further: int | None, last: int | None = None) -> str:
    """A page of the listing: resources, a link to the next page, one to the last."""
    rows = "".join(f'<article><a href="/r{n}">Ressource {n}</a></article>' for n in numbers)
    links = f'<a rel="next" href="?page={further}">Suivant</a>' if further is not None else ""
    links += f'<a href="?page={last}">Dernier</a>' if last is not None else ""
    return f'<h1>Liste</h1>{rows}<nav>{links}<a href="/">Accueil</a></nav>'


@dataclass
class Site:
    """A listing with what happens to it: `changes` maps the how-manieth look to what is done before it."""

    listing: Listing
    changes: dict[int, Callable[[Listing], None]] = field(default_factory=dict)
    fault: Callable[[Site, int], Answer | None] = lambda _site, _number: None
    looks: int = 0
    asked: list[int] = field(default_factory=list)
    always: set[int] = field(default_factory=set)

    def answer(self, number: int) -> Answer:
        """What a page answers now."""
        if not self.looks:
            self.always = {n for _, n in self.listing.items}
        self.looks += 1
        if self.looks in self.changes:
            self.changes[self.looks](self.listing)
        self.always &= {n for _, n in self.listing.items}
        self.asked.append(number)
        if (odd := self.fault(self, number)) is not None:
            return odd
        return 200, self.honest(number)

    def honest(self, number: int) -> str:
        """What a page shows where nothing is wrong with it."""
        numbers, count = self.listing.page(number)
        further = number + 1 if number + 1 < count else None
        return html(numbers, further, count - 1 if further is not None and self.listing.is_full_pager else None)


@dataclass
class _Memory:
    """What stands for the polite client: the same calls, no wire and no disk."""

    site: Site
    user_agent: str = "moisson/test"
    bodies: list[Payload] = field(default_factory=list)

    def slow_down(self, delay_s: float) -> None: ...

    def heed(self, refusal: object) -> None: ...

    def fetch(self, url: str, role: str, via: str | None = None, may_follow: object = None) -> list[Visit]:
        attempts, status, body = 0, 500, ""
        while status >= 500 and attempts < 3:
            attempts += 1
            status, body = self._answer(url)
        outcome = {200: "fetched", 404: "not_found"}.get(status, "http_error")
        visit = Visit(url, role, outcome, status, via=via, attempts=attempts, fetched_at=datetime.now(UTC))
        if status != 200:
            return [visit]
        self.bodies.append(Payload(url, body.encode(), "text/html", "utf-8"))
        return [replace(visit, pointer=Pointer("memory", len(self.bodies) - 1, 1))]

    def _answer(self, url: str) -> Answer:
        if url.partition("?")[0] == START:
            return self.site.answer(page_number(url))
        return (200, html([int(url.rpartition("r")[2])], None)) if re.search(r"/r\d+$", url) else (404, "")

    def read(self, visit: Visit) -> Payload:
        assert visit.pointer is not None
        return self.bodies[visit.pointer.offset]


def read_page(payload: Payload, url: str, *, is_listing: bool) -> PageReading:
    """What stands for the parser: it reads what `html` writes."""
    text = payload.content.decode()
    records = tuple(
        Record(url, place, f"{ORIGIN}/r{n}", f"Ressource {n}", "Guide", is_private=False, body=(), resume=(), links=(),
               span=Span(0, 1))
        for place, n in enumerate(re.findall(r'href="/r(\d+)"', text))
    )  # fmt: skip
    further = tuple(canonical_url(found, url) for found in re.findall(r'rel="next" href="([^"]+)"', text))
    named = [int(n) for n in re.findall(r"\?page=(\d+)", text) if int(n) > page_number(url)]
    last = max(named, default=None)
    return PageReading(url, url, heading="Liste", next_urls=further, records=records, last_number=last)


@dataclass(frozen=True)
class Run:
    """What came of reading a site: the listing with its certificate, and the resources that stand on its rows."""

    site: Site
    visits: dict[str, Visit]
    listing: ListingVisit
    published: frozenset[int]

    @property
    def is_certified(self) -> bool:
        assert self.listing.certificate is not None
        return self.listing.certificate.is_complete

    @property
    def missing(self) -> set[int]:
        """What stood on the listing all the time, and on no row of the ledger."""
        return self.site.always - self.published


def run(site: Site) -> Run:
    """Crawl a site; each row of the ledger is read as the parse stage would."""
    memory = _Memory(site)
    source = make_source(ORIGIN)
    visits, (listing,) = crawl(source, cast("Client", cast("Any", memory)), read_page, [])
    assert len({visit.url for visit in visits}) == len(visits)
    rows = [visit for visit in visits if visit.role == "listing" and visit.outcome == "fetched"]
    records = [r for row in rows for r in read_page(memory.read(row), row.url, is_listing=True).records]
    published = frozenset(int(str(record.url).rpartition("r")[2]) for record in records)
    return Run(site, {visit.url: visit for visit in visits}, listing, published)


# --- what happens to a listing ----------------------------------------------------------------------------------------


def insert(number: int, key: float = -1.0) -> Callable[[Listing], None]:
    """Add a resource, at the top unless told otherwise."""
    return lambda listing: listing.items.append((key, number))


def delete(number: int) -> Callable[[Listing], None]:
    """Take a resource off."""

    def act(listing: Listing) -> None:
        listing.items = [item for item in listing.items if item[1] != number]

    return act


def move(number: int, key: float) -> Callable[[Listing], None]:
    """Give a resource another place."""

    def act(listing: Listing) -> None:
        listing.items = [(key if n == number else old, n) for old, n in listing.items]

    return act


def both(*acts: Callable[[Listing], None]) -> Callable[[Listing], None]:
    """Several things at once."""

    def act(listing: Listing) -> None:
        for one in acts:
            one(listing)

    return act


def steady(count: int, **values: Any) -> Listing:
    """A listing of resources 1, 2, 3, … in that order."""
    return Listing([(float(n), n) for n in range(1, count + 1)], **values)


# --- listings by seed -------------------------------------------------------------------------------------------------

RECOVERABLE = ("honest", "500 once", "empty once", "pager lost once", "pager lost", "clamped", "sloppy")
BROKEN = ("500", "empty", "loop", "endless repeats", "endless known", "endless new", "endless empty", "restless")


def seeded(seed: int) -> tuple[Site, str]:
    """A listing settled by a seed, with the kind of trouble it has."""
    chance = chances(seed)
    count = chance.randint(0, 95)
    tie = chance.choice([1, 1, 2, 3, 4, 7])
    shuffle = chances(seed + 1) if tie > 1 else None
    items = [(float(n // tie), n) for n in range(count)]
    listing = Listing(items, shuffle, is_full_pager=chance.random() < 0.5)
    kind = chance.choice([*["honest"] * 10, *RECOVERABLE[1:], *BROKEN])
    pages = max(1, -(-count // A_PAGE))
    site = Site(listing, fault=_fault(kind, chance, pages))
    moments = (chance.randint(2, 2 * pages + 1) for _ in range(chance.choice([0, 0, 1, 1, 2, 3])))
    for number, look in enumerate(range(2, 200) if kind == "restless" else moments):
        site.changes[look] = _change(1000 + number, chance, count / tie)
    return site, kind


def _change(number: int, chance: random.Random, top: float) -> Callable[[Listing], None]:
    def act(listing: Listing) -> None:
        if listing.items and chance.random() < 0.5:
            listing.items.remove(chance.choice(listing.items))
        else:
            listing.items.append((-1.0 if chance.random() < 0.6 else chance.uniform(0, top), number))

    return act


def _fault(kind: str, chance: random.Random, pages: int) -> Callable[[Site, int], Answer | None]:  # noqa: C901  # a table of faults
    bad = chance.randrange(pages)
    once = [True]

    def first_time() -> bool:
        was, once[0] = once[0], False
        return was

    def fault(site: Site, number: int) -> Answer | None:  # noqa: C901, PLR0911  # the same
        numbers, count = site.listing.page(number)
        if kind == "500" and number == bad:
            return 500, ""
        if kind == "500 once" and number == bad and first_time():
            return 500, ""
        if kind == "empty" and number == bad and number:
            return 200, html([], None)
        if kind == "empty once" and number == bad and first_time():
            return 200, html([], None)
        if (kind == "pager lost" and number == bad) or (kind == "pager lost once" and number == bad and first_time()):
            return 200, html(numbers, None)
        if kind == "clamped" and number >= count:
            return 200, site.honest(count - 1)
        if kind == "sloppy" and len(numbers) == A_PAGE:
            return 200, html(numbers, number + 1)
        if kind == "loop" and number >= 2:
            return 200, html(site.listing.page(number % 2)[0], number + 1)
        if kind == "endless repeats" and number >= count - 1:
            return 200, html(site.listing.page(count - 1)[0], number + 1)
        if kind == "endless known" and number >= count:
            return 200, html(chance.sample(site.listing.shown(), min(A_PAGE, len(site.listing.items))), number + 1)
        if kind == "endless new" and number >= count:
            return 200, html([10_000 + number], number + 1)
        if kind in ("endless known", "endless new", "endless empty"):
            return 200, html(numbers, number + 1)
        return None

    return fault

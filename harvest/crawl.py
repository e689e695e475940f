"""Discovery: robots, sitemap, listings to their last page, the resources they show, the ones known from before.

What a page says (its further pages, its records, its own address) is read by a function that is passed in: this room
asks and archives, it does not know what pages mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from harvest.client import AGENT, Client
from harvest.robots import Robots, read_robots
from harvest.sitemap import read_sitemap
from schema.addresses import canonical_url, page_number, same_host
from schema.errors import Forbidden, SiteUnreachable
from schema.nouns import PAGE_OUTCOMES, ListingVisit, PageReading, Payload, Visit
from schema.sources import Source

MAX_LISTING_PAGES = 1000
MAX_SITEMAPS = 50

Progress = Callable[[str, int, int], None]


class ReadPage(Protocol):
    """What reads a page: payload, its canonical address, whether it is a listing -> what the page says."""

    def __call__(self, payload: Payload, url: str, *, is_listing: bool) -> PageReading:
        """Read one page."""
        ...


@dataclass
class _Crawl:
    """What is known so far; visits by canonical address, in order of first meeting."""

    source: Source
    client: Client
    read_page: ReadPage
    progress: Progress
    robots: dict[str, Robots] = field(default_factory=dict)
    visits: dict[str, Visit] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def crawl(
    source: Source, client: Client, read_page: ReadPage, known: Iterable[str], progress: Progress = lambda *_: None
) -> tuple[list[Visit], list[ListingVisit]]:
    """Ask a site for what its source file names, politely and completely.

    Args:
        source: listings, sitemap, names of hosts.
        client: fetches and archives.
        read_page: payload, address, whether it is a listing -> what the page says.
        known: canonical addresses of resources of earlier nights.
        progress: told the stage, how many pages are done, and how many are known to be wanted.

    Returns:
        The ledger, one visit per address met, and one entry per listing.

    Raises:
        SiteUnreachable: robots.txt, or every listing, gave no answer.
        Forbidden: robots.txt denies every listing.
    """
    state = _Crawl(source, client, read_page, progress)
    _ask_robots(state)
    in_sitemap = _ask_sitemap(state)
    listings = [_read_listing(state, canonical_url(url, schemes=source.schemes)) for url in source.listings]
    _require_any_listing(state, listings)
    _ask_resources(state)
    wanted = sorted(url for url in known if url not in state.visits and state.aliases.get(url, url) not in state.visits)
    for url in wanted:
        _ask(state, url, "known", None)
    _ledger_sitemap(state, in_sitemap)
    return list(state.visits.values()), listings


def _ask(state: _Crawl, url: str, role: str, via: str | None) -> Visit:
    """Fetch an address once, robots permitting; the last hop's visit."""
    if url in state.visits and state.visits[url].outcome not in ("not_listed", "not_asked"):
        return state.visits[url]
    robots = state.robots.get(urlsplit(url).netloc)
    if robots is None:
        return state.visits.setdefault(url, Visit(url, role, "not_asked", reason="on another host", via=via))
    if rule := robots.refusal(url):
        return state.visits.setdefault(url, Visit(url, role, "refused_by_robots", reason=rule, via=via))
    hops = state.client.fetch(url, role, via, lambda target: target not in state.visits and _may_ask(state, target))
    state.visits.update({hop.url: hop for hop in hops})
    last = _end_of(state, hops[-1], role)
    state.aliases.update({hop.url: last.url for hop in hops if hop.url != last.url})
    state.progress(role, sum(v.attempts > 0 for v in state.visits.values()), len(state.visits.keys() | state.shown))
    return last


def _may_ask(state: _Crawl, url: str) -> bool:
    robots = state.robots.get(urlsplit(url).netloc)
    return robots is not None and robots.may_fetch(url)


def _end_of(state: _Crawl, last: Visit, role: str) -> Visit:
    """The visit where a redirection ends: one made before, or one that robots.txt forbids, which is ledgered."""
    target = last.redirect_url
    if target is None or target in state.visits:
        return state.visits.get(target or last.url, last)
    robots = state.robots.get(urlsplit(target).netloc)
    if last.outcome == "redirected" and robots is not None and (rule := robots.refusal(target)):
        refused = Visit(target, role, "refused_by_robots", reason=rule, via=last.url)
        return state.visits.setdefault(target, refused)
    return last


def _ask_robots(state: _Crawl) -> None:
    for url in state.source.listings:
        parts = urlsplit(canonical_url(url, schemes=state.source.schemes))
        if parts.netloc in state.robots:
            continue
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        hops = state.client.fetch(address, "robots")
        state.visits.update({hop.url: hop for hop in hops})
        state.robots[parts.netloc] = _rules(state, hops[-1])
        state.client.slow_down(state.robots[parts.netloc].delay_s)


def _rules(state: _Crawl, visit: Visit) -> Robots:
    if visit.outcome in PAGE_OUTCOMES:
        return read_robots(state.client.read(visit).content, AGENT)
    if visit.outcome == "not_archived" or 400 <= (visit.status or 0) < 500:  # RFC 9309: no rule
        return read_robots(b"", "*")
    raise SiteUnreachable(
        f"{visit.url} cannot be had ({visit.reason or visit.status}), so nothing may be asked: postponed, refresh later"
    )


def _ask_sitemap(state: _Crawl) -> list[str]:
    """Canonical addresses that the sitemap names."""
    queue, addresses, asked = [state.source.sitemap] if state.source.sitemap else [], [], 0
    while queue and asked < MAX_SITEMAPS:
        asked += 1
        address = _canonical(state, queue.pop(0))
        visit = _ask(state, address, "sitemap", None) if address else None
        if visit is not None and visit.outcome in PAGE_OUTCOMES:
            pages, further = read_sitemap(state.client.read(visit).content)
            addresses += pages
            queue += further
    return [url for url in (_canonical(state, a) for a in addresses) if url]


def _canonical(state: _Crawl, url: str) -> str | None:
    try:
        return canonical_url(url, schemes=state.source.schemes)
    except ValueError:
        return None


def _read_listing(state: _Crawl, start: str) -> ListingVisit:
    queue, heading, count = [start], None, 0
    pages: list[str] = []
    gap: str | None = None
    seen: set[str] = {start}
    prints: set[tuple[str, ...]] = set()
    while queue:
        url = queue.pop(0)
        visit = _ask(state, url, "listing", pages[-1] if pages else None)
        if visit.outcome not in PAGE_OUTCOMES:
            gap = gap or f"{url}: {visit.reason or visit.status or visit.outcome}"
            continue
        reading = state.read_page(state.client.read(visit), visit.url, is_listing=True)
        print_ = tuple(r.url or r.title for r in reading.records)
        if pages and (not print_ or print_ in prints):
            # a pager that leads nowhere new: an empty further page is its end, a repeat is a loop
            gap = gap or (f"{url}: repeats an earlier page" if print_ else None)
            break
        prints.add(print_)
        pages.append(url)
        heading, count = heading or reading.heading, count + len(reading.records)
        _note_page(state, visit.url, reading)
        fresh = [u for u in reading.next_urls if u not in seen and same_host(u, start)]
        seen.update(fresh)
        queue = sorted({*queue, *fresh}, key=lambda u: (page_number(u), u))
        if len(pages) >= MAX_LISTING_PAGES and queue:
            gap = f"{queue[0]}: more than {MAX_LISTING_PAGES} pages"
            break
    return ListingVisit(start, tuple(pages), heading, count, gap)


def _note_page(state: _Crawl, url: str, reading: PageReading) -> None:
    for other in (url, *reading.also_known_as):
        if other != reading.canonical_url:
            state.aliases[other] = reading.canonical_url
    for record in reading.records:
        if record.url:
            state.shown.setdefault(record.url, url)


def _require_any_listing(state: _Crawl, listings: list[ListingVisit]) -> None:
    if any(listing.pages for listing in listings):
        return
    outcomes = {state.visits[listing.url].outcome for listing in listings}
    named = "; ".join(sorted({listing.gap or listing.url for listing in listings}))[:500]
    if outcomes <= {"refused_by_robots", "forbidden"}:
        raise Forbidden(f"no listing may be read ({named}); ask the site's owner, or mend the source file")
    if outcomes <= {"not_archived"}:
        raise SiteUnreachable(f"the WARC holds none of the listings ({named}); name its listings in the source file")
    raise SiteUnreachable(f"no listing could be read ({named}); refresh later, or mend the source file's listings")


def _ask_resources(state: _Crawl) -> None:
    for url, via in list(state.shown.items()):
        if not any(same_host(url, canonical_url(listing)) for listing in state.source.listings):
            state.visits.setdefault(url, Visit(url, "other", "not_asked", reason="on another host", via=via))
            continue
        visit = _ask(state, url, "resource", via)
        if visit.outcome in PAGE_OUTCOMES and visit.role != "listing":
            _note_page(state, visit.url, state.read_page(state.client.read(visit), visit.url, is_listing=False))


def _ledger_sitemap(state: _Crawl, in_sitemap: list[str]) -> None:
    for url in in_sitemap:
        if url in state.visits or state.aliases.get(url) in state.visits:
            continue
        if state.source.ask_not_listed:
            _ask(state, url, "known", state.source.sitemap)
        else:
            visit = Visit(url, "other", "not_listed", reason="only the sitemap names it", via=state.source.sitemap)
            state.visits[url] = visit

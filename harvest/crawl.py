"""Discovery: robots, sitemap, listings to their last page, the resources they show, the ones known from before.

What a page says (its further pages, its records, its own address) is read by a function that is passed in: this room
asks and archives, it does not know what pages mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from urllib.parse import urljoin, urlsplit

from harvest.asking import Crawl, Progress, ReadPage, ask, ask_unheard, canonical, note_asked, note_page, read, refusal
from harvest.client import AGENT, Client
from harvest.listings import read_listing
from harvest.robots import Robots, read_robots
from harvest.sitemap import Witness
from schema.addresses import canonical_url, same_host
from schema.errors import Blocked, Forbidden, SiteUnreachable
from schema.nouns import PAGE_OUTCOMES, Certificate, ListingVisit, Visit
from schema.sources import Source

__all__ = ["Progress", "ReadPage", "crawl"]

NAMED_WITNESSES = 20


def crawl(
    source: Source,
    client: Client,
    read_page: ReadPage,
    known: Iterable[str],
    progress: Progress = lambda *_: None,
    met: dict[str, Visit] | None = None,
) -> tuple[list[Visit], list[ListingVisit]]:
    """Ask a site for what its source file names, politely and completely.

    Args:
        source: listings, sitemap, names of hosts.
        client: fetches and archives.
        read_page: payload, address, whether it is a listing -> what the page says.
        known: canonical addresses of resources of earlier nights.
        progress: told the stage, how many pages are done, and how many are known to be wanted.
        met: the ledger as it grows, by address: all that there is of it when the crawl comes to no end.

    Returns:
        The ledger, one visit per address met, and one entry per listing.

    Raises:
        SiteUnreachable: robots.txt, or every listing, gave no answer.
        Forbidden: robots.txt denies every listing.
        Blocked: a log-in, challenge, maintenance or error page stands in place of every listing.
    """
    state = Crawl(source, client, read_page, progress, visits={} if met is None else met)
    client.heed(partial(refusal, state))
    _ask_robots(state)
    _ask_probes(state)
    in_sitemap, sitemap_gap = _ask_sitemap(state)
    starts = [canonical_url(url, schemes=source.schemes) for url in source.listings]
    listings = _without_soft(state, [read_listing(state, start) for start in starts])
    _require_any_listing(state, listings)
    _ask_resources(state)
    wanted = sorted(url for url in known if url not in state.visits and state.aliases.get(url, url) not in state.visits)
    for url in wanted:
        _judge_page(state, ask(state, url, "known", None))
    listings = _without_cut(state, _without_soft(state, listings))
    listings = _with_witness(state, listings, in_sitemap, sitemap_gap)
    _ledger_sitemap(state, in_sitemap)
    return list(state.visits.values()), listings


def _ask_robots(state: Crawl) -> None:
    for url in state.source.listings:
        parts = urlsplit(canonical_url(url, schemes=state.source.schemes))
        if parts.netloc in state.robots:
            continue
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        hops = state.client.fetch(address, "robots")
        note_asked(state, hops)
        state.robots[parts.netloc] = _rules(state, hops[-1])
        state.client.slow_down(state.robots[parts.netloc].delay_s)


def _rules(state: Crawl, visit: Visit) -> Robots:
    if visit.outcome in PAGE_OUTCOMES:
        return read_robots(state.client.read_robots(visit), AGENT)
    if visit.outcome == "not_archived" or 400 <= (visit.status or 0) < 500:  # RFC 9309: no rule
        return read_robots(b"", "*")
    raise SiteUnreachable(
        f"{visit.url} cannot be had ({visit.reason or visit.status}), so nothing may be asked: postponed, refresh later"
    )


def _ask_probes(state: Crawl) -> None:
    """Ask each host for an address that cannot exist: what answers 200 to that answers 200 to anything."""
    name = f"moisson-probe-{sha256(state.source.name.encode()).hexdigest()[:16]}"
    for url in sorted({urljoin(listing, f"/{name}") for listing in map(canonical_url, state.source.listings)}):
        visit = ask_unheard(state, canonical_url(url, schemes=state.source.schemes), "probe")
        if visit is not None and visit.outcome in PAGE_OUTCOMES:
            state.bodies.add_probe(replace(state.client.read(visit), url=visit.url))


def _ask_sitemap(state: Crawl) -> tuple[list[str], str | None]:
    """Canonical addresses that the sitemaps name, and why these are not all."""
    witness = Witness([state.source.sitemap] if state.source.sitemap else [])
    met: set[str] = set()
    while witness.wants_more():
        address = canonical(state, witness.further.pop(0))
        if address is None or address in met:
            continue
        met.add(address)
        witness.asked += 1
        visit = ask(state, address, "sitemap", None)
        if visit.outcome in PAGE_OUTCOMES:
            witness.add(address, state.client.read(visit).content)
        else:
            witness.lack(address, str(visit.reason or visit.status or visit.outcome))
    return [url for url in (canonical(state, a) for a in witness.addresses) if url], witness.gap()


def _require_any_listing(state: Crawl, listings: list[ListingVisit]) -> None:
    if any(listing.pages for listing in listings):
        return
    outcomes = {state.visits[listing.url].outcome for listing in listings}
    named = "; ".join(sorted({listing.gap or listing.url for listing in listings}))[:500]
    if "soft_failure" in outcomes and outcomes <= {"soft_failure", "refused_by_robots", "forbidden"}:
        raise Blocked(f"no listing shows a page of the site ({named}); see what a browser shows there, refresh later")
    if outcomes <= {"refused_by_robots", "forbidden"}:
        raise Forbidden(f"no listing may be read ({named}); ask the site's owner, or mend the source file")
    if outcomes <= {"not_archived"}:
        raise SiteUnreachable(f"the WARC holds none of the listings ({named}); name its listings in the source file")
    raise SiteUnreachable(f"no listing could be read ({named}); refresh later, or mend the source file's listings")


def _without_soft(state: Crawl, listings: list[ListingVisit]) -> list[ListingVisit]:
    """Mark the pages that share one body; the listings, with a gap where such a page stands for one."""
    for url, reason in state.bodies.shared().items():
        visit = state.visits.get(url)
        if visit is not None and visit.outcome in PAGE_OUTCOMES:
            state.visits[visit.url] = replace(visit, outcome="soft_failure", reason=reason)
    return [_without_pages(state, listing) for listing in listings]


def _without_pages(state: Crawl, listing: ListingVisit) -> ListingVisit:
    if listing.gap:
        return listing
    visit, passed = state.visits[listing.url], set[str]()
    while visit.outcome == "redirected" and visit.redirect_url in state.visits and visit.url not in passed:
        passed.add(visit.url)
        visit = state.visits[visit.redirect_url]
    if visit.outcome != "soft_failure":
        return listing
    return replace(_with_gap(listing, f"{listing.url}: {visit.reason}"), pages=(), record_count=0)


def _with_gap(listing: ListingVisit, gap: str) -> ListingVisit:
    certificate = replace(listing.certificate, is_complete=False, gap=gap) if listing.certificate else None
    return replace(listing, gap=gap, certificate=certificate)


def _without_cut(state: Crawl, listings: list[ListingVisit]) -> list[ListingVisit]:
    """The listings, with a gap where a page has no end and most pages of the night have one."""
    endings = Counter(state.endings.values())
    if endings["whole"] <= endings["open"]:
        return listings
    return [
        _with_gap(listing, state.unended[listing.url]) if not listing.gap and listing.url in state.unended else listing
        for listing in listings
    ]


def _ask_resources(state: Crawl) -> None:
    for url, via in list(state.shown.items()):
        if not any(same_host(url, canonical_url(listing)) for listing in state.source.listings):
            state.visits.setdefault(url, Visit(url, "other", "not_asked", reason="on another host", via=via))
            continue
        _judge_page(state, ask(state, url, "resource", via))


def _judge_page(state: Crawl, visit: Visit) -> None:
    """Read a page that is no listing, for what it says of its addresses, and to see whether it is one at all."""
    if visit.outcome not in PAGE_OUTCOMES or visit.role == "listing":
        return
    reading, judged = read(state, visit, is_listing=False)
    if judged.outcome not in PAGE_OUTCOMES:
        state.visits[visit.url] = judged
    elif visit.role == "resource":
        note_page(state, visit.url, reading)


def _with_witness(
    state: Crawl, listings: list[ListingVisit], in_sitemap: list[str], gap: str | None
) -> list[ListingVisit]:
    """The listings, their certificates with what the sitemap says beside: a second witness, and no failure."""
    if not in_sitemap:
        return [_witnessed(listing, None, None, gap) for listing in listings] if gap else listings
    named = {_bare(url): url for url in sorted(state.aliases.get(url, url) for url in in_sitemap)}
    shown = {_bare(url) for listing in listings for url in (*_on(state, listing), listing.url)}
    alone = sorted(url for bare, url in named.items() if bare not in shown)
    return [
        _witnessed(listing, alone, sorted(url for url in _on(state, listing) if _bare(url) not in named), gap)
        for listing in listings
    ]


def _bare(url: str) -> str:
    """An address without what tells no two pages apart: scheme, and the `www.` of the host (schema.addresses)."""
    return url.partition("://")[2].removeprefix("www.")


def _on(state: Crawl, listing: ListingVisit) -> set[str]:
    """The addresses of the resources that a listing shows."""
    return {state.aliases.get(url, url) for url in state.listed.get(listing.url, ())}


def _witnessed(
    listing: ListingVisit, alone: list[str] | None, lacking: list[str] | None, gap: str | None
) -> ListingVisit:
    if listing.certificate is None:
        return listing
    certificate: Certificate = replace(
        listing.certificate,
        sitemap_only_count=None if alone is None else len(alone),
        sitemap_only=tuple((alone or [])[:NAMED_WITNESSES]),
        not_in_sitemap_count=None if lacking is None else len(lacking),
        not_in_sitemap=tuple((lacking or [])[:NAMED_WITNESSES]),
        sitemap_gap=gap,
    )
    return replace(listing, certificate=certificate)


def _ledger_sitemap(state: Crawl, in_sitemap: list[str]) -> None:
    met = {_bare(url) for url in state.visits}
    for url in in_sitemap:
        if _bare(url) in met or _bare(state.aliases.get(url, url)) in met:
            continue
        met.add(_bare(url))
        if state.source.ask_not_listed:
            ask(state, url, "known", state.source.sitemap)
        else:
            visit = Visit(url, "other", "not_listed", reason="only the sitemap names it", via=state.source.sitemap)
            state.visits[url] = visit

"""What a crawl knows so far, and how it asks: once for each address, robots permitting, each answer in the ledger.

A page of a listing may be asked again; its answers are archived all, and its row in the ledger counts its requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urlsplit

from harvest.client import Client
from harvest.robots import Robots
from harvest.soft_failures import SameBodies, find_soft_failure
from harvest.written import Written
from schema.addresses import canonical_url
from schema.nouns import PageReading, Payload, Visit
from schema.sources import Source

# what is asked for its own sake: no page that holds resources
_BY_THE_WAY = frozenset({"robots", "sitemap", "probe"})

Progress = Callable[[str, int, int], None]


class ReadPage(Protocol):
    """What reads a page: payload, its canonical address, whether it is a listing -> what the page says."""

    def __call__(self, payload: Payload, url: str, *, is_listing: bool) -> PageReading:
        """Read one page."""
        ...


@dataclass
class Crawl:
    """What is known so far; visits by canonical address, in order of first meeting."""

    source: Source
    client: Client
    read_page: ReadPage
    progress: Progress
    robots: dict[str, Robots] = field(default_factory=dict)
    visits: dict[str, Visit] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    # for those who watch: addresses that are to have a row, and those asked for
    met: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    # by listing, the addresses of the resources it shows
    listed: dict[str, set[str]] = field(default_factory=dict)
    bodies: SameBodies = field(default_factory=SameBodies)
    # by address, how the markup of a page ends; by listing, what is to be said where pages usually have an end
    endings: dict[str, str] = field(default_factory=dict)
    unended: dict[str, str] = field(default_factory=dict)
    written: Written = field(init=False)

    def __post_init__(self) -> None:
        self.written = Written(self.source.schemes)
        for address in (*self.source.listings, *([self.source.sitemap] if self.source.sitemap else [])):
            self.written.note(canonical_url(address, schemes=self.source.schemes), address.partition("#")[0])


def canonical(state: Crawl, url: str) -> str | None:
    """The canonical form of an address that the site writes; None for one that is none."""
    try:
        address = canonical_url(url, schemes=state.source.schemes)
    except ValueError:
        return None
    state.written.note(address, url.strip().partition("#")[0])
    return address


def ask(state: Crawl, url: str, role: str, via: str | None) -> Visit:
    """Fetch an address once, robots permitting; the last hop's visit."""
    if url in state.visits and state.visits[url].outcome not in ("not_listed", "not_asked"):
        return _in_role(state, state.visits[url], role)
    state.met.add(url)
    robots = state.robots.get(urlsplit(url).netloc)
    if robots is None:
        return state.visits.setdefault(url, Visit(url, role, "not_asked", reason="on another host", via=via))
    if rule := denial(state, robots, url):
        return state.visits.setdefault(url, Visit(url, role, "refused_by_robots", reason=rule, via=via))
    return _fetch(state, url, role, via)


def _fetch(state: Crawl, url: str, role: str, via: str | None) -> Visit:
    hops = state.client.fetch(url, role, via, lambda target: target not in state.visits and may_ask(state, target))
    note_asked(state, hops)
    last = _end_of(state, hops[-1], role)
    state.aliases.update({hop.url: last.url for hop in hops if hop.url != last.url})
    tell(state, role)
    return last


def _in_role(state: Crawl, visit: Visit, role: str) -> Visit:
    """A visit made before, as what it is asked for now, where robots.txt or a sitemap led there first.

    Of a robots.txt the beginning is enough, and of a page not: that one is asked for again.
    """
    if visit.role not in _BY_THE_WAY or visit.role == role:
        return visit
    if visit.role == "robots":
        if not may_ask(state, visit.url):
            return visit
        before = visit.attempts
        last = _fetch(state, visit.url, role, visit.via)
        row = state.visits[visit.url]
        state.visits[visit.url] = replace(row, attempts=row.attempts + before)
        return state.visits[last.url]
    if role in _BY_THE_WAY:
        return visit
    state.visits[visit.url] = replace(visit, role=role)
    return state.visits[visit.url]


def ask_again(state: Crawl, visit: Visit) -> Visit:
    """Ask once more for a page that was fetched; the new answer. Its row keeps the first and counts the requests.

    What the replayed WARC cannot answer again is the first answer.
    """
    again = state.client.fetch(visit.url, visit.role, visit.via, lambda _: False)[-1]
    if again.outcome == "not_archived":
        return visit
    row = state.visits[visit.url]
    state.visits[visit.url] = replace(row, attempts=row.attempts + again.attempts)
    tell(state, visit.role)
    return again


def ask_unheard(state: Crawl, url: str, role: str) -> Visit | None:
    """Ask for an address that the site never named; None where robots.txt denies it or the replayed WARC lacks it.

    Such questions are our own: one that was not asked, or that a replay cannot answer, leaves no row.
    """
    if url in state.visits or not may_ask(state, url):
        return _in_role(state, state.visits[url], role) if url in state.visits else None
    visit = state.client.fetch(url, role, None, lambda _: False)[-1]
    if visit.outcome == "not_archived":
        return None
    note_asked(state, [visit])
    tell(state, role)
    return visit


def note_asked(state: Crawl, hops: Iterable[Visit]) -> None:
    """Give each hop its row in the ledger."""
    for hop in hops:
        state.visits[hop.url] = hop
        state.met.add(hop.url)
        if hop.attempts:
            state.asked.add(hop.url)


def tell(state: Crawl, role: str) -> None:
    """Tell how far the crawl is."""
    # counted as they come: rows counted anew at each request cost more than the requests, on a large site
    state.progress(role, len(state.asked), len(state.met))


def may_ask(state: Crawl, url: str) -> bool:
    """Whether an address is on a host whose robots.txt we read, and which lets us ask for it."""
    robots = state.robots.get(urlsplit(url).netloc)
    return robots is not None and denial(state, robots, url) is None


def denial(state: Crawl, robots: Robots, url: str) -> str | None:
    """The rule that denies a canonical address, as we write it or in every form in which the site does."""
    if rule := robots.refusal(url):
        return rule
    forms = state.written.forms_of(url)
    rules = [robots.refusal(form) for form in forms if form != url]
    return rules[0] if rules and len(rules) == len(forms) and all(rules) else None


def refusal(state: Crawl, url: str, written: str) -> str | None:
    """The rule that denies a canonical address as the site writes it; None where robots.txt is not read yet.

    It is asked of each address that an answer sends us to, which is thereby met in that form.
    """
    state.written.note(url, written)
    robots = state.robots.get(urlsplit(url).netloc)
    return robots.refusal(written) if robots is not None else None


def read(state: Crawl, visit: Visit, *, is_listing: bool) -> tuple[PageReading, Visit]:
    """What a fetched page states, and its visit: its outcome is `soft_failure` where the page is none."""
    payload = state.client.read(visit)
    state.written.read(payload, visit.url)
    reading = state.read_page(payload, visit.url, is_listing=is_listing)
    state.endings[visit.url] = reading.ending
    has_records = bool(reading.records) or any(reject.span for reject in reading.rejects)
    payload = replace(payload, url=visit.url)
    reason = find_soft_failure(payload, state.bodies, has_records=has_records, is_listing=is_listing)
    return reading, replace(visit, outcome="soft_failure", reason=reason) if reason else visit


def note_page(state: Crawl, url: str, reading: PageReading) -> None:
    """Remember by which addresses a page goes, and which resources it shows."""
    for other in (url, *reading.also_known_as):
        if other != reading.canonical_url:
            state.aliases[other] = reading.canonical_url
    for record in reading.records:
        if record.url:
            state.shown.setdefault(record.url, url)
            state.met.add(record.url)


def _end_of(state: Crawl, last: Visit, role: str) -> Visit:
    """The visit where a redirection ends: one made before, or one that robots.txt forbids, which is ledgered."""
    target = last.redirect_url
    if target is None or target in state.visits:
        return _in_role(state, state.visits.get(target or last.url, last), role)
    robots = state.robots.get(urlsplit(target).netloc)
    if last.outcome == "redirected" and robots is not None and (rule := denial(state, robots, target)):
        refused = Visit(target, role, "refused_by_robots", reason=rule, via=last.url)
        return state.visits.setdefault(target, refused)
    return last

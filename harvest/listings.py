"""One listing read to its last page, and again where it moved, with a certificate that says what shows it whole.

`harvest/certificate.py` tells when a listing that moves was read whole. That rests on the pager telling where the end
is, and pagers lie; so the end is looked at too:

- a page that shows what an earlier one did, and leads on, is a loop: left at once, a gap;
- MAX_PAGES_WITHOUT_NEWS pages in a row without news, or MAX_LISTING_PAGES pages, are a pager without end: a gap;
- a page that cannot be had is a gap, at once; one that is not there, or repeats its neighbour and leads nowhere, is one
  when the other pages still lead to it on a second look (else the listing shrank);
- a further page without any resource is the end. It is hollow, a gap, when pages after it hold some, or when a full
  page leads to it on a second look too and it leads nowhere: an honest pager has no such end;
- where the pager names a later page than the one that leads nowhere, or that one is as full as the others, the next
  number is asked for: a page that lost its pager hides nothing. What nobody named and is not there says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import pairwise

from harvest.asking import Crawl, ask, ask_again, ask_unheard, note_page, read
from harvest.certificate import Evidence, numbered
from schema.addresses import canonical_url, page_number, same_host, without_page_number
from schema.nouns import Certificate, ListingVisit, PageReading, Record, Visit

MAX_LISTING_PAGES = 1000
MAX_PAGES_WITHOUT_NEWS = 3
MAX_PASSES = 4
# looks beyond the passes themselves, for each page and pass: for what two orders of one tie have hidden
_LOOKS_A_PAGE = 2
# a page of this many, or a multiple, may be full though no other page tells how many a full one holds (Drupal's usual)
_ROUND = 10
# nobody pages by fewer
_LEAST_FULL = 5
_NOT_THERE = frozenset({"not_found", "gone"})


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer of a page of a listing: its visit, what it shows, where it leads, the largest page number it names."""

    visit: Visit
    ids: tuple[str, ...]
    leads: tuple[str, ...] = ()
    named: int | None = None
    urls: tuple[str, ...] = ()
    fault: str | None = None


@dataclass
class _Listing:
    """A listing as far as it was read: the answers of its pages, and what is known to be missing."""

    start: str
    evidence: Evidence = field(default_factory=Evidence)
    answers: dict[str, list[_Answer]] = field(default_factory=dict)
    heading: str | None = None
    gap: str | None = None
    passes: int = 1
    unheard: set[str] = field(default_factory=set)

    @property
    def order(self) -> list[str]:
        """Its pages, in order."""
        return self.evidence.order

    def latest(self, page: str) -> _Answer:
        """The latest answer of a page."""
        return self.answers[page][-1]

    def announced(self) -> int | None:
        """The largest page number that the pager now names."""
        return max((n for page in self.order if (n := self.latest(page).named) is not None), default=None)


def read_listing(state: Crawl, start: str) -> ListingVisit:
    """Read a listing until it is certain that nothing is missing, or until asking on is not worth it."""
    listing, since = _Listing(start), 1
    _walk(state, listing, [start])
    while listing.order and not _is_settled(listing) and listing.passes < MAX_PASSES:
        listing.passes += 1
        since = _read_again(state, listing, since)
    certificate = _certify(listing)
    state.listed[start] = {record for answers in listing.answers.values() for a in answers for record in a.urls}
    shown = _keep_answers(state, listing)
    return ListingVisit(start, shown, listing.heading, certificate.unique_records, certificate.gap, certificate)


def _is_settled(listing: _Listing) -> bool:
    return listing.gap is not None or (listing.evidence.proof is not None and _open_end(listing) is None)


# --- from page to page ------------------------------------------------------------------------------------------------


def _walk(state: Crawl, listing: _Listing, queue: list[str]) -> None:
    """Read pages that were not read yet, and those they lead to, to the end of the listing."""
    stale = 0
    while queue and listing.gap is None:
        url, known = queue.pop(0), len(listing.evidence.ids)
        answer = _open_page(state, listing, url)
        if answer is None:
            continue
        _take(listing, url, answer)
        queue = sorted({*queue, *_fresh(listing, url)}, key=lambda u: (page_number(u), u))
        if not queue and (beyond := _beyond(state, listing, url)):
            queue = [beyond]
        elif not queue:
            listing.evidence.end()
        stale = 0 if len(listing.evidence.ids) > known else stale + 1
        if queue and stale >= MAX_PAGES_WITHOUT_NEWS:
            listing.gap = f"{url}: brings nothing new, nor did the {stale - 1} pages before it"
        elif queue and len(listing.order) >= MAX_LISTING_PAGES:
            listing.gap = f"{queue[0]}: more than {MAX_LISTING_PAGES} pages"


def _open_page(state: Crawl, listing: _Listing, url: str) -> _Answer | None:
    """Ask for a page not read before; None, with the gap, when it cannot be had or begins a loop."""
    if url in listing.answers:  # a page that was no more, and is again
        visit = ask_again(state, listing.answers[url][0].visit)
    else:
        visit = ask(state, url, "listing", listing.order[-1] if listing.order else None)
    answer = _read_answer(state, listing, url, visit)
    if answer is None or not answer.ids or not _is_repeat(listing, url, answer):
        return answer
    if any(lead not in listing.order and lead != url for lead in answer.leads):
        listing.gap = f"{url}: repeats an earlier page"
        return None
    return replace(answer, ids=(), fault="repeats an earlier page")


def _is_repeat(listing: _Listing, url: str, answer: _Answer) -> bool:
    shown = set(answer.ids)
    return any(shown == set(listing.latest(page).ids) for page in listing.order if page != url)


def _read_answer(state: Crawl, listing: _Listing, url: str, visit: Visit) -> _Answer | None:
    """What an answer shows; None, with the gap, when it is no page."""
    whole = None
    if visit.outcome == "fetched":
        reading, visit = read(state, visit, is_listing=True)
        if visit.outcome == "soft_failure" and url not in listing.answers:
            state.visits[visit.url] = visit
        whole = next((reject.message for reject in reading.rejects if reject.span is None), None)
        if visit.outcome == "fetched" and (reading.records or whole is None):
            listing.heading = listing.heading or reading.heading
            note_page(state, visit.url, reading)
            return _answer_of(visit, reading)
    if visit.outcome in _NOT_THERE and listing.order:
        return _Answer(visit, (), fault=str(visit.status))
    listing.gap = f"{url}: {visit.reason or whole or visit.status or visit.outcome}"
    return None


def _answer_of(visit: Visit, reading: PageReading) -> _Answer:
    unread = (f"reject: {reject.excerpt[:500]}" for reject in reading.rejects)
    ids = tuple(numbered((*map(_id_of, reading.records), *unread)))
    urls = tuple(record.url for record in reading.records if record.url)
    return _Answer(visit, ids, reading.next_urls, reading.last_number if ids else None, urls)


def _id_of(record: Record) -> str:
    """What tells a resource from the others of its listing: its address, else its words."""
    if record.url:
        return record.url
    words = "\n".join(p.text for p in (*record.body, *record.resume))
    return f"{record.title}\n{record.type}\n{sha256(words.encode()).hexdigest()[:16]}"


def _take(listing: _Listing, url: str, answer: _Answer) -> None:
    listing.answers.setdefault(url, []).append(answer)
    listing.evidence.add(url, answer.ids)


def _fresh(listing: _Listing, url: str) -> list[str]:
    """Where a page now leads that was not read, or is no page of the listing any more; an empty one leads nowhere."""
    if not listing.latest(url).ids and url != listing.start:
        return []
    leads = (lead for lead in listing.latest(url).leads if same_host(lead, listing.start))
    return [lead for lead in leads if lead not in listing.order]


# --- the end ----------------------------------------------------------------------------------------------------------


def _beyond(state: Crawl, listing: _Listing, url: str) -> str | None:
    """The page after one that leads nowhere, where there is reason to ask for it and it holds something."""
    number, announced = page_number(url), listing.announced() or 0
    further = _numbered_url(listing.start, number + 1)
    if _numbered_url(listing.start, number) != url or further in listing.answers:
        return None
    if announced > number:
        return further
    if further in listing.unheard or not _may_be_cut(listing, url):
        return None
    listing.unheard.add(further)
    visit = ask_unheard(state, further, "listing")
    if visit is None:
        return None
    if visit.outcome == "failed" or (visit.status or 0) >= 500:
        listing.gap = f"{further}: {visit.reason or visit.status}"
    if visit.outcome != "fetched":
        return None
    reading, judged = read(state, visit, is_listing=True)
    state.visits[visit.url] = judged
    answer = _answer_of(judged, reading)
    is_page = judged.outcome == "fetched" and answer.ids and not _is_repeat(listing, further, answer)
    return further if is_page else None


def _numbered_url(start: str, number: int) -> str:
    """The address of a page of a listing, as Drupal writes it."""
    first = without_page_number(start)
    return canonical_url(f"{first}{'&' if '?' in first else '?'}page={number}")


def _may_be_cut(listing: _Listing, url: str) -> bool:
    """Whether a page that leads nowhere may have lost its pager: it is full, and no page well before it ends there."""
    is_named_last = any(listing.latest(page).named == page_number(url) for page in listing.order[:-2])
    if not listing.latest(url).ids:
        return len(listing.order) > 1 and not is_named_last and _is_full(listing, listing.order[-2])
    return not is_named_last and _is_full(listing, url)


def _is_full(listing: _Listing, page: str) -> bool:
    count = len(listing.latest(page).ids)
    others = [len(listing.latest(other).ids) for other in listing.order if other != page]
    return count >= _LEAST_FULL and (count % _ROUND == 0 or count == max(others, default=0))


def _open_end(listing: _Listing) -> str | None:
    """What the pages now lead to, or name, that was not found there: the gap, None when there is nothing such."""
    for place, page in enumerate(listing.order):
        fault = listing.latest(page).fault
        if fault and any(page in listing.latest(other).leads for other in listing.order):
            return f"{page}: {fault}"
        if place and not listing.latest(page).ids and page != listing.order[-1]:
            return f"{page}: is empty, and the pages after it are not"
    announced, last = listing.announced(), page_number(listing.order[-1])
    if announced is not None and announced > last:
        return f"{listing.order[-1]}: leads nowhere, and its pager announces page {announced + 1}"
    return _hollow_end(listing)


def _hollow_end(listing: _Listing) -> str | None:
    """The gap where a full page leads to an empty one that leads nowhere: for all we know it failed to fill."""
    if len(listing.order) < 2 or listing.latest(listing.order[-1]).ids or listing.latest(listing.order[-1]).leads:
        return None
    before, last = listing.order[-2:]
    is_led_to = last in listing.latest(before).leads
    return f"{last}: is empty, and a full page leads to it" if is_led_to and _is_full(listing, before) else None


# --- once more --------------------------------------------------------------------------------------------------------


def _read_again(state: Crawl, listing: _Listing, since: int) -> int:
    """Read a listing once more, from the looks since the moment before; the moment that it turns upon now."""
    evidence, spare = listing.evidence, _LOOKS_A_PAGE * len(listing.order)
    has_ended = bool(evidence.moments) and evidence.moments[-1].at == len(evidence.looks)
    while listing.gap is None and spare and (evidence.hollow or evidence.shown_since(since) < evidence.slots):
        spare, has_ended = spare - 1, False
        _look(state, listing, evidence.page_to_look_for_unseen(since))
    if not has_ended:
        _look_at_end(state, listing)
    if not evidence.moments:
        return since
    moment = evidence.moments[-1].at
    for page in listing.order[:-1]:
        if page in listing.order and not _is_settled(listing):
            _look(state, listing, page)
    while spare and not _is_settled(listing) and (absent := evidence.page_to_look_for_absent(since)):
        spare -= 1
        _look(state, listing, absent)
    return moment


def _look_at_end(state: Crawl, listing: _Listing) -> None:
    """Look at the last page; where that is empty, at the one before it first, which may hold more than it did."""
    last = listing.order[-1]
    if len(listing.order) > 1 and not listing.latest(last).ids:
        _look(state, listing, listing.order[-2])
    if last == listing.order[-1]:
        _look(state, listing, last)


def _look(state: Crawl, listing: _Listing, page: str) -> None:
    """Ask once more for a page that was read."""
    if listing.gap is not None:
        return
    before = listing.latest(page)
    answer = _read_answer(state, listing, page, ask_again(state, listing.answers[page][0].visit))
    if answer is None:
        return
    place = listing.order.index(page)
    if place and not answer.leads and set(answer.ids) == set(listing.latest(listing.order[place - 1]).ids):
        answer = replace(answer, ids=(), fault="repeats an earlier page")
    if answer.fault and before.fault:
        listing.gap = f"{page}: {answer.fault}"
    elif not (answer.ids or before.ids) and any(listing.latest(other).ids for other in listing.order[place + 1 :]):
        listing.gap = f"{page}: is empty, and the pages after it are not"
    _take(listing, page, answer)
    if fresh := _fresh(listing, page):
        _walk(state, listing, fresh)
    elif page == listing.order[-1] or (answer.ids and _is_short(listing, page)):
        listing.evidence.end()


def _is_short(listing: _Listing, page: str) -> bool:
    """Whether an inner page has become the last: it leads nowhere, and shows fewer than the pages before it."""
    before = listing.order[: listing.order.index(page)]
    counts = [len(listing.latest(other).ids) for other in before or listing.order[:-1]]
    return not listing.latest(page).leads and len(listing.latest(page).ids) < max(counts)


# --- what came of it --------------------------------------------------------------------------------------------------


def _certify(listing: _Listing) -> Certificate:
    evidence = listing.evidence
    gap, proof = listing.gap, evidence.proof
    if gap is None and listing.order:
        gap = _open_end(listing) or (None if proof else _unproven(listing))
    repeated = evidence.repeated(1, len({look.page for look in evidence.looks}))
    announced = listing.announced()
    return Certificate(
        url=listing.start,
        is_complete=gap is None,
        gap=gap,
        announced_pages=None if announced is None else announced + 1,
        pages_read=len(listing.answers),
        looks=len(evidence.looks),
        passes=listing.passes,
        unique_records=len(evidence.ids),
        slots=proof.slots if proof else evidence.slots,
        repeats=len(repeated),
        overlaps=sum(_are_neighbours(listing, pages) for pages in repeated.values()),
        second_look=evidence.second_look,
    )


def _unproven(listing: _Listing) -> str:
    moments = listing.evidence.moments
    certain = max((listing.evidence.stayed(moment) for moment in moments), default=0)
    return (
        f"{listing.start}: changed while it was read {listing.passes} times: {certain} of {listing.evidence.slots} "
        "resources are certain; refresh later"
    )


def _are_neighbours(listing: _Listing, pages: list[str]) -> bool:
    order = list(listing.answers)
    places = sorted(order.index(page) for page in pages)
    return any(b - a == 1 for a, b in pairwise(places))


def _keep_answers(state: Crawl, listing: _Listing) -> tuple[str, ...]:
    """Give each page the row of one answer, and rows of their own to others that show what none of those does.

    Returns:
        The addresses of the pages that show something, the first one in any case, then those of the other answers.
    """
    kept: list[str] = []
    covered: set[str] = set()
    for page, answers in listing.answers.items():
        first, chosen = answers[0], next((a for a in reversed(answers) if a.ids), answers[0])
        if set(chosen.ids) != set(first.ids):
            row = state.visits[first.visit.url]
            state.visits[row.url] = replace(chosen.visit, attempts=row.attempts, via=row.via)
        else:
            chosen = first
        covered.update(chosen.ids)
        if chosen.ids or page == listing.start:
            kept.append(page)
    for page, answers in listing.answers.items():
        for number, answer in enumerate(answers, start=1):
            if not covered.issuperset(answer.ids):
                covered.update(answer.ids)
                address = f"{page}#look-{number}"
                state.visits[address] = replace(answer.visit, url=address, attempts=0, via=page)
                kept.append(address)
    return tuple(kept)

"""One listing read to its last page, and again where it moved, with a certificate that says what shows it whole.

`harvest/certificate.py` tells when a listing that moves was read whole. That rests on the pager telling where the end
is, and pagers lie; so the end is looked at too:

- a page that shows what an earlier one did, and leads on, is a loop: left at once, a gap;
- MAX_PAGES_WITHOUT_NEWS pages in a row without news, or MAX_LISTING_PAGES pages, are a pager without end: a gap;
- a page that cannot be had is a gap, at once; one that is not there, or repeats its neighbour and leads nowhere, is one
  when the other pages still lead to it on a second look (else the listing shrank);
- a further page without any resource is the end. It is hollow, a gap, when pages after it hold some, or when a page
  that is not shorter than another leads to it on a second look too and it leads nowhere: an honest pager has no such
  end, and how many a full page holds no first page tells alone;
- a page whose markup ends inside a tag, or has no end where the others have one, is the beginning of a page: a gap;
- where the pager names a later page than the one that leads nowhere, or that one is as full as the others, the next
  number is asked for: a page that lost its pager hides nothing. What nobody named and is not there says nothing.
"""

from __future__ import annotations

from dataclasses import replace

from harvest.asking import Crawl, ask, ask_again, ask_unheard, note_page, read
from harvest.findings import certify
from harvest.pagers import (
    Answer,
    Listing,
    address_after,
    answer_of,
    cut_page,
    fresh_pages,
    is_repeat,
    is_short,
    may_be_cut,
    names_further,
    open_end,
    place_of,
    set_aside,
    take,
)
from schema.addresses import page_number, same_host
from schema.nouns import PAGE_OUTCOMES, ListingVisit, Visit
from schema.turns import turn_of

MAX_LISTING_PAGES = 1000
MAX_PAGES_WITHOUT_NEWS = 3
MAX_PASSES = 4
# looks beyond the passes themselves, for each page and pass: for what two orders of one tie have hidden
_LOOKS_A_PAGE = 2
_MAX_SPARE_LOOKS = 100
_NOT_THERE = {"not_found": "404", "gone": "410"}


def read_listing(state: Crawl, start: str) -> ListingVisit:
    """Read a listing until it is certain that nothing is missing, or until asking on is not worth it.

    It is not where nothing ever changes and what is not certain yet will not be: two that cannot be told apart.
    """
    listing, since = Listing(start), 1
    _walk(state, listing, [start])
    if listing.order and not listing.evidence.count:  # an empty listing is rare enough to be asked twice
        _look(state, listing, start)
    for page in _cut_pages(state, listing):
        _look(state, listing, page)
    while listing.order and not _is_settled(listing) and listing.passes < MAX_PASSES:
        listing.passes += 1
        since = _read_again(state, listing, since)
    certificate = certify(listing)
    state.listed[start] = {record for answers in listing.answers.values() for a in answers for record in a.urls}
    if unended := cut_page(listing, is_end_usual=True):
        state.unended[start] = unended
    shown = _keep_answers(state, listing)
    return ListingVisit(start, shown, listing.heading, certificate.unique_records, certificate.gap, certificate)


def _cut_pages(state: Crawl, listing: Listing) -> list[str]:
    """Pages that may be the beginning of one, to be looked at once more: without an end where others have one.

    The first page of the night has no others.
    """
    others = {ending for url, ending in state.endings.items() if len(listing.order) > 1 or url != listing.base}
    is_suspect = "whole" in others or not others
    endings = [(page, listing.latest(page).ending) for page in listing.order]
    return [page for page, ending in endings if ending == "torn" or (ending == "open" and is_suspect)]


def _is_settled(listing: Listing) -> bool:
    if listing.gap is not None or (listing.evidence.proof is not None and open_end(listing) is None):
        return True
    return listing.evidence.rests


# --- from page to page ------------------------------------------------------------------------------------------------


def _walk(state: Crawl, listing: Listing, queue: list[str]) -> None:
    """Read pages that were not read yet, and those they lead to, to the end of the listing."""
    stale = 0
    while queue and listing.gap is None:
        url, known = queue.pop(0), listing.evidence.count
        answer = _open_page(state, listing, url)
        if answer is not None:
            _note_places(listing, url)
            take(listing, url, answer)
            queue = sorted(
                {*queue, *fresh_pages(listing, url)}, key=lambda u: (page_number(u), _place_in(listing, u), u)
            )
            stale = 0 if listing.evidence.count > known else stale + 1
        queue = queue or _end_or_beyond(state, listing)
        if queue and stale >= MAX_PAGES_WITHOUT_NEWS:
            listing.gap = f"{url}: brings nothing new, nor did the {stale - 1} pages before it"
        elif queue and len(listing.order) >= MAX_LISTING_PAGES:
            listing.gap = f"{queue[0]}: more than {MAX_LISTING_PAGES} pages"


def _end_or_beyond(state: Crawl, listing: Listing) -> list[str]:
    """The page after the last one, where there is one; else that is the end."""
    if listing.gap is not None or not listing.order:
        return []
    last = listing.order[-1]
    if beyond := _beyond(state, listing, last):
        return [beyond]
    if listing.evidence.looks[-1].page == last:
        listing.evidence.end()
    return []


def _note_places(listing: Listing, url: str) -> None:
    """Remember by which number of its address a page of the listing is reached."""
    for page in listing.order:
        if url in listing.latest(page).leads and (place := place_of(listing, page, url)):
            listing.places.add(place)


def _place_in(listing: Listing, url: str) -> int:
    turn = turn_of(listing.base, url)
    return (turn.after or 0) if turn else 0


def _open_page(state: Crawl, listing: Listing, url: str) -> Answer | None:
    """Ask for a page not read before; None, with the gap, when it cannot be had or begins a loop.

    None without a gap when it is another pager's, or lies in no replayed WARC: others may lead on.
    """
    if url in listing.answers:  # a page that was no more, and is again
        visit = ask_again(state, listing.answers[url][0].visit)
    else:
        visit = ask(state, url, "listing", listing.order[-1] if listing.order else None)
    if visit.outcome == "not_archived" and listing.order:
        listing.lost[url] = visit.reason or visit.outcome
        return None
    answer = _read_answer(state, listing, url, visit)
    if answer is None or not answer.ids or not is_repeat(listing, url, answer):
        return answer
    if set_aside(listing, url):
        return None
    if any(lead not in listing.order and lead != url and lead not in listing.asides for lead in answer.leads):
        listing.gap = f"{url}: repeats an earlier page"
        return None
    return replace(answer, ids=(), fault="repeats an earlier page")


def _read_answer(state: Crawl, listing: Listing, url: str, visit: Visit) -> Answer | None:
    """What an answer shows; None, with the gap, when it is no page."""
    whole = None
    if visit.outcome in PAGE_OUTCOMES:
        reading, visit = read(state, visit, is_listing=True)
        if visit.outcome == "soft_failure" and url not in listing.answers:
            state.visits[visit.url] = visit
        whole = next((reject.message for reject in reading.rejects if reject.span is None), None)
        if visit.outcome in PAGE_OUTCOMES and (reading.records or whole is None):
            listing.heading = listing.heading or reading.heading
            note_page(state, visit.url, reading)
            return answer_of(visit, reading)
    if visit.outcome in _NOT_THERE and listing.order:
        return Answer(visit, (), fault=_NOT_THERE[visit.outcome])
    led = f"leads on to {visit.redirect_url}, and to no page" if visit.outcome == "redirected" else None
    listing.gap = f"{url}: {visit.reason or whole or led or visit.status or visit.outcome}"
    # a listing that is no HTML was read, and shows nothing
    return Answer(visit, ()) if visit.outcome in PAGE_OUTCOMES and not listing.order else None


def _beyond(state: Crawl, listing: Listing, url: str) -> str | None:
    """The page after one that leads nowhere, where there is reason to ask for it and it holds something."""
    further = address_after(listing, url)
    if further is None or further in listing.answers or listing.lost:
        return None
    if names_further(listing, url):
        return further
    if further in listing.unheard or not may_be_cut(listing, url):
        return None
    listing.unheard.add(further)
    return _look_beyond(state, listing, further)


def _look_beyond(state: Crawl, listing: Listing, further: str) -> str | None:
    """A page that nobody named, where it is there and shows what no other does."""
    visit = ask_unheard(state, further, "listing")
    if visit is not None and (visit.outcome == "failed" or (visit.status or 0) >= 500):
        listing.gap = f"{further}: {visit.reason or visit.status}"
    if visit is None or visit.outcome not in PAGE_OUTCOMES:
        return None
    reading, judged = read(state, visit, is_listing=True)
    state.visits[visit.url] = judged
    answer = answer_of(judged, reading)
    if judged.outcome not in PAGE_OUTCOMES or not answer.ids:
        return None
    return _lead_of_repeat(state, listing, visit) if is_repeat(listing, further, answer) else further


def _lead_of_repeat(state: Crawl, listing: Listing, visit: Visit) -> str | None:
    """Where the first page leads after all, when it answers once more to a number that it does not know."""
    if len(listing.order) > 1:
        return None
    reading, _ = read(state, replace(visit, url=listing.base), is_listing=True)
    known = {*listing.answers, *listing.asides, listing.base, visit.url}
    return next((lead for lead in reading.next_urls if lead not in known and same_host(lead, listing.start)), None)


# --- once more --------------------------------------------------------------------------------------------------------


def _read_again(state: Crawl, listing: Listing, since: int) -> int:
    """Read a listing once more, from the looks since the moment before; the moment that it turns upon now."""
    evidence, spare = listing.evidence, min(_LOOKS_A_PAGE * len(listing.order), _MAX_SPARE_LOOKS)
    has_ended = bool(evidence.moments) and evidence.moments[-1].at == len(evidence.looks)
    while spare and not _is_settled(listing) and (evidence.hollow or evidence.shown_since(since) < evidence.held):
        spare, has_ended = spare - 1, False
        _look(state, listing, evidence.page_to_look_for_unseen(since))
    if not has_ended and not _is_settled(listing):
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


def _look_at_end(state: Crawl, listing: Listing) -> None:
    """Look at the last page; where that is empty, at the one before it first, which may hold more than it did."""
    last = listing.order[-1]
    if len(listing.order) > 1 and not listing.latest(last).ids:
        _look(state, listing, listing.order[-2])
    if last == listing.order[-1]:
        _look(state, listing, last)


def _look(state: Crawl, listing: Listing, page: str) -> None:
    """Ask once more for a page that was read."""
    if listing.gap is not None:
        return
    before = listing.latest(page)
    answer = _read_answer(state, listing, page, ask_again(state, listing.answers[page][0].visit))
    if answer is None:
        return
    place = listing.order.index(page)
    leads = [lead for lead in answer.leads if lead not in listing.asides]
    if place and not leads and set(answer.ids) == set(listing.latest(listing.order[place - 1]).ids):
        answer = replace(answer, ids=(), fault="repeats an earlier page")
    if answer.fault and before.fault:
        listing.gap = f"{page}: {answer.fault}"
    elif not (answer.ids or before.ids) and any(listing.latest(other).ids for other in listing.order[place + 1 :]):
        listing.gap = f"{page}: is empty, and the pages after it are not"
    take(listing, page, answer)
    if fresh := fresh_pages(listing, page):
        _walk(state, listing, fresh)
    elif page == listing.order[-1] or (answer.ids and is_short(listing, page)):
        listing.evidence.end()


def _keep_answers(state: Crawl, listing: Listing) -> tuple[str, ...]:
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

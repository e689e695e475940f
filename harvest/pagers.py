"""What the pages of a listing have shown so far, where its pager leads, and whether it keeps its word. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from harvest.certificate import Evidence, numbered
from schema.addresses import canonical_url, page_number, same_host, without_page_number
from schema.nouns import PageReading, Record, Visit
from schema.turns import counted_on, turn_of

# a page of this many, or a multiple, may be full though others hold more (Drupal's usual)
_ROUND = 10
# nobody pages by fewer
_LEAST_FULL = 5
UNREAD = "unread: "


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a page of a listing: its visit, what it shows, where it leads, the largest page number it names.

    named_urls are all further pages that it names; doubtful_urls look like such, and it has no other pager; ending says
    how its markup ends.
    """

    visit: Visit
    ids: tuple[str, ...]
    leads: tuple[str, ...] = ()
    named: int | None = None
    urls: tuple[str, ...] = ()
    fault: str | None = None
    named_urls: tuple[str, ...] = ()
    has_pager: bool = False
    doubtful_urls: tuple[str, ...] = ()
    ending: str = "whole"


@dataclass
class Listing:
    """A listing as far as it was read: the answers of its pages, and what is known to be missing.

    Where a page leads to several others, not all may be of this listing: asides are those that show an earlier page
    once more, by the page that led there, and aside_places the numbers that they turn; places are the numbers that this
    listing's pages turn. lost are pages that the replayed WARC does not hold, with the reason.
    """

    start: str
    evidence: Evidence = field(default_factory=Evidence)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    heading: str | None = None
    gap: str | None = None
    passes: int = 1
    unheard: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    asides: dict[str, str] = field(default_factory=dict)
    aside_places: set[str] = field(default_factory=set)
    lost: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The address of its first page, where that one sent us on."""
        return self.answers[self.start][0].visit.url if self.start in self.answers else self.start

    @property
    def order(self) -> list[str]:
        """Its pages, in order."""
        return self.evidence.order

    def latest(self, page: str) -> Answer:
        """The latest answer of a page."""
        return self.answers[page][-1]

    def announced(self) -> int | None:
        """The largest page number that the pager now names."""
        return max((n for page in self.order if (n := self.latest(page).named) is not None), default=None)


def answer_of(visit: Visit, reading: PageReading) -> Answer:
    """What an answer shows; a block that could not be read stands for a resource too."""
    unread = (f"{UNREAD}{reject.excerpt[:500]}" for reject in reading.rejects)
    ids = tuple(numbered((*map(_id_of, reading.records), *unread)))
    urls = tuple(record.url for record in reading.records if record.url)
    return Answer(
        visit,
        ids,
        reading.next_urls,
        reading.last_number if ids else None,
        urls,
        named_urls=reading.named_urls if ids else (),
        has_pager=reading.has_pager,
        doubtful_urls=tuple(url for url in reading.doubtful_urls if url not in urls),
        ending=reading.ending,
    )


def _id_of(record: Record) -> str:
    """What tells a resource from the others of its listing: its address, else its words."""
    if record.url:
        return record.url
    words = "\n".join(p.text for p in (*record.body, *record.resume))
    return f"{record.title}\n{record.type}\n{sha256(words.encode()).hexdigest()[:16]}"


def take(listing: Listing, url: str, answer: Answer) -> None:
    """Take note of an answer of a page."""
    listing.answers.setdefault(url, []).append(answer)
    listing.evidence.add(url, answer.ids)


def onward(listing: Listing, page: str) -> list[str]:
    """Where a page now leads, as far as that may be of this listing."""
    leads = (lead for lead in listing.latest(page).leads if same_host(lead, listing.start))
    return [lead for lead in leads if lead not in listing.asides and not _turns_aside(listing, page, lead)]


def fresh_pages(listing: Listing, url: str) -> list[str]:
    """Where a page now leads that was not read, or is no page of the listing any more; an empty one leads nowhere."""
    if not listing.latest(url).ids and url != listing.start:
        return []
    known = {*listing.order, *listing.lost, listing.base}
    return [lead for lead in onward(listing, url) if lead not in known]


def place_of(listing: Listing, page: str, lead: str) -> str | None:
    """The number of its address that a page's link turns; None where it changes something else."""
    turn = turn_of(listing.base if page == listing.start else page, lead)
    return turn.place if turn else None


def _turns_aside(listing: Listing, page: str, lead: str) -> bool:
    return bool(listing.aside_places) and place_of(listing, page, lead) in listing.aside_places - listing.places


def set_aside(listing: Listing, url: str) -> bool:
    """Whether a page that shows an earlier one once more is another pager's, and none of this listing; noted so.

    Only where the page that leads to it leads elsewhere too, and by a number that no page of the listing has turned.
    """
    for page in listing.order:
        others = [lead for lead in onward(listing, page) if lead != url and lead not in listing.lost]
        place = place_of(listing, page, url)
        if url in listing.latest(page).leads and others and place and place not in listing.places:
            listing.asides[url] = page
            if all(place_of(listing, page, lead) != place for lead in others):
                listing.aside_places.add(place)
            return True
    return False


def is_repeat(listing: Listing, url: str, answer: Answer) -> bool:
    """Whether an answer shows just what another page does."""
    shown, others = set(answer.ids), (listing.latest(page).ids for page in listing.order if page != url)
    return any(len(ids) == len(shown) and shown.issuperset(ids) for ids in others)


def is_short(listing: Listing, page: str) -> bool:
    """Whether an inner page has become the last: it leads nowhere, and shows fewer than the pages before it."""
    before = listing.order[: listing.order.index(page)]
    counts = [len(listing.latest(other).ids) for other in before or listing.order[:-1]]
    return not onward(listing, page) and len(listing.latest(page).ids) < max(counts)


# --- the end ----------------------------------------------------------------------------------------------------------


def numbered_url(start: str, number: int) -> str:
    """The address of a page of a listing, as Drupal writes it."""
    first = without_page_number(start)
    return canonical_url(f"{first}{'&' if '?' in first else '?'}page={number}")


def is_numbered(listing: Listing, url: str) -> bool:
    """Whether a page is one of those that `?page=N` tells apart, the first included."""
    return url in (listing.start, listing.base) or numbered_url(listing.base, page_number(url)) == url


def address_after(listing: Listing, url: str) -> str | None:
    """The address of the page that would come after one, as the pages before it are counted; None where they are not.

    A first page alone tells of no counting but Drupal's.
    """
    if is_numbered(listing, url):
        return numbered_url(listing.base, page_number(url) + 1)
    place = listing.order.index(url)
    before = listing.order[place - 1]
    return counted_on(listing.base if place == 1 else before, url) if place else None


def names_further(listing: Listing, url: str) -> bool:
    """Whether a pager names pages beyond one that leads nowhere."""
    if is_numbered(listing, url):
        return (listing.announced() or 0) > page_number(url)
    return bool(_unreached(listing))


def _unreached(listing: Listing) -> list[str]:
    """Pages that pagers now name, not by `?page=N`, and that were never asked for."""
    known = {*listing.answers, *listing.asides, *listing.lost, listing.base}
    named = ((page, url) for page in listing.order for url in listing.latest(page).named_urls if url not in known)
    there = ((page, url) for page, url in named if same_host(url, listing.start) and not is_numbered(listing, url))
    return [url for page, url in there if not _turns_aside(listing, page, url)]


def may_be_cut(listing: Listing, url: str) -> bool:
    """Whether a page that leads nowhere may have lost its pager: it is full, and no page well before it ends there.

    Where it is told by its address alone how a site counts, a page that names earlier ones has its pager.
    """
    is_named_last = any(listing.latest(page).named == page_number(url) for page in listing.order[:-2])
    if not is_numbered(listing, url) and listing.latest(url).has_pager:
        return False
    if not listing.latest(url).ids:
        return len(listing.order) > 1 and not is_named_last and _is_full(listing, listing.order[-2])
    return not is_named_last and _is_full(listing, url)


def _is_full(listing: Listing, page: str) -> bool:
    """Whether a page may hold as many as one can; where no other page tells how many that are, any number is."""
    count = len(listing.latest(page).ids)
    others = [len(listing.latest(other).ids) for other in listing.order if other != page]
    return count >= _LEAST_FULL and (count % _ROUND == 0 or count >= max(others, default=0))


def open_end(listing: Listing) -> str | None:
    """What the pages now lead to, or name, that was not found there: the gap, None when there is nothing such."""
    for place, page in enumerate(listing.order):
        fault = listing.latest(page).fault
        if fault and any(page in _named_by(listing, other) for other in listing.order):
            return f"{page}: {fault}"
        if place and not listing.latest(page).ids and page != listing.order[-1]:
            return f"{page}: is empty, and the pages after it are not"
    announced, last = listing.announced(), page_number(listing.order[-1])
    is_lost = any(page_number(url) > last for url in listing.lost)
    if announced is not None and announced > last and not is_lost:
        return f"{listing.order[-1]}: leads nowhere, and its pager announces page {announced + 1}"
    return _hollow_end(listing) or cut_page(listing, is_end_usual=False) or _unread_lead(listing)


def _named_by(listing: Listing, page: str) -> tuple[str, ...]:
    return (*listing.latest(page).leads, *listing.latest(page).named_urls)


def cut_page(listing: Listing, *, is_end_usual: bool) -> str | None:
    """The gap where a page is only the beginning of one: its markup ends inside a tag, or has no end as others have."""
    is_end_usual |= any(answer.ending == "whole" for answers in listing.answers.values() for answer in answers)
    for page in listing.order:
        if listing.latest(page).ending == "torn":
            return f"{page}: is cut short, its markup ends inside a tag"
        if listing.latest(page).ending == "open" and is_end_usual:
            return f"{page}: is cut short, it has no end as the other pages have"
    return None


def _unread_lead(listing: Listing) -> str | None:
    """The gap where a page may lead to one that was not read."""
    for url, page in listing.asides.items():
        if not any(lead in listing.order for lead in onward(listing, page)):
            return f"{url}: repeats an earlier page"
    if (unreached := _unreached(listing)) and not listing.lost:
        return f"{listing.order[-1]}: leads nowhere, and its pager names {unreached[0]}"
    for page in listing.order:
        for url in listing.latest(page).doubtful_urls:
            if url not in listing.answers and url not in (listing.base, *listing.lost):
                return f"{url}: looks like a further page of {page}, and nothing says surely that it is one"
    last = listing.order[-1]
    if len(listing.order) > 1 and address_after(listing, last) is None and may_be_cut(listing, last):
        return None if onward(listing, last) else f"{last}: leads nowhere, is full and shows no pager"
    return None


def _hollow_end(listing: Listing) -> str | None:
    """The gap where a page leads to an empty one that leads nowhere: for all we know it failed to fill.

    A page that shows fewer than another of its listing may lead there all the same: what it shows is the end.
    """
    if len(listing.order) < 2 or listing.latest(listing.order[-1]).ids or onward(listing, listing.order[-1]):
        return None
    before, last = listing.order[-2:]
    most = max(len(listing.latest(page).ids) for page in listing.order)
    is_short = 0 < len(listing.latest(before).ids) < most
    is_led_to = last in listing.latest(before).leads
    return f"{last}: is empty, and a full page leads to it" if is_led_to and not is_short else None

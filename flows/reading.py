"""Pages read in workers: from an archived visit, or a payload in hand, to what the page states. No heavy imports here.

A worker imports this module and nothing of the tables: it starts in half a second.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flows.workers import Failure, Limits, parse_in_workers
from harvest.answers import BrokenAnswer
from harvest.payloads import read_payload
from parsers.page import parse_page
from schema.errors import DamagedArchive
from schema.layout import Layout
from schema.nouns import PageReading, Payload, Reading, Reject, Visit
from schema.sources import Source

# the reason of a reject: the archived page is not what was written
DAMAGED = "damaged_record"


@dataclass(frozen=True, slots=True)
class Page:
    """One page to read: its payload or, to keep the line to the worker free, the visit that archived it."""

    source: Source
    url: str
    is_listing: bool | None
    layout: Layout | None = None
    visit: Visit | None = None
    payload: Payload | None = None


def read_visits(
    source: Source, layout: Layout, visits: Sequence[Visit], limits: Limits | None = None
) -> tuple[Reading, ...]:
    """What archived pages state, in their order; a page that no worker comes through is one reject."""
    # a worker that was started before may be in another folder
    layout = Layout(layout.data.absolute(), layout.source)
    pages = [Page(source, v.url, is_listing(v), layout, v) for v in visits]
    read = read_pages(pages, limits)
    return tuple(Reading(v, _as_of_then(v, page)) for v, page in zip(visits, read, strict=True))


def read_pages(pages: Sequence[Page], limits: Limits | None = None) -> list[PageReading]:
    """What pages state, in their order; one that no worker comes through is one reject."""
    read = parse_in_workers(pages, read_one, limits)
    return [_told(page, given) for page, given in zip(pages, read, strict=True)]


def is_listing(visit: Visit) -> bool | None:
    """Whether a visit brought a page of a listing; None when it is not known, of an imported copy."""
    return {"listing": True, "copy": None}.get(visit.role, False)


def read_in_worker(payload: Payload, url: str, source: Source, *, is_listing: bool | None) -> PageReading:
    """What a page in hand states; a page that no worker comes through is one reject."""
    page = Page(source, url, is_listing, payload=payload)
    return read_pages([page])[0]


def read_one(page: Page) -> PageReading:
    """What one page states: the work of a worker. A page whose record is not what was written is one reject."""
    payload = page.payload
    if payload is None:
        if page.layout is None or page.visit is None or page.visit.pointer is None:
            raise ValueError(f"{page.url} was not archived")
        try:
            payload = read_payload(page.layout.raw / page.visit.pointer.file, page.visit.pointer.offset)
        except BrokenAnswer as error:
            return _refused(page.url, "broken_answer", str(error))
        except DamagedArchive as error:
            # published as it is: it may not say where the archive is kept
            return _refused(page.url, DAMAGED, str(error).replace(f"{page.layout.raw}{os.sep}", ""))
    return parse_page(payload, page_url=page.url, source=page.source, is_listing=page.is_listing)


def _told(page: Page, given: PageReading | Failure) -> PageReading:
    if isinstance(given, Failure):
        return _refused(page.url, given.reason, given.message)
    return given


def _as_of_then(visit: Visit, page: PageReading) -> PageReading:
    """What a page states; of a dated one (flows.captures) not which addresses led where on that day.

    Today they may lead elsewhere, and the site's word of today would lose to it.
    """
    if visit.role == "copy" and "#" in visit.url:
        return replace(page, canonical_url=visit.url, also_known_as=())
    return page


def _refused(url: str, reason: str, message: str) -> PageReading:
    return PageReading(url, url, rejects=(Reject(url, reason, message, None, ""),))

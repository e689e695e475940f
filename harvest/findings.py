"""What came of reading a listing: its certificate, or the gap by name. Pure."""

from __future__ import annotations

from itertools import pairwise

from harvest.pagers import UNREAD, Listing, open_end
from schema.nouns import Certificate


def certify(listing: Listing) -> Certificate:
    """What shows that a listing was read whole, or why that is not shown."""
    evidence = listing.evidence
    gap, proof = listing.gap, evidence.proof
    if gap is None and listing.order:
        gap = open_end(listing) or _lost(listing) or (None if proof else _unproven(listing))
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
        unique_records=sum(not name.startswith(UNREAD) for name in evidence.ids),
        slots=evidence.needed(proof) if proof else evidence.slots,
        repeats=len(repeated),
        overlaps=sum(_are_neighbours(listing, pages) for pages in repeated.values()),
        second_look=evidence.second_look,
    )


def _lost(listing: Listing) -> str | None:
    return next((f"{url}: {reason}" for url, reason in listing.lost.items()), None)


def _unproven(listing: Listing) -> str:
    if listing.evidence.rests:
        shared = listing.evidence.repeated(1)
        named = ", ".join(sorted(name.replace("\n", " ")[:80] for name in shared)[:3])
        return (
            f"{listing.start}: {len(shared)} resources stand on several pages at every look ({named}): others may be "
            "hidden by them; see these pages, and whether each resource has an address of its own"
        )
    moments = listing.evidence.moments
    certain = max((listing.evidence.stayed(moment) for moment in moments), default=0)
    return (
        f"{listing.start}: changed while it was read {listing.passes} times: {certain} of {listing.evidence.slots} "
        "resources are certain; refresh later"
    )


def _are_neighbours(listing: Listing, pages: list[str]) -> bool:
    order = list(listing.answers)
    places = sorted(order.index(page) for page in pages)
    return any(b - a == 1 for a, b in pairwise(places))

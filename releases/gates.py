"""What must hold before a night is published. Pure: tables in, reasons to hold out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schema.errors import StructureChanged
from schema.nouns import ListingVisit


def require_resources(resources: Sequence[Mapping[str, Any]], listings: Sequence[ListingVisit]) -> None:
    """Refuse a night on which nothing at all could be read.

    Raises:
        StructureChanged: listings were read and not one resource stands on them, or there is no resource at all.
    """
    if listings and not any(listing.record_count for listing in listings):
        read = ", ".join(listing.url for listing in listings)[:300]
        raise StructureChanged(
            f"no resource stands on any listing ({read}): the site is empty, shows a login page or changed its "
            "markup; look at the pages, then at `labels` in the source file"
        )
    if not resources:
        raise StructureChanged("no resource was read; look at the pages, then at `labels` in the source file")


def reasons_to_hold(listings: Sequence[ListingVisit], former_themes: set[str]) -> list[str]:
    """Why a night may not be published; empty when it may.

    A listing that held resources in the last release and holds none tonight, or one that could not be read to its end,
    would make resources vanish that are still there. An address that a replayed WARC lacks is no such gap.
    """
    reasons = []
    for listing in listings:
        if listing.record_count == 0 and listing.heading in former_themes:
            reasons.append(f"the listing {listing.url} held resources and is empty tonight")
        elif listing.gap and not is_missing_from_replay(listing.gap):
            reasons.append(f"the listing was not read to its end: {listing.gap}")
    return reasons


def is_missing_from_replay(gap: str) -> bool:
    """Whether a gap is only what the replayed WARC never held."""
    return gap.endswith("the WARC that is replayed does not hold it")

"""What must hold before a night is published. Pure: tables in, reasons to hold out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schema.errors import HeldByGate, StructureChanged
from schema.nouns import ListingVisit

# fewer may leave a small catalogue in one night, whatever share of it they are
FEW_VANISHED = 3


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


def require_not_emptied(before: int, after: int) -> None:
    """Refuse tables without any resource behind a release that had some, whoever made them and why.

    Args:
        before: resources of the release before, 0 when there is none.
        after: resources of the tables.

    Raises:
        HeldByGate: there were some, and there is none.
    """
    if before and not after:
        raise HeldByGate(
            f"the release before has {before} resources and these tables have none: nothing was published; look at "
            "`labels` and `parser` in the source file, and at the pages of the last run"
        )


def reasons_to_hold(listings: Sequence[ListingVisit], former_counts: Mapping[str, int]) -> list[str]:
    """Why a night may not be published for what its listings show; empty when it may.

    A listing that held resources on the last good night and holds none tonight, or one that could not be read to its
    end, would make resources vanish that are still there. An address that a replayed WARC lacks is no such gap.

    Args:
        listings: tonight's.
        former_counts: records on the first page of each listing on the last good night, by address.
    """
    reasons = []
    for listing in listings:
        if listing.pages and listing.record_count == 0 and former_counts.get(listing.url, 0) > 0:
            reasons.append(f"the listing {listing.url} held resources and is empty tonight")
        elif listing.gap and not is_missing_from_replay(listing.gap):
            reasons.append(f"the listing was not read to its end: {listing.gap}")
    return reasons


def say_empty(listings: Sequence[ListingVisit]) -> str:
    """What is said behind a verdict of listings that were read and show no resource; empty where each shows some."""
    empty = [listing.url for listing in listings if listing.pages and not listing.gap and not listing.record_count]
    return f"; no resource stands on {', '.join(empty)}: is that so on the site?" if empty else ""


def vanished(
    former: Sequence[Mapping[str, Any]],
    resources: Sequence[Mapping[str, Any]],
    most_share: float,
    ids: Iterable[Mapping[str, Any]] = (),
) -> list[str]:
    """Why a night may not be published for what it no longer shows: too many resources gone at once.

    What became part of a resource that is listed tonight is still shown.

    Args:
        former: rows of `resources` as of the last good night.
        resources: rows tonight.
        most_share: the share (0..1) of the listed resources that may leave the listings in one night; of few, some
            always may.
        ids: rows of `ids` tonight.
    """
    before, now = ({row["resource_id"] for row in rows if row["state"] == "listed"} for rows in (former, resources))
    lost = before - now - {row["resource_id"] for row in ids if row["fate"] == "merged" and row["now"][0] in now}
    if len(lost) < FEW_VANISHED or len(lost) <= most_share * len(before):
        return []
    return [f"{len(lost)} of {len(before)} listed resources are on no listing any more: is the site cut short?"]


def unread_blocks(
    listings: Sequence[ListingVisit], rejects: Mapping[str, int], former: Mapping[str, int], most_share: float
) -> list[str]:
    """Why a night may not be published for blocks of its listings that could not be read, beyond those known before.

    Args:
        listings: tonight's.
        rejects: blocks that could not be read tonight, by address of a page.
        former: the same as of the last good night.
        most_share: the share (0..1) of a listing's blocks that may newly be so; of few, some always may.
    """
    reasons = []
    for listing in listings:
        pages = set(listing.pages) | {listing.url}
        unread, before = (sum(counts.get(page, 0) for page in pages) for counts in (rejects, former))
        blocks = unread + listing.record_count
        if unread - before >= FEW_VANISHED and unread - before > most_share * blocks:
            reasons.append(f"{unread} of {blocks} blocks on {listing.url} could not be read: did its markup change?")
    return reasons


def is_missing_from_replay(gap: str) -> bool:
    """Whether a gap is only what the replayed WARC never held."""
    return gap.endswith("the WARC that is replayed does not hold it")

"""What became of resources that no page states tonight: their state, by evidence, and when they are retired.

A state needs its own evidence: the answer of the resource's address. Nights on which a listing was not read to its end
prove no absence. A resource is retired after some complete nights in a row on which its address said that it is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dedup.merge import finish
from schema.nouns import PAGE_OUTCOMES, Night, Visit

Row = dict[str, Any]
_STATE_OF_OUTCOME = {"not_found": "not_found", "gone": "gone", "forbidden": "forbidden"}


@dataclass(frozen=True, slots=True)
class Carried:
    """rows: of `resources` that are kept; retired: resource_id -> its last state and where its address leads now."""

    rows: tuple[Row, ...]
    retired: Mapping[str, tuple[str, str | None]]


def is_complete(night: Night) -> bool:
    """Whether every listing was read to its end."""
    return bool(night.listings) and all(listing.gap is None for listing in night.listings)


def carry(
    night: Night,
    absent: Iterable[Mapping[str, Any]],
    retire_after_nights: int,
    borne: Collection[str | None] = (),
    ousted: Collection[str] = (),
    unread: Collection[str] = (),
) -> Carried:
    """The rows of resources that no page states tonight: their last values, with the state that the evidence gives.

    Args:
        night: what was asked, and how it was answered.
        absent: rows as of the step before.
        retire_after_nights: complete nights in a row with evidence, after which a row leaves.
        borne: addresses that resources stated tonight bear: what had one of them before is not found there any more.
        ousted: resource_ids whose address was given to another since: wherever that leads, it is not they that moved.
        unread: resource_ids that stand in blocks which could not be read: they have left no listing.
    """
    visits = {visit.url: visit for visit in night.visits}
    is_whole = is_complete(night)
    rows, retired = [], {}
    for former in absent:
        is_taken = bool(former["url"]) and (former["url"] in borne or former["resource_id"] in ousted)
        visit = None if is_taken else visits.get(former["url"] or "")
        evidence = "not_found" if is_taken else _evidence(visit)
        state = evidence or _state_without(former, is_whole=is_whole and former["resource_id"] not in unread)
        nights = _absent_nights(former, visit, evidence, is_whole=is_whole)
        if nights >= retire_after_nights:
            retired[former["resource_id"]] = (state, visit.redirect_url if visit else None)
            continue
        row = {**former, "state": state, "absent_nights": nights, "best_record_id": None}
        rows.append(finish(row, former, changed_at=_seen_at(night, visit)))
    return Carried(tuple(rows), retired)


def with_unread(
    row: Row, former: Mapping[str, Any] | None, night: Night, unread_on: Collection[str | None] = ()
) -> Row:
    """The row of a resource that pages state tonight, on the listings too that were not read to their end.

    It stands where it stood before, unless the listing was read and did not show it.

    Args:
        row: what the pages state.
        former: the row as of the step before.
        night: which listings were read.
        unread_on: headings of listings that show it in a block which could not be read.
    """
    if former is None or former["state"] != "listed" or (is_complete(night) and not unread_on):
        return row
    read = {listing.heading for listing in night.listings if listing.gap is None} - {*unread_on}
    unread = {theme for theme in former["themes"] if theme not in read}
    if not unread and (former["themes"] or row["state"] == "listed"):
        return row
    themes = sorted(unread.union(row["themes"]))
    return finish({**row, "themes": themes, "state": "listed"}, former, changed_at=row["last_seen_at"])


def _seen_at(night: Night, visit: Visit | None) -> datetime:
    """When the evidence was fetched: the answer of the address, else the last of the listings."""
    if visit is not None and visit.fetched_at is not None:
        return visit.fetched_at
    read = (one.fetched_at for one in night.visits if one.role == "listing" and one.fetched_at is not None)
    return max(read, default=night.started_at)


def state_unstated(state: str, visit: Visit | None, *, is_whole: bool) -> str:
    """The state of what no page states tonight, by the answer of its address; one that moved is another's by then."""
    evidence = _evidence(visit)
    if evidence is not None and evidence != "moved":
        return evidence
    return "unlisted" if state == "listed" and is_whole else state


def _evidence(visit: Visit | None) -> str | None:
    """The state that an answer proves; None where it proves none."""
    if visit is None:
        return None
    if visit.outcome in _STATE_OF_OUTCOME:
        return _STATE_OF_OUTCOME[visit.outcome]
    return "moved" if visit.redirect_url else None


def _state_without(former: Mapping[str, Any], *, is_whole: bool) -> str:
    return "unlisted" if former["state"] == "listed" and is_whole else str(former["state"])


def _absent_nights(former: Mapping[str, Any], visit: Visit | None, evidence: str | None, *, is_whole: bool) -> int:
    if evidence is not None:
        return int(former["absent_nights"]) + is_whole
    # its page is there, though no listing shows it: it is not gone
    return 0 if visit is not None and visit.outcome in PAGE_OUTCOMES else int(former["absent_nights"])

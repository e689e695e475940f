"""Archived pages that are not what was written: which ones a build met, which resources rest on them, what is said.

A damaged record costs its own page, no more: the page is one reject, every other is read. But a build that reads less
must not pass for one that read all, so each run says what it could not read, and a rebuild changes nothing that rests
on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.reading import DAMAGED
from schema.errors import DamagedArchive
from schema.nouns import Reading

Tables = Mapping[str, Iterable[Mapping[str, Any]]]
_NAMED = 3


@dataclass(frozen=True, slots=True)
class DamagedPage:
    """A page that could not be read: its address, where its record lies, which record is damaged (words)."""

    url: str
    file: str
    offset: int
    reason: str


def damaged_pages(readings: Iterable[Reading]) -> tuple[DamagedPage, ...]:
    """The pages that could not be read because a record is not what was written, each once."""
    found = {
        DamagedPage(reading.visit.url, reading.visit.pointer.file, reading.visit.pointer.offset, reject.message): None
        for reading in readings
        for reject in reading.page.rejects
        if reject.reason == DAMAGED and reading.visit.pointer is not None
    }
    return tuple(found)


def damaged_listings(readings: Iterable[Reading]) -> list[str]:
    """Why a night may not be published whose listings cannot all be read: what they showed would seem gone."""
    return [
        f"the listing {page.url} is damaged in the archive: {page.reason}"
        for page in damaged_pages(reading for reading in readings if reading.visit.role == "listing")
    ]


def say(pages: Sequence[DamagedPage]) -> str:
    """What is said of damage behind a verdict; empty where there is none."""
    if not pages:
        return ""
    reasons = list(dict.fromkeys(f"{page.reason}, {page.url}" for page in pages))
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    count = f"{len(reasons)} archived page{' is' if len(reasons) == 1 else 's are'} damaged and left out"
    return f"; {count}: {'; '.join(reasons[:_NAMED])}{more}; restore from a copy"


def require_nothing_lost(pages: Collection[DamagedPage], before: Tables, after: Tables) -> None:
    """Refuse tables that damage made poorer than the release.

    That is where a published resource is missing from them, or is another while it rests on a damaged record.

    Args:
        pages: what a build could not read.
        before: `resources` and `records` of the release.
        after: `resources` and `ids` as built.

    Raises:
        DamagedArchive: there is such a resource.
    """
    places = {(page.file, page.offset) for page in pages}
    if not places:
        return
    resting = {row["resource_id"] for row in before["records"] if (row["warc_file"], row["warc_offset"]) in places}
    now = {row["resource_id"]: row["content_digest"] for row in after["resources"]}
    # what a person joined to another is no loss
    now |= {row["resource_id"]: "" for row in after["ids"] if row["fate"] == "merged"}
    lost = sorted(
        row["resource_id"]
        for row in before["resources"]
        if row["resource_id"] not in now
        or (row["resource_id"] in resting and now[row["resource_id"]] not in ("", row["content_digest"]))
    )
    if lost:
        raise DamagedArchive(
            f"{len(lost)} published resource{' is' if len(lost) == 1 else 's are'} missing or another without what is "
            f"damaged: {', '.join(lost[:_NAMED])}{', ...' if len(lost) > _NAMED else ''}; the release stays"
            f"{say(list(pages))}, or refresh: it asks the site anew for pages that it cannot read"
        )

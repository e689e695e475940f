"""Archived pages that are not what was written: which ones a build met, which resources rest on them, what is said.

A damaged record costs its own page, no more: the page is one reject, every other is read. But a build that reads less
must not pass for one that read all, so each run says what it could not read, and a rebuild changes nothing that rests
on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from flows.reading import DAMAGED
from harvest.fixity import Fault, check, check_tonight, dependent_rows
from harvest.index import SCHEMA, read_index
from releases.store import Release
from schema.errors import DamagedArchive
from schema.layout import Layout
from schema.nouns import Reading

Tables = Mapping[str, Iterable[Mapping[str, Any]]]
_NAMED = 3
# read again in a night to see whether it is what was written: a second or less. What a source archives in years
CHECKED_BYTES = 512 * 1024 * 1024


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


# --- what nobody has asked for: the archives are looked through night by night ----------------------------------------


@dataclass(frozen=True, slots=True)
class DamagedRecord:
    """A record that is not what was written, or (records > 1) all those of a file; the resources that rest on it."""

    url: str
    file: str
    offset: int
    reason: str
    resource_ids: tuple[str, ...]
    records: int = 1

    def __str__(self) -> str:
        what = f"offset {self.offset}{f', {self.url}' if self.url else ''}" if self.records == 1 else "all of it"
        named = ", ".join(self.resource_ids[:_NAMED]) + (", ..." if len(self.resource_ids) > _NAMED else "")
        return f"{self.file}, {what}: {self.reason}, {f'on which {named} rest' if named else 'no resource rests on it'}"


def damaged_records(
    layout: Layout, sets: Iterable[Release | None], night: int | None = None
) -> tuple[DamagedRecord, ...]:
    """What in the archives is not what was written, and which resources of some sets of tables rest on it.

    night: looks at no more than `CHECKED_BYTES`, at others in turn by this number; None looks at everything.
    """
    faults = check(layout.raw) if night is None else check_tonight(layout.raw, night, CHECKED_BYTES)
    if not faults:
        return ()
    try:
        index = read_index(layout.raw)
        tables = _joined({one.path: one for one in sets if one is not None}.values())
    except DamagedArchive:
        # it is not known what rests on what; a table that is damaged is said by who reads it
        index, tables = SCHEMA.empty_table(), {}
    lengths = Counter(index["file"].to_pylist())
    found = []
    for file, group in groupby(faults, key=lambda fault: fault.file):
        here = list(group)
        is_all = 1 < len(here) >= lengths[file]
        for together in [here] if is_all else [[fault] for fault in here]:
            resting = dependent_rows(tables, together, index).resource_ids
            found.append(_described(together, resting))
    return tuple(found)


def _joined(sets: Iterable[Release]) -> dict[str, list[dict[str, Any]]]:
    where = ("warc_file", "warc_offset")
    columns = {"pages": (*where, "url"), "records": (*where, "page_url", "record_id", "resource_id")}
    read: dict[str, list[dict[str, Any]]] = {name: [] for name in columns}
    for one in sets:
        for name, wanted in columns.items():
            read[name] += [dict(zip(wanted, row, strict=True)) for row in one.rows(name).columns(*wanted)]
    return read


def _described(faults: Sequence[Fault], resting: tuple[str, ...]) -> DamagedRecord:
    first = faults[0]
    url = first.url if len(faults) == 1 else ""
    return DamagedRecord(url, first.file, first.offset, first.reason, resting, len(faults))


def say_all(pages: Sequence[DamagedPage], records: Sequence[DamagedRecord]) -> str:
    """What is said of damage behind a verdict: of pages that were left out, and of records that nobody asked for."""
    more = [str(one) for one in _unmet(pages, records)]
    if not more:
        return say(pages)
    left = f"; and {len(more) - _NAMED} more" if len(more) > _NAMED else ""
    count = sum(one.records for one in _unmet(pages, records))
    what = f"{count} archive record{' is' if count == 1 else 's are'} not what was written"
    return f"{say(pages)}; {what}: {'; '.join(more[:_NAMED])}{left}; restore from a copy"


def as_values(pages: Sequence[DamagedPage], records: Sequence[DamagedRecord]) -> list[dict[str, Any]]:
    """The same for the report of a run: one entry a page or record, with the resources that rest on it."""
    resting = {(one.file, one.offset): one.resource_ids for one in records}
    told = [{**asdict(page), "resource_ids": resting.get((page.file, page.offset), ())} for page in pages]
    return [*told, *(asdict(one) for one in _unmet(pages, records))]


def _unmet(pages: Sequence[DamagedPage], records: Sequence[DamagedRecord]) -> list[DamagedRecord]:
    met = {(page.file, page.offset) for page in pages}
    return [one for one in records if one.records > 1 or (one.file, one.offset) not in met]


def say_unread(layout: Layout, faults: Sequence[Fault]) -> str:
    """What a takedown says of records that are damaged, and may hold what is to go; empty where there is none."""
    if not faults:
        return ""
    try:
        rows = read_index(layout.raw).select(("file", "offset", "url")).to_pylist()
    except DamagedArchive:
        rows = []
    urls = {(row["file"], row["offset"]): row["url"] for row in rows}
    named = [str(replace(one, url=urls.get((one.file, one.offset), ""))) for one in faults[:_NAMED]]
    more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    count = f"{len(faults)} archive record{' is' if len(faults) == 1 else 's are'} damaged and may hold words of it"
    return f"; {count}: {'; '.join(named)}{more}; restore from a copy, then run this takedown again: it does the rest"


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

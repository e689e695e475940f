"""What must leave the archive when a resource is taken down: found record by record, then written aside, file by file.

A page of its own is replaced by a tombstone. A page that shows it beside others keeps every byte of the others; its
block, and any passage of its text elsewhere, is overwritten with spaces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from harvest.answers import BrokenAnswer
from harvest.blocks import LEDGER_URI, PART_SUFFIX
from harvest.index import archives
from harvest.members import Damage, WarcRecord, record_at, scan_records
from harvest.payloads import read_payload
from harvest.redact import (
    Note,
    Redacted,
    is_tombstone,
    repeating,
    rewritten,
    tombstone,
    without_passages,
    write_redacted,
)
from harvest.revisits import root_of
from parsers.page import parse_page
from parsers.sought import blank_sought, blank_spans, find_sought, key_of, sought_in
from schema.addresses import canonical_url
from schema.errors import DamagedArchive
from schema.layout import Layout
from schema.nouns import PageReading, Payload, Record
from schema.sources import Source

Place = tuple[str, int]
_PAGES = frozenset({"response", "resource", "conversion"})


@dataclass(frozen=True, slots=True)
class Sought:
    """What is to go: addresses, blocks `[start, end)` that tables know by the place of their page, and words.

    titles and texts are those that tables have; the archive adds its own.
    """

    addresses: frozenset[str]
    blocks: Mapping[Place, frozenset[tuple[int, int]]]
    titles: frozenset[str]
    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Page:
    """A record that brings content: which blocks of it go, or all of it."""

    path: Path
    offset: int
    url: str
    is_own: bool
    spans: frozenset[tuple[int, int]]


@dataclass
class Survey:
    """What the archive holds of what is sought."""

    pages: list[_Page] = field(default_factory=list)
    revisits: list[tuple[Path, WarcRecord]] = field(default_factory=list)
    ledgers: dict[Path, WarcRecord] = field(default_factory=dict)
    ends: dict[Path, int] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    loose: list[tuple[int, Record]] = field(default_factory=list)
    is_met: bool = False

    def keys(self, sought: Sought) -> tuple[frozenset[str], int]:
        """Passages to look for everywhere, and how many were left out because another resource states them too."""
        keys = sought_in([*self.texts, *self.titles, *sought.texts, *sought.titles])
        others = "\n".join(sorted(self.others))
        own = frozenset(key for key in keys if key not in others)
        return own, len(keys) - len(own)


@dataclass
class Erasure:
    """What is put in place of what: records by file and offset, ledgers by file; and what a person should be told."""

    records: dict[Path, dict[int, Redacted]] = field(default_factory=dict)
    ledgers: dict[Path, tuple[int, bytes]] = field(default_factory=dict)
    ends: dict[Path, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def payloads(self) -> dict[Place, tuple[str, int]]:
        """sha256 and size in bytes of the payload, codings undone, of every record that is another now."""
        return {
            (path_name(path), offset): (one.payload_sha256, one.size_bytes)
            for path, made in self.records.items()
            for offset, one in made.items()
        }

    @property
    def count(self) -> int:
        """How many records are replaced, ledgers apart."""
        return sum(map(len, self.records.values()))


def path_name(path: Path) -> str:
    """The name by which others know an archive, whole or in progress."""
    return path.name.removesuffix(PART_SUFFIX)


def archive_files(layout: Layout) -> list[Path]:
    """Every archive of a source, those in progress or interrupted too."""
    return [*archives(layout.raw), *sorted(layout.raw.glob(f"*.warc.gz{PART_SUFFIX}"))]


# --- what is there ----------------------------------------------------------------------------------------------------


def survey(source: Source, files: Iterable[Path], sought: Sought) -> Survey:
    """Read archives for what is sought.

    Raises:
        DamagedArchive: a whole archive is damaged, so that what stands there cannot be known.
    """
    found = Survey()
    for path in files:
        for record in scan_records(path):
            if isinstance(record, Damage):
                if not path.name.endswith(PART_SUFFIX):
                    raise DamagedArchive(
                        f"{path}: damaged at offset {record.offset} ({record.reason}); restore it first"
                    )
                # the torn tail of an interrupted run: nobody reads it, and it may hold anything
                found.ends[path] = min(record.offset, found.ends.get(path, record.offset))
                break
            _survey_record(source, path, record, sought, found)
    _place_loose(sought, found)
    _spread_to_originals(source, sought, found)
    return found


def _survey_record(source: Source, path: Path, record: WarcRecord, sought: Sought, found: Survey) -> None:
    if record.url == LEDGER_URI:
        found.ledgers[path] = record
    elif record.kind == "revisit":
        found.revisits.append((path, record))
        found.is_met |= _address(record.url, source) in sought.addresses
    elif record.kind in _PAGES:
        found.pages.append(_survey_page(source, path, record, sought, found))


def _survey_page(source: Source, path: Path, record: WarcRecord, sought: Sought, found: Survey) -> _Page:
    url = _address(record.url, source)
    is_own = url in sought.addresses
    found.is_met |= is_own
    page = _Page(path, record.offset, url, is_own, frozenset())
    reading = _read(source, path, record.offset, url)
    if reading is None:
        return page
    known = sought.blocks.get((path_name(path), record.offset), frozenset())
    spans = set(known)
    for one in reading.records:
        span = (one.span.start, one.span.end)
        if is_own or one.url in sought.addresses or span in known:
            found.is_met = True
            found.titles.add(one.title)
            found.texts |= set(_texts(one))
            spans.add(span)
        elif one.url is None:
            found.loose.append((len(found.pages), one))
        else:
            found.others |= set(_kept_words(one))
    return replace(page, spans=frozenset(spans))


def _place_loose(sought: Sought, found: Survey) -> None:
    """Blocks without an address, of text copies: whose they are is told by title or by most of their words."""
    titles = {key_of(title) for title in (*found.titles, *sought.titles)}
    keys = sought_in([*found.texts, *sought.texts])
    for place, one in found.loose:
        long = sought_in(_texts(one))
        if (long and len(long & keys) * 2 > len(long)) or (not long and key_of(one.title) in titles):
            page = found.pages[place]
            found.pages[place] = replace(page, spans=page.spans | {(one.span.start, one.span.end)})
            found.texts |= set(_texts(one))
        else:
            found.others |= set(_kept_words(one))


def _spread_to_originals(source: Source, sought: Sought, found: Survey) -> None:
    """What an own address repeats of another one is its own page too."""
    places = {(page.path, page.offset): number for number, page in enumerate(found.pages)}
    for path, revisit in found.revisits:
        if _address(revisit.url, source) in sought.addresses:
            file, root = root_of(path, revisit.offset)
            number = places[file, root.offset]
            found.pages[number] = replace(found.pages[number], is_own=True)


def _read(source: Source, path: Path, offset: int, url: str) -> PageReading | None:
    try:
        payload = read_payload(path, offset)
    except BrokenAnswer:
        return None
    return None if is_tombstone(payload.content) else _parsed(source, payload, url)


def _parsed(source: Source, payload: Payload, url: str) -> PageReading:
    return parse_page(payload, page_url=url, source=source, is_listing=None)


def _address(url: str, source: Source) -> str:
    try:
        return canonical_url(url, schemes=source.schemes)
    except ValueError:
        return url


def _texts(record: Record) -> Iterator[str]:
    yield from (passage.text for passage in (*record.body, *record.resume))


def _kept_words(record: Record) -> Iterator[str]:
    """All the words of another resource, one section a text, as they are compared."""
    yield key_of(record.title)
    yield from (key_of("".join(p.text for p in section)) for section in (record.body, record.resume))
    yield from (key_of(link.text) for link in record.links)


# --- what comes in its place ------------------------------------------------------------------------------------------


def plan_erasure(source: Source, found: Survey, keys: frozenset[str], note: Note) -> Erasure:
    """The records that come in place of others."""
    plan = Erasure(ends=dict(found.ends))
    for page in found.pages:
        made = _erased(source, page, keys, note, plan.notes)
        if made is not None:
            plan.records.setdefault(page.path, {})[page.offset] = made
    for path, revisit in found.revisits:
        file, root = root_of(path, revisit.offset)
        original = plan.records.get(file, {}).get(root.offset)
        if original is not None:
            plan.records.setdefault(path, {})[revisit.offset] = repeating(revisit, original, note)
    made_anew = {(path_name(p), offset): one for p, made in plan.records.items() for offset, one in made.items()}
    for path, record in found.ledgers.items():
        block = _renewed_ledger(record.block, made_anew)
        if block != record.block:
            plan.ledgers[path] = (record.offset, rewritten(record, block))
    return plan


def _erased(source: Source, page: _Page, keys: frozenset[str], note: Note, notes: list[str]) -> Redacted | None:
    record = record_at(page.path, page.offset)
    try:
        payload = read_payload(page.path, page.offset)
    except BrokenAnswer:
        return tombstone(record, note) if page.is_own or find_sought(record.block, keys) else None
    if is_tombstone(payload.content) or not payload.content:
        return None
    if page.is_own:
        return tombstone(record, note)
    content = blank_spans(payload.content, page.spans)
    if find_sought(content, keys, payload.charset):
        blanked = blank_sought(content, keys, payload.charset)
        content = blanked.content
        if blanked.left:
            notes.append(f"{page.url} went whole: the text stands there in a way that cannot be taken out")
            return tombstone(record, note)
    if content == payload.content:
        return None
    return _smaller(source, page, record, payload, content, note, notes)


def _smaller(
    source: Source, page: _Page, record: WarcRecord, payload: Payload, content: bytes, note: Note, notes: list[str]
) -> Redacted:
    made = without_passages(record, content, note)
    if made is None:
        notes.append(f"{page.url} went whole: what is left of it does not fit into the room it had")
        return tombstone(record, note)
    before = [one for one in _parsed(source, payload, page.url).records if _span(one) not in page.spans]
    after = _parsed(source, replace(payload, content=content), page.url).records
    if [replace(one, position=0) for one in before] != [replace(one, position=0) for one in after]:
        notes.append(f"{page.url} reads otherwise now, without what was taken out")
    return made


def _span(record: Record) -> tuple[int, int]:
    return record.span.start, record.span.end


def _renewed_ledger(block: bytes, made: Mapping[Place, Redacted]) -> bytes:
    """A run's ledger with the digests of the pages that the archive holds now."""
    values = json.loads(block)
    values["visits"] = [_renewed_visit(visit, made) for visit in values["visits"]]
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _renewed_visit(visit: dict[str, Any], made: Mapping[Place, Redacted]) -> dict[str, Any]:
    for key in ("pointer", "original"):
        place = visit.get(key)
        one = made.get((place["file"], place["offset"])) if place else None
        if one is None or visit["payload_digest"] is None:
            continue
        visit = {**visit, "payload_digest": one.payload_sha256, "size_bytes": one.size_bytes}
        if key == "original":
            visit["original"] = {**visit["original"], "payload_digest": one.payload_sha256}
        if one.is_gone:  # a later night must not be told that this is as it was
            visit |= {"etag": None, "last_modified": None, "media_type": "text/html"}
    return visit


def write_erasure(plan: Erasure, folder: Path) -> dict[str, str]:
    """Write the archives anew into a folder; the sha256 of each by its name."""
    made = {}
    for path in sorted({*plan.records, *plan.ledgers, *plan.ends}):
        target, last = folder / path.name, plan.ledgers.get(path)
        members = {offset: one.stored for offset, one in plan.records.get(path, {}).items()}
        write_redacted(path, target, members, last, plan.ends.get(path))
        made[path.name] = sha256(target.read_bytes()).hexdigest()
    return made

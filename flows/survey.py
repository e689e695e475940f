"""What archives hold of a resource that is to be taken down, found record by record. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows.itself import itself, title_keys
from flows.reading import read_in_worker
from flows.taken import Taken, texts_of
from harvest.answers import BrokenAnswer
from harvest.blocks import LEDGER_URI, PART_SUFFIX
from harvest.fixity import Fault
from harvest.headers import REDACTED
from harvest.index import archives
from harvest.members import Damage, WarcRecord, scan_records
from harvest.payloads import read_payload
from harvest.redact import is_tombstone
from harvest.revisits import root_of
from parsers.sought import Passages, key_of, passages_of, sought_in
from schema.addresses import canonical_url, is_home, without_page_number
from schema.errors import DamagedArchive
from schema.layout import Layout
from schema.nouns import PageReading, Record
from schema.sources import Source

Place = tuple[str, int]
Span = tuple[int, int]
_PAGES = frozenset({"response", "resource", "conversion"})


@dataclass(frozen=True, slots=True)
class Sought:
    """What is to go: what is known of it by name, blocks `[start, end)` by the place of their page, and words.

    titles and texts are those that tables have; the archive adds its own. others are what tables have of other
    resources, by the place of their page: where that is damaged, nothing else tells that the words are theirs too.
    """

    taken: Taken
    blocks: Mapping[Place, frozenset[Span]] = field(default_factory=dict)
    titles: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    others: Mapping[Place, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A record that brings content: what it states, which blocks of it go, or (is_whole) all of it.

    is_own: it was archived at an address of what is sought, or is what such an address brought too.
    """

    path: Path
    offset: int
    url: str
    is_own: bool
    reading: PageReading
    is_redacted: bool = False
    spans: frozenset[Span] = frozenset()
    is_whole: bool = False

    @property
    def records(self) -> Sequence[Record]:
        """The records that stand on it."""
        return self.reading.records


@dataclass
class Survey:
    """What archives hold of what is sought; others are the words of other resources.

    strangers: where its own address brought other resources alone, in words. damaged: what of whole archives cannot be
    read, so that nobody knows what stands there.
    """

    pages: list[Page] = field(default_factory=list)
    revisits: list[tuple[Path, WarcRecord]] = field(default_factory=list)
    ledgers: dict[Path, WarcRecord] = field(default_factory=dict)
    ends: dict[Path, int] = field(default_factory=dict)
    titles: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    strangers: list[str] = field(default_factory=list)
    damaged: list[Fault] = field(default_factory=list)
    is_met: bool = False

    def keys(self) -> tuple[Passages, int]:
        """Passages to look for everywhere, and how many were left out because another resource states them too."""
        keys = sought_in(self.texts, self.titles)
        own = passages_of(keys, self.others)
        return own, len(keys) - len(own.keys)


def path_name(path: Path) -> str:
    """The name by which others know an archive, whole or in progress."""
    return path.name.removesuffix(PART_SUFFIX)


def part_files(layout: Layout) -> list[Path]:
    """Archives that a killed or failed run left unfinished."""
    return sorted(layout.raw.glob(f"*.warc.gz{PART_SUFFIX}"))


def archive_files(layout: Layout) -> list[Path]:
    """Every archive of a source, unfinished ones too."""
    return [*archives(layout.raw), *part_files(layout)]


def survey(source: Source, files: Iterable[Path], sought: Sought) -> Survey:
    """Read archives for what is sought; what is damaged in them is told, and all else is read."""
    found = Survey(titles=set(sought.titles), texts=set(sought.texts))
    for path in files:
        for record in _sound_records(path, found):
            _survey_record(source, path, record, sought, found)
    if found.damaged:
        read = {(path_name(page.path), page.offset) for page in found.pages}
        found.others |= {key_of(text) for at, texts in sought.others.items() if at not in read for text in texts}
    _spread_to_originals(source, sought, found)
    _mark_named(sought, found)
    _mark_own(sought, found)
    _mark_alike(found)
    _mark_whole(source, sought, found)
    return found


def _sound_records(path: Path, found: Survey) -> Iterator[WarcRecord]:
    try:
        for record in scan_records(path):
            if not isinstance(record, Damage):
                yield record
            elif path.name.endswith(PART_SUFFIX):
                # the torn tail of an interrupted run: nobody reads it, and it may hold anything
                found.ends[path] = record.offset
                return
            else:
                found.damaged.append(Fault(path.name, record.offset, "", record.reason))
    except DamagedArchive as error:
        found.damaged.append(Fault(path.name, 0, "", str(error)))


def _survey_record(source: Source, path: Path, record: WarcRecord, sought: Sought, found: Survey) -> None:
    url = _address(record.url, source)
    if record.url == LEDGER_URI:
        found.ledgers[path] = record
    elif record.kind == "revisit":
        found.revisits.append((path, record))
    elif record.kind in _PAGES:
        reading, is_redacted = _read(source, path, record.offset, url), bool(record.header(REDACTED.lower()))
        found.pages.append(Page(path, record.offset, url, url in sought.taken.addresses, reading, is_redacted))
    found.is_met |= url in sought.taken.addresses


def _read(source: Source, path: Path, offset: int, url: str) -> PageReading:
    try:
        payload = read_payload(path, offset)
    except BrokenAnswer:
        return PageReading(url, url)
    if is_tombstone(payload.content):
        return PageReading(url, url)
    return read_in_worker(payload, url, source, is_listing=None)


def _spread_to_originals(source: Source, sought: Sought, found: Survey) -> None:
    """What an own address repeats of another one is its own page too."""
    places = {(page.path, page.offset): number for number, page in enumerate(found.pages)}
    for path, revisit in found.revisits:
        if _address(revisit.url, source) in sought.taken.addresses:
            file, root = known_root(path, revisit) or (path, revisit)
            # of the archives that are not looked at nothing is left
            if (number := places.get((file, root.offset))) is not None:
                found.pages[number] = replace(found.pages[number], is_own=True)


def known_root(path: Path, revisit: WarcRecord) -> tuple[Path, WarcRecord] | None:
    """The record that holds the body of a revisit, and its file; None where that is damaged."""
    try:
        return root_of(path, revisit)
    except DamagedArchive:
        return None


def _mark_named(sought: Sought, found: Survey) -> None:
    """Mark the blocks that are known by address, place or print, and learn their words."""
    for number, page in enumerate(found.pages):
        known = sought.blocks.get((path_name(page.path), page.offset), frozenset())
        found.pages[number] = replace(page, spans=known)
        if not page.is_own:
            _mark(found, number, [one for one in page.records if span_of(one) in known or sought.taken.holds(one)])


def _mark_own(sought: Sought, found: Survey) -> None:
    """Mark on its own pages what the resource is there; the blocks of others that stand beside it are none of it."""
    records = [one for page in found.pages for one in page.records]
    others = title_keys(one for one in records if one.url is not None and one.url not in sought.taken.addresses)
    names = frozenset(map(key_of, found.titles)) - {""}
    for number, page in enumerate(found.pages):
        if page.is_own:
            is_spread = page.url not in sought.taken.addresses
            mine = itself(page.reading, sought.taken, names, others, may_guess=not (is_spread or page.is_redacted))
            _mark(found, number, [*mine, *(one for one in page.records if span_of(one) in page.spans)])
            if page.records and not (is_spread or page.is_redacted or found.pages[number].spans):
                found.strangers.append(f"{page.url} in {path_name(page.path)}")


def _mark(found: Survey, number: int, mine: Iterable[Record]) -> None:
    page, mine = found.pages[number], list(mine)
    for one in mine:
        found.titles.add(one.title)
        found.texts |= set(texts_of(one))
    found.is_met |= bool(mine)
    found.pages[number] = replace(page, spans=page.spans | {span_of(one) for one in mine})


def _mark_alike(found: Survey) -> None:
    """Mark blocks without an address, of text copies, by title or most of their words; the others' words are kept."""
    _forget_strays(found)
    titles, keys = {key_of(title) for title in found.titles}, sought_in(found.texts)
    for number, page in enumerate(found.pages):
        spans = set(page.spans)
        for one in page.records:
            long = sought_in(texts_of(one))
            is_alike = len(long & keys) * 2 > len(long) if long else key_of(one.title) in titles
            if one.url is None and is_alike:
                spans.add(span_of(one))
                found.texts |= set(texts_of(one))
            elif span_of(one) not in spans:
                found.others |= set(_words(one))
        found.pages[number] = replace(page, spans=frozenset(spans))


def _forget_strays(found: Survey) -> None:
    """Leave out words that tables call the resource's, where the archive has them of other records alone.

    A page that once showed others at its address gave it their words.
    """
    mine, others = set[str](), set[str]()
    for page in found.pages:
        for one in page.records:
            (mine if span_of(one) in page.spans else others).update(_words(one))
    strays = "\n".join(sorted(others)), "\n".join(sorted(mine))

    def is_stray(text: str) -> bool:
        key = key_of(text)
        return bool(key) and key in strays[0] and key not in strays[1]

    found.texts = {text for text in found.texts if not is_stray(text)}
    found.titles = {title for title in found.titles if not is_stray(title)}


def _mark_whole(source: Source, sought: Sought, found: Survey) -> None:
    """Say of which own pages all goes: those that state nothing else, and are no page of the site in general."""
    listings = {_address(url, source) for url in source.listings}
    for number, page in enumerate(found.pages):
        is_its_own = page.is_own and (page.url in sought.taken.addresses or not _is_general(page.url, listings))
        if is_its_own and all(span_of(one) in page.spans for one in page.records):
            found.pages[number] = replace(page, is_whole=True)


def _is_general(url: str, listings: set[str]) -> bool:
    return is_home(url) or without_page_number(url) in listings


def span_of(record: Record) -> Span:
    """Where the record's block lies in its page."""
    return record.span.start, record.span.end


def _words(record: Record) -> Iterator[str]:
    """All the words of another resource, one section a text, as they are compared."""
    yield key_of(record.title)
    yield from (key_of("".join(p.text for p in section)) for section in (record.body, record.resume))
    yield from (key_of(link.text) for link in record.links)


def _address(url: str, source: Source) -> str:
    try:
        return canonical_url(url, schemes=source.schemes)
    except ValueError:
        return url

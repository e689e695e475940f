"""A WARC that another program wrote, archived page by page as a run of its own.

Every page of the source is archived, byte for byte, under the date that it bears there, and each is read: a WARC may
show one address on fifty days, and a resource that only the first of them states is told by no other. So each has a row
of its own in `pages`, its address ending in its date (`…/fiche-112#2019-05-06T07:08:09Z`). The oldest gives
`first_seen_at`, the newest the values of a resource that the site never showed us; what the site showed us outranks all
of them, by the rule for copies (dedup.merge). A page that is archived already, by whatever run, is not archived again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.erasing import keep_down
from flows.jobs import Outcome
from flows.ledger import FORMAT, Ledger, to_json
from flows.lock import locked
from flows.reading import Page, read_pages
from flows.stages import SOFTWARE, silent
from harvest.archive import ArchiveWriter, imported_from
from harvest.blocks import PART_SUFFIX
from harvest.crawl import Progress
from harvest.foreign import ForeignPage, Kind, Passed, foreign_pages
from harvest.index import write_index
from harvest.members import WarcRecord, read_date, record_at
from harvest.originals import PageKey
from harvest.payloads import read_payload
from releases.store import run_state, write_run
from schema.addresses import canonical_url
from schema.errors import DamagedArchive, StructureChanged, UsageError
from schema.layout import Layout
from schema.nouns import Pointer, Visit
from schema.sources import Source

# examples of each reason that the report names; the rest are counted
NAMED = 20
_BATCH_PAGES = 32
_BATCH_BYTES = 16 * 1024 * 1024


@dataclass
class LeftAside:
    """What was not taken: how many for each reason, and the first of them."""

    counts: Counter[Kind] = field(default_factory=Counter)
    named: dict[Kind, list[Passed]] = field(default_factory=dict)

    def add(self, passed: Passed) -> None:
        """One more."""
        self.counts[passed.kind] += 1
        named = self.named.setdefault(passed.kind, [])
        if len(named) < NAMED:
            named.append(passed)

    def as_values(self) -> list[dict[str, Any]]:
        """As plain values, most frequent first."""
        return [
            {"why": kind, "count": count, "first": [{"url": p.url, "reason": p.reason} for p in self.named[kind]]}
            for kind, count in self.counts.most_common()
        ]

    def as_lines(self) -> list[str]:
        """For a person: a line a reason with an example, and one for each place of damage."""
        lines = []
        for kind, count in self.counts.most_common():
            named = self.named[kind]
            is_place = not named[0].url and kind != "beside the pages"
            shown = [_told(one) for one in (named if is_place else named[:1])]
            shown += [f"and {count - NAMED} more"] if is_place and count > NAMED else []
            lines.append(f"{count:>8}  {kind:<22}  {shown[0]}")
            lines += [f"{'':>8}  {'':<22}  {one}" for one in shown[1:]]
        return lines


@dataclass
class _Archived:
    """What was taken so far: a visit a page, and what they state."""

    visits: list[Visit] = field(default_factory=list)
    waiting: list[Page] = field(default_factory=list)
    waiting_bytes: int = 0
    records: int = 0
    rejects: int = 0


class _Known:
    """What the archives of the source hold already: where each page lies, and which addresses each moment has."""

    def __init__(self, layout: Layout) -> None:
        """Read the index; a run that was only to be looked at told nothing."""
        self.places: dict[PageKey, Pointer] = {}
        # of each moment the addresses as stated, and how often each canonical one was met
        self._waiting: dict[datetime, list[str]] = {}
        self._met: dict[datetime, Counter[str]] = {}
        self._raw, self._originals = layout.raw, dict[str, PageKey]()
        index = write_index(layout.raw)
        dry = {layout.archive(run).name for run in layout.runs() if run_state(layout, run) == "dry"}
        are_pages = pc.is_in(index["kind"].cast(pa.string()), pa.array(["response", "resource", "revisit"]))
        columns = ["file", "offset", "length", "kind", "url", "archived_at", "payload_digest", "block_digest"]
        for row in index.filter(are_pages).select(columns).to_pylist():
            if row["file"] not in dry:
                key = (row["url"], row["archived_at"], row["block_digest"])
                self.add(key, Pointer(row["file"], row["offset"], row["length"]))
                if row["kind"] == "response":
                    for name in (row["payload_digest"], _place(row["url"], row["archived_at"])):
                        self._originals.setdefault(name, key)

    def add(self, key: PageKey, place: Pointer) -> None:
        """One more page."""
        self.places.setdefault(key, place)
        self._waiting.setdefault(key[1], []).append(key[0])

    def original_of(self, revisit: WarcRecord) -> tuple[PageKey, bytes] | None:
        """The archived answer that a revisit of another file names by digest, or by address and date.

        None where there is none, or it is damaged: that costs the pages that repeat it, not the file's others.
        """
        url = revisit.header("warc-refers-to-target-uri").strip("<>")
        try:
            place = _place(url, read_date(revisit.header("warc-refers-to-date")))
        except ValueError:
            place = ""
        names = (revisit.header("warc-payload-digest"), place)
        key = next((self._originals[name] for name in names if name in self._originals), None)
        if key is None:
            return None
        where = self.places[key]
        try:
            return key, record_at(self._raw / where.file, where.offset).block
        except DamagedArchive:
            return None

    def dated(self, page: ForeignPage, source: Source) -> str:
        """The address of a page with its date; numbered where there are two of one address and moment."""
        at = page.archived_at
        # most moments are never asked for, and one that a whole crawl bears is asked for by each of its pages
        met = self._met.setdefault(at, Counter())
        met.update(_canonical(url, source) for url in self._waiting.pop(at, ()))
        others = met[page.url]
        stamp = at.isoformat().replace("+00:00", "Z")
        return f"{page.url}#{stamp}" + (f"-{others + 1}" if others else "")


def import_warc(
    source: Source, data: Path, file: Path, progress: Progress = silent, only: str | None = None
) -> Outcome:
    """Archive the pages of a source that a foreign WARC holds; the next rebuild or refresh reads them.

    only: an address whose pages alone are wanted.

    Returns:
        facts: `left_aside`, the lines that tell what was not taken and why.

    Raises:
        UsageError: it holds no page of the source.
        StructureChanged: nothing that we can read stands on any page; nothing was archived.
        DamagedArchive: no WARC, or damaged from end to end.
    """
    layout, started_at = Layout(data, source.name), datetime.now(UTC)
    with locked(layout):
        run, left = layout.next_run(), LeftAside()
        origin = {"file": file.name, "size_bytes": file.stat().st_size, "sha256": _sha256(file)}
        path = layout.archive(run)
        try:
            with ArchiveWriter(path, SOFTWARE) as archive:
                known = _Known(layout)
                pages = _wanted(foreign_pages(file, source, started_at, known.original_of), source, only)
                taken = _take(source, archive, pages, known, left, origin, progress)
                if not taken.visits and left.counts["archived already"]:
                    return _nothing_new(source, file, left)
                _require_read(source, file, taken, left)
                told = {**origin, "left_aside": left.as_values()}
                visits = tuple(taken.visits)
                ledger = Ledger(FORMAT, "import", run, source.name, started_at, datetime.now(UTC), visits, origin=told)
                archive.add_ledger(to_json(ledger), ledger.ended_at)
        finally:
            # the file can be imported again: nothing is lost with a half
            path.with_name(path.name + PART_SUFFIX).unlink(missing_ok=True)
        keep_down(source, layout, [path])
        write_index(layout.raw)
        return _report(layout, ledger, taken, left)


def _wanted(found: Iterator[ForeignPage | Passed], source: Source, only: str | None) -> Iterator[ForeignPage | Passed]:
    """The pages of one address, the others passed by; all where none is named."""
    wanted = None if only is None else _canonical(only, source)
    for page in found:
        is_other = wanted is not None and isinstance(page, ForeignPage) and page.url != wanted
        yield Passed(page.stated_url, "not asked for", "not asked for") if is_other else page  # type: ignore[union-attr]  # a page, as just seen


def _take(
    source: Source,
    archive: ArchiveWriter,
    found: Iterator[ForeignPage | Passed],
    known: _Known,
    left: LeftAside,
    origin: dict[str, Any],
    progress: Progress,
) -> _Archived:
    """Archive the pages that are new, and read them."""
    taken, marked = _Archived(), imported_from(origin["file"], origin["sha256"])
    for page in found:
        if isinstance(page, Passed):
            left.add(page)
        elif page.key in known.places:
            where = known.places[page.key]
            left.add(Passed(page.stated_url, f"archived already: {where.file}", "archived already"))
        else:
            confirmed = known.places[page.confirms] if page.confirms else None
            pointer = archive.add_foreign(page, marked, confirmed)
            payload = read_payload(archive.path, pointer.offset)
            url = known.dated(page, source)
            known.add(page.key, pointer)
            taken.visits.append(
                Visit(
                    url=url,
                    role="copy",
                    outcome="imported",
                    status={"response": 200, "revisit": 304}.get(page.kind),
                    reason=f"out of {origin['file']}, record {page.record_id}",
                    fetched_at=page.archived_at,
                    size_bytes=len(payload.content),
                    media_type=payload.media_type,
                    payload_digest=sha256(payload.content).hexdigest(),
                    pointer=pointer,
                )
            )
            taken.waiting.append(Page(source, url, None, payload=payload))
            taken.waiting_bytes += len(payload.content)
            if len(taken.waiting) >= _BATCH_PAGES or taken.waiting_bytes >= _BATCH_BYTES:
                _read(taken, progress)
    _read(taken, progress)
    return taken


def _read(taken: _Archived, progress: Progress) -> None:
    for page in read_pages(taken.waiting):
        taken.records += len(page.records)
        taken.rejects += len(page.rejects)
    taken.waiting, taken.waiting_bytes = [], 0
    progress("pages", len(taken.visits), 0)


def _require_read(source: Source, file: Path, taken: _Archived, left: LeftAside) -> None:
    if not taken.visits:
        damage = left.named.get("damaged", [])
        why = "; ".join(f"{count} {kind}" for kind, count in left.counts.most_common() if kind != "beside the pages")
        if damage and set(left.counts) <= {"damaged", "beside the pages"}:
            raise DamagedArchive(f"{file}: no page can be read: {_told(damage[0])}; nothing was archived")
        hosts = ", ".join(sorted(source.schemes))
        hint = "; import the file first whose pages its revisits repeat" if left.counts["original missing"] else ""
        raise UsageError(
            f"{file}: holds no page of {source.name} ({hosts}): {why or 'no page at all'}; nothing was archived{hint}"
        )
    if not taken.records:
        raise StructureChanged(
            f"{file}: {_pages(taken.visits)}, and no block with labelled fields on any; nothing was archived. "
            f"Look at a page, then at `labels` in {source.path}"
        )


def _nothing_new(source: Source, file: Path, left: LeftAside) -> Outcome:
    count = left.counts["archived already"]
    verdict = f"{source.name}: nothing new in {file.name}: {_count(count, 'page')} archived already"
    return Outcome(verdict, {"left_aside": left.as_lines()})


def _report(layout: Layout, ledger: Ledger, taken: _Archived, left: LeftAside) -> Outcome:
    aside = left.counts.total() - left.counts["beside the pages"]
    verdict = (
        f"{ledger.source}: run {ledger.run} imported: {_pages(ledger.visits)}: {_count(taken.records, 'record')}, "
        f"{_count(taken.rejects, 'reject')}; {aside} left aside; `moisson rebuild {ledger.source}` publishes them"
    )
    report = {"run": ledger.run, "source": ledger.source, "state": "imported", "verdict": verdict, "exit_code": 0}
    times = {"started_at": ledger.started_at, "ended_at": ledger.ended_at}
    write_run(layout, ledger.run, {**report, **times, "origin": ledger.origin}, ())
    return Outcome(verdict, {"left_aside": left.as_lines()})


def _pages(visits: Sequence[Visit]) -> str:
    """How many pages of how many addresses, and of which days."""
    days = sorted(f"{visit.fetched_at:%Y-%m-%d}" for visit in visits)
    between = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    addresses = len({visit.url.partition("#")[0] for visit in visits})
    return f"{_count(len(days), 'page')} of {_count(addresses, 'address', 'addresses')} ({between})"


def _count(number: int, one: str, more: str = "") -> str:
    return f"{number} {one if number == 1 else more or one + 's'}"


def _told(passed: Passed) -> str:
    if not passed.url:
        return passed.reason
    return passed.url if passed.reason == passed.kind else f"{passed.url} ({passed.reason})"


def _place(url: str, archived_at: datetime) -> str:
    return f"{url} {archived_at.timestamp()}"


def _canonical(url: str, source: Source) -> str:
    try:
        return canonical_url(url, schemes=source.schemes)
    except ValueError:
        return url


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()

"""A saved copy of a page, archived as a run of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from flows.erasing import keep_down
from flows.jobs import Outcome
from flows.ledger import FORMAT, Ledger, to_json
from flows.lock import locked
from flows.stages import SOFTWARE
from harvest.archive import ArchiveWriter
from harvest.packings import is_warc
from parsers.page import parse_page
from releases.store import (
    write_run,
)
from schema.addresses import canonical_url
from schema.errors import StructureChanged, UsageError
from schema.layout import Layout
from schema.nouns import Payload, Visit
from schema.sources import Source


def import_copy(source: Source, data: Path, file: Path, url: str, made_at: datetime) -> Outcome:
    """Archive a saved copy of a page as a run of its own; it is read by the next rebuild or refresh.

    Raises:
        UsageError: the file is neither HTML nor text, or the address is none.
        StructureChanged: nothing that we can read stands in it; nothing was archived.
    """
    layout, (content, media_type, kind) = Layout(data, source.name), _sniff(file)
    try:
        address = canonical_url(url, schemes=source.schemes)
    except ValueError as error:
        raise UsageError(f"--url: {error}; give the address the copy was made of") from None
    payload = Payload(address, content, media_type, None)
    reading = parse_page(payload, page_url=address, source=source, is_listing=None)
    if not reading.records:
        why = reading.rejects[0].message if reading.rejects else "no block with labelled fields"
        raise StructureChanged(
            f"{file}: {why}; nothing was archived. Look at the copy, then at `labels` in {source.path}"
        )
    found = f"{len(reading.records)} records, {len(reading.rejects)} rejects"
    with locked(layout):
        ledger = _archive_copy(layout, payload, address, kind, made_at, f"copy of {file.name}")
        keep_down(source, layout, [layout.archive(ledger.run)])
        verdict = (
            f"{source.name}: run {ledger.run} imported: {found} from {address}; "
            f"`moisson rebuild {source.name}` publishes them"
        )
        report = {"run": ledger.run, "source": source.name, "state": "imported", "verdict": verdict, "exit_code": 0}
        times = {"started_at": ledger.started_at, "ended_at": ledger.ended_at}
        write_run(layout, ledger.run, {**report, **times}, ())
    return Outcome(verdict)


def is_warc_file(file: Path) -> bool:
    """Whether a file is a whole WARC, to be imported page by page (flows.captures).

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return is_warc(file)
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read ({error.strerror or error}); give a saved HTML or text file, or a WARC"
        ) from None


def _archive_copy(layout: Layout, payload: Payload, address: str, kind: str, made_at: datetime, reason: str) -> Ledger:
    """Archive a copy and the ledger of a run that brought nothing else."""
    started_at, run = datetime.now(UTC), layout.next_run()
    with ArchiveWriter(layout.archive(run), SOFTWARE) as archive:
        visit = Visit(
            url=address,
            role="copy",
            outcome="imported",
            reason=reason,
            fetched_at=made_at,
            size_bytes=len(payload.content),
            media_type=payload.media_type,
            payload_digest=sha256(payload.content).hexdigest(),
            pointer=archive.add_copy(address, payload.content, payload.media_type, kind, made_at),
        )
        ledger = Ledger(FORMAT, "import", run, layout.source, started_at, datetime.now(UTC), (visit,))
        archive.add_ledger(to_json(ledger), ledger.ended_at)
    return ledger


def _sniff(file: Path) -> tuple[bytes, str, str]:
    """Content, media type and WARC record type of a saved copy."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read ({error.strerror or error}); give a saved HTML or text file"
        ) from None
    if not content.strip():
        raise UsageError(f"{file}: is empty; give a saved HTML or text file")
    if content.startswith(b"\x1f\x8b"):
        raise UsageError(f"{file}: is compressed, and no WARC: unpack it, and give the page")
    if b"\x00" in content[:4096] or content.startswith(b"%PDF"):
        raise UsageError(f"{file}: is neither HTML nor text; save the page as HTML or as text")
    head = content[:4096].lower()
    if file.suffix.lower() in (".html", ".htm", ".xhtml") or any(
        t in head for t in (b"<html", b"<!doctype", b"<body", b"<div")
    ):
        return content, "text/html", "resource"
    return content, "text/plain", "conversion"

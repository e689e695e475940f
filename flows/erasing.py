"""What comes in place of content that must leave the archive: planned record by record, written aside file by file.

A page of its own is replaced by a tombstone. A page that shows it beside others keeps every byte of the others; its
block, and any passage of its text elsewhere, is overwritten with spaces.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from flows.decisions import read_takedowns
from flows.reading import read_in_worker
from flows.survey import Page, Place, Sought, Survey, known_root, path_name, span_of, survey
from flows.taken import taken_down
from harvest.answers import BrokenAnswer
from harvest.members import record_at
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
from parsers.sought import Passages, blank_sought, blank_spans, find_sought
from schema.disk import sync
from schema.errors import DiskTrouble
from schema.layout import Layout
from schema.nouns import Payload
from schema.sources import Source


@dataclass
class Erasure:
    """What is put in place of what: records by file and offset, ledgers by file; and what a person should be told.

    ends: where files with a torn tail end from now on.
    """

    records: dict[Path, dict[int, Redacted]] = field(default_factory=dict)
    ledgers: dict[Path, tuple[int, bytes]] = field(default_factory=dict)
    ends: dict[Path, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def places(self) -> dict[Place, Redacted]:
        """What comes in place of records, by the name of their file and their offset."""
        return {(path_name(path), at): one for path, made in self.records.items() for at, one in made.items()}

    @property
    def files(self) -> list[Path]:
        """The archives that will be others."""
        return sorted({*self.records, *self.ledgers, *self.ends})


def plan_erasure(source: Source, found: Survey, passages: Passages, note: Note) -> Erasure:
    """The records that come in place of others.

    Args:
        passages: what is to be taken out wherever it stands.
        note: what tombstones say.
    """
    plan = Erasure(ends=dict(found.ends))
    plan.notes.extend(f"{where} was left: what stands there goes by the titles of others" for where in found.strangers)
    for page in found.pages:
        made = _erased(source, page, passages, note, plan.notes)
        if made is not None:
            plan.records.setdefault(page.path, {})[page.offset] = made
    for path, revisit in found.revisits:
        root = known_root(path, revisit)
        original = plan.records.get(root[0], {}).get(root[1].offset) if root else None
        if original is not None:
            plan.records.setdefault(path, {})[revisit.offset] = repeating(revisit, original, note)
    for path, record in found.ledgers.items():
        block = renewed_ledger(record.block, plan.places)
        if block != record.block:
            plan.ledgers[path] = (record.offset, rewritten(record, block))
    return plan


def write_erasure(plan: Erasure, folder: Path) -> dict[str, str]:
    """Write the archives anew into a folder that is there; the sha256 of each by the name that others know it by."""
    made = {}
    for path in plan.files:
        target = folder / path.name
        members = {offset: one.stored for offset, one in plan.records.get(path, {}).items()}
        write_redacted(path, target, members, plan.ledgers.get(path), plan.ends.get(path))
        made[path_name(path)] = sha256(target.read_bytes()).hexdigest()
    return made


def keep_down(source: Source, layout: Layout, files: Sequence[Path]) -> None:
    """Take out of archives what the site still shows of what was taken down; call it before they are indexed."""
    taken, said = taken_down(layout), read_takedowns(layout)
    if not said or not files:
        return
    found = survey(source, files, Sought(taken))
    why = said[-1].why if len(said) == 1 else "see decisions.jsonl"
    plan = plan_erasure(source, found, found.keys()[0], Note(why, said[-1].said_at))
    aside = layout.raw / "keep-down"
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        write_erasure(plan, aside)
        put_in_place(aside.iterdir(), layout.raw)
        aside.rmdir()
    except OSError as error:
        raise DiskTrouble(f"{aside}: cannot be written ({error}); make room and refresh again") from error


def put_in_place(files: Iterable[Path], folder: Path) -> None:
    """Rename files over those of the same name in a folder, to last."""
    for path in sorted(files):
        path.replace(folder / path.name)
    sync(folder)


def _erased(source: Source, page: Page, passages: Passages, note: Note, notes: list[str]) -> Redacted | None:
    record = record_at(page.path, page.offset)
    try:
        payload = read_payload(page.path, page.offset)
    except BrokenAnswer:
        return tombstone(record, note) if page.is_whole or find_sought(record.block, passages) else None
    if is_tombstone(payload.content) or not payload.content:
        return None
    if page.is_whole:
        return tombstone(record, note)
    content, left = blank_spans(payload.content, page.spans), frozenset[str]()
    if find_sought(content, passages, payload.charset):
        blanked = blank_sought(content, passages, payload.charset)
        content, left = blanked.content, blanked.left
    if content == payload.content and not left:
        return None
    made = None if left else without_passages(record, content, note)
    if made is None:
        why = "its text cannot be parted from the rest" if left else "what is left does not fit into its room"
        notes.append(f"{page.url} went whole: {why}")
        return tombstone(record, note)
    if not _reads_as_before(source, page, replace(payload, content=content)):
        notes.append(f"{page.url} reads otherwise now, without what was taken out")
    return made


def _reads_as_before(source: Source, page: Page, blanked: Payload) -> bool:
    after = read_in_worker(blanked, page.url, source, is_listing=None).records
    before = [one for one in page.records if span_of(one) not in page.spans]
    return [replace(one, position=0) for one in before] == [replace(one, position=0) for one in after]


def renewed_ledger(block: bytes, made: Mapping[Place, Redacted]) -> bytes:
    """A run's ledger, as JSON, with the digests of the pages that the archive holds now."""
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

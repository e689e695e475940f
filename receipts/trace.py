"""Where a resource comes from, offline: its row, its records, and the very bytes of each record's block.

Refuses to show bytes that are not those the record was read from: the block's digest is checked first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from harvest.payloads import read_payload
from releases.store import Release, latest_release, older_releases
from schema.addresses import canonical_url
from schema.charsets import Undecodable, find_charset
from schema.errors import DamagedArchive, UsageError
from schema.layout import Layout
from schema.nouns import Payload
from schema.sources import Source
from schema.tables import RESOURCES

Row = Mapping[str, Any]
# a copy without markup states its charset nowhere
TEXT_PARSER = "labelled-text"


def trace(source: Source, data: Path, what: str) -> str:
    """The trace of one resource as text.

    Args:
        source: the source it belongs to.
        data: the data folder.
        what: a resource_id, a record_id, or the address of the resource or of a page that states it.

    Raises:
        UsageError: nothing is published, or nothing is known by that name.
        DamagedArchive: the archived bytes are not those that the record was read from.
    """
    layout = Layout(data, source.name)
    newest = latest_release(layout)
    if newest is None:
        raise UsageError(f"{layout.clean}: nothing published yet; `moisson refresh {source.name}` comes first")
    if said := _taken_down(newest, source, what):
        return said
    resource = _find(newest, source, what)
    release, records = _last_records(layout, newest, resource["resource_id"])
    lines = [*_describe(newest, resource), "", f"{len(records)} records (release {release.number}):"]
    for record in records:
        lines += ["", *_describe_record(layout, record)]
    return "\n".join(lines)


def _taken_down(release: Release, source: Source, what: str) -> str | None:
    """Why nothing is known any more by a name, where a person had it taken down."""
    try:
        name = canonical_url(what, schemes=source.schemes) if "://" in what else what
    except ValueError:
        return None
    for said in release.manifest.get("takedowns", ()):
        if name in (*said["addresses"], *said["resource_ids"]):
            at = datetime.fromisoformat(said["at"])
            return (
                f"{what} was taken down on {at:%Y-%m-%d} at {at:%H:%M} UTC: {said['why']}\n"
                f"Nothing of it is kept or published. It was known by {', '.join(said['addresses'])}."
            )
    return None


def _find(release: Release, source: Source, what: str) -> Row:
    resources, records = release.rows("resources"), release.rows("records")
    wanted = {what, *(owner for name, owner in records.columns("record_id", "resource_id") if name == what)}
    if "://" in what:
        try:
            address = canonical_url(what, schemes=source.schemes)
        except ValueError as error:
            raise UsageError(f"{error}; give an address, a resource_id or a record_id") from None
        shown = list(records.columns("resource_id", "url", "page_url"))
        own = {owner for owner, url, _ in shown if url == address}
        # a page looked at again, or out of an imported WARC, has that behind its address
        wanted |= own or {owner for owner, _, page in shown if page.partition("#")[0] == address}
        pages = release.rows("pages").columns("url", "canonical_url", "redirect_url")
        leads = {address, *(canonical or redirect for url, canonical, redirect in pages if url == address)} - {None}
        wanted |= {name for name, url in resources.columns("resource_id", "url") if url in leads}
    found = [r for r in resources if r["resource_id"] in wanted]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{r['resource_id']} ({r['title'][:40]})" for r in found[:5])
        raise UsageError(f"{what} names {len(found)} resources: {names}; give one resource_id")
    raise UsageError(f"{what}: no resource, record or address of release {release.number}; look into resources.parquet")


def _last_records(layout: Layout, newest: Release, resource_id: str) -> tuple[Release, list[Row]]:
    """The records of a resource in the newest release that has any."""
    for release in (newest, *older_releases(layout, newest)):
        rows = release.rows("records")
        is_there = any(owner == resource_id for (owner,) in rows.columns("resource_id"))
        records = [r for r in rows if r["resource_id"] == resource_id] if is_there else []
        if records:
            return release, sorted(records, key=lambda r: (r["page_url"], r["position"]))
    return newest, []


def _describe(release: Release, resource: Row) -> Iterator[str]:
    yield f"resource {resource['resource_id']} as of release {release.number} (run {release.manifest['run']})"
    width = max(len(c.name) for c in RESOURCES.columns)
    for column in RESOURCES.columns:
        yield f"  {column.name:<{width}}  {_shown(resource[column.name], width + 4)}"


def _describe_record(layout: Layout, record: Row) -> Iterator[str]:
    yield f"record {record['record_id']}"
    yield f"  page      {record['page_url']}"
    yield f"  fetched   {record['fetched_at']:%Y-%m-%d %H:%M:%S} UTC{' (imported copy)' if record['is_copy'] else ''}"
    yield f"  archive   {layout.raw / record['warc_file']} at offset {record['warc_offset']}"
    yield f"  payload   sha256:{record['payload_digest']}"
    yield f"  block     bytes {record['block_start']} to {record['block_end']}, sha256:{record['block_digest']}"
    yield f"  read by   {record['parser']} {record['parser_version']}"
    yield "  its bytes:"
    yield from (f"  | {line}" for line in _block(layout, record).splitlines())


def _block(layout: Layout, record: Row) -> str:
    payload = read_payload(layout.raw / record["warc_file"], record["warc_offset"])
    block = payload.content[record["block_start"] : record["block_end"]]
    if sha256(block).hexdigest() != record["block_digest"]:
        raise DamagedArchive(
            f"{layout.raw / record['warc_file']}: the bytes of {record['record_id']} are not those it was read from"
        )
    return _decoded(block, payload, is_markup=record["parser"] != TEXT_PARSER)


def _decoded(block: bytes, payload: Payload, *, is_markup: bool) -> str:
    """The bytes as text to look at, in the charset in which they were read; a byte that is none in it by its number."""
    try:
        charset, _ = find_charset(payload, is_markup=is_markup)
    except Undecodable:
        charset = "utf-8"
    return block.decode(charset, errors="backslashreplace")


def _shown(value: Any, indent: int) -> str:
    """A cell for reading: nulls named, long texts on lines of their own."""
    if value is None:
        return "-"
    if isinstance(value, list):
        return "; ".join(f"{v['text']} <{v['url']}>" if isinstance(v, dict) else str(v) for v in value) or "-"
    return ("\n" + " " * indent).join(str(value).splitlines()) or "-"

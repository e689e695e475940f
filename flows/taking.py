"""What a resource is known by before it is taken down: its addresses, its ids, where its blocks lie, its words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.decisions import Takedown
from flows.survey import Place, Sought, Span
from flows.taken import Taken
from releases.store import Release, latest_release
from releases.tables import open_table, read_rows
from schema.addresses import canonical_url, is_home
from schema.layout import Layout
from schema.sources import Source
from schema.tables import BY_NAME, RECORDS

Row = Mapping[str, Any]
_NO_RESOURCES = frozenset({"listing", "robots", "sitemap"})
_READ = ("resources", "records", "history")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a resource before the archive is read; is_known: a table has it, or it was taken down before."""

    resource_ids: frozenset[str]
    is_known: bool
    sought: Sought


def known_of(source: Source, layout: Layout, address: str, before: Takedown | None) -> Known:
    """What the published tables know of the resource that goes by an address, and an earlier takedown of it.

    Raises:
        DamagedArchive: a table cannot be read.
    """
    newest = latest_release(layout)
    addresses, ids, is_known = {address}, set[str](), before is not None
    if newest is not None:
        pages, register = newest.rows("pages"), newest.rows("ids")
        addresses, ids = _names(address, pages, register, _listings(source, pages))
        ids |= _stood_there(layout, addresses, newest)
        is_known |= bool(ids) or any(page["url"] == address for page in pages)
    if before is not None:
        addresses, ids = addresses | set(before.addresses), ids | set(before.resource_ids)
    taken = Taken(frozenset(addresses), frozenset(before.prints if before else ()))
    return Known(frozenset(ids), is_known, _sought(layout, taken, ids))


def table_folders(clean: Path, *kinds: str) -> Iterator[Path]:
    """Folders of tables below a folder: of `releases`, `held`, `runs`, in order of their numbers."""
    for kind in kinds:
        folder = clean / kind
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name.isdecimal() and (path / "pages.parquet").is_file():
                yield path


def _names(
    address: str, pages: Iterable[Row], register: Iterable[Row], listings: set[str]
) -> tuple[set[str], set[str]]:
    """Every address of the resource, and every id that it ever had."""
    pages, rows = list(pages), {row["resource_id"]: row for row in register}
    owned = {name for row in rows.values() for name in row["known_by"]}
    alike = {address}
    for page in pages:
        leads = {page["canonical_url"], page["redirect_url"]} - {None, page["url"]}
        if address in leads:
            alike.add(page["url"])
        elif page["url"] == address:
            # where an address leads is the resource only if a resource goes by it: not a login page
            alike |= leads & owned
    alike -= listings - {address}
    ids = {name for name, row in rows.items() if alike & set(row["known_by"])}
    ids |= {row["now"][0] for name, row in rows.items() if name in ids and row["fate"] in ("merged", "replaced")}
    ids |= {name for name, row in rows.items() if row["fate"] in ("merged", "replaced") and row["now"][0] in ids}
    alike |= {name for one in ids if one in rows for name in rows[one]["known_by"] if "://" in name}
    return alike - (listings - {address}), ids


def _stood_there(layout: Layout, addresses: Collection[str], newest: Release) -> set[str]:
    """What the addresses showed before they were given to another, where it stands nowhere else now.

    All that the archive holds of it there goes, so that its rows would be words without a page.
    """
    told = (
        open_table(RECORDS, folder / "records.parquet").columns("url", "resource_id")
        for folder in table_folders(layout.clean, "releases", "held")
    )
    met = {owner for rows in told for url, owner in rows if url in addresses}
    return met - {name for name, url in newest.rows("resources").columns("resource_id", "url") if url not in addresses}


def _listings(source: Source, pages: Iterable[Row]) -> set[str]:
    """Addresses that are never those of a resource."""
    named = {canonical_url(url, schemes=source.schemes) for url in source.listings}
    return named | {page["url"] for page in pages if page["role"] in _NO_RESOURCES or is_home(page["url"])}


def _sought(layout: Layout, taken: Taken, ids: set[str]) -> Sought:
    """Blocks and words of a resource in every release and held run."""
    blocks: dict[Place, frozenset[Span]] = {}
    others: dict[Place, frozenset[str]] = {}
    titles, texts = set[str](), set[str]()
    for folder in table_folders(layout.clean, "releases", "held"):
        rows = {name: read_rows(BY_NAME[name], folder / f"{name}.parquet") for name in _READ}
        for record in rows["records"]:
            if record["page_url"] in taken.addresses:
                # what is the resource on its own page, and what is another beside it, the archive tells
                continue
            place = (record["warc_file"], record["warc_offset"])
            if record["resource_id"] not in ids and record["url"] not in taken.addresses:
                others[place] = others.get(place, frozenset()) | {
                    record["title"],
                    record["body"] or "",
                    record["resume"] or "",
                }
            else:
                blocks[place] = blocks.get(place, frozenset()) | {(record["block_start"], record["block_end"])}
                titles.add(record["title"])
                texts |= set(_paragraphs(record["body"], record["resume"]))
        mine = [row for row in rows["resources"] if row["resource_id"] in ids]
        titles |= {row["title"] for row in mine}
        texts |= {text for row in mine for text in _paragraphs(row["summary"])}
        old = [row for row in rows["history"] if row["resource_id"] in ids and row["field"] == "summary"]
        texts |= {text for row in old for text in _paragraphs(row["value"])}
    return Sought(taken, blocks, frozenset(titles), frozenset(texts), others)


def _paragraphs(*texts: str | None) -> Iterator[str]:
    for text in texts:
        yield from (text or "").split("\n\n")

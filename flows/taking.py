"""What a resource is known by before it is taken down: its addresses, its ids, where its blocks lie, its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.erasing import Place, Sought
from releases.store import latest_release
from releases.tables import read_rows
from schema.addresses import canonical_url, is_home
from schema.layout import Layout
from schema.sources import Source
from schema.tables import BY_NAME

Row = Mapping[str, Any]
_NO_RESOURCES = frozenset({"listing", "robots", "sitemap"})
_READ = ("resources", "records", "passages", "history")


@dataclass(frozen=True, slots=True)
class Known:
    """Addresses and ids of a resource as published, and what to seek in the archive; is_known: any table has it."""

    addresses: frozenset[str]
    resource_ids: frozenset[str]
    is_known: bool
    sought: Sought

    def with_names(self, addresses: Iterable[str], resource_ids: Iterable[str]) -> Known:
        """The same, known by more."""
        known_by, ids = self.addresses | set(addresses), self.resource_ids | set(resource_ids)
        return Known(known_by, ids, self.is_known, replace(self.sought, addresses=known_by))


def known_of(source: Source, layout: Layout, address: str) -> Known:
    """What the published tables know of the resource that goes by an address.

    Raises:
        DamagedArchive: a table cannot be read.
    """
    newest = latest_release(layout)
    addresses, ids, is_known = {address}, set[str](), False
    if newest is not None:
        pages, register = newest.rows("pages"), newest.rows("ids")
        addresses, ids = _names(address, pages, register, _listings(source, pages))
        is_known = bool(ids) or any(page["url"] == address for page in pages)
    sought = _sought(layout, frozenset(addresses), ids)
    return Known(frozenset(addresses), frozenset(ids), is_known, sought)


def table_folders(layout: Layout, *kinds: str) -> Iterator[Path]:
    """Folders of tables below data/clean/<source>: `releases`, `held`, `runs`, in order of their numbers."""
    return table_folders_in(layout.clean, *kinds)


def table_folders_in(clean: Path, *kinds: str) -> Iterator[Path]:
    """The same below any folder."""
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


def _listings(source: Source, pages: Iterable[Row]) -> set[str]:
    """Addresses that are never those of a resource."""
    named = {canonical_url(url, schemes=source.schemes) for url in source.listings}
    return named | {page["url"] for page in pages if page["role"] in _NO_RESOURCES or is_home(page["url"])}


def _sought(layout: Layout, addresses: frozenset[str], ids: set[str]) -> Sought:
    """Blocks and words of a resource in every release and held run; ids under which it stood there are added."""
    blocks: dict[Place, frozenset[tuple[int, int]]] = {}
    titles, texts = set[str](), set[str]()
    for folder in table_folders(layout, "releases", "held"):
        rows = {name: read_rows(BY_NAME[name], folder / f"{name}.parquet") for name in _READ}
        for record in rows["records"]:
            if record["resource_id"] in ids or record["url"] in addresses:
                place = (record["warc_file"], record["warc_offset"])
                blocks[place] = blocks.get(place, frozenset()) | {(record["block_start"], record["block_end"])}
                titles.add(record["title"])
                texts |= set(_paragraphs(record["body"], record["resume"]))
        mine = [row for row in rows["resources"] if row["resource_id"] in ids]
        titles |= {row["title"] for row in mine}
        texts |= {text for row in mine for text in _paragraphs(row["summary"])}
        old = [row for row in rows["history"] if row["resource_id"] in ids and row["field"] == "summary"]
        texts |= {text for row in old for text in _paragraphs(row["value"])}
    return Sought(addresses, blocks, frozenset(titles), frozenset(texts))


def _paragraphs(*texts: str | None) -> Iterator[str]:
    for text in texts:
        yield from (text or "").split("\n\n")

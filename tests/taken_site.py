"""A small site of three resources of which one is to go, and what looks for it in every byte that is kept."""

from __future__ import annotations

import gzip
import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from fastwarc.warc import ArchiveIterator

from flows.jobs import refresh
from harvest.members import Damage, WarcRecord, scan_records
from releases.store import latest_release
from schema.layout import Layout
from schema.sources import Source, read_source
from tests.small_site import LISTING, block, listing, own_page, source_file, warc

BETA_TEXT = "Un paragraphe que personne d'autre n'a écrit, et qui doit s'en aller."
SHARED = "Un paragraphe de mentions légales qui se trouve dans plusieurs ressources."


def with_text(title: str, *texts: str) -> str:
    return block(title).replace(f"<p>Le texte de {title}.</p>", "".join(f"<p>{text}</p>" for text in texts))


PAGES = {
    LISTING: listing(with_text("Alpha", SHARED), with_text("Beta", BETA_TEXT, SHARED), block("Gamma")),
    "https://rtes.example/beta": own_page("Beta").replace(
        b"<h1>", b"<meta name=description content='" + html.escape(BETA_TEXT).encode() + b"'><h1>"
    ),
}


def small(folder: Path, pages: dict[str, bytes] | None = None) -> tuple[Source, Path]:
    """A site of three resources, published."""
    answers = {url: whole(answer) for url, answer in (pages or PAGES).items()}
    source = read_small(folder, warc(folder / "small.warc.gz", answers))
    refresh(source, folder / "data")
    return source, folder / "data"


def whole(answer: bytes) -> bytes:
    """An answer with the length that its body has."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


def read_small(folder: Path, replay: Path) -> Source:
    return read_source(source_file(folder, replay))


def latest(layout: Layout, table: str) -> list[dict[str, Any]]:
    release = latest_release(layout)
    assert release is not None
    return list(release.rows(table))


def unpacked(path: Path) -> Iterator[bytes]:
    """Everything a file holds, by other means than those of the product."""
    raw = path.read_bytes()
    yield raw
    if raw[:2] == b"\x1f\x8b":
        whole = gzip.decompress(raw)
        yield whole
        with path.open("rb") as file:
            bodies = [record.reader.read() for record in ArchiveIterator(file, parse_http=True)]
        for body in bodies:
            yield body
            for undo in (gzip.decompress, dechunked):
                try:
                    yield undo(body)
                except (OSError, ValueError, EOFError):
                    continue
    elif path.suffix == ".parquet":
        yield json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False, default=str).encode()


def dechunked(body: bytes) -> bytes:
    head, _, rest = body.partition(b"\r\n")
    out = b""
    while size := int(head, 16):
        out, rest = out + rest[:size], rest[size + 2 :]
        head, _, rest = rest.partition(b"\r\n")
    return out


def places_of(data: Path, passages: frozenset[str]) -> set[str]:
    """Files below a folder in which a passage stands, as letters or as entities."""
    ways = [w.encode(c, "ignore") for p in passages for w in (p, html.escape(p)) for c in ("utf-8", "cp1252")]
    ways += [html.escape(p).encode("ascii", "xmlcharrefreplace") for p in passages]
    files = [p for p in data.rglob("*") if p.is_file() and not p.is_symlink()]
    return {
        str(p.relative_to(data)) for p in files if any(w in held for held in unpacked(p) for w in ways if len(w) >= 40)
    }


def records_of(data: Path) -> dict[tuple[str, int], WarcRecord]:
    found = {}
    for path in sorted((data / "raw").rglob("*.warc.gz")):
        for record in scan_records(path):
            assert not isinstance(record, Damage)
            found[path.name, record.offset] = record
    return found

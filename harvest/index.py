"""The index of a source's archives: one row a record, with its place and digests; everything in it can be read again.

    data/raw/<source>/index.parquet

An archive that is damaged is not in it: it is read again each time, so that the index holds it once it is restored. It
answers three questions without opening an archive: where an address was archived, which bodies and requests are
there already, and what every record's bytes were when they were written (harvest.fixity).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harvest.answers import BrokenAnswer, split_final
from harvest.headers import ANSWER, REFERS_TO
from harvest.members import Damage, WarcRecord, digest_of, scan_records
from schema.disk import sync
from schema.errors import DamagedArchive, DiskTrouble
from schema.nouns import Original

INDEX_NAME = "index.parquet"
SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("kind", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("archived_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("status", pa.int16()),
        pa.field("media_type", pa.string()),
        pa.field("payload_digest", pa.string()),
        pa.field("block_digest", pa.string(), nullable=False),
        pa.field("member_sha256", pa.string(), nullable=False),
        pa.field("refers_to_file", pa.string()),
        pa.field("refers_to_offset", pa.int64()),
    ]
)


class DamagedIndex(DamagedArchive):
    """The index is not what was written; it is made anew."""


_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})")
_MEDIA_TYPE = re.compile(rb"(?im)^content-type:([^\r\n]*)")
_ARCHIVE = re.compile(r"\d{6,}\.warc\.gz")
_PLACE = re.compile(r"(\d{6,}\.warc\.gz);(\d+)")


def archives(raw: Path) -> list[Path]:
    """The whole archives of a source, in order of their numbers."""
    found = [path for path in raw.iterdir() if _ARCHIVE.fullmatch(path.name)] if raw.is_dir() else []
    return sorted(found, key=lambda path: (len(path.name), path.name))


def index_of(raw: Path, but: Collection[str] = ()) -> pa.Table:
    """The index of a source's archives, read from them alone; `but` are names of files to leave out.

    Of a damaged archive it has the sound records.
    """
    return pa.Table.from_pylist(_read_rows(raw, but)[0], schema=SCHEMA)


def read_index(raw: Path) -> pa.Table:
    """The index as it was written; empty when there is none.

    Raises:
        DamagedArchive: it cannot be read, or is of another version.
    """
    path = raw / INDEX_NAME
    if not path.exists():
        return SCHEMA.empty_table()
    try:
        with path.open("rb") as stream:
            table = pq.ParquetFile(stream, page_checksum_verification=True).read()
            table.validate(full=True)
    except Exception as error:  # noqa: BLE001  # damaged bytes make pyarrow raise whatever it meets first
        raise DamagedIndex(f"{path}: cannot be read ({error}); delete it, it is made anew") from None
    if not table.schema.equals(SCHEMA):
        raise DamagedArchive(f"{path}: is of another version of moisson; delete it, it is made anew")
    return table


def write_index(raw: Path, again: Collection[str] = ()) -> pa.Table:
    """Bring the index up to date, at once or not at all; only archives that it lacks are read.

    Rows of an archive that has vanished stay: the index is what tells that it is missing; so do those of damaged
    records in an archive that was changed on purpose. An index that is itself damaged is made anew. What is returned
    has the sound records of damaged archives too.

    Args:
        raw: folder of the archives.
        again: names of archives whose rows are to be read anew, because they were changed on purpose.

    Raises:
        DamagedArchive: the index is of another version.
        DiskTrouble: it cannot be written.
    """
    old, was = _kept_index(raw), SCHEMA.empty_table()
    if again:
        is_again = pc.is_in(old["file"], pa.array(sorted(again), pa.string()))
        old, was = old.filter(pc.invert(is_again)), old.filter(is_again)
    rows, damaged = _read_rows(raw, set(pc.unique(old["file"]).to_pylist()))
    for file in damaged & set(again):
        rows, damaged = _filled(raw / file, rows, was, damaged)
    sound = pa.Table.from_pylist([row for row in rows if row["file"] not in damaged], schema=SCHEMA)
    if sound.num_rows or again:
        _replace(raw / INDEX_NAME, _joined(old, sound))
    return _joined(old, pa.Table.from_pylist(rows, schema=SCHEMA))


def known_originals(index: pa.Table) -> dict[str, Original]:
    """What need not be archived again: bodies of answers by payload digest, requests by block digest."""
    known: dict[str, Original] = {}
    for kind, column in (("response", "payload_digest"), ("request", "block_digest")):
        for row in index.filter(pc.equal(index["kind"].cast(pa.string()), kind)).to_pylist():
            place = Original(row["file"], row["offset"], row["url"], row["archived_at"], row[column])
            known.setdefault(row[column], place)
    return known


def find_record(raw: Path, url: str, archived_at: datetime) -> tuple[str, int] | None:
    """File and offset of the answer or copy of an address at a moment; None when no archive holds one.

    The index is asked first, then the archives themselves, whole ones only.
    """
    try:
        index = read_index(raw)
    except DamagedArchive:
        index = SCHEMA.empty_table()
    moment = pa.scalar(archived_at.astimezone(UTC), pa.timestamp("us", tz="UTC"))
    found = index.filter(pc.and_(pc.equal(index["url"], url), pc.equal(index["archived_at"], moment))).to_pylist()
    for row in found:
        if row["kind"] not in ("request", "revisit"):
            return row["file"], row["offset"]
    indexed = set(pc.unique(index["file"]).to_pylist())
    return next(_search((path for path in archives(raw) if path.name not in indexed), url, archived_at), None)


def _search(paths: Iterator[Path], url: str, archived_at: datetime) -> Iterator[tuple[str, int]]:
    for path in paths:
        for record in scan_records(path):
            if isinstance(record, Damage) or record.kind in ("request", "revisit", "warcinfo"):
                continue
            if record.url == url and record.archived_at == archived_at:
                yield path.name, record.offset


def _kept_index(raw: Path) -> pa.Table:
    """The index; an empty one where it is damaged, for the archives tell all that it told."""
    try:
        return read_index(raw)
    except DamagedIndex:
        return SCHEMA.empty_table()


def _joined(old: pa.Table, new: pa.Table) -> pa.Table:
    return pa.concat_tables([old, new]).unify_dictionaries().combine_chunks()


def _read_rows(raw: Path, but: Collection[str]) -> tuple[list[dict[str, Any]], set[str]]:
    """Rows of the sound records of archives, and the names of those that are damaged."""
    rows: list[dict[str, Any]] = []
    damaged = set[str]()
    for path in archives(raw):
        if path.name in but:
            continue
        try:
            with path.open("rb") as stream:
                for found in scan_records(path):
                    if isinstance(found, Damage):
                        damaged.add(path.name)
                        continue
                    stream.seek(found.offset)
                    rows.append(_row(path.name, found, stream.read(found.length)))
        except DamagedArchive:
            damaged.add(path.name)
    return rows, damaged


def _filled(
    path: Path, rows: list[dict[str, Any]], was: pa.Table, damaged: set[str]
) -> tuple[list[dict[str, Any]], set[str]]:
    """Rows and damaged archives, one of them filled with former rows of its damaged records where these fit in."""
    here = {row["offset"]: row for row in rows if row["file"] == path.name}
    known = {row["offset"]: row for row in was.filter(pc.equal(was["file"], path.name)).to_pylist()}
    whole = [row for _, row in sorted({**known, **here}.items())]
    ends = [0, *(row["offset"] + row["length"] for row in whole)]
    if [row["offset"] for row in whole] != ends[:-1] or ends[-1] != path.stat().st_size:
        return rows, damaged
    others = [row for row in rows if row["file"] != path.name]
    return [*others, *whole], damaged - {path.name}


def _row(file: str, record: WarcRecord, stored: bytes) -> dict[str, Any]:
    status, media_type = _stated(record)
    refers_to = _PLACE.fullmatch(record.header(REFERS_TO.lower()))
    return {
        "file": file,
        "offset": record.offset,
        "length": record.length,
        "kind": record.kind,
        "url": record.url,
        "archived_at": record.archived_at,
        "status": status,
        "media_type": media_type,
        "payload_digest": record.header("warc-payload-digest") or None,
        "block_digest": record.header("warc-block-digest") or digest_of(record.block),
        "member_sha256": sha256(stored).hexdigest(),
        "refers_to_file": refers_to[1] if refers_to else None,
        "refers_to_offset": int(refers_to[2]) if refers_to else None,
    }


def _stated(record: WarcRecord) -> tuple[int | None, str | None]:
    """Status and media type of an answer; of a copy its media type alone."""
    if record.kind in ("resource", "conversion"):
        return None, _media_type(record.header("content-type"))
    if record.kind not in ("response", "revisit"):
        return None, None
    head = _final_head(unquote_to_bytes(record.header(ANSWER.lower())) or record.block)
    status, media_type = _STATUS.match(head), _MEDIA_TYPE.search(head)
    return int(status[1]) if status else None, _media_type(media_type[1].decode("latin-1")) if media_type else None


def _media_type(content_type: str) -> str | None:
    return content_type.partition(";")[0].strip().lower() or None


def _final_head(block: bytes) -> bytes:
    """The head of an answer, interim ones (1xx) passed over; empty when there is none."""
    try:
        return split_final(block)[0]
    except BrokenAnswer:
        return b""


def _replace(path: Path, table: pa.Table) -> None:
    """Put an index in its place: whole and on the disk before it has its name."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as stream:
            pq.write_table(table, stream, compression="zstd", write_page_checksum=True)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
        sync(path.parent)
    except OSError as error:
        raise DiskTrouble(f"{path}: cannot be written ({error}); make room and refresh again") from error

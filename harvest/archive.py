"""The archive: WARC 1.1 files of one gzip member a record, written once, read by place.

    data/raw/<source>/000007.warc.gz
        warcinfo                         who wrote it, for which run
        response, request                one pair an exchange, as they went over the wire
        revisit, request                 the same, where the answer is a 304: the page is archived already
        resource | conversion            an imported HTML copy without headers | an imported text copy
        metadata                         last: the run's ledger as JSON
    data/raw/<source>/000007.warc.gz.part    a run in progress, or interrupted before its ledger

A file gets its name once it is whole, and is never edited. Records are read back by offset and checked against their
block digest.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from harvest.answers import split_head
from schema.errors import DamagedArchive, DiskTrouble
from schema.nouns import Original, Pointer

SERVER_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
# the standard names an original by address and date, which is found only by searching; this is its place
REFERS_TO = "Moisson-Refers-To"
LEDGER_URI = "urn:moisson:ledger"
PART_SUFFIX = ".part"
_CONTENT_TYPES = {
    "response": "application/http; msgtype=response",
    "request": "application/http; msgtype=request",
    "revisit": "application/http; msgtype=response",
    "metadata": "application/json",
}


@dataclass(frozen=True, slots=True)
class ArchivedBlock:
    """Where one record of a WARC lies, and what its header says of it."""

    path: Path
    offset: int
    length: int
    kind: str
    url: str
    archived_at: datetime
    content_type: str
    # of a revisit: the file and offset of the answer it refers to, as `000001.warc.gz;1234`
    refers_to: str = ""

    def read(self) -> bytes:
        """The bytes of the record's block.

        Raises:
            DamagedArchive: not what was written.
        """
        return read_block(self.path, self.offset)[1]


class _ExactHead(StatusAndHeaders):  # type: ignore[misc]  # warcio has no types
    """The head of a message as it was received: warcio would write it anew, header by header."""

    def __init__(self, head: bytes) -> None:
        super().__init__("", [], protocol="")
        self.head = head

    def compute_headers_buffer(self, header_filter: object = None) -> None:  # noqa: ARG002  # warcio's signature
        self.headers_buff = self.head

    def __bool__(self) -> bool:
        return True


class ArchiveWriter:
    """Writes one run's WARC; leaving its `with` block fsyncs it and, once its ledger is there, gives it its name."""

    def __init__(self, path: Path, software: str) -> None:
        self._final, self._is_whole = path, False
        self.path = path.with_name(path.name + PART_SUFFIX)
        if path.exists():
            raise FileExistsError(f"{path} is an archive already, and archives are never written to again")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # exclusive: a number is used once
            self._file: IO[bytes] = self.path.open("xb")
        except FileExistsError:
            raise
        except OSError as error:
            raise DiskTrouble(f"{self.path}: cannot be made ({error}); make room or give another --data") from error
        self._writer = WARCWriter(self._file, gzip=True, warc_version="WARC/1.1")
        info = {"software": software, "format": "WARC File Format 1.1", "isPartOf": path.name.split(".")[0]}
        content = "".join(f"{key}: {value}\r\n" for key, value in info.items()).encode()
        self._write(self._plain_record("", "warcinfo", content, "application/warc-fields", datetime.now(UTC)))

    def add_exchange(self, url: str, request: bytes, response: bytes, fetched_at: datetime) -> Pointer:
        """Archive an answer and, where there is one, its request; where the answer lies."""
        return self._add_pair(self._http_record(url, "response", response, fetched_at), url, request, fetched_at)

    def add_revisit(
        self, url: str, request: bytes, response: bytes, fetched_at: datetime, original: Original
    ) -> Pointer:
        """Archive an answer 304 and its request; where the answer lies.

        Args:
            original: the answer that it confirms; its file and offset are enough, the rest is read there.

        Raises:
            DamagedArchive: the original is not in the archive, or not what was written.
        """
        block, content = read_block(self._final.with_name(original.file), original.offset)
        answer = self._http_record(url, "revisit", response, fetched_at)
        for name, value in {
            "WARC-Profile": SERVER_NOT_MODIFIED,
            "WARC-Refers-To-Target-URI": block.url,
            "WARC-Refers-To-Date": _warc_date(block.archived_at),
            REFERS_TO: f"{original.file};{original.offset}",
        }.items():
            answer.rec_headers.add_header(name, value)
        answer.rec_headers.replace_header("WARC-Payload-Digest", _digest(split_head(content)[1]))
        return self._add_pair(answer, url, request, fetched_at)

    def _add_pair(self, answer: ArcWarcRecord, url: str, request: bytes, fetched_at: datetime) -> Pointer:
        pointer = self._write(answer)
        if request:
            asked = self._http_record(url, "request", request, fetched_at)
            asked.rec_headers.add_header("WARC-Concurrent-To", answer.rec_headers.get_header("WARC-Record-ID"))
            self._write(asked)
        return pointer

    def add_copy(self, url: str, content: bytes, content_type: str, kind: str, made_at: datetime) -> Pointer:
        """Archive a foreign copy without headers as a `resource` or `conversion` record; where it lies."""
        return self._write(self._plain_record(url, kind, content, content_type, made_at))

    def add_ledger(self, ledger: dict[str, Any], written_at: datetime) -> Pointer:
        """Close the run: its ledger as the last record."""
        content = json.dumps(ledger, ensure_ascii=False, sort_keys=True).encode()
        pointer = self._write(
            self._plain_record(LEDGER_URI, "metadata", content, _CONTENT_TYPES["metadata"], written_at)
        )
        self._is_whole = True
        return pointer

    def _http_record(self, url: str, kind: str, block: bytes, made_at: datetime) -> ArcWarcRecord:
        head, body = split_head(block)
        digests = {"WARC-Payload-Digest": _digest(body), "WARC-Block-Digest": _digest(block)}
        return self._writer.create_warc_record(
            url,
            kind,
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=_ExactHead(head),
            warc_content_type=_CONTENT_TYPES[kind],
            warc_headers_dict={"WARC-Date": _warc_date(made_at), **digests},
        )

    def _plain_record(self, url: str, kind: str, content: bytes, content_type: str, made_at: datetime) -> ArcWarcRecord:
        return self._writer.create_warc_record(
            url,
            kind,
            payload=io.BytesIO(content),
            length=len(content),
            warc_content_type=content_type,
            warc_headers_dict={"WARC-Date": _warc_date(made_at), "WARC-Block-Digest": _digest(content)},
        )

    def _write(self, record: ArcWarcRecord) -> Pointer:
        start = self._file.tell()
        try:
            self._writer.write_record(record)
            self._file.flush()
        except OSError as error:
            raise DiskTrouble(f"{self.path}: cannot be written ({error}); make room and refresh again") from error
        return Pointer(self._final.name, start, self._file.tell() - start)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
            if self._is_whole:
                self.path = self.path.rename(self._final)
                _sync_folder(self.path.parent)
        except OSError as error:
            # what failed first is the news
            if exc_value is None:
                raise DiskTrouble(f"{self.path}: cannot be closed ({error}); make room and refresh again") from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_blocks(path: Path) -> Iterator[ArchivedBlock]:
    """The records of a WARC in order, `warcinfo` left out.

    Raises:
        DamagedArchive: missing, not a WARC, not one gzip member a record, or cut.
    """
    try:
        with path.open("rb") as stream:
            _require_gzip_or_warc(path, stream)
            iterator = ArchiveIterator(stream, no_record_parse=True)
            for record in iterator:
                if record.rec_type == "warcinfo":
                    continue
                kind, url = record.rec_type, record.rec_headers.get_header("WARC-Target-URI") or ""
                date = _read_date(record.rec_headers.get_header("WARC-Date"))
                content_type = record.rec_headers.get_header("Content-Type") or ""
                offset = iterator.get_record_offset()
                length = iterator.get_record_length()
                yield ArchivedBlock(path, offset, length, kind, url.strip("<>"), date, content_type)
            _require_whole_tail(path)
    except FileNotFoundError:
        raise DamagedArchive(f"{path}: there is no such file; give the path of a .warc.gz") from None
    except (ArchiveLoadFailed, zlib.error, EOFError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DamagedArchive(f"{path}: not a readable WARC ({reason}); `warcio check` says more") from None
    except OSError as error:
        raise DamagedArchive(f"{path}: cannot be read ({error})") from None


def read_block(path: Path, offset: int) -> tuple[ArchivedBlock, bytes]:
    """The record that starts at an offset, and its block, checked against its digest.

    Raises:
        DamagedArchive: no record starts there, it is cut, or its bytes are not those that were written.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            iterator = ArchiveIterator(stream, no_record_parse=True)
            record = next(iter(iterator))
            content = record.raw_stream.read()
            headers = record.rec_headers
            length = iterator.get_record_length()
    except (OSError, StopIteration, ArchiveLoadFailed, zlib.error, EOFError) as error:
        raise DamagedArchive(f"{path}: no readable record at offset {offset} ({error})") from None
    try:
        announced, date = int(headers.get_header("Content-Length") or -1), _read_date(headers.get_header("WARC-Date"))
    except ValueError as error:
        raise DamagedArchive(f"{path}: the head of the record at offset {offset} cannot be read ({error})") from None
    if len(content) != announced:
        raise DamagedArchive(f"{path}: the record at offset {offset} is cut")
    _require_digest(path, offset, headers.get_header("WARC-Block-Digest"), content)
    url = (headers.get_header("WARC-Target-URI") or "").strip("<>")
    content_type = headers.get_header("Content-Type") or ""
    refers_to = headers.get_header(REFERS_TO) or ""
    return ArchivedBlock(path, offset, length, record.rec_type, url, date, content_type, refers_to), content


def read_ledger(path: Path) -> dict[str, Any] | None:
    """The ledger that closes a run's WARC; None when it holds none."""
    last = None
    for block in read_blocks(path):
        if block.kind == "metadata" and block.url == LEDGER_URI:
            last = block
    if last is None:
        return None
    ledger: dict[str, Any] = json.loads(last.read())
    return ledger


def _digest(content: bytes) -> str:
    """The digest that WARC readers check; warcio's own leaves a temporary file open for each record."""
    return "sha1:" + base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def _warc_date(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_date(text: str | None) -> datetime:
    when = datetime.fromisoformat(text or "")
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _require_digest(path: Path, offset: int, stated: str | None, content: bytes) -> None:
    """Compare a stated digest with the bytes; an algorithm we do not know says nothing."""
    algorithm, _, value = (stated or "").partition(":")
    if algorithm.lower() not in ("sha1", "sha256", "md5") or not value:
        return
    digest = hashlib.new(algorithm.lower(), content, usedforsecurity=False)
    if value.upper() != base64.b32encode(digest.digest()).decode() and value.lower() != digest.hexdigest():
        raise DamagedArchive(f"{path}: the record at offset {offset} is not what was written (digest differs)")


def _require_gzip_or_warc(path: Path, stream: IO[bytes]) -> None:
    start = stream.read(5)
    stream.seek(0)
    if not start:
        raise DamagedArchive(f"{path}: the file is empty; give a .warc.gz that holds answers")
    if not (start.startswith(b"\x1f\x8b") or start == b"WARC/"):
        raise DamagedArchive(f"{path}: not a WARC (it starts with {start!r}); give a .warc or .warc.gz")


def _require_whole_tail(path: Path) -> None:
    """Read the members again with a reader that minds: warcio passes over a cut last one without a word."""
    with path.open("rb") as stream:
        is_compressed = stream.read(2) == b"\x1f\x8b"
    if not is_compressed:
        if not path.read_bytes().endswith(b"\r\n\r\n"):
            raise DamagedArchive(f"{path}: cut within its last record; restore it from a copy")
        return
    try:
        with gzip.open(path) as members:
            while members.read(1 << 20):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedArchive(f"{path}: cut or damaged ({error}); restore it from a copy") from None

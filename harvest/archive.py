"""The archive: WARC 1.1 files of one gzip member a record, written once, read by place.

    data/raw/<source>/000007.warc.gz
        warcinfo                         who wrote it, for which run
        response, request                one pair an exchange, as they went over the wire
        resource | conversion            an imported HTML copy without headers | an imported text copy
        metadata                         last: the run's ledger as JSON
    data/raw/<source>/000007.warc.gz.part    a run in progress, or interrupted before its ledger

A file gets its name once it is whole, and is never edited. Records are read back by offset and checked against their
block digest.
"""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from harvest.answers import split_head
from harvest.blocks import LEDGER_URI, ArchivedBlock, read_block, read_blocks, read_ledger, scan
from harvest.members import Damage, digest_of
from schema.errors import DiskTrouble
from schema.nouns import Pointer

__all__ = ["ArchiveWriter", "ArchivedBlock", "Damage", "read_block", "read_blocks", "read_ledger", "scan"]

PART_SUFFIX = ".part"
_CONTENT_TYPES = {
    "response": "application/http; msgtype=response",
    "request": "application/http; msgtype=request",
    "metadata": "application/json",
}


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
        answer = self._http_record(url, "response", response, fetched_at)
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
        digests = {"WARC-Payload-Digest": digest_of(body), "WARC-Block-Digest": digest_of(block)}
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
            warc_headers_dict={"WARC-Date": _warc_date(made_at), "WARC-Block-Digest": digest_of(content)},
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


def _warc_date(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

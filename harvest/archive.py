"""The archive: WARC 1.1 files of one gzip member a record, written once, read by place.

    data/raw/<source>/000007.warc.gz
        warcinfo                         who wrote it, for which run; once more where a killed run was taken up again
        response, request                one pair an exchange, as they went over the wire
        revisit[, request]               the same, of an answer whose body is archived already (see harvest.revisits)
        resource | conversion            an imported HTML copy without headers | an imported text copy
        metadata                         last: the run's ledger as JSON
    data/raw/<source>/index.parquet          where each record lies; made again from the files (harvest.index)
    data/raw/<source>/000007.warc.gz.part    a run in progress, or interrupted before its ledger

A file gets its name once it is whole, and is never edited (but see harvest.redact). Each exchange is flushed when it is
written, so that a killed process loses none that was answered; the disk is waited for (fsync) at the end: what a power
cut takes from the tail, harvest.repair notices.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Any, Self
from urllib.parse import quote

from harvest.answers import header_lines, split_head, without_interim
from harvest.blocks import LEDGER_URI, PART_SUFFIX, ArchivedBlock, read_block, read_blocks, read_ledger, scan
from harvest.compose import Member, http_member, interim_header, plain_member, revisit_member
from harvest.foreign import ForeignPage
from harvest.headers import IDENTICAL_PAYLOAD, IMPORTED_FROM, NO_REQUEST, SAME_REQUEST, SERVER_NOT_MODIFIED, TRUNCATED
from harvest.members import Damage, WarcRecord, digest_of, record_at
from harvest.repair import Recovered
from harvest.revisits import root_of
from schema.disk import sync
from schema.errors import DamagedArchive, DiskTrouble
from schema.nouns import Original, Pointer

__all__ = ["ArchiveWriter", "ArchivedBlock", "Damage", "read_block", "read_blocks", "read_ledger", "scan"]

# a shorter body takes less room than the headers that would say where it lies
REVISIT_FROM_BYTES = 512
_NOTHING_KNOWN: Mapping[str, Original] = MappingProxyType({})
_NOTHING_SAID: Mapping[str, str] = MappingProxyType({})


class ArchiveWriter:
    """Writes one run's WARC; leaving its `with` block fsyncs it and, once its ledger is there, gives it its name."""

    def __init__(
        self,
        path: Path,
        software: str,
        known: Mapping[str, Original] = _NOTHING_KNOWN,
        recovered: Recovered | None = None,
        asked: str = "",
    ) -> None:
        """Begin an archive, or go on with one.

        Args:
            path: the name it will have.
            software: who writes it.
            asked: what is asked, in a line: a killed run is taken up by one that asks the same.
            known: what is archived already, by digest: `harvest.index.known_originals`.
            recovered: what a killed run left of this archive; give it to `resume`.

        Raises:
            FileExistsError: an archive, or the beginning of one, has that name.
            DiskTrouble: the file cannot be made.
        """
        self._final, self._is_whole, self._known = path, False, known
        exchanges = recovered.exchanges if recovered else ()
        self._archived = {(e.url, e.response_digest, e.fetched_at): e.pointer for e in exchanges}
        self.path = path.with_name(path.name + PART_SUFFIX)
        if path.exists():
            raise FileExistsError(f"{path} is an archive already, and archives are never written to again")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # exclusive: a number is used once
            self._file: IO[bytes] = self.path.open("r+b" if recovered else "xb")
            self._file.seek(0, os.SEEK_END)
        except FileExistsError:
            raise
        except OSError as error:
            raise DiskTrouble(f"{self.path}: cannot be made ({error}); make room or give another --data") from error
        self._write(plain_member("", "warcinfo", *archive_info(path, software, asked), datetime.now(UTC)))

    @classmethod
    def resume(cls, recovered: Recovered, software: str, known: Mapping[str, Original] = _NOTHING_KNOWN) -> Self:
        """Go on with the archive of a killed run, under its number.

        An exchange that it holds already (harvest.resuming plays them) is not archived twice.
        """
        part = recovered.part
        return cls(part.with_name(part.name.removesuffix(PART_SUFFIX)), software, known, recovered, recovered.asked)

    def add_exchange(
        self, url: str, request: bytes, response: bytes, fetched_at: datetime, *, is_cut: bool = False
    ) -> Pointer:
        """Archive an answer and, where there is one, its request; where the answer lies.

        An answer whose body is known becomes a revisit. One that is_cut is its beginning, longer than we take.
        """
        if pointer := self._place_of(url, response, fetched_at):
            return pointer
        interim, final = without_interim(response)
        head, body = split_head(final)
        known = self._known_record(body) if len(body) >= REVISIT_FROM_BYTES else None
        if known is not None and _repeats(final, known[1].block):
            before = interim_header(interim)
            return self._add_revisit(url, request, head, fetched_at, *known, IDENTICAL_PAYLOAD, before)
        said = ({} if request else {SAME_REQUEST: NO_REQUEST}) | ({TRUNCATED: "length"} if is_cut else {})
        return self._add_pair(http_member(url, "response", response, fetched_at, said), url, request, fetched_at)

    def add_revisit(
        self,
        url: str,
        request: bytes,
        response: bytes,
        fetched_at: datetime,
        original: Original,
        held: WarcRecord | None = None,
    ) -> Pointer:
        """Archive an answer 304 and its request; where the answer lies.

        Args:
            original: the answer that it confirms; its file and offset are enough, the rest is read there.
            held: the record that lies there, by who has just read it.

        Raises:
            DamagedArchive: the original is not in the archive, or not what was written.
        """
        if pointer := self._place_of(url, response, fetched_at):
            return pointer
        path = self._final.with_name(original.file)
        file, record = root_of(path, held or record_at(path, original.offset))
        return self._add_revisit(url, request, response, fetched_at, file.name, record, SERVER_NOT_MODIFIED)

    def add_copy(self, url: str, content: bytes, content_type: str, kind: str, made_at: datetime) -> Pointer:
        """Archive a foreign copy without headers as a `resource` or `conversion` record; where it lies."""
        return self._write(plain_member(url, kind, content, content_type, made_at))

    def add_foreign(self, page: ForeignPage, origin: str, confirmed: Pointer | None = None) -> Pointer:
        """Archive a page of a foreign WARC under the date it had there, marked with where it came from.

        Args:
            page: as `harvest.foreign` gives it.
            origin: the file that it stood in: `imported_from`.
            confirmed: where the page lies that an answer 304 confirms.
        """
        marks = {IMPORTED_FROM: f"{origin};{page.record_id}", SAME_REQUEST: NO_REQUEST}
        if confirmed is not None:
            is_here = confirmed.file == self._final.name
            path = self.path if is_here else self._final.with_name(confirmed.file)
            file, record = root_of(path, record_at(path, confirmed.offset))
            name = file.name.removesuffix(PART_SUFFIX)
            stated = (page.stated_url, page.content, page.archived_at, name, record, SERVER_NOT_MODIFIED)
            return self._write(revisit_member(*stated, marks))
        if page.kind == "response":
            return self._write(http_member(page.stated_url, "response", page.content, page.archived_at, marks))
        copy = (page.stated_url, page.kind, page.content, page.content_type, page.archived_at)
        return self._write(plain_member(*copy, {IMPORTED_FROM: marks[IMPORTED_FROM]}))

    def add_ledger(self, ledger: dict[str, Any], written_at: datetime) -> Pointer:
        """Close the run: its ledger as the last record."""
        content = json.dumps(ledger, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        pointer = self._write(plain_member(LEDGER_URI, "metadata", content, "application/json", written_at))
        self._is_whole = True
        return pointer

    def _add_revisit(
        self,
        url: str,
        request: bytes,
        block: bytes,
        fetched_at: datetime,
        file: str,
        record: WarcRecord,
        profile: str,
        said: Mapping[str, str] = _NOTHING_SAID,
    ) -> Pointer:
        asked = self._known_record(request) if request else None
        if asked is not None and asked[1].block == request:
            place = {**said, SAME_REQUEST: f"{asked[0]};{asked[1].offset}"}
            return self._write(revisit_member(url, block, fetched_at, file, record, profile, place))
        none = {} if request else {SAME_REQUEST: NO_REQUEST}
        answer = revisit_member(url, block, fetched_at, file, record, profile, {**said, **none})
        return self._add_pair(answer, url, request, fetched_at)

    def _add_pair(self, answer: Member, url: str, request: bytes, fetched_at: datetime) -> Pointer:
        if not request:
            return self._write(answer)
        named = {"WARC-Concurrent-To": answer.record_id}
        return self._write(answer, http_member(url, "request", request, fetched_at, named))

    def _place_of(self, url: str, response: bytes, fetched_at: datetime) -> Pointer | None:
        """Where an exchange lies that the killed run archived; None for a new one."""
        # a digest is not free, and most runs resume nothing
        return self._archived.get((url, sha256(response).hexdigest(), fetched_at)) if self._archived else None

    def _known_record(self, content: bytes) -> tuple[str, WarcRecord] | None:
        """The file name and the record that holds a body or a request already; None when it cannot be read any more."""
        known = self._known.get(digest_of(content)) if self._known else None
        try:
            return (known.file, record_at(self._final.with_name(known.file), known.offset)) if known else None
        except DamagedArchive:
            return None

    def _write(self, *members: Member) -> Pointer:
        """Append records at once, so that a kill does not part an answer from its request; where the first lies."""
        start = self._file.tell()
        try:
            self._file.write(b"".join(member.stored for member in members))
            self._file.flush()
        except OSError as error:
            raise DiskTrouble(f"{self.path}: cannot be written ({error}); make room and refresh again") from error
        return Pointer(self._final.name, start, len(members[0].stored))

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
                sync(self.path.parent)
        except OSError as error:
            # what failed first is the news
            if exc_value is None:
                raise DiskTrouble(f"{self.path}: cannot be closed ({error}); make room and refresh again") from error


def archive_info(path: Path, software: str, asked: str) -> tuple[bytes, str]:
    """What the first record of an archive holds, and its media type."""
    info = {"software": software, "format": "WARC File Format 1.1", "isPartOf": path.name.split(".")[0]}
    info |= {"description": asked} if asked else {}
    return "".join(f"{key}: {value}\r\n" for key, value in info.items()).encode(), "application/warc-fields"


def imported_from(name: str, sha256_hex: str) -> str:
    """How a record names the foreign file it stood in."""
    return f"{quote(name)};sha256:{sha256_hex}"


def _repeats(response: bytes, original: bytes) -> bool:
    """Whether an answer has the body of another, byte for byte (a digest can be forged), to be read in the same way."""
    (head, body), (other_head, other_body) = split_head(response), split_head(original)
    return body == other_body and _how_to_read(head) == _how_to_read(other_head)


def _how_to_read(head: bytes) -> list[str]:
    lines = (line.lower() for line in header_lines(head))
    return sorted(line for line in lines if line.startswith(("content-type:", "content-encoding:", "transfer-")))

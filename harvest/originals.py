"""What pages of a foreign WARC hold that its revisits may repeat; on disk, so that a large file needs little memory.

A revisit names its original by the digest of the body, by record, or by address and date, and any of these may be
missing. Two that do not fit each other are no evidence.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import datetime
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self

from harvest.members import WarcRecord, read_date

# a page in a foreign WARC: its address as stated there, its date, the digest of its block
PageKey = tuple[str, datetime, str]


class DigestsDiffer(ValueError):
    """A revisit names an original whose body is another than it says."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A page that revisits may repeat: which, its media type, the digest of its body (as stated, else empty)."""

    key: PageKey
    content_type: str
    digest: str
    place: int
    size: int


@dataclass
class Originals:
    """The pages of one file by all that a revisit may call them. Holds a temporary file: use it in a `with`."""

    _by_digest: dict[str, Kept] = field(default_factory=dict)
    _by_name: dict[str, Kept] = field(default_factory=dict)
    _spool: IO[bytes] = field(default_factory=TemporaryFile)

    def keep(self, key: PageKey, content_type: str, digest: str, block: bytes) -> Kept:
        """Keep the block of a page."""
        packed = zlib.compress(block, 1)
        place = self._spool.seek(0, 2)
        self._spool.write(packed)
        return Kept(key, content_type, digest, place, len(packed))

    def name(self, kept: Kept, record: WarcRecord, digest: str) -> Kept:
        """Let revisits find a page under the names of a record that holds it; digest: of its body, stated or made."""
        if digest:
            self._by_digest.setdefault(digest.lower(), kept)
        for name in _names(record.header("warc-record-id"), record.url, record.header("warc-date")):
            self._by_name.setdefault(name, kept)
        return kept

    def find(self, revisit: WarcRecord) -> Kept | None:
        """The page that a revisit repeats; None where this file has not shown it so far.

        Raises:
            DigestsDiffer: the page that it names has another body than it says.
        """
        digest = revisit.header("warc-payload-digest").lower()
        if digest in self._by_digest:
            return self._by_digest[digest]
        url, date = revisit.header("warc-refers-to-target-uri"), revisit.header("warc-refers-to-date")
        names = _names(revisit.header("warc-refers-to"), url.strip("<>"), date)
        kept = next((self._by_name[name] for name in names if name in self._by_name), None)
        if kept and digest and kept.digest and kept.digest.lower() != digest:
            raise DigestsDiffer(f"it repeats a page of digest {kept.digest}, and states {digest}")
        return kept

    def block_of(self, kept: Kept) -> bytes:
        """The block of a page that was kept."""
        self._spool.seek(kept.place)
        return zlib.decompress(self._spool.read(kept.size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._spool.close()


def _names(record_id: str, url: str, date: str) -> list[str]:
    """What a page may be called: its record, its address and date."""
    names = [record_id.strip("<>")] if record_id.strip("<>") else []
    try:
        return [*names, f"{url} {read_date(date).timestamp()}"] if url and date else names
    except ValueError:
        return names

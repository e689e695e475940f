"""Records as they are written: each a gzip member of its own, an HTTP message in it byte for byte.

The few lines of a record's head are written here, not by warcio, whose writer has no other setting than gzip's slowest:
this costs a fifth of its CPU and a twentieth more room (benchmarks/README.md). Its readers, among others, read it all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

from isal import isal_zlib

from harvest.answers import split_head, without_interim
from harvest.headers import ANSWER, INTERIM, REFERS_TO, SERVER_NOT_MODIFIED
from harvest.members import WarcRecord, digest_of
from harvest.revisits import payload_digest

# of isal's 0 to 3: zlib needs three times the CPU for the same room, and ten times for a tenth less
LEVEL = 2

_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_CONTENT_TYPES = {
    "response": "application/http; msgtype=response",
    "request": "application/http; msgtype=request",
    "revisit": "application/http; msgtype=response",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One record as stored, and the identifier by which another may name it."""

    stored: bytes
    record_id: str


def http_member(
    url: str, kind: str, block: bytes, made_at: datetime, headers: Mapping[str, str] | None = None
) -> Member:
    """A `response` or `request` record of a message as it went over the wire; interim answers stand in a header."""
    interim, block = without_interim(block)
    named = {"WARC-Payload-Digest": digest_of(split_head(block)[1]), **(headers or {}), **interim_header(interim)}
    return _member(url, kind, _CONTENT_TYPES[kind], block, made_at, named)


def interim_header(interim: bytes) -> dict[str, str]:
    """The header that keeps what came before an answer; none where nothing did."""
    return {INTERIM: quote(interim, safe=_PLAIN)} if interim else {}


def plain_member(
    url: str,
    kind: str,
    content: bytes,
    content_type: str,
    made_at: datetime,
    headers: Mapping[str, str] | None = None,
) -> Member:
    """A record of anything else."""
    return _member(url, kind, content_type, content, made_at, headers or {})


def revisit_member(
    url: str, block: bytes, made_at: datetime, file: str, original: WarcRecord, profile: str, headers: Mapping[str, str]
) -> Member:
    """A `revisit` record: what was received of an answer whose payload is archived already.

    The standard's headers name the original by address and date; ours, beside them, by its place. An answer 304 stands
    in a header too, and the block is empty: players show what the block says, and a browser shows nothing for a 304.

    Args:
        file: name of the archive that holds the original.
        original: that record; not a revisit itself, because other readers follow one step only.
    """
    if profile == SERVER_NOT_MODIFIED:
        headers, block = {**headers, ANSWER: quote(block, safe=_PLAIN)}, b""
    named = {
        "WARC-Profile": profile,
        **({"WARC-Refers-To": record_id} if (record_id := original.header("warc-record-id")) else {}),
        "WARC-Refers-To-Target-URI": original.url,
        "WARC-Refers-To-Date": warc_date(original.archived_at),
        REFERS_TO: f"{file};{original.offset}",
        "WARC-Payload-Digest": payload_digest(original),
        **headers,
    }
    return _member(url, "revisit", _CONTENT_TYPES["revisit"], block, made_at, named)


def warc_date(when: datetime) -> str:
    """A moment as the standard writes it."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _member(
    url: str, kind: str, content_type: str, block: bytes, made_at: datetime, headers: Mapping[str, str]
) -> Member:
    record_id = f"<urn:uuid:{uuid4()}>"
    named = {
        "WARC-Type": kind,
        "WARC-Record-ID": record_id,
        "WARC-Date": warc_date(made_at),
        **({"WARC-Target-URI": url} if url else {}),
        **headers,
        "WARC-Block-Digest": digest_of(block),
        "Content-Type": content_type,
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    record = b"".join((b"WARC/1.1\r\n", head.encode(), b"\r\n", block, b"\r\n\r\n"))
    return Member(isal_zlib.compress(record, LEVEL, wbits=31), record_id)

"""Records as they are written: each a gzip member of its own, an HTTP message in it byte for byte."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from harvest.answers import split_head
from harvest.headers import ANSWER, REFERS_TO, SERVER_NOT_MODIFIED
from harvest.members import WarcRecord, digest_of
from harvest.revisits import payload_digest

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


class _ExactHead(StatusAndHeaders):  # type: ignore[misc]  # warcio has no types
    """The head of a message as it was received: warcio would write it anew, header by header."""

    def __init__(self, head: bytes) -> None:
        super().__init__("", [], protocol="")
        self.head = head

    def compute_headers_buffer(self, header_filter: object = None) -> None:  # noqa: ARG002  # warcio's signature
        self.headers_buff = self.head

    def __bool__(self) -> bool:
        return True


def http_member(
    url: str, kind: str, block: bytes, made_at: datetime, headers: Mapping[str, str] | None = None
) -> Member:
    """A `response` or `request` record of a message as it went over the wire."""
    head, body = split_head(block)
    digests = {"WARC-Payload-Digest": digest_of(body), "WARC-Block-Digest": digest_of(block)}
    return _member(
        url,
        kind,
        payload=io.BytesIO(body),
        length=len(body),
        http_headers=_ExactHead(head),
        warc_content_type=_CONTENT_TYPES[kind],
        warc_headers_dict={"WARC-Date": warc_date(made_at), **digests, **(headers or {})},
    )


def plain_member(
    url: str,
    kind: str,
    content: bytes,
    content_type: str,
    made_at: datetime,
    headers: Mapping[str, str] | None = None,
) -> Member:
    """A record of anything else."""
    return _member(
        url,
        kind,
        payload=io.BytesIO(content),
        length=len(content),
        warc_content_type=content_type,
        warc_headers_dict={
            "WARC-Date": warc_date(made_at),
            "WARC-Block-Digest": digest_of(content),
            **(headers or {}),
        },
    )


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
        "WARC-Date": warc_date(made_at),
        "WARC-Profile": profile,
        **({"WARC-Refers-To": record_id} if (record_id := original.header("warc-record-id")) else {}),
        "WARC-Refers-To-Target-URI": original.url,
        "WARC-Refers-To-Date": warc_date(original.archived_at),
        REFERS_TO: f"{file};{original.offset}",
        "WARC-Payload-Digest": payload_digest(original),
        "WARC-Block-Digest": digest_of(block),
        **headers,
    }
    return _member(
        url,
        "revisit",
        payload=io.BytesIO(b""),
        length=0,
        http_headers=_ExactHead(block),
        warc_content_type=_CONTENT_TYPES["revisit"],
        warc_headers_dict=named,
    )


def warc_date(when: datetime) -> str:
    """A moment as the standard writes it."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _member(url: str, kind: str, **parts: Any) -> Member:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
    record: ArcWarcRecord = writer.create_warc_record(url, kind, **parts)
    writer.write_record(record)
    return Member(buffer.getvalue(), record.rec_headers.get_header("WARC-Record-ID"))

"""WARCs as other programs write them, made by hand: any version, any packing, any header left out."""

from __future__ import annotations

import gzip

from harvest.members import digest_of

WHEN = "2019-05-06T07:08:09Z"


def record(
    kind: str, url: str, block: bytes, *lines: str, version: str = "WARC/1.0", when: str = WHEN, type_: str = ""
) -> bytes:
    type_ = type_ or "application/http; msgtype=response"
    head = [version, f"WARC-Type: {kind}", f"WARC-Date: {when}", f"WARC-Target-URI: {url}", f"Content-Type: {type_}"]
    record_id = f"WARC-Record-ID: <urn:uuid:{digest_of(url.encode() + block)[5:21]}>"
    lines = (*lines, record_id, f"Content-Length: {len(block)}")
    return "\r\n".join([*head, *lines, "", ""]).encode() + block + b"\r\n\r\n"


def by_record(*records: bytes) -> bytes:
    return b"".join(gzip.compress(r) for r in records)


def as_a_whole(*records: bytes) -> bytes:
    return gzip.compress(b"".join(records))


def not_at_all(*records: bytes) -> bytes:
    return b"".join(records)


def first_alone(first: bytes, *others: bytes) -> bytes:
    return gzip.compress(first) + gzip.compress(b"".join(others))


PACKINGS = [by_record, as_a_whole, not_at_all, first_alone]
INFO = record("warcinfo", "", b"software: autre\r\n", type_="application/warc-fields")

"""What a later night may send so that the site can answer 304: validators exactly as they were received.

Drupal answers 304 only when ETag and Last-Modified come back together, both to the letter, and were given to a request
without compression. What cannot be sent back to the letter is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from harvest.answers import Answer, BrokenAnswer, read_head, split_final
from harvest.members import WarcRecord, record_at
from harvest.payloads import payload_of
from schema.errors import DamagedArchive
from schema.nouns import PAGE_OUTCOMES, Original, Payload, Visit

MAX_VALIDATOR_CHARS = 1024

# an ETag that is not weak, and what it says without the coding
_STRONG = re.compile(r'"([^"]*?)(?:[-;]{1,2}(?:gzip|br|deflate|zstd))?"')
_NOT_MODIFIED = re.compile(rb"HTTP/\d(?:\.\d)? 304\b")


@dataclass(frozen=True, slots=True)
class Validators:
    """The validators of an address, at least one, and the archived answer that a 304 to them stands for.

    absence is the outcome of that answer where it was no page: not_found, or gone.
    """

    etag: str | None
    last_modified: str | None
    original: Original
    absence: str | None = None

    def headers(self) -> dict[str, str]:
        """What to send: both where both are known."""
        stated = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in stated.items() if value}


def is_absence(visit: Visit) -> bool:
    """Whether an address that we ask night after night to see that nothing is there had nothing.

    Such are the probe, and the page behind the last one of a listing: Drupal answers 304 for a 404 too. A resource that
    is gone is another matter: what comes back is to be compared with the page that was, so its validators are kept.
    """
    return visit.outcome in ("not_found", "gone") and visit.role in ("probe", "listing")


def is_not_modified(block: bytes) -> bool:
    """Whether the bytes of an answer say 304, whatever length their headers give the body that is not sent."""
    try:
        return _NOT_MODIFIED.match(split_final(block)[0]) is not None
    except BrokenAnswer:
        return False


def confirms(block: bytes, sent: str | None) -> bool:
    """Whether an answer 304 may be of the page whose ETag was sent: not where it names another (RFC 9111, 4.3.4).

    A weak tag, and the word of a coding that Apache puts behind its own, tell of no other page.
    """
    named = (read_head(block)[0].header("etag") or "").strip()
    theirs, ours = _STRONG.fullmatch(named), _STRONG.fullmatch(sent or "")
    return theirs is None or ours is None or theirs[1] == ours[1]


def kept_validators(answer: Answer) -> tuple[str | None, str | None]:
    """ETag and Last-Modified of an answer, None where absent, given for a coded body, or not to be sent back."""
    if answer.all_of("content-encoding") not in ([], ["identity"]):
        return None, None
    etag, last_modified = (answer.header(name) for name in ("etag", "last-modified"))
    return _sendable(etag), _sendable(last_modified)


def _sendable(value: str | None) -> str | None:
    is_plain = value is not None and value.isascii() and value.isprintable() and len(value) <= MAX_VALIDATOR_CHARS
    return value or None if is_plain else None


def validators_of(nights: Iterable[Iterable[Visit]]) -> dict[str, Validators]:
    """Validators by canonical address.

    Args:
        nights: the visits of former runs, oldest first; the last page that an address showed counts, or its absence
            (is_absence).
    """
    found: dict[str, Validators] = {}
    for visits in nights:
        for visit in visits:
            has_gone = is_absence(visit)
            if visit.outcome not in PAGE_OUTCOMES and not has_gone:
                continue
            original = _original_of(visit)
            if original is not None and (visit.etag or visit.last_modified):
                absence = visit.outcome if has_gone else None
                found[visit.url] = Validators(visit.etag, visit.last_modified, original, absence)
            else:
                # the page came without validators: the older ones are of a page that is no more
                found.pop(visit.url, None)
    return found


def _original_of(visit: Visit) -> Original | None:
    """The answer that holds the page of a visit; of one not modified, the one that brought it: no chain grows."""
    if visit.original is not None or visit.pointer is None or visit.fetched_at is None or visit.payload_digest is None:
        return visit.original
    place = visit.pointer
    return Original(place.file, place.offset, visit.url, visit.fetched_at, visit.payload_digest)


def held_answer(folder: Path, original: Original) -> tuple[WarcRecord, Payload] | None:
    """A former answer in a folder of archives, and its payload; None when it is not there as it was."""
    path = folder / original.file
    try:
        record = record_at(path, original.offset)
        payload = payload_of(path, record)
    except (DamagedArchive, BrokenAnswer):
        return None
    return (record, payload) if sha256(payload.content).hexdigest() == original.payload_digest else None

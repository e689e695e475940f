"""How long to leave a site alone after an answer that says: not now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from harvest.answers import Answer
from schema.errors import SiteUnreachable
from schema.nouns import Visit

# a longer Retry-After is for another night
MAX_RETRY_AFTER_S = 900.0
# what a run waits in all, so that it ends before the next one starts
MAX_PAUSES_S = 3600.0

# how long a rest may be that is kept to its end: maintenance lasts hours, or days
MAX_REST = timedelta(days=7)
# a longer one is a slip of the site's, or its way to say "not tonight": kept in full, ten years would end the harvest
# for good. So the next night asks once and hears it again; less than a day, or the run of that night came too soon
NEXT_NIGHT = timedelta(hours=20)

# besides 5xx, the statuses that speak of the host and how it is asked, whose Retry-After is heeded: RFC 9110, 10.2.3 to
# 15.5.14, and firewalls that say 403 to who comes too often. What a 404 says is of one page, and pauses no host
_STATUSES = frozenset({301, 302, 303, 307, 308, 403, 408, 413, 425, 429})

_SECONDS = re.compile(r"[0-9]+")
# a longer rest says the same as this one, of 31 years: not tonight; and no calendar ends before it
_MAX_DIGITS = 9
_LONGEST_S = 10.0**_MAX_DIGITS
_SERVER_ERRORS = 500
_STAMP = "%Y-%m-%d %H:%M:%S"


class RestAsked(SiteUnreachable):
    """The site asks for a longer rest than a run can wait; nothing may be asked before not_before (UTC)."""

    def __init__(self, message: str, not_before: datetime | None = None) -> None:
        super().__init__(message)
        self.not_before = not_before


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that the site asked for (Retry-After): at which address, how long."""

    url: str
    status: int
    pause_s: float


def asked_pause(url: str, answer: Answer, answered_at: datetime, former: Sequence[Pause] = ()) -> Pause | None:
    """The pause that an answer asks for, None for an answer that asks for none.

    Args:
        url: the address that was asked.
        answer: what it answered.
        answered_at: when, by our clock; a date is meant by the site's own, which its Date header tells.
        former: the pauses that the run has made.

    Raises:
        RestAsked: longer than a run can wait, at once or in all.
    """
    if answer.status not in _STATUSES and answer.status < _SERVER_ERRORS:
        return None
    pause_s = retry_after_s(answer.header("retry-after"), read_http_date(answer.header("date")) or answered_at)
    if pause_s is None:
        return None
    if pause_s > MAX_RETRY_AFTER_S or sum(pause.pause_s for pause in former) + pause_s > MAX_PAUSES_S:
        rest = timedelta(seconds=min(pause_s, _LONGEST_S))
        kept = rest if rest <= MAX_REST else NEXT_NIGHT
        but = "" if kept == rest else f" (which is too far to be kept: before {answered_at + kept:{_STAMP}} UTC)"
        raise RestAsked(
            f"{url} answers {answer.status} and asks for no request before {answered_at + rest:{_STAMP}} UTC{but}, so "
            "nothing more is asked: postponed, refresh later",
            answered_at + kept,
        )
    return Pause(url, answer.status, pause_s)


def is_to_be_tried_again(visit: Visit) -> bool:
    """Whether the same request may have another answer at once."""
    return visit.outcome == "failed" or tells_of_trouble(visit)


def tells_of_trouble(visit: Visit) -> bool:
    """Whether the host answers that it cannot serve us now."""
    return visit.status == 429 or (visit.status or 0) >= 500


def retry_after_s(stated: str | None, answered_at: datetime) -> float | None:
    """Seconds to wait from the answer on; 0 for a date that is past, None for what is neither seconds nor a date.

    Args:
        stated: the header Retry-After, by RFC 9110, 10.2.3: whole seconds or an HTTP date.
        answered_at: when the answer was given, by the clock of who wrote the date.
    """
    text = (stated or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text) if len(text) <= _MAX_DIGITS else _LONGEST_S
    until = read_http_date(text)
    return None if until is None else max(0.0, (until - answered_at).total_seconds())


def read_http_date(stated: str | None) -> datetime | None:
    """The moment that an HTTP date names, None for anything else."""
    try:
        when = parsedate_to_datetime(stated or "")
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def backoff_s(pause_s: float, attempt: int, chance: float) -> float:
    """Seconds before the next try: doubled with each attempt (from 1), and up to as long again, by chance in [0, 1).

    Equal jitter: many clients that failed together do not come back together, and none comes back at once.
    """
    return pause_s * 2.0 ** (attempt - 1) * (1.0 + chance)

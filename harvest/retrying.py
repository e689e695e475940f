"""How long to leave a site alone after an answer that says: not now."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# a longer Retry-After is for another night
MAX_RETRY_AFTER_S = 900.0
RETRY_AFTER_STATUSES = frozenset({429, 503})

_SECONDS = re.compile(r"[0-9]+")
# a number with more digits says the same as this one: not tonight, nor in a hundred years
_MAX_DIGITS = 9


def retry_after_s(stated: str | None, answered_at: datetime) -> float | None:
    """Seconds to wait from the answer on; 0 for a date that is past, None for what is neither seconds nor a date.

    Args:
        stated: the header Retry-After, by RFC 9110, 10.2.3: whole seconds or an HTTP date.
        answered_at: when the answer was given, by the clock of who wrote the date.
    """
    text = (stated or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text) if len(text) <= _MAX_DIGITS else 10.0**_MAX_DIGITS
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

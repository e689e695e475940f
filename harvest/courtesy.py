"""The politeness receipt: the load that a run placed on a site, and what it left alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from harvest.limits import Budget
from harvest.pace import Turns
from harvest.retrying import Pause
from harvest.robots import MAX_ROBOTS_BYTES
from schema.nouns import Visit


@dataclass(frozen=True, slots=True)
class Refusal:
    """An address that was not asked, and the line of robots.txt that decided it."""

    url: str
    rule: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one run asked of a site.

    bytes_received counts what came over the wire, of answers that were cut, broken off or refused too; smallest_gap_s
    is from the end of an answer to the next request, None when there was no second one; share_not_modified is 304 among
    all answers, None without answers; robots_digest is the sha256 of each host's robots.txt as far as it came, None
    where it has none; robots_cut has, of each that is longer, how many bytes are read: to the last whole line in them.
    """

    user_agent: str
    requests: int
    answers: int
    bytes_received: int
    retries: int
    delay_s: float
    smallest_gap_s: float | None
    not_modified: int
    share_not_modified: float | None
    robots_digest: dict[str, str | None]
    robots_cut: dict[str, int]
    pauses: tuple[Pause, ...]
    refusals: tuple[Refusal, ...]

    def as_values(self) -> dict[str, Any]:
        """The receipt as plain values, for JSON."""
        return asdict(self)


@dataclass
class Meter:
    """What a client counts on its way."""

    answers: int = 0
    retries: int = 0
    not_modified: int = 0
    robots_digest: dict[str, str | None] = field(default_factory=dict)
    robots_cut: dict[str, int] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)

    def note_robots(self, asked_url: str, last: Visit) -> None:
        """The robots.txt that a host was found to have."""
        host, has_rules = urlsplit(asked_url).netloc, last.status in (200, 304)
        self.robots_digest[host] = last.payload_digest if has_rules else None
        if has_rules and (last.size_bytes or 0) > MAX_ROBOTS_BYTES:
            self.robots_cut[host] = MAX_ROBOTS_BYTES

    def receipt(self, user_agent: str, budget: Budget, turns: Turns, visits: Iterable[Visit]) -> Receipt:
        """What was counted, as a receipt; visits is the ledger, which knows what robots.txt denied."""
        gap_s = turns.smallest_gap_s
        return Receipt(
            user_agent=user_agent,
            requests=budget.requests,
            answers=self.answers,
            bytes_received=budget.received_bytes,
            retries=self.retries,
            delay_s=turns.delay_s,
            smallest_gap_s=None if gap_s is None else round(gap_s, 6),
            not_modified=self.not_modified,
            share_not_modified=round(self.not_modified / self.answers, 4) if self.answers else None,
            robots_digest=dict(self.robots_digest),
            robots_cut=dict(self.robots_cut),
            pauses=tuple(self.pauses),
            refusals=refusals_of(visits),
        )


def refusals_of(visits: Iterable[Visit]) -> tuple[Refusal, ...]:
    """The addresses of a ledger that robots.txt denied."""
    return tuple(Refusal(v.url, v.reason or "robots.txt") for v in visits if v.outcome == "refused_by_robots")

"""Where a run stops asking: a host that fails again and again, and the load that one night may place on a site."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from schema.errors import SiteUnreachable
from schema.sources import Pace as Load

# failing exchanges in a row, on one host, after which it is left alone until another night
MAX_FAILURES = 10


@dataclass
class Breaker:
    """Counts failing exchanges in a row by host; open means that nothing more is asked.

    A host is in doubt that fails at some addresses and answers at others, up to its next answer.
    """

    failures: Counter[str] = field(default_factory=Counter)
    in_doubt: set[str] = field(default_factory=set)

    def note(self, host: str, *, has_failed: bool) -> None:
        """One more exchange with a host."""
        self.failures[host] = self.failures[host] + 1 if has_failed else 0
        if not has_failed:
            self.in_doubt.discard(host)

    def is_about_to_open(self, host: str) -> bool:
        """Whether one more failure opens it."""
        return self.failures[host] == MAX_FAILURES - 1

    def doubt(self, host: str) -> None:
        """The host lives, though the addresses asked last failed: count anew."""
        self.failures[host] = 0
        self.in_doubt.add(host)

    def is_in_doubt(self, host: str) -> bool:
        """Whether the host lives, and no other address has answered since."""
        return host in self.in_doubt

    def require_closed(self, host: str) -> None:
        """Refuse to ask a host that failed too often.

        Raises:
            SiteUnreachable: MAX_FAILURES exchanges in a row failed.
        """
        if self.failures[host] >= MAX_FAILURES:
            raise SiteUnreachable(
                f"{host} failed {self.failures[host]} times in a row, so nothing more is asked (breaker open): "
                "postponed, refresh later"
            )


@dataclass
class Budget:
    """What a run has asked for and received, against what its source file allows."""

    load: Load
    requests: int = 0
    received_bytes: int = 0

    def hear(self, size_bytes: int) -> None:
        """So many bytes came, whatever became of them."""
        self.received_bytes += size_bytes

    def has_room_for(self, count: int) -> bool:
        """Whether so many requests more are within what is allowed."""
        return self.requests + count <= self.load.max_requests

    def refusal(self) -> str | None:
        """Why nothing more may be asked, None while something may."""
        if self.requests >= self.load.max_requests:
            return f"budget: {self.requests} requests, as many as `max_requests` of [pace] allows"
        if self.received_bytes >= self.load.max_bytes:
            return f"budget: {self.received_bytes} bytes received, and `max_bytes` of [pace] is {self.load.max_bytes}"
        return None

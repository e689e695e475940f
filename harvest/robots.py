"""What robots.txt lets us ask, by RFC 9309: 4xx is no rule, 5xx or no answer is everything denied."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

MAX_ROBOTS_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one host for us: may_fetch tells of an address, delay_s is the Crawl-delay or 0."""

    rules: Protego
    agent: str

    def may_fetch(self, url: str) -> bool:
        """Whether the rules let us ask for an address."""
        return bool(self.rules.can_fetch(url, self.agent))

    @property
    def delay_s(self) -> float:
        """The Crawl-delay for us, in seconds."""
        return float(self.rules.crawl_delay(self.agent) or 0.0)


def read_robots(content: bytes, agent: str) -> Robots:
    """The rules that the bytes of a robots.txt state; what cannot be read states none."""
    text = content[:MAX_ROBOTS_BYTES].decode("utf-8-sig", errors="replace")
    return Robots(Protego.parse(text), agent)

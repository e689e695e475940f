"""When the next request may go: never sooner than the site, or our own source file, asks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from schema.errors import SiteUnreachable

# what Heritrix obeys at most; a site that asks for more does not want to be harvested tonight
MAX_DELAY_S = 300.0


@dataclass(frozen=True, slots=True)
class Pace:
    """At least delay_s seconds from the end of an answer to the next request; chance in [0, 1) spreads second tries."""

    delay_s: float
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random


def skipped_pace(delay_s: float) -> Pace:
    """A pace that nobody waits for: waiting moves its clock on instead. For a replay, whose server is a file."""
    skipped_s = 0.0

    def skip(pause_s: float) -> None:
        nonlocal skipped_s
        skipped_s += pause_s

    return Pace(delay_s, skip, lambda: time.monotonic() + skipped_s)


class Turns:
    """One request after the other; knows the smallest gap there was, in seconds, None before the second request."""

    def __init__(self, pace: Pace) -> None:
        self._pace, self.delay_s = pace, pace.delay_s
        self.smallest_gap_s: float | None = None
        self._ended_at: float | None = None
        # of the last one that went out
        self._answered_at: float | None = None
        self._is_out = False
        self._free_at = pace.clock()

    def slow_down(self, delay_s: float) -> None:
        """Keep at least delay_s between requests from now on.

        Raises:
            SiteUnreachable: longer than MAX_DELAY_S, so that a run would last for days.
        """
        if delay_s > MAX_DELAY_S:
            raise SiteUnreachable(
                f"robots.txt asks for {delay_s:g} s between requests, which no night has room for (at most "
                f"{MAX_DELAY_S:g}), so nothing is asked: postponed; ask the site's owner for a shorter Crawl-delay"
            )
        self.delay_s = max(self.delay_s, delay_s)

    def pause(self, pause_s: float) -> None:
        """Ask nothing for pause_s seconds from now."""
        self._free_at = max(self._free_at, self._pace.clock() + pause_s)

    def begin(self) -> None:
        """Wait for our turn; the request goes when this returns."""
        if self._ended_at is not None:
            self._free_at = max(self._free_at, self._ended_at + self.delay_s)
        self._pace.wait(max(0.0, self._free_at - self._pace.clock()))

    def leave(self) -> None:
        """The request goes out now; one whose answer is played again, out of what a killed run left, never does."""
        if self._answered_at is not None:
            gap_s = self._pace.clock() - self._answered_at
            self.smallest_gap_s = gap_s if self.smallest_gap_s is None else min(gap_s, self.smallest_gap_s)
        self._is_out = True

    def end(self) -> None:
        """The answer has come to its end, or will not come."""
        self._ended_at = self._pace.clock()
        if self._is_out:
            self._answered_at, self._is_out = self._ended_at, False

"""What a crawl asks although no page names it, so that a test can count it apart, or leave it out, by name.

Such are the probe (an address that cannot exist), the page behind a last page that is full, and a second look at a page
of a listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PROBE = re.compile(r".*/moisson-probe-[0-9a-f]{16}")


def is_probe(address: str) -> bool:
    """Whether an address, or a request's target, is the probe's."""
    return _PROBE.fullmatch(address) is not None


def own_questions(targets: Iterable[str], behind: str = "") -> list[str]:
    """The probe, and the page behind a full last one, among what was asked."""
    return [target for target in targets if is_probe(target) or target == behind]


def without_own(targets: Iterable[str], behind: str = "") -> list[str]:
    """What was asked because the source file, or a page, names it."""
    return [target for target in targets if not is_probe(target) and target != behind]

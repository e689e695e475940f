"""How much markup a page may hold to be read: beyond, reading takes longer than a night has, or kills the process.

Lexbor takes time by the square of the depth and of the attributes of one tag; the readers here by the square of the
labels. So these are counted before, in one pass over the tags. Pages of the sites at hand stand 40 times below.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from parsers.tags import VOID, Tag

MAX_DEPTH = 400
MAX_TAGS = 40_000
MAX_ATTRIBUTES = 500
MAX_LABELS = 1500

_ATTRIBUTE = re.compile(rb"""[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+""")
# elements that their like, or the end of what they stand in, closes: not closing them makes no page deep
_CLOSED_FOR_YOU = frozenset(
    {b"p", b"li", b"dt", b"dd", b"option", b"optgroup", b"tr", b"td", b"th", b"thead", b"tbody", b"tfoot", b"rp", b"rt"}
)


class TooMuch(ValueError):
    """The page is not read; reason is the short fixed word for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def require_readable(content: bytes, tags: Sequence[Tag]) -> None:
    """Refuse a page of too many tags, elements too deep in each other, or a tag of too many attributes.

    Raises:
        TooMuch: `too_large` or `too_deep`.
    """
    if len(tags) > MAX_TAGS:
        raise TooMuch("too_large", f"more than {MAX_TAGS} tags: not read")
    uncounted = _CLOSED_FOR_YOU | VOID
    open_now: Counter[bytes] = Counter()
    depth = 0
    for tag in tags:
        # an end tag without its start closes nothing, so each name is counted by itself
        if tag.name not in uncounted and not (tag.is_end and not open_now[tag.name]):
            step = -1 if tag.is_end else 1
            open_now[tag.name] += step
            depth += step
        if depth > MAX_DEPTH:
            raise TooMuch("too_deep", f"elements stand more than {MAX_DEPTH} deep in each other: not read")
        # an attribute takes two bytes at least
        if tag.end - tag.names_end > 2 * MAX_ATTRIBUTES and _count_attributes(content, tag) > MAX_ATTRIBUTES:
            raise TooMuch("too_large", f"a tag of more than {MAX_ATTRIBUTES} attributes: not read")


def _count_attributes(content: bytes, tag: Tag) -> int:
    return sum(1 for _ in _ATTRIBUTE.finditer(content, tag.names_end, tag.end))


def require_few_labels(count: int) -> None:
    """Refuse a page with more labels than any listing shows.

    Raises:
        TooMuch: `too_large`.
    """
    if count > MAX_LABELS:
        raise TooMuch("too_large", f"more than {MAX_LABELS} labels of fields: not read")

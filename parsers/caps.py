"""Pages that are not worth parsing: too deep, too many tags, too many attributes on one. Told by their bytes alone.

The parser's time grows with the square of the depth and of the attributes of one tag (50,000 levels: 2.5 s), so this
comes before it, in linear time. An estimate: it knows no scripts and no comments, and its caps are far above what a
page can need. What slips through is stopped by time (flows/workers.py).
"""

from __future__ import annotations

import re

MAX_TAGS = 400_000
MAX_DEPTH = 3_000
MAX_ATTRIBUTES = 2_000

_TAG = re.compile(rb"<(/?)([a-zA-Z][^\s/<>]{0,20})[^<>]*?(/?)>|<(/?)([a-zA-Z][^\s/<>]{0,20})")
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{4000,}")
_VALUE = re.compile(rb"\"[^\"]*\"|'[^']*'")
# they hold nothing, or end where the next one begins
_FLAT = frozenset(
    b"area base br col embed hr img input link meta source track wbr "
    b"p li td th tr dt dd option optgroup thead tbody tfoot colgroup rt rp html head body".split()
)


def find_excess(content: bytes) -> tuple[str, str] | None:
    """Reason (`too_deep`, `too_many_nodes`) and message why a page is not parsed; None when it may be."""
    tags = content.count(b"<")
    if tags > MAX_TAGS:
        return "too_many_nodes", f"{tags} tags, more than {MAX_TAGS}: not read"
    if tags > MAX_DEPTH and (depth := _estimate_depth(content)) > MAX_DEPTH:
        return "too_deep", f"elements stand {depth} deep in each other, more than {MAX_DEPTH}: not read"
    attributes = max((len(_VALUE.sub(b"x", tag[0]).split()) for tag in _LONG_TAG.finditer(content)), default=0)
    if attributes > MAX_ATTRIBUTES:
        return "too_many_nodes", f"{attributes} attributes on one tag, more than {MAX_ATTRIBUTES}: not read"
    return None


def _estimate_depth(content: bytes) -> int:
    """The greatest number of elements open at once; an end tag closes one, whichever it names."""
    depth = deepest = 0
    for found in _TAG.finditer(content):
        is_end, name = found[1] or found[4], found[2] or found[5]
        if name.lower() in _FLAT or found[3]:
            continue
        depth = max(0, depth - 1) if is_end else depth + 1
        deepest = max(deepest, depth)
    return deepest

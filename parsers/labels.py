"""Labels: elements whose whole text is one of the wordings of the source file; a near-miss is reported, not guessed."""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz.distance import OSA
from selectolax.lexbor import LexborNode

from parsers.caps import require_few_labels
from parsers.nodes import parent_of
from parsers.passages import children, is_unseen, seen_text
from schema.folding import fold_label, strip_accents
from schema.sources import Labels

KINDS = ("type", "private", "summary")


MAX_LABEL_CHARS = 60
# folding takes out soft hyphens and marks without width
_MAX_SPELT_CHARS = 4 * MAX_LABEL_CHARS


NEAR_MISS_EDITS = 2


def find_labels(root: LexborNode, labels: Labels) -> tuple[list[tuple[str, LexborNode]], list[str]]:
    """The labels below an element, in page order, each with its kind; and sentences about near-misses.

    Raises:
        TooMuch: more labels than any listing shows.
    """
    wordings = {fold_label(w): kind for kind in KINDS for w in getattr(labels, kind)}
    found, near, seen = [], [], set()
    for node in _texts(root):
        text = node.text_content or ""
        if len(text) > MAX_LABEL_CHARS or not (folded := fold_label(text)):
            continue
        if folded in wordings:
            label = _widest(node, folded)
            if label.mem_id not in seen:
                seen.add(label.mem_id)
                found.append((wordings[folded], label))
                require_few_labels(len(found))
        elif close := _near_miss(folded, wordings):
            near.append(f"nearly the label {close!r}: {' '.join(text.split())!r}; not taken for it")
    return found, near


def _texts(node: LexborNode) -> Iterator[LexborNode]:
    for child in children(node):
        if child.is_text_node:
            yield child
        elif not is_unseen(child):
            yield from _texts(child)


def _widest(node: LexborNode, folded: str) -> LexborNode:
    """The outermost element whose whole text is the label."""
    current = parent_of(node)
    while current.parent is not None and _is_short(current.parent) and fold_label(seen_text(current.parent)) == folded:
        current = current.parent
    return current


def _is_short(node: LexborNode) -> bool:
    """Whether an element may hold a label and no more: asked before its text is put together, which may be the page."""
    count = 0
    for text in _texts(node):
        count += len("".join((text.text_content or "").split()))
        if count > _MAX_SPELT_CHARS:
            return False
    return True


def _near_miss(folded: str, wordings: dict[str, str]) -> str | None:
    plain = strip_accents(folded)
    for wording in wordings:
        if abs(len(wording) - len(folded)) <= NEAR_MISS_EDITS:
            close = OSA.distance(plain, strip_accents(wording), score_cutoff=NEAR_MISS_EDITS)
            if close <= NEAR_MISS_EDITS and len(wording) > 2 * NEAR_MISS_EDITS + 1:
                return wording
    return None

"""Labels: elements whose whole text is one of the wordings of the source file; a near-miss is reported, not guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rapidfuzz.distance import OSA
from selectolax.lexbor import LexborNode

from parsers.caps import require_few_labels
from parsers.nodes import ASIDE, ancestors, link_in, looks, parent_of
from parsers.passages import BLOCKS, HEADINGS, children, is_unseen, seen_text
from schema.folding import fold_label, strip_accents
from schema.sources import Labels

KINDS = ("type", "private", "summary")


MAX_LABEL_CHARS = 60
_BLANKS = " \t\r\n\f\u00a0\u202f"
# folding takes out soft hyphens and marks without width
_MAX_SPELT_CHARS = 4 * MAX_LABEL_CHARS


NEAR_MISS_EDITS = 2
# label words in a menu, a link, a form to filter by: of the page, not of a record
_OF_THE_PAGE = ASIDE | {"a", "form", "button", "select", "label"}


# what an element says that is nearly a label: the label, and the element
NearMiss = tuple[str, LexborNode]


def find_labels(root: LexborNode, labels: Labels) -> tuple[list[tuple[str, LexborNode]], list[NearMiss]]:
    """The labels below an element, in page order, each with its kind; and near-misses.

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
            label = node if _opens_line(node, folded) else _widest(node, folded)
            if label.mem_id not in seen:
                seen.add(label.mem_id)
                found.append((wordings[folded], label))
                require_few_labels(len(found))
        elif close := _near_miss(folded, wordings):
            near.append((close, parent_of(node)))
    return found, near


def describe(near: NearMiss) -> str:
    """A near-miss, in words."""
    label, node = near
    return f"nearly the label {label!r}: {seen_text(node)!r}; not taken for it"


def repeated(found: Sequence[LexborNode]) -> tuple[str, int] | None:
    """The words that stand on a page most often in boxes that look alike, and how often; None where none do twice.

    Label words that come again and again are those of records, whatever else the records lack.

    Args:
        found: elements that say a label, or nearly one; where no record was found around any.
    """
    alike = Counter(
        (fold_label(seen_text(node)), looks(node), looks(parent_of(node)))
        for node in found
        if link_in(node) is None and not any(outer.tag in _OF_THE_PAGE for outer in (node, *ancestors(node)))
    )
    (words, *_), count = max(alike.items(), key=lambda item: item[1], default=(("",), 0))
    return (words, count) if count > 1 else None


def _texts(node: LexborNode) -> Iterator[LexborNode]:
    for child in children(node):
        if child.is_text_node:
            yield child
        elif not is_unseen(child):
            yield from _texts(child)


def _opens_line(node: LexborNode, folded: str) -> bool:
    """Whether a text is a label at the start of a line whose value shares the element; with its colon, or in a line."""
    before, parent = node.prev, parent_of(node)
    has_colon = (node.text_content or "").rstrip(_BLANKS).endswith((":", "\uff1a"))
    if parent.tag in HEADINGS or not (has_colon or parent.tag in ("p", "li")):
        return False
    if before is not None and before.tag != "br" and before.tag not in BLOCKS:
        return False
    return not _is_short(parent) or fold_label(seen_text(parent)) != folded


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

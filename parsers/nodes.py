"""Walking a tree of elements: siblings, ancestors, what a reader sees in them. No knowledge of records."""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from parsers.passages import HEADINGS, children, is_unseen, seen_text

TOP = frozenset({"body", "html", "-document"})
PAGE = frozenset({"body", "html", "main"})
# boxes that hold what is about a page or a record, not its text
ASIDE = frozenset({"header", "footer", "nav", "aside"})


def parent_of(node: LexborNode) -> LexborNode:
    """The parent of a node that has one.

    Raises:
        LookupError: the root has none.
    """
    if node.parent is None:
        raise LookupError("the root has no parent")
    return node.parent


def siblings_before(node: LexborNode) -> Iterator[LexborNode]:
    """The siblings before a node, nearest first."""
    sibling = node.prev
    while sibling is not None:
        yield sibling
        sibling = sibling.prev


def siblings_after(node: LexborNode) -> Iterator[LexborNode]:
    """The siblings after a node, in page order."""
    sibling = node.next
    while sibling is not None:
        yield sibling
        sibling = sibling.next


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """What a node stands in, nearest first."""
    current = node.parent
    while current is not None:
        yield current
        current = current.parent


def holds(outer: LexborNode, inner: LexborNode) -> bool:
    """Whether a node stands inside another."""
    return any(node.mem_id == outer.mem_id for node in ancestors(inner))


def has_text(node: LexborNode) -> bool:
    """Whether a reader sees words in a node."""
    if node.is_text_node:
        return bool((node.text_content or "").strip())
    return not is_unseen(node) and bool(seen_text(node))


def looks(node: LexborNode) -> tuple[str, str]:
    """Tag and class of a node: what theme authors tell boxes apart by."""
    return (node.tag or "", class_of(node))


def class_of(node: LexborNode) -> str:
    """The class of an element; a text has none."""
    return (node.attributes.get("class") or "") if node.is_element_node else ""


def cells(row: LexborNode) -> list[LexborNode]:
    """The cells of a table row."""
    return [c for c in children(row) if c.is_element_node and c.tag in ("th", "td")]


def is_only_links(node: LexborNode) -> bool:
    """Whether all words of an element are links: `Lire la suite`, `Partager`."""
    if node.is_text_node or node.tag in HEADINGS:
        return False
    words = seen_text(node).replace(" ", "")
    links = [node] if node.tag == "a" else node.css("a")
    return (
        bool(words)
        and node.tag in ("ul", "ol", "nav", "a")
        and words == "".join(seen_text(a).replace(" ", "") for a in links)
    )


def link_in(node: LexborNode) -> LexborNode | None:
    """The link that a node is or holds, or that holds it."""
    if node.tag == "a":
        return node
    inside: LexborNode | None = node.css_first("a[href]")
    if inside is not None:
        return inside
    parent = node.parent
    return parent if parent is not None and parent.tag == "a" and "href" in parent.attributes else None

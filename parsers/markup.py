"""HTML as bytes with places: decoding, start and end offsets of elements, a tree whose nodes know where they start.

selectolax tells no offsets. Each start tag gets its own offset as an attribute, in a copy that only serves to find the
blocks; the cells themselves are read from the untouched bytes of a block, parsed alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.caps import MAX_TAGS, require_readable
from parsers.tags import VOID, tags
from schema.charsets import find_charset
from schema.nouns import Payload, Span

OFFSET = "moisson-offset"
_END = re.compile(rb"</(?:body|html)\s*>", re.IGNORECASE)
_TORN = re.compile(rb"</?[a-zA-Z]")

# a slice that starts with one of these means nothing outside a table
_TABLE_CONTEXT = {"tr": "<table><tbody>", "tbody": "<table>", "thead": "<table>", "td": "<table><tbody><tr>"}


@dataclass(frozen=True, slots=True)
class Document:
    """A page as bytes and as a tree whose elements carry their start offset; charset is the one it was decoded with."""

    content: bytes
    charset: str
    tree: LexborHTMLParser
    notes: tuple[str, ...]

    @property
    def top(self) -> LexborNode:
        """The element that holds what a reader sees."""
        return top_of(self.tree)


def top_of(tree: LexborHTMLParser) -> LexborNode:
    """The body of a tree; Lexbor makes one whatever it is given."""
    top = tree.body or tree.root
    if top is None:
        raise ValueError("the tree is empty")
    return top


def read_document(payload: Payload) -> Document:
    """The tree of an HTML page, each element carrying its start offset in the payload.

    Raises:
        Undecodable: the charset is one we do not read.
        TooMuch: too much markup, or too deep.
    """
    charset, notes = find_charset(payload, is_markup=True)
    pieces, last = [], 0
    found = list(islice(tags(payload.content), MAX_TAGS + 1))
    require_readable(payload.content, found)
    for tag in found:
        if not tag.is_end:
            pieces += [payload.content[last : tag.names_end], b" %s=%d" % (OFFSET.encode(), tag.start)]
            last = tag.names_end
    marked = b"".join([*pieces, payload.content[last:]])
    return Document(payload.content, charset, LexborHTMLParser(marked.decode(charset, errors="replace")), notes)


def ending_of(content: bytes) -> Literal["whole", "open", "torn"]:
    """How a page ends: with the end tag of its body, without, or inside a tag."""
    if _END.search(content):
        return "whole"
    last = content.rfind(b"<")
    return "torn" if last > content.rfind(b">") and _TORN.match(content, last) else "open"


def start_of(node: LexborNode) -> int | None:
    """The offset of an element's start tag; None for an element that the parser added."""
    value = node.attributes.get(OFFSET)
    return int(value) if value and value.isdecimal() else None


def end_of(document: Document, node: LexborNode, limit: int | None = None) -> int | None:
    """The offset after an element's end tag, found by counting tags of its name; None when it is never closed."""
    start = start_of(node)
    if start is None:
        return None
    name, depth = (node.tag or "").encode(), 0
    for tag in tags(document.content, start, limit):
        if tag.name == name and name not in VOID:
            depth += -1 if tag.is_end else 1
            if depth == 0:
                return tag.end
    return None


def span_of(document: Document, nodes: tuple[LexborNode, ...]) -> Span | None:
    """The bytes from the first of some siblings to the end of the last; None when either end cannot be told.

    An element whose end tag is left out ends where the next element that is not inside it starts.
    """
    start = start_of(nodes[0])
    following = _next_outside(nodes[-1])
    limit = start_of(following) if following is not None else None
    end = end_of(document, nodes[-1], limit) or limit
    return Span(start, end) if start is not None and end is not None and start < end else None


def _next_outside(node: LexborNode) -> LexborNode | None:
    current: LexborNode | None = node
    while current is not None:
        sibling = current.next
        while sibling is not None:
            if sibling.is_element_node and start_of(sibling) is not None:
                return sibling
            sibling = sibling.next
        current = current.parent
    return None


def parse_slice(document: Document, span: Span, first_tag: str) -> LexborHTMLParser:
    """The tree of a block's own bytes, parsed alone."""
    text = document.content[span.start : span.end].decode(document.charset, errors="replace")
    return LexborHTMLParser(_TABLE_CONTEXT.get(first_tag, "") + text)

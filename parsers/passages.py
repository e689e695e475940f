"""Elements -> passages and links: the words a reader sees, one passage an innermost block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selectolax.lexbor import LexborNode

from parsers.marks import clean, quote_controls
from schema.addresses import join_url
from schema.nouns import Kind, Link, Passage

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
UNSEEN = frozenset(
    {
        "script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "canvas", "head",
        "title", "meta", "link", "base", "form", "button", "select", "textarea", "input", "audio", "video", "datalist",
        "-comment",
    }
)  # fmt: skip
BLOCKS = HEADINGS | frozenset(
    {
        "p", "div", "li", "td", "th", "caption", "figcaption", "dt", "dd", "pre", "blockquote", "section", "article",
        "header", "footer", "main", "aside", "nav", "ul", "ol", "dl", "table", "tbody", "thead", "tfoot", "tr",
        "figure", "fieldset",
        "legend", "address", "details", "summary", "hr", "center", "menu", "body", "html", "hgroup",
    }
)  # fmt: skip
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(HEADINGS, "heading"),
    **dict.fromkeys(("caption", "figcaption"), "caption"),
    **dict.fromkeys(("td", "th"), "cell"),
    "li": "item",
}
_HTML_SPACE = " \t\n\r\f"
_TRIMMED = _HTML_SPACE + "\u00a0\u200b\ufeff\u202f\u2007"


def children(node: LexborNode) -> Iterator[LexborNode]:
    """Children of a node in order, text nodes included."""
    child = node.child
    while child is not None:
        yield child
        child = child.next


def is_unseen(node: LexborNode) -> bool:
    """Whether a reader does not see the element: scripts, forms, `hidden`, `display: none`."""
    if node.is_text_node:
        return False
    # a button in a heading opens and closes what is below it
    is_opener = node.tag == "button" and node.parent is not None and node.parent.tag in HEADINGS
    if node.tag in UNSEEN and not is_opener:
        return True
    attributes = node.attributes
    if "hidden" in attributes or (node.tag == "dialog" and "open" not in attributes):
        return True
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return "display:none" in style or "visibility:hidden" in style


def seen_text(node: LexborNode) -> str:
    """The words of an element that a reader sees, white space evened out, a space between blocks."""
    parts: list[str] = []
    _collect(node, parts)
    return tidy("".join(parts))


def _collect(node: LexborNode, parts: list[str]) -> None:
    if node.is_text_node:
        parts.append(node.text_content or "")
    elif node.tag == "br":
        parts.append(" ")
    elif not is_unseen(node):
        gap = " " if node.tag in BLOCKS else ""
        parts.append(gap)
        for child in children(node):
            _collect(child, parts)
        parts.append(gap)


def tidy(text: str) -> str:
    """Text cleaned, runs of HTML white space as one space, ends trimmed; no-break spaces stay."""
    return _SPACES.sub(" ", clean(text)).strip(_TRIMMED)


_SPACES = re.compile(f"[{_HTML_SPACE}]+")


def read_passages(nodes: Iterable[LexborNode]) -> tuple[Passage, ...]:
    """The passages of some sibling nodes, in page order; blank ones are left out."""
    reader = _Reader()
    for node in nodes:
        reader.read(node, "paragraph")
    reader.close("paragraph")
    return tuple(reader.passages)


class _Reader:
    """Gathers running text until a block starts or ends."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self._running: list[str] = []

    def read(self, node: LexborNode, kind: Kind) -> None:
        if node.is_text_node:
            self._running.append(node.text_content or "")
        elif node.tag == "br":
            self._running.append(" ")
        elif is_unseen(node):
            return
        elif node.tag in BLOCKS:
            self.close(kind)
            inner = _kind_of(node, kind)
            for child in children(node):
                self.read(child, inner)
            self.close(inner)
        else:
            for child in children(node):
                self.read(child, kind)

    def close(self, kind: Kind) -> None:
        if self._running:
            text = tidy("".join(self._running))
            self._running = []
            if text:
                self.passages.append(Passage(kind, text))


def _kind_of(node: LexborNode, outer: Kind) -> Kind:
    """A paragraph inside a list item or a cell is that item or cell; a list inside a cell holds items."""
    own = _KINDS.get(node.tag or "")
    if own:
        return own
    return outer if outer in ("item", "cell", "caption") else "paragraph"


def read_links(nodes: Iterable[LexborNode], base: str) -> tuple[Link, ...]:
    """The links of some nodes in page order, each once: words and absolute address; an embedded frame is a link too."""
    found: dict[Link, None] = {}
    for node in nodes:
        if node.is_text_node or (is_unseen(node) and node.tag != "iframe"):
            continue
        for element in (node, *node.css("a[href], iframe[src]")):
            link = _link_of(element, base)
            if link:
                found.setdefault(link)
    return tuple(found)


def _link_of(element: LexborNode, base: str) -> Link | None:
    attributes = element.attributes
    if element.tag == "a":
        href, text = attributes.get("href"), seen_text(element)
    elif element.tag == "iframe":
        href, text = attributes.get("src"), tidy(attributes.get("title") or "")
    else:
        return None
    url = quote_controls(join_url(base, href) or "")
    return Link(text, url) if url and url.startswith(("http://", "https://", "mailto:")) else None

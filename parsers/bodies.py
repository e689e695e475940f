"""The text without a label: what shares the box of the labelled fields, else what stands between title and fields.

Around it stands *furniture*: lines of authors and dates, links to read on, to print, to log in and comment. It is told
from a text by what it says, by where its links lead, and by its saying the same in most records of the page.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import dropwhile, takewhile

from selectolax.lexbor import LexborNode

from parsers.frames import Block
from parsers.nodes import (
    ASIDE,
    PAGE,
    ancestors,
    has_text,
    holds,
    is_only_links,
    link_in,
    looks,
    siblings_after,
    siblings_before,
)
from parsers.passages import HEADINGS, children, is_unseen, read_passages, seen_text
from parsers.values import value_nodes
from schema.folding import strip_accents

# tag and class of a box and, for what says the same everywhere, its words
Look = tuple[tuple[str, str], str]

# boxes whose members are fields all alike, or about the record
_FIELDS_ONLY = ASIDE | {"ul", "ol", "dl", "table", "thead", "tbody", "tr"}
_MAX_LINE_CHARS = 160
_MAX_FURNITURE_CHARS = 1500
_AUTHOR_LINE = re.compile(
    r"(?:(?:soumis|publie|poste|ajoute|mis en ligne|redige|ecrit|cree|modifie|submitted|posted|published"
    r"|par|by|le|on)\b|(?:lun|mar|mer|jeu|ven|sam|dim)[a-z]*[.,]* |\d{1,4}[-/.]).{0,140}\d",
    re.DOTALL,
)
# an address in the query of another one: the page to come back to, to send, to share
_CARRIED = re.compile(r"[?&][^=&#]+=[^&#]*(/|%2f|%23|:)", re.IGNORECASE)


def with_bodies(blocks: list[Block]) -> Iterator[Block]:
    """The blocks with their bodies.

    A body shares the frame of the labelled fields; where it does not, it stands between title and frame, among lines
    about authors and dates. What stands there in blocks that have their body inside is such a line everywhere. Where no
    block of a page has a body in either place, it stands after the frame.
    """
    inside = _without_furniture(blocks, [_inside(block) for block in blocks])
    chrome = {looks(n) for block, body in zip(blocks, inside, strict=True) if body for n in _around(block, body)}
    around = [block if block.title is not None else _widened(block) for block in blocks]
    bare = [not (body or block.is_row) for block, body in zip(blocks, inside, strict=True)]
    outside = _beside(around, bare, chrome, _outside)
    if not any(inside) and not any(outside):
        outside = _beside(around, bare, chrome, _after)
    for block, wide, within, beside in zip(blocks, around, inside, outside, strict=True):
        yield replace(wide if beside else block, body=tuple(within or beside))


def _beside(
    blocks: list[Block], bare: list[bool], chrome: set[tuple[str, str]], where: Callable[[Block], Iterable[LexborNode]]
) -> list[list[LexborNode]]:
    """What stands somewhere around the frames of the blocks that have no body yet, furniture left out."""
    found = [
        [n for n in where(block) if looks(n) not in chrome] if is_bare else []
        for block, is_bare in zip(blocks, bare, strict=True)
    ]
    kept = _without_furniture(blocks, found)
    texts = {looks(n) for nodes in kept for n in nodes if not _is_author_line(n)}
    return [[n for n in nodes if looks(n) in texts] for nodes in kept]


def _is_author_line(node: LexborNode) -> bool:
    """Whether a box holds one line about who wrote when, and nothing more."""
    if len(node.text()) > _MAX_FURNITURE_CHARS:
        return False
    lines = [strip_accents(passage.text.casefold()) for passage in read_passages([node])]
    return len(lines) == 1 and len(lines[0]) <= _MAX_LINE_CHARS and _AUTHOR_LINE.match(lines[0]) is not None


def _without_furniture(blocks: list[Block], found: list[list[LexborNode]]) -> list[list[LexborNode]]:
    """The nodes found in each block without links about the record and what says the same in most records."""
    common = _common(blocks, found)
    kept = [
        [n for n in nodes if not _is_short(n) or not (_look(block, n) in common or _is_about_record(block, n))]
        for block, nodes in zip(blocks, found, strict=True)
    ]
    return [nodes if any(has_text(n) for n in nodes) else [] for nodes in kept]


def _is_short(node: LexborNode) -> bool:
    """Whether an element may be furniture: it has words, and few of them."""
    return node.is_element_node and len(node.text()) <= _MAX_FURNITURE_CHARS and has_text(node)


def _common(blocks: list[Block], found: list[list[LexborNode]]) -> set[Look]:
    """What most records of a page say alike, but for title and numbers; two are enough where a link opens it."""
    count: Counter[Look] = Counter()
    opens: dict[Look, bool] = defaultdict(bool)
    for block, nodes in zip(blocks, found, strict=True):
        looked = {_look(block, n): n for n in nodes if _is_short(n)}
        count.update(looked.keys())
        for look, node in looked.items():
            opens[look] |= _opens_with_link(node)
    return {look for look, n in count.items() if 2 * n > len(blocks) and n > (1 if opens[look] else 2)}


def _look(block: Block, node: LexborNode) -> Look:
    title = seen_text(block.title) if block.title is not None else ""
    words = seen_text(node)
    return looks(node), re.sub(r"\d+", "0", words.replace(title, "") if title else words)


def _is_about_record(block: Block, node: LexborNode) -> bool:
    """Whether a node holds a form, or opens with a link to the record itself or to what sends, prints, comments it."""
    if node.css_first("form") is not None or _is_sharing(node):
        return True
    if not _opens_with_link(node):
        return False
    if _is_bare_link(node) and _is_past_fields(node, block):
        return True
    own, link = _own_address(block), node if node.tag == "a" else node.css_first("a[href]")
    href = (link.attributes.get("href") or "") if link is not None else ""
    return (own != "" and _bare(href) == own) or _CARRIED.search(href) is not None


def _is_sharing(node: LexborNode) -> bool:
    """Whether a line holds links that send the page's address elsewhere, and no other link."""
    links = node.css("a[href]")
    carried = [link for link in links if _CARRIED.search(link.attributes.get("href") or "")]
    return bool(links) and len(carried) == len(links) and len(seen_text(node)) <= _MAX_LINE_CHARS


def _is_bare_link(node: LexborNode) -> bool:
    """Whether all words of a box are one link, in no paragraph or list as those of a text are."""
    link = node if node.tag == "a" else node.css_first("a[href]")
    return link is not None and seen_text(link) == seen_text(node) and node.css_first("p, li, td") is None


def _own_address(block: Block) -> str:
    link = link_in(block.title) if block.title is not None else None
    return _bare((link.attributes.get("href") or "") if link is not None else "")


def _bare(href: str) -> str:
    return href.partition("#")[0].partition("?")[0]


def _opens_with_link(node: LexborNode) -> bool:
    link = node if node.tag == "a" else node.css_first("a[href]")
    return link is not None and bool(seen_text(link)) and seen_text(node).startswith(seen_text(link))


def _inside(block: Block) -> list[LexborNode]:
    """Nodes of the frame (or of a run of siblings) that belong to no field and are not the title."""
    if block.is_row:
        return []
    spoken_for = {n.mem_id for f in block.fields for n in (f.branch, *value_nodes(block, f))}
    candidates = block.nodes if len(block.nodes) > 1 else tuple(children(block.frame))
    path = {n.mem_id for f in block.fields for n in ancestors(f.branch)}
    kept = [n for n in _unspoken(candidates, path, spoken_for) if _is_body(n, block)]
    # a heading and nothing more heads the group of the fields
    return kept if any(has_text(n) and n.tag not in HEADINGS for n in kept) else []


def _unspoken(nodes: Iterable[LexborNode], path: set[int], spoken_for: set[int]) -> Iterator[LexborNode]:
    """Nodes of no field; of a box that holds fields, what stands beside them."""
    for node in nodes:
        if node.mem_id in spoken_for:
            continue
        if node.mem_id in path and node.tag not in _FIELDS_ONLY:
            yield from _unspoken(children(node), path, spoken_for)
        else:
            yield node


def _is_body(node: LexborNode, block: Block) -> bool:
    if node.is_text_node:
        return True
    if is_unseen(node) or node.tag in ASIDE or any(holds(node, f.branch) for f in block.fields):
        return False
    if block.title is not None and (node.mem_id == block.title.mem_id or holds(node, block.title)):
        return False
    return not (is_only_links(node) and _is_past_fields(node, block))


def _around(block: Block, body: list[LexborNode]) -> Iterator[LexborNode]:
    """What stands where a body could, in a block whose body is known."""
    known = {n.mem_id for n in body}
    return (n for n in _outside(block) if n.mem_id not in known)


def _outside(block: Block) -> Iterator[LexborNode]:
    """Nodes with words between the title (or the start of the block) and the fields, each as large as can be."""
    end = block.frame
    if block.title is not None and holds(block.frame, block.title):
        end = block.fields[0].branch
    path = {end.mem_id} | {n.mem_id for n in ancestors(end)}
    titled = {n.mem_id for n in (block.title, *ancestors(block.title))} if block.title is not None else set()
    for node in block.nodes:
        yield from _before(end, node, block, path, titled)
        if node.mem_id in path:
            return


def _before(end: LexborNode, node: LexborNode, block: Block, path: set[int], titled: set[int]) -> Iterator[LexborNode]:
    if node.mem_id not in path and node.mem_id not in titled:
        if node.is_element_node and _is_body(node, block) and has_text(node) and not is_only_links(node):
            yield node
        return
    if node.mem_id == end.mem_id or (block.title is not None and node.mem_id == block.title.mem_id):
        return
    for child in children(node):
        yield from _before(end, child, block, path, titled)
        if child.mem_id in path:
            return


def _after(block: Block) -> Iterator[LexborNode]:
    """Nodes with words after the frame, up to the end of the block; without a title in it, only beside the frame."""
    if len(block.nodes) > 1:
        yield from _after_among(block)
        return
    members = {n.mem_id for n in block.nodes}
    node = block.frame
    while node.mem_id not in members and node.parent is not None:
        for later in _later_siblings(node):
            if _is_body(later, block) and has_text(later) and not is_only_links(later):
                yield later
        if block.title is None:
            return
        node = node.parent


def _after_among(block: Block) -> Iterator[LexborNode]:
    """The members of a block behind the one that holds its fields."""
    path = {n.mem_id for n in (block.frame, *ancestors(block.frame))}
    behind = list(dropwhile(lambda n: n.mem_id not in path, block.nodes))[1:]
    return (n for n in behind if n.is_element_node and _is_body(n, block) and has_text(n) and not is_only_links(n))


def _later_siblings(node: LexborNode) -> Iterator[LexborNode]:
    sibling = node.next
    while sibling is not None:
        if sibling.is_element_node:
            yield sibling
        sibling = sibling.next


def _widened(block: Block) -> Block:
    """A block of a resource's own page, with what stands beside it below the page's heading."""
    node = block.nodes[0]
    while node.parent is not None and node.parent.is_element_node:
        if node.parent.tag in PAGE:
            return _below_heading(block, node)
        if node.parent.css_first("h1") is not None:
            return replace(block, nodes=(node,))
        node = node.parent
    return block


def _below_heading(block: Block, node: LexborNode) -> Block:
    """A block and its siblings from behind the page's heading up to the next part of the page, `aside` or the like.

    Args:
        block: a block without a title; one that is an article is whole already.
        node: the child of the page's main element that holds it.
    """
    before = list(takewhile(lambda n: not _is_heading(n), siblings_before(node)))
    has_heading = len(before) < sum(1 for _ in siblings_before(node))
    if not has_heading or block.nodes[0].tag == "article":
        return block
    after = takewhile(lambda n: n.tag not in ASIDE, siblings_after(node))
    nodes = list(dropwhile(lambda n: not n.is_element_node, (*reversed(before), node, *after)))
    while not nodes[-1].is_element_node:
        nodes.pop()
    return replace(block, nodes=tuple(nodes))


def _is_heading(node: LexborNode) -> bool:
    return node.is_element_node and node.css_first("h1") is not None


def _is_past_fields(node: LexborNode, block: Block) -> bool:
    return any(f.branch.mem_id == before.mem_id for before in siblings_before(node) for f in block.fields)

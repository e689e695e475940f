"""The text without a label: what shares the box of the labelled fields, else what stands between title and fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import dropwhile, takewhile

from selectolax.lexbor import LexborNode

from parsers.frames import Block
from parsers.furniture import is_author_line, is_past_fields, without_furniture
from parsers.nodes import (
    ASIDE,
    PAGE,
    ancestors,
    has_text,
    holds,
    is_only_links,
    looks,
    siblings_after,
    siblings_before,
)
from parsers.passages import HEADINGS, children, is_unseen
from parsers.values import value_nodes

# boxes whose members are fields all alike, or about the record
_FIELDS_ONLY = ASIDE | {"ul", "ol", "dl", "table", "thead", "tbody", "tr"}


def with_bodies(blocks: list[Block]) -> Iterator[Block]:
    """The blocks with their bodies.

    A body shares the frame of the labelled fields; where it does not, it stands between title and frame, among lines
    about authors and dates. What stands there in blocks that have their body inside is such a line everywhere. Where no
    block of a page has a body in either place, it stands after the frame.
    """
    inside = without_furniture(blocks, [_inside(block) for block in blocks])
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
    kept = without_furniture(blocks, found)
    texts = {looks(n) for nodes in kept for n in nodes if not is_author_line(n)}
    return [[n for n in nodes if looks(n) in texts] for nodes in kept]


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
    return not (is_only_links(node) and is_past_fields(node, block))


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

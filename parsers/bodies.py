"""The text without a label: what shares the box of the labelled fields, else what stands between title and fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from selectolax.lexbor import LexborNode

from parsers.frames import Block
from parsers.nodes import ASIDE, PAGE, ancestors, has_text, holds, is_only_links, looks, siblings_before
from parsers.passages import children, is_unseen, seen_text
from parsers.values import value_nodes
from schema.folding import strip_accents


def with_bodies(blocks: list[Block]) -> Iterator[Block]:
    """The blocks with their bodies.

    A body shares the frame of the labelled fields; where it does not, it stands between title and frame, among lines
    about authors and dates. What stands there in blocks that have their body inside is such a line everywhere.
    """
    inside = [_inside(block) for block in blocks]
    chrome = {looks(n) for block, body in zip(blocks, inside, strict=True) if body for n in _outside(block)}
    for block, body in zip(blocks, inside, strict=True):
        if body or block.is_row:
            yield replace(block, body=tuple(body))
            continue
        around = block if block.title is not None else _widened(block)
        outside = [n for n in _outside(around) if looks(n) not in chrome and not _AUTHOR_LINE.match(_words(n))]
        yield replace(around if outside else block, body=tuple(outside))


_AUTHOR_LINE = re.compile(
    r"(soumis|publie|poste|ajoute|mis en ligne|redige|ecrit|cree|modifie|submitted|posted|published|par|by|le)\b"
    r".{0,140}\d",
    re.DOTALL,
)


def _words(node: LexborNode) -> str:
    return strip_accents(seen_text(node).casefold())


def _inside(block: Block) -> list[LexborNode]:
    """Nodes of the frame (or of a run of siblings) that belong to no field and are not the title."""
    if block.is_row:
        return []
    spoken_for = {n.mem_id for f in block.fields for n in (f.branch, *value_nodes(block, f))}
    candidates = block.nodes if len(block.nodes) > 1 else tuple(children(block.frame))
    kept = [n for n in candidates if n.mem_id not in spoken_for and _is_body(n, block)]
    return kept if any(has_text(n) for n in kept) else []


def _is_body(node: LexborNode, block: Block) -> bool:
    if node.is_text_node:
        return True
    if is_unseen(node) or node.tag in ASIDE or any(holds(node, f.branch) for f in block.fields):
        return False
    if block.title is not None and (node.mem_id == block.title.mem_id or holds(node, block.title)):
        return False
    return not (_is_past_fields(node, block) and is_only_links(node))


def _outside(block: Block) -> Iterator[LexborNode]:
    """Nodes with words between the title (or the start of the block) and the frame, each as large as can be."""
    path = {block.frame.mem_id} | {n.mem_id for n in ancestors(block.frame)}
    titled = {n.mem_id for n in (block.title, *ancestors(block.title))} if block.title is not None else set()
    for node in block.nodes:
        yield from _before_frame(node, block, path, titled)


def _before_frame(node: LexborNode, block: Block, path: set[int], titled: set[int]) -> Iterator[LexborNode]:
    if node.mem_id not in path and node.mem_id not in titled:
        if node.is_element_node and _is_body(node, block) and has_text(node) and not is_only_links(node):
            yield node
        return
    if node.mem_id == block.frame.mem_id or (block.title is not None and node.mem_id == block.title.mem_id):
        return
    for child in children(node):
        yield from _before_frame(child, block, path, titled)
        if child.mem_id in path:
            return


def _widened(block: Block) -> Block:
    """A block of a resource's own page, with what stands beside it below the page's heading."""
    node = block.nodes[0]
    while node.parent is not None and node.parent.is_element_node and node.parent.tag not in PAGE:
        if node.parent.css_first("h1") is not None:
            return replace(block, nodes=(node,))
        node = node.parent
    return block


def _is_past_fields(node: LexborNode, block: Block) -> bool:
    return any(f.branch.mem_id == before.mem_id for before in siblings_before(node) for f in block.fields)

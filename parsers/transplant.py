"""The same block in another tree: the proof that its bytes alone say what the page says starts here."""

from __future__ import annotations

from selectolax.lexbor import LexborNode

from parsers.frames import Block, Field
from parsers.nodes import ancestors, parent_of
from parsers.passages import children


def transplant(block: Block, roots: list[LexborNode]) -> Block | None:
    """The block in a tree made from its bytes alone, found by the same steps down; None where the trees differ.

    Args:
        block: as found in the whole page.
        roots: the nodes of the other tree that stand for block.nodes, in order.
    """
    if len(roots) < len(block.nodes):
        return None
    twins = {old.mem_id: new for old, new in zip(block.nodes, roots, strict=False)}

    def find(node: LexborNode) -> LexborNode:
        return _twin(node, twins)

    try:
        frame = find(block.frame) if _is_below(block.frame, twins) else parent_of(roots[0])
        fields = tuple(Field(f.kind, find(f.label), find(f.branch)) for f in block.fields)
        title = find(block.title) if block.title is not None else None
        body = tuple(find(n) for n in block.body)
    except LookupError:
        return None
    return Block(tuple(roots[: len(block.nodes)]), frame, fields, title, body, block.is_row)


def _is_below(node: LexborNode, twins: dict[int, LexborNode]) -> bool:
    return node.mem_id in twins or any(a.mem_id in twins for a in ancestors(node))


def _twin(node: LexborNode, twins: dict[int, LexborNode]) -> LexborNode:
    twin = _place(node, twins)
    if twin.tag != node.tag:
        raise LookupError("the trees differ")
    return twin


def _place(node: LexborNode, twins: dict[int, LexborNode]) -> LexborNode:
    """The node in the same place of the other tree; twins gathers what was found on the way, siblings included."""
    if node.mem_id not in twins:
        parent = parent_of(node)
        for old, new in zip(children(parent), children(_place(parent, twins)), strict=False):
            twins.setdefault(old.mem_id, new)
    twin = twins.get(node.mem_id)
    if twin is None:
        raise LookupError("the trees differ")
    return twin

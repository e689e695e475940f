"""What the fields of a block hold: the nodes of a value, wherever the theme puts them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from selectolax.lexbor import LexborNode

from parsers.frames import Block, Field
from parsers.nodes import ASIDE, class_of, has_text, holds, is_only_links, parent_of, siblings_after
from parsers.passages import BLOCKS, children, tidy
from schema.nouns import Passage

_BLANKS = " \t\r\n\f\u00a0\u202f"
_COLON = (":", "\uff1a")


def value_nodes(block: Block, field: Field) -> list[LexborNode]:
    """The nodes of a field's value: what its branch holds beside the label, else what follows up to the next field."""
    if block.is_row:
        return list(children(field.branch))
    inside = _trim_colon(_without(field.branch, field.label))
    has_inside = any(has_text(n) for n in inside)
    # a paragraph cannot hold the paragraphs that follow its inline label
    runs_on = field.branch.tag == "p" and field.kind == "summary"
    if has_inside and not runs_on:
        return _unboxed(inside)
    return [*inside, *_following(block, field)] if has_inside else _unboxed(_following(block, field))


def _following(block: Block, field: Field) -> list[LexborNode]:
    """Siblings after a field's branch, up to the next field or the end of the record."""
    stops = {f.branch.mem_id for f in block.fields if f is not field}
    members = {n.mem_id for n in block.nodes}
    # a run of siblings ends before the next record, unless the field stands in one of them
    is_run = field.branch.mem_id in members and len(members) > 1
    following = []
    for node in siblings_after(field.branch):
        if node.mem_id in stops or (is_run and node.mem_id not in members) or node.tag in ASIDE:
            break
        if node.is_element_node and any(holds(node, f.branch) for f in block.fields):
            break
        if not is_only_links(node) or field.kind != "summary":
            following.append(node)
    return following if field.kind == "summary" else list(_first_alike(following))


def _first_alike(nodes: list[LexborNode]) -> Iterator[LexborNode]:
    """What a short field holds: the first block or line, and the blocks behind it that look as it does."""
    first: LexborNode | None = None
    for node in nodes:
        if node.is_element_node and node.tag in BLOCKS:
            if first is not None and not _looks_alike(first, node):
                return
            first = first or (node if has_text(node) else None)
        elif first is None and has_text(node):
            first = node
        yield node


def _looks_alike(a: LexborNode, b: LexborNode) -> bool:
    """Whether two nodes have one tag, and a class in common or none."""
    classes = set(class_of(a).split()), set(class_of(b).split())
    return a.tag == b.tag and (bool(classes[0] & classes[1]) or not any(classes))


def _unboxed(nodes: list[LexborNode]) -> list[LexborNode]:
    """What the cells or definitions hold that are a value's own boxes, so that they do not count as cells of a text."""
    unboxed: list[LexborNode] = []
    for node in nodes:
        unboxed += list(children(node)) if node.tag in ("td", "th") else [node]
    return unboxed


def _without(branch: LexborNode, label: LexborNode) -> list[LexborNode]:
    """What a branch holds, its label left out: siblings of the label, at each step up to the branch."""
    nodes: list[LexborNode] = []
    node = label
    while node.mem_id != branch.mem_id:
        nodes += list(siblings_after(node))
        node = parent_of(node)
    return nodes


def _trim_colon(nodes: list[LexborNode]) -> list[LexborNode]:
    """Leave out a colon that stands outside the label's own element, in a box of its own or none."""
    while nodes and _says(nodes[0]) in (_COLON if nodes[0].is_element_node else ("", *_COLON)):
        nodes = nodes[1:]
    return nodes


def _says(node: LexborNode) -> str:
    return (node.text() or "").strip(_BLANKS)


def without_colon(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """The passages of a value, without the colon that parts it from its label."""
    first = passages[0] if passages else None
    if first is None or not first.text.startswith(_COLON):
        return passages
    told = tidy(first.text[1:])
    return (*((replace(first, text=told),) if told else ()), *passages[1:])

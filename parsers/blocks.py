"""Where the records of a page stand: found by the words people read, never by class names.

Around each frame of labelled fields the *block* is the smallest run of siblings that also holds the title.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborNode

from parsers.bodies import with_bodies
from parsers.frames import Block, Field, find_frames, with_unknown
from parsers.labels import find_labels
from parsers.nodes import PAGE, cells, has_text, holds, parent_of, siblings_after, siblings_before
from parsers.passages import HEADINGS, children, is_unseen, seen_text
from schema.sources import Labels


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands on a page: its blocks in order, and sentences about labels that were nearly, or not, understood."""

    blocks: tuple[Block, ...]
    notes: tuple[str, ...]


def find_blocks(root: LexborNode, labels: Labels, *, is_listing: bool | None) -> Layout:
    """The blocks of a page, or of a slice of one.

    Args:
        root: element below which to look.
        labels: accepted wordings.
        is_listing: True when titles must stand inside the blocks, False for a resource's own page, None to tell by
            what stands there.
    """
    found, near = find_labels(root, labels)
    frames = find_frames(found, labels)
    if len(frames) > 1 and is_listing is None:
        is_listing = True
    owners = {frame.mem_id for frame, _ in frames}
    blocks: list[Block] = []
    for frame, fields in frames:
        if rows := _column_blocks(frame, fields):
            blocks += rows
            continue
        told = with_unknown(frame, fields)
        runs = _split_runs(frame, told)
        if len(runs) > 1:
            blocks += [_flat_block(frame, run, end) for run, end in runs]
        else:
            blocks.append(_block_around(frame, told, owners, is_listing=is_listing))
    return Layout(tuple(with_bodies(blocks)), tuple(near))


def _block_around(frame: LexborNode, fields: list[Field], owners: set[int], *, is_listing: bool | None) -> Block:
    """The smallest element around a frame that holds its title too; the frame's own article where there is none."""
    node, highest = frame, frame
    while True:
        title = _find_title(node, frame, fields, is_listing=is_listing)
        if title is not None and not (title.tag == "h1" and is_listing is not True and not _link_in(title)):
            return Block((node,), frame, tuple(fields), title)
        if title is not None or node.tag in PAGE or node.parent is None or not node.parent.is_element_node:
            break
        if any(owner != frame.mem_id for owner in _frames_below(node.parent, owners)):
            break
        highest, node = node, node.parent
    block = _article_of(frame, highest) or frame
    return Block((block,), frame, tuple(fields), title if title is not None and title.tag != "h1" else None)


def _frames_below(node: LexborNode, owners: set[int]) -> Iterator[int]:
    for element in node.css("*"):
        if element.mem_id in owners:
            yield element.mem_id


def _article_of(frame: LexborNode, highest: LexborNode) -> LexborNode | None:
    node = frame
    while node.mem_id != highest.mem_id and node.tag != "article":
        node = parent_of(node)
    return node if node.tag == "article" else None


def _find_title(
    node: LexborNode, frame: LexborNode, fields: list[Field], *, is_listing: bool | None
) -> LexborNode | None:
    """The title of a record within an element: its heading before the fields, else the link that opens it."""
    before = list(_seen_before(node, frame, fields))
    for element in before:
        if element.tag in HEADINGS and seen_text(element):
            return None if _opens_own_page_body(element, node, frame, is_listing=is_listing) else element
    if is_listing is False or not before or node.tag in PAGE:
        return None
    opening = next((e for e in before if has_text(e)), None)
    return opening if opening is not None and _is_all_link(opening) else None


def _opens_own_page_body(heading: LexborNode, node: LexborNode, frame: LexborNode, *, is_listing: bool | None) -> bool:
    """Whether a heading beside the fields is the body's first words: no link, on a page that has an h1 of its own."""
    if heading.tag == "h1" or is_listing is True or node.mem_id != frame.mem_id or _link_in(heading):
        return False
    root = node
    while root.parent is not None and root.parent.is_element_node:
        root = root.parent
    return is_listing is False or any(not holds(node, h1) for h1 in root.css("h1"))


def _seen_before(node: LexborNode, frame: LexborNode, fields: list[Field]) -> Iterator[LexborNode]:
    """Elements within `node` before the fields, in page order; below the frame only its own children."""
    if node.mem_id == frame.mem_id:
        for child in children(frame):
            if child.mem_id == fields[0].branch.mem_id:
                return
            if child.is_element_node and not is_unseen(child):
                yield child
                if child.tag in ("header", "hgroup", "a") or len(fields) == 0:
                    yield from (e for e in child.css("*") if e.mem_id != child.mem_id)
        return
    for child in children(node):
        if child.mem_id == frame.mem_id or holds(child, frame):
            yield from _seen_before(child, frame, fields) if child.mem_id != frame.mem_id else ()
            if child.mem_id == frame.mem_id:
                yield from _seen_before(frame, frame, fields)
            return
        if child.is_element_node and not is_unseen(child) and child.tag not in ("nav", "aside"):
            yield child
            yield from (e for e in child.css("*") if e.mem_id != child.mem_id)


def _is_all_link(node: LexborNode) -> bool:
    link = node if node.tag == "a" else node.css_first("a[href]")
    return link is not None and "href" in link.attributes and seen_text(link) == seen_text(node)


def _link_in(node: LexborNode) -> LexborNode | None:
    """The link that a title is or holds, or that holds it."""
    if node.tag == "a":
        return node
    inside: LexborNode | None = node.css_first("a[href]")
    if inside is not None:
        return inside
    parent = node.parent
    return parent if parent is not None and parent.tag == "a" and "href" in parent.attributes else None


def title_url(block: Block, base: str) -> str | None:
    """The absolute address that a block's title leads to, else the one its outermost element is `about`."""
    link = _link_in(block.title) if block.title is not None else None
    href = link.attributes.get("href") if link is not None else None
    href = href or next((n.attributes.get("about") for n in block.nodes if n.is_element_node), None)
    if not href:
        return None
    url = urljoin(base, href.strip())
    return url if urlsplit(url).scheme in ("http", "https") else None


def _split_runs(frame: LexborNode, fields: list[Field]) -> list[tuple[list[Field], LexborNode | None]]:
    """Fields of one frame cut into records where a title stands between them; with the node that ends each record."""
    branches = {f.branch.mem_id: f for f in fields}
    runs: list[tuple[list[Field], LexborNode | None]] = []
    current: list[Field] = []
    for child in children(frame):
        field = branches.get(child.mem_id)
        if field is not None:
            current.append(field)
        elif current and child.is_element_node and child.tag in HEADINGS and _starts_record(child, current, branches):
            runs.append((current, child))
            current = []
    return [*runs, (current, None)] if current else runs


def _starts_record(heading: LexborNode, current: list[Field], branches: dict[int, Field]) -> bool:
    """Whether a heading between fields opens the next record: fields follow it, and it is not shaped like a label."""
    if any(f.label.tag == heading.tag for f in current):
        return False
    following = [branches[n.mem_id] for n in siblings_after(heading) if n.mem_id in branches]
    kinds = {f.kind for f in current}
    return bool(following) and following[0].kind in kinds


def _flat_block(frame: LexborNode, fields: list[Field], end: LexborNode | None) -> Block:
    title = next((n for n in siblings_before(fields[0].branch) if n.is_element_node and n.tag in HEADINGS), None)
    start = title if title is not None else fields[0].branch
    nodes = [start]
    for node in siblings_after(start):
        if end is not None and node.mem_id == end.mem_id:
            break
        nodes.append(node)
    while len(nodes) > 1 and not nodes[-1].is_element_node:
        nodes.pop()
    return Block(tuple(nodes), frame, tuple(fields), title)


def _column_blocks(frame: LexborNode, fields: list[Field]) -> list[Block]:
    """One block a row, where the labels stand in the head of a table and the values below them."""
    if frame.tag != "tr" or any(f.branch.tag not in ("th", "td") for f in fields):
        return []
    table = frame.parent
    while table is not None and table.tag != "table":
        table = table.parent
    heads = cells(frame)
    columns = {f.branch.mem_id: f for f in fields}
    rows = [row for row in table.css("tr") if row.mem_id != frame.mem_id] if table is not None else []
    if len(heads) < 2 or any(len(cells(row)) != len(heads) for row in rows):  # label and value
        return []
    # two cells a row: each row is a label and its value
    if any(seen_text(c) and c.tag == "th" for row in rows for c in cells(row)[:1]) and parent_of(frame).tag != "thead":
        return []
    return [_row_block(row, heads, columns) for row in rows]


def _row_block(row: LexborNode, heads: list[LexborNode], columns: dict[int, Field]) -> Block:
    fields, title = [], None
    for head, cell in zip(heads, cells(row), strict=True):
        if head.mem_id in columns:
            fields.append(Field(columns[head.mem_id].kind, cell, cell))
        elif title is None and seen_text(cell):
            title = cell
        else:
            fields.append(Field(None, cell, cell))
    return Block((row,), row, tuple(fields), title, is_row=True)

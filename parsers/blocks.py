"""Where the records of a page stand: found by the words people read, never by class names.

Around each frame of labelled fields the *block* is the smallest run of siblings that also holds the title.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from parsers.bodies import with_bodies
from parsers.columns import column_blocks, is_head
from parsers.frames import Block, Field, with_unknown
from parsers.joining import find_record_frames
from parsers.labels import describe, find_labels, repeated
from parsers.nodes import (
    PAGE,
    ancestors,
    has_text,
    holds,
    link_in,
    looks,
    parent_of,
    siblings_after,
    siblings_before,
)
from parsers.passages import HEADINGS, children, is_unseen, seen_text
from schema.addresses import join_url
from schema.sources import Labels


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands on a page: its blocks in order, and sentences about labels that were nearly, or not, understood.

    unread holds the label words that come again and again on a page without any block, and how often they do.
    """

    blocks: tuple[Block, ...]
    notes: tuple[str, ...]
    unread: tuple[str, int] | None = None


def find_blocks(root: LexborNode, labels: Labels, *, is_listing: bool | None) -> Layout:
    """The blocks of a page, or of a slice of one.

    Args:
        root: element below which to look.
        labels: accepted wordings.
        is_listing: True when titles must stand inside the blocks, False for a resource's own page, None to tell by
            what stands there.
    """
    found, near = find_labels(root, labels)
    frames = find_record_frames(found, labels)
    if len(frames) > 1 and is_listing is None:
        is_listing = True
    owners = {frame.mem_id for frame, _ in frames}
    told = [(frame, with_unknown(frame, fields)) for frame, fields in frames]
    titles = [_find_titles(frame, fields, owners, is_listing=is_listing) for frame, fields in told]
    usual = Counter(look for t in titles for look in {_heading_look(h) for h, _ in t.headings})
    opens_alike = all(t.opening is not None for t in titles)
    blocks: list[Block] = []
    for (frame, fields), (_, known), title in zip(told, frames, titles, strict=True):
        runs = _split_runs(frame, fields)
        if rows := column_blocks(frame, known):
            blocks += rows
        elif is_head(frame):
            continue
        elif len(runs) > 1:
            blocks += [_flat_block(frame, run, end) for run, end in runs]
        else:
            heading = _choose_heading(title, usual, is_alone=len(frames) == 1, is_listing=is_listing)
            is_usual = heading is not None and 2 * usual[_heading_look(heading[0])] > max(len(frames), 2)
            block = _block_of(
                frame, fields, title, heading, is_listing=is_listing, opens_alike=opens_alike, is_usual=is_usual
            )
            blocks.append(block)
    unread = None if blocks else repeated([*(label for _, label in found), *(node for _, node in near)])
    if is_listing is False:
        blocks = _own_blocks(blocks)
    return Layout(tuple(with_bodies(blocks)), tuple(map(describe, near)), unread)


def _own_blocks(blocks: list[Block]) -> list[Block]:
    """On a resource's own page the block below its heading; those with titles are teasers of other resources."""
    return [b for b in blocks if b.title is None or b.title.tag == "h1"][:1] or blocks


# an element that may be a title, and the smallest element that holds it and the frame
_Candidate = tuple[LexborNode, LexborNode]


@dataclass(frozen=True, slots=True)
class _Titles:
    """What may be the title of a frame.

    headings are those above its fields, nearest box first, in page order within a box; opening is the link that the box
    of the frame opens with; highest is the largest element that holds the frame and no heading, nor another frame.
    """

    headings: tuple[_Candidate, ...]
    opening: _Candidate | None
    highest: LexborNode


def _find_titles(frame: LexborNode, fields: list[Field], owners: set[int], *, is_listing: bool | None) -> _Titles:
    """Climb from a frame to the page, or until the parent holds other frames too."""
    node, highest, opening = frame, frame, None
    headings: list[_Candidate] = []
    seen: set[int] = set()
    while True:
        before = list(_seen_before(node, frame, fields))
        above = [e for e in before if e.tag in HEADINGS and seen_text(e)]
        for heading in above:
            if heading.mem_id not in seen and not _opens_own_page_body(heading, node, frame, is_listing=is_listing):
                headings.append((heading, node))
            seen.add(heading.mem_id)
        is_beside = len(owners) > 1
        if (is_beside or not (above or opening)) and is_listing is not False and node.tag not in PAGE:
            # side by side, the outermost: below a title that is a link, a body of one link opens the fields' own box
            opening = _opening_link(node, before) or opening
        if node.tag in PAGE or node.parent is None or not node.parent.is_element_node:
            break
        if any(owner != frame.mem_id for owner in _frames_below(node.parent, owners)):
            break
        node = node.parent
        highest = highest if headings else node
    if is_listing is not False and not any(link_in(heading) for heading, _ in headings):
        headings += _linked_below(highest, frame, fields)
    return _Titles(tuple(headings), opening, highest)


def _linked_below(box: LexborNode, frame: LexborNode, fields: list[Field]) -> Iterator[_Candidate]:
    """Headings with a link that stand in the box of a record behind its first field: a field may open a record."""
    path = {n.mem_id: n for n in (frame, *ancestors(frame))}
    branches = {f.branch.mem_id for f in fields}
    for heading in box.css("h1, h2, h3, h4, h5, h6"):
        if link_in(heading) is None or not seen_text(heading):
            continue
        around = [heading, *ancestors(heading)]
        if not any(n.mem_id in branches for n in around):
            yield heading, next(path[n.mem_id] for n in around if n.mem_id in path)


def _opening_link(node: LexborNode, before: list[LexborNode]) -> _Candidate | None:
    opening = next((e for e in before if has_text(e)), None)
    return (opening, node) if opening is not None and _is_all_link(opening) else None


def _heading_look(heading: LexborNode) -> tuple[object, ...]:
    return looks(heading), looks(parent_of(heading)), link_in(heading) is not None


def _choose_heading(
    titles: _Titles, usual: Counter[tuple[object, ...]], *, is_alone: bool, is_listing: bool | None
) -> _Candidate | None:
    """The heading that is a title: where records stand side by side, the kind of heading that most of them have.

    Alone, it is the nearest; on a listing one that leads somewhere is better than one that does not.
    """
    if not titles.headings or is_listing is False:
        return next(iter(titles.headings), None)
    leading = [c for c in titles.headings if _leads_somewhere(*c) and c[0].tag != "h1"]
    if is_alone:
        return titles.headings[0] if titles.headings[0] in leading or not leading else leading[0]
    order = {id(c): _depth(c[1]) for c in titles.headings}
    return max(titles.headings, key=lambda c: (usual[_heading_look(c[0])], c in leading, -order[id(c)]))


def _depth(node: LexborNode) -> int:
    return sum(1 for _ in ancestors(node))


def _block_of(
    frame: LexborNode,
    fields: list[Field],
    titles: _Titles,
    found: _Candidate | None,
    *,
    is_listing: bool | None,
    opens_alike: bool,
    is_usual: bool,
) -> Block:
    """The smallest element around a frame that holds its title too; the frame's own article where there is none.

    opens_alike tells whether every frame of the page opens with a link: such links are titles, one here and there is
    a body of one link. A heading that leads somewhere, or that most frames have, is a title all the same.
    """
    if titles.opening is not None and (
        found is None or (opens_alike and not is_usual and not _leads_somewhere(*found))
    ):
        found = titles.opening
    if found is not None and not (found[0].tag == "h1" and is_listing is not True and link_in(found[0]) is None):
        return Block((found[1],), frame, tuple(fields), found[0])
    return Block((_article_of(frame, titles.highest) or frame,), frame, tuple(fields), None)


def _leads_somewhere(heading: LexborNode, box: LexborNode) -> bool:
    return link_in(heading) is not None or "about" in box.attributes


def _frames_below(node: LexborNode, owners: set[int]) -> Iterator[int]:
    for element in node.css("*"):
        if element.mem_id in owners:
            yield element.mem_id


def _article_of(frame: LexborNode, highest: LexborNode) -> LexborNode | None:
    node = frame
    while node.mem_id != highest.mem_id and node.tag != "article":
        node = parent_of(node)
    if node.tag == "article":
        return node
    # the parser adds the body of a table where the page leaves it out
    return next((n for n in (frame, *ancestors(frame)) if n.tag not in ("tr", "tbody", "thead")), None)


def _opens_own_page_body(heading: LexborNode, node: LexborNode, frame: LexborNode, *, is_listing: bool | None) -> bool:
    """Whether a heading is one of the body's: no link, beside the fields, or anywhere on an own page that has an h1."""
    if heading.tag == "h1" or is_listing is True or link_in(heading):
        return False
    if node.mem_id == frame.mem_id and is_listing is False:
        return True
    root = node
    while root.parent is not None and root.parent.is_element_node:
        root = root.parent
    others = [h1 for h1 in root.css("h1") if not holds(node, h1)]
    return (
        bool(others) if node.mem_id == frame.mem_id else is_listing is False and any(not link_in(h1) for h1 in others)
    )


def _seen_before(node: LexborNode, frame: LexborNode, fields: list[Field]) -> Iterator[LexborNode]:
    """Elements within `node` before the fields, in page order; in the frame not what its own children hold."""
    first = fields[0].branch
    path = {n.mem_id for n in (first, *ancestors(first))}
    is_framed = node.mem_id == frame.mem_id
    for child in children(node):
        if child.mem_id in path:
            if child.mem_id != first.mem_id:
                yield from _seen_before(child, child if is_framed else frame, fields)
            return
        if child.is_element_node and not is_unseen(child) and (is_framed or child.tag not in ("nav", "aside")):
            yield child
            if not is_framed or child.tag in ("header", "hgroup", "a"):
                yield from (e for e in child.css("*") if e.mem_id != child.mem_id)


def _is_all_link(node: LexborNode) -> bool:
    link = node if node.tag == "a" else node.css_first("a[href]")
    return link is not None and "href" in link.attributes and seen_text(link) == seen_text(node)


def title_url(block: Block, base: str) -> str | None:
    """The absolute address that a block's title leads to, else the one its outermost element is `about`."""
    link = link_in(block.title) if block.title is not None else None
    href = link.attributes.get("href") if link is not None else None
    href = href or next((n.attributes.get("about") for n in block.nodes if n.is_element_node), None)
    url = join_url(base, href)
    return url if url and url.startswith(("http://", "https://")) else None


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

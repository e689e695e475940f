"""What may be the title of a record: headings above its fields, or behind the first, and the link that opens it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from parsers.frames import Field
from parsers.nodes import PAGE, ancestors, has_text, holds, link_in, looks, parent_of
from parsers.passages import HEADINGS, children, is_unseen, seen_text

# an element that may be a title, and the smallest element that holds it and the frame
Candidate = tuple[LexborNode, LexborNode]


@dataclass(frozen=True, slots=True)
class Titles:
    """What may be the title of a frame.

    headings are those above its fields, nearest box first, in page order within a box; opening is the link that the box
    of the frame opens with; highest is the largest element that holds the frame and no heading, nor another frame.
    """

    headings: tuple[Candidate, ...]
    opening: Candidate | None
    highest: LexborNode


def find_titles(frame: LexborNode, fields: list[Field], owners: set[int], *, is_listing: bool | None) -> Titles:
    """Climb from a frame to the page, or until the parent holds other frames too."""
    node, highest, opening = frame, frame, None
    headings: list[Candidate] = []
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
    return Titles(tuple(headings), opening, highest)


def _linked_below(box: LexborNode, frame: LexborNode, fields: list[Field]) -> Iterator[Candidate]:
    """Headings with a link that stand in the box of a record behind its first field: a field may open a record."""
    path = {n.mem_id: n for n in (frame, *ancestors(frame))}
    branches = {f.branch.mem_id for f in fields}
    for heading in box.css("h1, h2, h3, h4, h5, h6"):
        if link_in(heading) is None or not seen_text(heading):
            continue
        around = [heading, *ancestors(heading)]
        if not any(n.mem_id in branches for n in around):
            yield heading, next(path[n.mem_id] for n in around if n.mem_id in path)


def _opening_link(node: LexborNode, before: list[LexborNode]) -> Candidate | None:
    opening = next((e for e in before if has_text(e)), None)
    return (opening, node) if opening is not None and _is_all_link(opening) else None


def heading_look(heading: LexborNode) -> tuple[object, ...]:
    """What headings of one kind have in common: tag, class, those of the box around, and whether it leads anywhere."""
    return looks(heading), looks(parent_of(heading)), link_in(heading) is not None


def choose_heading(
    titles: Titles, usual: Counter[tuple[object, ...]], *, is_alone: bool, is_listing: bool | None
) -> Candidate | None:
    """The heading that is a title: where records stand side by side, the kind of heading that most of them have.

    Alone, it is the nearest; on a listing one that leads somewhere is better than one that does not.
    """
    if not titles.headings or is_listing is False:
        return next(iter(titles.headings), None)
    leading = [c for c in titles.headings if leads_somewhere(*c) and c[0].tag != "h1"]
    if is_alone:
        return titles.headings[0] if titles.headings[0] in leading or not leading else leading[0]
    order = {id(c): _depth(c[1]) for c in titles.headings}
    return max(titles.headings, key=lambda c: (usual[heading_look(c[0])], c in leading, -order[id(c)]))


def _depth(node: LexborNode) -> int:
    return sum(1 for _ in ancestors(node))


def leads_somewhere(heading: LexborNode, box: LexborNode) -> bool:
    """Whether a heading is a link, or the box around it says whose page it is about."""
    return link_in(heading) is not None or "about" in box.attributes


def _frames_below(node: LexborNode, owners: set[int]) -> Iterator[int]:
    for element in node.css("*"):
        if element.mem_id in owners:
            yield element.mem_id


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

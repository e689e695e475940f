"""Where the records of a page stand: found by the words people read, never by class names.

A *label* is an element whose whole text is one of the wordings of the source file. A label *leads* an element when it is
the first thing seen in it. A *frame* is an element whose children are led by labels of different kinds: the box around
the labelled fields. Around each frame the *block* is the smallest run of siblings that also holds the title. Label words
in running text lead nothing, or stand alone, or are shaped unlike the fields of the page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from rapidfuzz.distance import OSA
from selectolax.lexbor import LexborNode

from parsers.passages import BLOCKS, HEADINGS, children, is_unseen, seen_text
from schema.folding import fold_label, strip_accents
from schema.sources import Labels

KINDS = ("type", "private", "summary")
MAX_LABEL_CHARS = 60
NEAR_MISS_EDITS = 2
_ASIDE = frozenset({"header", "footer", "nav", "aside"})
_PAGE = frozenset({"body", "html", "main"})


@dataclass(frozen=True, slots=True)
class Field:
    """A labelled field: its kind (None for a label we do not know), the label, the child of the frame that it leads."""

    kind: str | None
    label: LexborNode
    branch: LexborNode


@dataclass(frozen=True, slots=True)
class Block:
    """One record: sibling nodes that hold it, the frame of its fields, the fields in order, its title where inside.

    body holds the nodes of its text without a label, in page order; is_row tells a table row whose labels head columns.
    """

    nodes: tuple[LexborNode, ...]
    frame: LexborNode
    fields: tuple[Field, ...]
    title: LexborNode | None
    body: tuple[LexborNode, ...] = ()
    is_row: bool = False


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
    found, near = _find_labels(root, labels)
    frames = _find_frames(found, labels)
    if len(frames) > 1 and is_listing is None:
        is_listing = True
    owners = {frame.mem_id for frame, _ in frames}
    blocks: list[Block] = []
    for frame, fields in frames:
        if rows := _column_blocks(frame, fields):
            blocks += rows
            continue
        told = _with_unknown(frame, fields)
        runs = _split_runs(frame, told)
        if len(runs) > 1:
            blocks += [_flat_block(frame, run, end) for run, end in runs]
        else:
            blocks.append(_block_around(frame, told, owners, is_listing=is_listing))
    return Layout(tuple(_with_bodies(blocks)), tuple(near))


# --- labels ---------------------------------------------------------------------------------------------------------


def _find_labels(root: LexborNode, labels: Labels) -> tuple[list[tuple[str, LexborNode]], list[str]]:
    wordings = {fold_label(w): kind for kind in KINDS for w in getattr(labels, kind)}
    found, near, seen = [], [], set()
    for node in _texts(root):
        text = node.text_content or ""
        if len(text) > MAX_LABEL_CHARS or not (folded := fold_label(text)):
            continue
        if folded in wordings:
            label = _widest(node, folded)
            if label.mem_id not in seen:
                seen.add(label.mem_id)
                found.append((wordings[folded], label))
        elif close := _near_miss(folded, wordings):
            near.append(f"nearly the label {close!r}: {' '.join(text.split())!r}; not taken for it")
    return found, near


def _texts(node: LexborNode) -> Iterator[LexborNode]:
    for child in children(node):
        if child.is_text_node:
            yield child
        elif not is_unseen(child):
            yield from _texts(child)


def _widest(node: LexborNode, folded: str) -> LexborNode:
    """The outermost element whose whole text is the label."""
    current = node.parent
    while current.parent is not None and fold_label(seen_text(current.parent)) == folded:
        current = current.parent
    return current


def _near_miss(folded: str, wordings: dict[str, str]) -> str | None:
    plain = strip_accents(folded)
    for wording in wordings:
        if abs(len(wording) - len(folded)) <= NEAR_MISS_EDITS:
            close = OSA.distance(plain, strip_accents(wording), score_cutoff=NEAR_MISS_EDITS)
            if close <= NEAR_MISS_EDITS and len(wording) > 2 * NEAR_MISS_EDITS + 1:
                return wording
    return None


# --- frames ---------------------------------------------------------------------------------------------------------


def _find_frames(found: list[tuple[str, LexborNode]], labels: Labels) -> list[tuple[LexborNode, list[Field]]]:
    """Elements around labelled fields, in page order, with the fields they hold."""
    led: dict[int, tuple[LexborNode, list[Field]]] = {}
    for kind, label in found:
        for branch in _led_by(label):
            parent = branch.parent
            led.setdefault(parent.mem_id, (parent, []))[1].append(Field(kind, label, branch))
    enough = min(2, len([k for k in KINDS if getattr(labels, k)]))
    frames = [(p, fields) for p, fields in led.values() if len({f.kind for f in fields}) >= enough]
    frames = [f for f in frames if not _is_list_of_frames(f, frames)]
    frames = [_with_inner_fields(f, frames) for f in frames if not _is_within_a_frame(f, frames)]
    frames += _lone_frames(found, frames)
    shapes = _shapes(frames)
    order = {label.mem_id: place for place, (_, label) in enumerate(found)}
    frames = [(p, _drop_misshapen(fields, shapes)) for p, fields in frames]
    return sorted(frames, key=lambda f: order[f[1][0].label.mem_id])


def _led_by(label: LexborNode) -> Iterator[LexborNode]:
    """The label and each ancestor in which it is the first thing seen."""
    node = label
    while node.parent is not None and node.parent.is_element_node:
        yield node
        if node.parent.tag in _PAGE or any(_has_text(before) for before in _before(node)):
            return
        node = node.parent


def _before(node: LexborNode) -> Iterator[LexborNode]:
    sibling = node.prev
    while sibling is not None:
        yield sibling
        sibling = sibling.prev


def _after(node: LexborNode) -> Iterator[LexborNode]:
    sibling = node.next
    while sibling is not None:
        yield sibling
        sibling = sibling.next


def _has_text(node: LexborNode) -> bool:
    if node.is_text_node:
        return bool((node.text_content or "").strip())
    return not is_unseen(node) and bool(seen_text(node))


def _holds(outer: LexborNode, inner: LexborNode) -> bool:
    node = inner.parent
    while node is not None:
        if node.mem_id == outer.mem_id:
            return True
        node = node.parent
    return False


def _is_list_of_frames(frame: tuple[LexborNode, list[Field]], frames: list[tuple[LexborNode, list[Field]]]) -> bool:
    """Whether two or more of its fields hold frames themselves: rows without titles, not fields."""
    branches = {f.branch.mem_id: f.branch for f in frame[1]}.values()
    return sum(any(b.mem_id == p.mem_id or _holds(b, p) for p, _ in frames) for b in branches) > 1


def _is_within_a_frame(frame: tuple[LexborNode, list[Field]], frames: list[tuple[LexborNode, list[Field]]]) -> bool:
    """Whether it stands inside another: headings in running text that are worded like the labels."""
    return any(other.mem_id != frame[0].mem_id and _holds(other, frame[0]) for other, _ in frames)


def _with_inner_fields(
    frame: tuple[LexborNode, list[Field]], frames: list[tuple[LexborNode, list[Field]]]
) -> tuple[LexborNode, list[Field]]:
    """A frame whose fields are boxed in part (two in a list, the third beside it): the inner box's fields are its own."""
    parent, fields = frame
    own = list(fields)
    for inner, held in frames:
        led = next((f for f in own if f.branch.mem_id == inner.mem_id or _holds(f.branch, inner)), None)
        if inner.mem_id == parent.mem_id or led is None or led.label.mem_id != held[0].label.mem_id:
            continue
        if {_looks(f.label) for f in held} & {_looks(f.label) for f in fields if f is not led}:
            place = own.index(led)
            own[place : place + 1] = held
    return parent, own


def _shape(field: Field) -> tuple[str, ...]:
    """How a label hangs in its branch: tags from the branch to the label, and the label's class."""
    path, node = [], field.label
    while node.mem_id != field.branch.mem_id:
        path.append(node.tag or "")
        node = node.parent
    return (*path, node.tag or "", field.label.attributes.get("class") or "")


def _lone_frames(
    found: list[tuple[str, LexborNode]], frames: list[tuple[LexborNode, list[Field]]]
) -> list[tuple[LexborNode, list[Field]]]:
    """A block may state one field only: accepted where its label hangs just as the labels of the page's frames do."""
    taken = {f.label.mem_id for _, fields in frames for f in fields}
    shapes = {(_shape(f), p.tag, p.attributes.get("class") or "") for p, fields in frames for f in fields}
    lone = []
    for kind, label in found:
        if label.mem_id in taken or any(_holds(p, label) for p, _ in frames):
            continue
        for branch in _led_by(label):
            field, parent = Field(kind, label, branch), branch.parent
            if (_shape(field), parent.tag, parent.attributes.get("class") or "") in shapes:
                lone.append((parent, [field]))
                break
    return lone


def _shapes(frames: list[tuple[LexborNode, list[Field]]]) -> Counter[tuple[str, tuple[str, ...]]]:
    return Counter((f.kind or "", _shape(f)) for _, fields in frames for f in fields)


def _drop_misshapen(fields: list[Field], shapes: Counter[tuple[str, tuple[str, ...]]]) -> list[Field]:
    """Leave out label words that open the body: shaped unlike the other fields, before them, or beside a better one."""
    kept = list(fields)
    for field in fields:
        others = [f for f in kept if f is not field]
        alike = sum(_shape(f) == _shape(field) or _same_class(f.label, field.label) for f in others)
        first_of_others = bool(others) and field is kept[0]
        doubled = any(f.kind == field.kind and _shape(f) != _shape(field) for f in others)
        usual = max((n for (kind, _), n in shapes.items() if kind == field.kind), default=0)
        rare = shapes[field.kind or "", _shape(field)] < usual or len(others) > 1
        if alike == 0 and rare and (doubled or first_of_others) and _common_shape(others):
            kept.remove(field)
    return kept


def _same_class(a: LexborNode, b: LexborNode) -> bool:
    return _looks(a) == _looks(b) and bool(a.attributes.get("class"))


def _common_shape(fields: list[Field]) -> bool:
    return len({_shape(f) for f in fields}) < len(fields) or len(fields) == 1


# --- blocks ---------------------------------------------------------------------------------------------------------


def _block_around(frame: LexborNode, fields: list[Field], owners: set[int], *, is_listing: bool | None) -> Block:
    """The smallest element around a frame that holds its title too; the frame's own article where there is none."""
    node, highest = frame, frame
    while True:
        title = _find_title(node, frame, fields, is_listing=is_listing)
        if title is not None and not (title.tag == "h1" and is_listing is not True and not _link_in(title)):
            return Block((node,), frame, tuple(fields), title)
        if title is not None or node.tag in _PAGE or node.parent is None or not node.parent.is_element_node:
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
        node = node.parent
    return node if node.tag == "article" else None


def _find_title(
    node: LexborNode, frame: LexborNode, fields: list[Field], *, is_listing: bool | None
) -> LexborNode | None:
    """The title of a record within an element: its heading before the fields, else the link that opens it."""
    before = list(_seen_before(node, frame, fields))
    for element in before:
        if element.tag in HEADINGS and seen_text(element):
            return None if _opens_own_page_body(element, node, frame, is_listing=is_listing) else element
    if is_listing is False or not before or node.tag in _PAGE:
        return None
    opening = next((e for e in before if _has_text(e)), None)
    return opening if opening is not None and _is_all_link(opening) else None


def _opens_own_page_body(heading: LexborNode, node: LexborNode, frame: LexborNode, *, is_listing: bool | None) -> bool:
    """Whether a heading beside the fields is the body's first words: no link, on a page that has an h1 of its own."""
    if heading.tag == "h1" or is_listing is True or node.mem_id != frame.mem_id or _link_in(heading):
        return False
    root = node
    while root.parent is not None and root.parent.is_element_node:
        root = root.parent
    return is_listing is False or any(not _holds(node, h1) for h1 in root.css("h1"))


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
        if child.mem_id == frame.mem_id or _holds(child, frame):
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


# --- records without a wrapper each ---------------------------------------------------------------------------------


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
    following = [branches[n.mem_id] for n in _after(heading) if n.mem_id in branches]
    kinds = {f.kind for f in current}
    return bool(following) and following[0].kind in kinds


def _flat_block(frame: LexborNode, fields: list[Field], end: LexborNode | None) -> Block:
    title = next((n for n in _before(fields[0].branch) if n.is_element_node and n.tag in HEADINGS), None)
    start = title if title is not None else fields[0].branch
    nodes = [start]
    for node in _after(start):
        if end is not None and node.mem_id == end.mem_id:
            break
        nodes.append(node)
    while len(nodes) > 1 and not nodes[-1].is_element_node:
        nodes.pop()
    return Block(tuple(nodes), frame, tuple(fields), title)


# --- labels that head the columns of a table ------------------------------------------------------------------------


def _column_blocks(frame: LexborNode, fields: list[Field]) -> list[Block]:
    """One block a row, where the labels stand in the head of a table and the values below them."""
    if frame.tag != "tr" or any(f.branch.tag not in ("th", "td") for f in fields):
        return []
    table = frame.parent
    while table is not None and table.tag != "table":
        table = table.parent
    heads = _cells(frame)
    columns = {f.branch.mem_id: f for f in fields}
    rows = [row for row in table.css("tr") if row.mem_id != frame.mem_id] if table is not None else []
    if len(heads) < 2 or any(len(_cells(row)) != len(heads) for row in rows):  # noqa: PLR2004  # label and value
        return []
    # two cells a row: each row is a label and its value
    if any(seen_text(c) and c.tag == "th" for row in rows for c in _cells(row)[:1]) and frame.parent.tag != "thead":
        return []
    return [_row_block(row, heads, columns) for row in rows]


def _cells(row: LexborNode) -> list[LexborNode]:
    return [c for c in children(row) if c.is_element_node and c.tag in ("th", "td")]


def _row_block(row: LexborNode, heads: list[LexborNode], columns: dict[int, Field]) -> Block:
    fields, title = [], None
    for head, cell in zip(heads, _cells(row), strict=True):
        if head.mem_id in columns:
            fields.append(Field(columns[head.mem_id].kind, cell, cell))
        elif title is None and seen_text(cell):
            title = cell
        else:
            fields.append(Field(None, cell, cell))
    return Block((row,), row, tuple(fields), title, is_row=True)


# --- labels that we do not know -------------------------------------------------------------------------------------


def _with_unknown(frame: LexborNode, fields: list[Field]) -> list[Field]:
    """The fields of a frame and, in their places, those whose labels are built alike but say something else."""
    known = {f.branch.mem_id: f for f in fields}
    inner = [f for f in fields if f.branch.parent.mem_id != frame.mem_id]
    shapes = {_shape(f) for f in fields}
    told: list[Field] = []
    for child in children(frame):
        if child.mem_id in known:
            told.append(known[child.mem_id])
        elif boxed := [f for f in inner if _holds(child, f.branch)]:
            told += boxed
        elif label := _unknown_label(child, shapes):
            told.append(Field(None, label, child))
    return told


def _unknown_label(node: LexborNode, shapes: set[tuple[str, ...]]) -> LexborNode | None:
    """The label of a field built just as the labelled fields are; where nothing tells labels apart, none is seen."""
    if node.is_text_node or is_unseen(node):
        return None
    for shape in sorted(shapes):
        label = _first_of_shape(node, shape)
        words = seen_text(label) if label is not None else ""
        if not words or len(words) > MAX_LABEL_CHARS or words.endswith((".", "!", "?")):
            continue
        has_class = bool(shape[-1])
        is_pair = len(shape) > 2 and sum(1 for c in children(node) if c.is_element_node) == 2  # noqa: PLR2004
        if has_class or shape[0] in ("dt", "th") or (is_pair and shape[0] == "div"):
            return label
    return None


def _first_of_shape(node: LexborNode, shape: tuple[str, ...]) -> LexborNode | None:
    """The first descendant that hangs in a node as a label hangs in its branch: same tags, same class, text only."""
    *path, label_class = shape
    path.reverse()
    if (node.tag or "") != path[0]:
        return None
    current = node
    for tag in path[1:]:
        first = next((c for c in children(current) if _has_text(c)), None)
        if first is None or first.is_text_node or first.tag != tag:
            return None
        current = first
    text_only = not any(c.is_element_node and c.tag in BLOCKS for c in children(current))
    return current if text_only and (current.attributes.get("class") or "") == label_class else None


# --- what stands in a block -----------------------------------------------------------------------------------------


def value_nodes(block: Block, field: Field) -> list[LexborNode]:
    """The nodes of a field's value: what its branch holds beside the label, else what follows up to the next field."""
    if block.is_row:
        return list(children(field.branch))
    inside = _trim_colon(_without(field.branch, field.label))
    has_inside = any(_has_text(n) for n in inside)
    # a paragraph cannot hold the paragraphs that follow its inline label
    runs_on = field.branch.tag == "p" and field.kind == "summary"
    if has_inside and not runs_on:
        return _unboxed(inside)
    return [*inside, *_following(block, field)] if has_inside else _unboxed(_following(block, field))


def _following(block: Block, field: Field) -> list[LexborNode]:
    """Siblings after a field's branch, up to the next field or the end of the record."""
    stops = {f.branch.mem_id for f in block.fields if f is not field}
    members = {n.mem_id for n in block.nodes}
    following = []
    for node in _after(field.branch):
        if node.mem_id in stops or (len(block.nodes) > 1 and node.mem_id not in members) or node.tag in _ASIDE:
            break
        if node.is_element_node and any(_holds(node, f.branch) for f in block.fields):
            break
        if not _is_only_links(node) or field.kind != "summary":
            following.append(node)
    return following


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
        nodes += list(_after(node))
        node = node.parent
    return nodes


def _trim_colon(nodes: list[LexborNode]) -> list[LexborNode]:
    """Leave out a colon that stands outside the label's own element."""
    while nodes and nodes[0].is_text_node and (nodes[0].text_content or "").strip(" \t\r\n\u00a0:") == "":
        nodes = nodes[1:]
    return nodes


# --- text without a label -------------------------------------------------------------------------------------------


def _with_bodies(blocks: list[Block]) -> Iterator[Block]:
    """The blocks with their bodies.

    A body shares the frame of the labelled fields; where it does not, it stands between title and frame, among lines
    about authors and dates. What stands there in blocks that have their body inside is such a line everywhere.
    """
    inside = [_inside(block) for block in blocks]
    chrome = {_looks(n) for block, body in zip(blocks, inside, strict=True) if body for n in _outside(block)}
    for block, body in zip(blocks, inside, strict=True):
        if body or block.is_row:
            yield replace(block, body=tuple(body))
            continue
        around = block if block.title is not None else _widened(block)
        outside = [n for n in _outside(around) if _looks(n) not in chrome and not _AUTHOR_LINE.match(_words(n))]
        yield replace(around if outside else block, body=tuple(outside))


_AUTHOR_LINE = re.compile(
    r"(soumis|publie|poste|ajoute|mis en ligne|redige|ecrit|cree|modifie|submitted|posted|published|par|by|le)\b.{0,140}\d",
    re.DOTALL,
)


def _words(node: LexborNode) -> str:
    return strip_accents(seen_text(node).casefold())


def _looks(node: LexborNode) -> tuple[str, str]:
    return (node.tag or "", node.attributes.get("class") or "" if node.is_element_node else "")


def _inside(block: Block) -> list[LexborNode]:
    """Nodes of the frame (or of a run of siblings) that belong to no field and are not the title."""
    if block.is_row:
        return []
    spoken_for = {n.mem_id for f in block.fields for n in (f.branch, *value_nodes(block, f))}
    candidates = block.nodes if len(block.nodes) > 1 else tuple(children(block.frame))
    kept = [n for n in candidates if n.mem_id not in spoken_for and _is_body(n, block)]
    return kept if any(_has_text(n) for n in kept) else []


def _is_body(node: LexborNode, block: Block) -> bool:
    if node.is_text_node:
        return True
    if is_unseen(node) or node.tag in _ASIDE or any(_holds(node, f.branch) for f in block.fields):
        return False
    if block.title is not None and (node.mem_id == block.title.mem_id or _holds(node, block.title)):
        return False
    return not (_is_past_fields(node, block) and _is_only_links(node))


def _outside(block: Block) -> Iterator[LexborNode]:
    """Nodes with words between the title (or the start of the block) and the frame, each as large as can be."""
    path = {block.frame.mem_id} | {n.mem_id for n in _ancestors(block.frame)}
    titled = {n.mem_id for n in (block.title, *_ancestors(block.title))} if block.title is not None else set()
    for node in block.nodes:
        yield from _before_frame(node, block, path, titled)


def _before_frame(node: LexborNode, block: Block, path: set[int], titled: set[int]) -> Iterator[LexborNode]:
    if node.mem_id not in path and node.mem_id not in titled:
        if node.is_element_node and _is_body(node, block) and _has_text(node) and not _is_only_links(node):
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
    while node.parent is not None and node.parent.is_element_node and node.parent.tag not in _PAGE:
        if node.parent.css_first("h1") is not None:
            return replace(block, nodes=(node,))
        node = node.parent
    return block


def _ancestors(node: LexborNode) -> Iterator[LexborNode]:
    current = node.parent
    while current is not None:
        yield current
        current = current.parent


def _is_past_fields(node: LexborNode, block: Block) -> bool:
    return any(f.branch.mem_id == before.mem_id for before in _before(node) for f in block.fields)


def _is_only_links(node: LexborNode) -> bool:
    """Whether all words of an element are links: `Lire la suite`, `Partager`."""
    if node.is_text_node or node.tag in HEADINGS:
        return False
    words = seen_text(node).replace(" ", "")
    links = [node] if node.tag == "a" else node.css("a")
    return (
        bool(words)
        and node.tag in ("ul", "ol", "nav", "a")
        and words == "".join(seen_text(a).replace(" ", "") for a in links)
    )


# --- the same block in another tree ---------------------------------------------------------------------------------


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
        frame = find(block.frame) if _is_below(block.frame, twins) else roots[0].parent
        fields = tuple(Field(f.kind, find(f.label), find(f.branch)) for f in block.fields)
        title = find(block.title) if block.title is not None else None
        body = tuple(find(n) for n in block.body)
    except LookupError:
        return None
    return Block(tuple(roots[: len(block.nodes)]), frame, fields, title, body, block.is_row)


def _is_below(node: LexborNode, twins: dict[int, LexborNode]) -> bool:
    return node.mem_id in twins or any(a.mem_id in twins for a in _ancestors(node))


def _twin(node: LexborNode, twins: dict[int, LexborNode]) -> LexborNode:
    steps = []
    current = node
    while current.mem_id not in twins:
        steps.append(sum(1 for _ in _before(current)))
        current = current.parent
        if current is None:
            raise LookupError("outside the block")
    twin = twins[current.mem_id]
    for step in reversed(steps):
        place = next((c for i, c in enumerate(children(twin)) if i == step), None)
        if place is None or twin is None:
            raise LookupError("the trees differ")
        twin = place
    if twin.tag != node.tag:
        raise LookupError("the trees differ")
    return twin

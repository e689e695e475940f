"""Frames: elements whose children are led by labels of different kinds, the boxes around labelled fields.

A label *leads* an element when it is the first thing seen in it. Label words in running text lead nothing, or stand
alone, or are shaped unlike the fields of the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from parsers.labels import KINDS, MAX_LABEL_CHARS
from parsers.nodes import PAGE, ancestors, class_of, has_text, holds, looks, parent_of, siblings_before
from parsers.passages import BLOCKS, children, is_unseen, seen_text
from schema.sources import Labels


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


# the element around labelled fields, and the fields in page order
Frame = tuple[LexborNode, list[Field]]


def find_frames(
    found: list[tuple[str, LexborNode]], labels: Labels
) -> tuple[list[Frame], list[tuple[str, LexborNode]]]:
    """Elements around fields of two kinds, with the fields they hold; and the labels that may be those of fields."""
    led: dict[int, Frame] = {}
    for kind, label in found:
        for branch in led_by(label):
            parent = parent_of(branch)
            led.setdefault(parent.mem_id, (parent, []))[1].append(Field(kind, label, branch))
    enough = min(2, len([k for k in KINDS if getattr(labels, k)]))
    frames = [(p, fields) for p, fields in led.values() if len({f.kind for f in fields}) >= enough]
    choices = {f.label.mem_id for _, fields in frames for f in choices_of(fields)}
    if choices:
        return find_frames([(kind, label) for kind, label in found if label.mem_id not in choices], labels)
    around = {frame.mem_id: {n.mem_id for n in ancestors(frame)} for frame, _ in frames}
    holding = set(around).union(*around.values())
    frames = [f for f in frames if not _is_list_of_frames(f, holding)]
    frames = [f for f in frames if not _is_around_an_echo(f, _inside(f, frames, around))]
    outer = {frame.mem_id for frame, _ in frames}
    return [_with_inner_fields(f, _inside(f, frames, around)) for f in frames if not outer & around[f[0].mem_id]], found


def _inside(frame: Frame, frames: list[Frame], around: dict[int, set[int]]) -> list[Frame]:
    """The frames that stand inside another; around tells what each frame stands in."""
    return [f for f in frames if frame[0].mem_id in around[f[0].mem_id]]


def led_by(label: LexborNode) -> Iterator[LexborNode]:
    """The label and each ancestor in which it is the first thing seen."""
    node = label
    while node.parent is not None and node.parent.is_element_node:
        yield node
        if node.parent.tag in PAGE or any(has_text(before) for before in siblings_before(node)):
            return
        node = node.parent


def choices_of(fields: list[Field]) -> list[Field]:
    """Labels below which stand lists of links and nothing else: boxes to narrow a search by, not fields of a record."""
    found = [f for f in fields if f.kind != "summary" and _is_choice(f)]
    return found if len({f.kind for f in found}) > 1 else []


def _is_choice(field: Field) -> bool:
    items = [item for item in field.branch.css("li") if item.mem_id != field.branch.mem_id]
    words = seen_text(field.label) + "".join(seen_text(a) for a in field.branch.css("li a[href]"))
    return bool(items) and _solid(words) == _solid(seen_text(field.branch))


def _solid(text: str) -> str:
    return text.replace(" ", "")


def _is_list_of_frames(frame: Frame, holding: set[int]) -> bool:
    """Whether two or more of its fields are frames or hold them: rows without titles, not fields."""
    return len({f.branch.mem_id for f in frame[1]} & holding) > 1


def _is_around_an_echo(frame: Frame, inside: list[Frame]) -> bool:
    """Whether a frame adds nothing to the one inside it but labels of the same kinds that look otherwise: body text."""
    if not inside:
        return False
    inner, held = inside[0]
    added = [f for f in frame[1] if f.branch.mem_id != inner.mem_id and not holds(f.branch, inner)]
    known = {f.kind for f in held}
    seen = {looks(f.label) for f in held}
    return bool(added) and all(f.kind in known and looks(f.label) not in seen for f in added)


def _with_inner_fields(frame: Frame, inside: list[Frame]) -> Frame:
    """A frame whose fields are boxed in part (two in a list, the third beside it) holds the inner box's fields too."""
    parent, fields = frame
    own = list(fields)
    for inner, held in inside:
        led = next((f for f in own if f.branch.mem_id == inner.mem_id or holds(f.branch, inner)), None)
        if led is None or led.label.mem_id != held[0].label.mem_id:
            continue
        if {looks(f.label) for f in held} & {looks(f.label) for f in fields if f is not led}:
            place = own.index(led)
            own[place : place + 1] = held
    return parent, own


def shape_of(field: Field) -> tuple[str, ...]:
    """How a label hangs in its branch: tags from the branch to the label, and the label's class."""
    path, node = [], field.label
    while node.mem_id != field.branch.mem_id:
        path.append(node.tag or "")
        node = parent_of(node)
    return (*path, node.tag or "", class_of(field.label))


def shapes_of(frames: list[Frame]) -> Counter[tuple[str, tuple[str, ...]]]:
    """How often each shape stands on a page, by kind."""
    return Counter((f.kind or "", shape_of(f)) for _, fields in frames for f in fields)


def drop_misshapen(fields: list[Field], shapes: Counter[tuple[str, tuple[str, ...]]]) -> list[Field]:
    """Leave out label words that open the body: shaped unlike the other fields, before them, or beside a better one."""
    kept = list(fields)
    here = Counter(map(shape_of, fields))
    for field in fields:
        if here[shape_of(field)] > 1:
            continue
        others = [f for f in kept if f is not field]
        alike = sum(_is_alike(f, field) for f in others)
        first_of_others = bool(others) and field is kept[0]
        doubled = any(f.kind == field.kind and shape_of(f) != shape_of(field) for f in others)
        usual = max((n for (kind, _), n in shapes.items() if kind == field.kind), default=0)
        count = shapes[field.kind or "", shape_of(field)]
        rare = count < usual or (count == 1 and len(others) > 1)
        is_outdone = any(f.kind == field.kind and any(_is_alike(f, o) for o in others if o is not f) for f in others)
        is_stray = rare and (doubled or first_of_others) and _common_shape(others)
        if alike == 0 and (is_outdone or is_stray):
            kept.remove(field)
    return kept


def _is_alike(a: Field, b: Field) -> bool:
    return shape_of(a) == shape_of(b) or _same_class(a.label, b.label)


def _same_class(a: LexborNode, b: LexborNode) -> bool:
    """Whether two labels share a class: a theme may head one field with another tag than the rest."""
    return bool(set(class_of(a).split()) & set(class_of(b).split()))


def _common_shape(fields: list[Field]) -> bool:
    return len({shape_of(f) for f in fields}) < len(fields) or len(fields) == 1


def with_unknown(frame: LexborNode, fields: list[Field]) -> list[Field]:
    """The fields of a frame and, in their places, those whose labels are built alike but say something else."""
    known = {f.branch.mem_id: f for f in fields}
    inner = [f for f in fields if parent_of(f.branch).mem_id != frame.mem_id]
    shapes = {shape_of(f) for f in fields}
    told: list[Field] = []
    for child in children(frame):
        if child.mem_id in known:
            told.append(known[child.mem_id])
        elif boxed := [f for f in inner if holds(child, f.branch)]:
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
        is_pair = len(shape) > 2 and sum(1 for c in children(node) if c.is_element_node) == 2
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
        first = next((c for c in children(current) if has_text(c)), None)
        if first is None or first.is_text_node or first.tag != tag:
            return None
        current = first
    text_only = not any(c.is_element_node and c.tag in BLOCKS for c in children(current))
    return current if text_only and (current.attributes.get("class") or "") == label_class else None

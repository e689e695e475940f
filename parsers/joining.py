"""Which labelled fields belong to one record, where a theme parts them between boxes: columns, a header, a footer.

A frame of fields grows to the largest box that holds no other record, and takes the labels there that look as labels do
elsewhere on the page. Blocks of one page then have frames of one kind.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborNode

from parsers.entries import without_asides
from parsers.frames import Field, Frame, choices_of, drop_misshapen, find_frames, led_by, shape_of, shapes_of
from parsers.nodes import TOP, ancestors, has_text, looks, parent_of, siblings_after
from schema.sources import Labels

# how a label looks: the tags from the smallest box of its own down to it, and its class
Look = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of a page with a box of their own each, in page order.

    below tells which stand in an element, place where each stands, looks how many look alike.
    """

    fields: tuple[Field, ...]
    below: dict[int, list[int]]
    place: dict[int, int]
    looks: Counter[Look]

    def own(self, field: Field) -> Field:
        """The same field with the smallest box of its own for its branch."""
        return self.fields[self.place[field.label.mem_id]]

    def look(self, field: Field) -> Look:
        """How the label of a field looks."""
        return shape_of(self.own(field))


def find_record_frames(found: list[tuple[str, LexborNode]], labels: Labels) -> list[Frame]:
    """The frame of each record of a page, in page order, with its fields in page order.

    Args:
        found: the labels of the page (parsers.labels.find_labels).
        labels: accepted wordings.
    """
    frames, found = find_frames(found, labels)
    page = _index(found)
    if not frames:
        frames = _scattered(page)
    frames = _without_echoes(frames, page)
    usual = _usual_looks(frames, page)
    frames = _grown(frames, page, usual)
    frames += _lone_frames(frames, page, usual)
    frames = without_asides(_level(frames))
    counts = shapes_of(frames)
    frames = [(frame, _all_narrowed(fields, page, counts)) for frame, fields in frames]
    counts = shapes_of(frames)
    frames = [(frame, drop_misshapen(fields, counts)) for frame, fields in frames]
    return sorted(frames, key=lambda f: page.place[f[1][0].label.mem_id])


def _index(found: list[tuple[str, LexborNode]]) -> _Labels:
    below: dict[int, list[int]] = defaultdict(list)
    for place, (_, label) in enumerate(found):
        for outer in (label, *ancestors(label)):
            below[outer.mem_id].append(place)
    fields = tuple(_with_own_box(kind, label, below) for kind, label in found)
    place_of = {label.mem_id: place for place, (_, label) in enumerate(found)}
    return _Labels(fields, below, place_of, Counter(map(shape_of, fields)))


def _with_own_box(kind: str, label: LexborNode, below: dict[int, list[int]]) -> Field:
    """A label and the smallest box that it leads and that says more; itself where that box holds other labels too."""
    inner = label
    for branch in led_by(label):
        if len(below[branch.mem_id]) > 1:
            break
        if branch.mem_id != label.mem_id and _says_more_than(branch, inner):
            return Field(kind, label, branch)
        inner = branch
    return Field(kind, label, label)


def _says_more_than(outer: LexborNode, inner: LexborNode) -> bool:
    """Whether words stand in a box after a descendant that opens it; a colon is none."""
    node = inner
    while node.mem_id != outer.mem_id:
        if any(has_text(n) and (n.text() or "").strip(" \t\r\n\u00a0\u202f:") for n in siblings_after(node)):
            return True
        node = parent_of(node)
    return False


def _usual_looks(frames: Sequence[Frame], page: _Labels) -> set[tuple[str | None, Look]]:
    """Kind and look of labels that are fields wherever they stand.

    They look as a label in a frame does, whatever its kind; or most labels of their kind on the page look so.
    """
    framed = {page.look(f) for _, fields in frames for f in fields}
    counts = Counter((f.kind, shape_of(f)) for f in page.fields)
    most: Counter[str | None] = Counter()
    for (kind, _), count in counts.items():
        most[kind] = max(most[kind], count)
    return {
        (kind, look) for (kind, look), count in counts.items() if look in framed or (count > 1 and count == most[kind])
    }


def _without_echoes(frames: list[Frame], page: _Labels) -> list[Frame]:
    """Frames without those that label words in a body make beside the record's own: their labels look otherwise."""
    counts = Counter((f.kind, page.look(f)) for _, fields in frames for f in fields)
    held = Counter(n.mem_id for frame, _ in frames for n in (frame, *ancestors(frame)))
    strength = {frame.mem_id: max(counts[f.kind, page.look(f)] for f in fields) for frame, fields in frames}
    kept = []
    for frame, fields in frames:
        box = next((n for n in ancestors(frame) if held[n.mem_id] > 1), None)
        if box is None or box.tag in TOP or held[box.mem_id] != 2:
            kept.append((frame, fields))
            continue
        other, others = next((o, fs) for o, fs in frames if o.mem_id != frame.mem_id and _is_in(o, box))
        mine, theirs = strength[frame.mem_id], strength[other.mem_id]
        is_echo = {f.kind for f in fields} <= {f.kind for f in others} and 2 * mine <= theirs
        if not is_echo:
            kept.append((frame, fields))
    return kept


def _is_in(node: LexborNode, box: LexborNode) -> bool:
    return any(n.mem_id == box.mem_id for n in (node, *ancestors(node)))


def _grown(frames: list[Frame], page: _Labels, usual: set[tuple[str | None, Look]]) -> list[Frame]:
    """The frames with the fields that stand in other boxes of the same record."""
    taken = {f.label.mem_id for _, fields in frames for f in fields}
    strays = _strays(page, taken, usual)
    held = Counter(n.mem_id for frame, _ in frames for n in (frame, *ancestors(frame)))
    grown = []
    for frame, fields in frames:
        box = _box_of(frame, fields, page, strays, held)
        more = [f for f in _strays_in(box, page, strays) if f.kind not in {o.kind for o in fields}]
        more = [f for f in more if sum(f.kind == o.kind for o in more) == 1]
        grown.append(_joined(frame, [*fields, *more], page) if more else (frame, fields))
    return grown


def _scattered(page: _Labels) -> list[Frame]:
    """Records none of which has two fields in one box: boxes of fields of two kinds or more, all labels looking alike.

    A page with one such box may be running text under headings: there must be two.
    """
    everything = dict(enumerate(page.fields))
    frames: list[Frame] = []
    done: set[int] = set()
    for place, field in everything.items():
        if place in done:
            continue
        group = _strays_in(_box_of(field.branch, [], page, everything, Counter()), page, everything)
        done |= {page.place[f.label.mem_id] for f in group}
        if len(group) > 1 and len({(looks(f.label), f.label.tag) for f in group}) == 1 and not choices_of(group):
            frames.append(_joined(group[0].branch, group, page))
    return frames if len(frames) > 1 else []


def _strays(page: _Labels, taken: set[int], usual: set[tuple[str | None, Look]]) -> dict[int, Field]:
    """Labels of the usual looks that no frame holds, by their place on the page."""
    strays: dict[int, Field] = {}
    for place, field in enumerate(page.fields):
        # a heading that opens a column has the column for its box, and the next column's has not
        for form in (field, replace(field, branch=field.label)):
            if field.label.mem_id not in taken and (form.kind, shape_of(form)) in usual:
                strays.setdefault(place, form)
    return strays


def _strays_in(box: LexborNode, page: _Labels, strays: dict[int, Field]) -> list[Field]:
    return [strays[place] for place in page.below.get(box.mem_id, ()) if place in strays]


def _box_of(
    start: LexborNode, fields: Iterable[Field], page: _Labels, strays: dict[int, Field], held: Counter[int]
) -> LexborNode:
    """The largest element around a frame that holds no other frame, and no two labels of a kind."""
    own = {f.kind for f in fields}
    frames_here = held[start.mem_id]
    node = start
    while node.parent is not None and node.parent.is_element_node and node.parent.tag not in TOP:
        kinds = [f.kind for f in _strays_in(node.parent, page, strays)]
        if held[node.parent.mem_id] > frames_here or len(set(kinds)) < len(kinds) or own & set(kinds):
            break
        node = node.parent
    return node


def _joined(frame: LexborNode, fields: list[Field], page: _Labels) -> Frame:
    """The smallest element that holds all fields, and the fields in page order."""
    node = frame
    while not all(_is_in(parent_of(f.branch), node) for f in fields):
        node = parent_of(node)
    return node, sorted(fields, key=lambda f: page.place[f.label.mem_id])


def _lone_frames(frames: list[Frame], page: _Labels, usual: set[tuple[str | None, Look]]) -> list[Frame]:
    """Records of which no box holds two fields: fields parted between boxes, or one field and no other.

    One alone is accepted where its label hangs just as labels of the other frames do.
    """
    taken = {f.label.mem_id for _, fields in frames for f in fields}
    inside = {n for frame, _ in frames for n in page.below[frame.mem_id]}
    strays = {place: f for place, f in _strays(page, taken, usual).items() if place not in inside}
    held = Counter(n.mem_id for frame, _ in frames for n in (frame, *ancestors(frame)))
    hangs = {_hang(f) for _, fields in frames for f in fields}
    lone: list[Frame] = []
    done: set[int] = set()
    for place, field in strays.items():
        if place in done:
            continue
        box = _box_of(field.branch, [], page, strays, held)
        group = _strays_in(box, page, strays) or [field]
        done |= {page.place[f.label.mem_id] for f in group}
        if len(group) > 1:
            lone.append(_joined(group[0].branch, group, page))
        elif hung := next((f for f in _hung(field) if _hang(f) in hangs), None):
            lone.append((parent_of(hung.branch), [hung]))
    return lone


def _hung(field: Field) -> Iterator[Field]:
    return (replace(field, branch=branch) for branch in led_by(field.label))


def _hang(field: Field) -> tuple[Look, tuple[str, str]]:
    """How a label hangs in its branch, and in what its branch stands."""
    return shape_of(field), looks(parent_of(field.branch))


def _level(frames: list[Frame]) -> list[Frame]:
    """The frames, those that lack a field as large as those of other records are: else a part of them stays outside."""
    everything = {f.kind for _, fields in frames for f in fields}
    held = Counter(n.mem_id for frame, _ in frames for n in (frame, *ancestors(frame)))
    levels = Counter((sum(1 for _ in ancestors(frame)), frame.tag or "") for frame, _ in frames)
    return [
        (frame if {f.kind for f in fields} == everything else _raised(frame, held, levels), fields)
        for frame, fields in frames
    ]


def _raised(frame: LexborNode, held: Counter[int], levels: Counter[tuple[int, str]]) -> LexborNode:
    """The element around a frame that holds no other, at the depth where most of the larger frames stand."""
    around = [n for n in ancestors(frame) if held[n.mem_id] == 1]
    depth = sum(1 for _ in ancestors(frame))
    counted = {n.mem_id: levels[depth - up, n.tag or ""] for up, n in enumerate(around, 1)}
    best = max(around, key=lambda n: counted[n.mem_id], default=frame)
    return best if counted.get(best.mem_id) else frame


def _all_narrowed(fields: Sequence[Field], page: _Labels, counts: Counter[tuple[str, Look]]) -> list[Field]:
    places = {page.place[f.label.mem_id] for f in fields}
    return [_narrowed(f, places, page, counts) for f in fields]


def _narrowed(field: Field, places: set[int], page: _Labels, counts: Counter[tuple[str, Look]]) -> Field:
    """A field whose branch holds more than its value, or is less usual than a smaller one: the smaller one."""
    own, bare = page.own(field), replace(field, branch=field.label)
    if not _is_in(own.branch, field.branch):
        return field
    if len(places.intersection(page.below[field.branch.mem_id])) > 1:
        return own
    if own.branch.mem_id not in (field.branch.mem_id, field.label.mem_id) and page.looks[shape_of(own)] > 1:
        field = own if _says_more_than(field.branch, own.branch) else field
    usual = max((bare, own), key=lambda f: counts[f.kind or "", shape_of(f)])
    return usual if counts[field.kind or "", shape_of(usual)] > counts[field.kind or "", shape_of(field)] else field

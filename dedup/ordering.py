"""Where each kept passage stands in the summary: the body's order, and the résumé's where both allow it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from dedup.draft import Draft, Side
from schema.nouns import BODY, RESUME, Section

Spot = tuple[Section, int]  # a passage by its section and place


def order_summary(draft: Draft) -> list[Spot]:
    """The kept passages of both sections, each once, in the order of the summary."""
    skeleton = _lay_skeleton(draft)
    at = {spot: index for index, spot in enumerate(skeleton)}
    if all((RESUME, j) in at for j in range(len(draft.resume.passages)) if draft.resume.is_kept(j)):
        return skeleton
    inserts = _place_rest(draft, skeleton, at)
    ordered: list[Spot] = []
    for index in range(len(skeleton) + 1):
        ordered.extend((RESUME, j) for j in inserts[index])
        ordered.extend(skeleton[index : index + 1])
    return ordered


def _lay_skeleton(draft: Draft) -> list[Spot]:
    """The body's kept passages, and those of the résumé that are kept in place of one of the body."""
    skeleton: dict[Spot, None] = {}
    for i in range(len(draft.body.passages)):
        pointer = draft.body.gone.get(i)
        if pointer is None:
            skeleton[BODY, i] = None
        else:
            skeleton.update(dict.fromkeys((RESUME, j) for j in _bonded(draft.resume, pointer.into)))
    return list(skeleton)


def _bonded(side: Side, places: tuple[int, ...]) -> range:
    """The places, and those that must not be parted from them."""
    start, end = places[0], places[-1] + 1
    while start - 1 in side.bonds:
        start -= 1
    while end - 1 in side.bonds:
        end += 1
    return range(start, end)


def _place_rest(draft: Draft, skeleton: list[Spot], at: dict[Spot, int]) -> defaultdict[int, list[int]]:
    """Which passages that only the résumé has stand before which index of the skeleton.

    Before the next passage of the résumé that the skeleton has in the résumé's order, else right after the former one.
    """
    anchors = _find_anchors(draft, at)
    inserts: defaultdict[int, list[int]] = defaultdict(list)
    cursor, index = 0, 0
    following = sorted(anchors)
    for j in range(len(draft.resume.passages)):
        if j in anchors:
            cursor, index = max(cursor, anchors[j][1] + 1), index + 1
        elif draft.resume.is_kept(j) and (RESUME, j) not in at:
            wanted = anchors[following[index]][0] if index < len(following) else cursor if following else len(skeleton)
            cursor = _between_bonds(draft, skeleton, max(wanted, cursor), cursor)
            inserts[cursor].append(j)
    return inserts


def _find_anchors(draft: Draft, at: dict[Spot, int]) -> dict[int, tuple[int, int]]:
    """Places of the résumé whose text the skeleton has, in one order with it: first and last index there.

    The longest such series (patience sorting); what was moved is no guide to where its neighbours belong.
    """
    spans = {}
    for j in range(len(draft.resume.passages)):
        pointer = draft.resume.gone.get(j)
        spots: list[Spot] = [(RESUME, j)] if pointer is None else [(BODY, i) for i in pointer.into]
        if spots[0] in at:
            spans[j] = (at[spots[0]], at[spots[-1]])
    tails: list[int] = []
    ends: list[int] = []
    former: dict[int, int | None] = {}
    for j, (start, _) in spans.items():
        rank = bisect_right(ends, start)
        former[j] = tails[rank - 1] if rank else None
        tails[rank:] = [j, *tails[rank + 1 :]]
        ends[rank:] = [start, *ends[rank + 1 :]]
    chain: list[int] = []
    step = tails[-1] if tails else None
    while step is not None:
        chain.append(step)
        step = former[step]
    return {j: spans[j] for j in reversed(chain)}


def _between_bonds(draft: Draft, skeleton: list[Spot], wanted: int, cursor: int) -> int:
    """The index nearest to the wanted one that parts no passages that must stand together, not before the cursor."""
    index = wanted
    while index > cursor and _is_bond(draft, skeleton, index):
        index -= 1
    while _is_bond(draft, skeleton, index):
        index += 1
    return index


def _is_bond(draft: Draft, skeleton: list[Spot], index: int) -> bool:
    """Whether nothing may come between `skeleton[index - 1]` and `skeleton[index]`."""
    if not 0 < index < len(skeleton):
        return False
    section, place = skeleton[index - 1]
    return place in (draft.body if section == BODY else draft.resume).bonds

"""Which frames of a page are its entries: teasers in a sidebar bear the same labels, and are none of the listing's."""

from __future__ import annotations

from collections import Counter, defaultdict

from selectolax.lexbor import LexborNode

from parsers.frames import Frame
from parsers.nodes import TOP, ancestors

_BESIDE = frozenset({"aside", "nav"})
# a box beside the listing shows few; more of them are a listing of their own
_FEW = 6


def without_asides(frames: list[Frame]) -> list[Frame]:
    """The frames that are the page's own: not in an aside, unless all are, and not apart from the rest.

    Apart are frames outside the box that holds the main run, built otherwise and with fewer kinds of labels.
    """
    beside = [f for f in frames if _BESIDE & {n.tag for n in ancestors(f[0])}]
    if len(beside) < len(frames):
        taken = {frame.mem_id for frame, _ in beside}
        frames = [f for f in frames if f[0].mem_id not in taken]
    runs: dict[tuple[str, ...], list[Frame]] = defaultdict(list)
    for frame in frames:
        runs[_path(frame[0])].append(frame)
    main = max(runs.values(), key=lambda run: (len(_kinds(run)), len(run)), default=[])
    box = _box_around(main, frames)
    apart = {
        frame.mem_id
        for run in runs.values()
        if len(_kinds(run)) < len(_kinds(main)) and len(run) <= max(len(main), _FEW)
        for frame, _ in run
        if box not in {n.mem_id for n in ancestors(frame)}
    }
    return [f for f in frames if f[0].mem_id not in apart]


def _kinds(run: list[Frame]) -> set[str | None]:
    return {f.kind for _, fields in run for f in fields}


def _path(node: LexborNode) -> tuple[str, ...]:
    return tuple(n.tag or "" for n in (node, *ancestors(node)))


def _box_around(run: list[Frame], frames: list[Frame]) -> int | None:
    """The smallest element that holds a run of frames; of one, what it stands in beside other entries."""
    if not run:
        return None
    shared = list(ancestors(run[0][0]))
    if len(run) == 1:
        held = Counter(n.mem_id for frame, _ in frames for n in ancestors(frame))
        # below the page's top stand parts of the page, not entries
        shared = [n for n in shared if held[n.mem_id] > 1 and n.tag not in TOP] or shared
    for frame, _ in run[1:]:
        around = {n.mem_id for n in ancestors(frame)}
        shared = [n for n in shared if n.mem_id in around]
    return shared[0].mem_id if shared else None

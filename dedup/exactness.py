"""Text that stands whole in both sections: equal passages, and the same text cut differently into passages.

What is cut short or worded otherwise is not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from rapidfuzz import fuzz

from dedup.alignment import Run, free_runs, match_recut, offsets, pair_equal, word_edges
from dedup.draft import Draft, Pointer, Side


def drop_equal(draft: Draft) -> None:
    """Drop what the résumé has that stands in the body, equal or equal but for typography; one passage for one."""
    body, resume = draft.body, draft.resume
    ours, theirs = [p.text for p in body.passages], [p.text for p in resume.passages]
    head = _count_common(ours, theirs)
    tail = _count_common(ours[head:][::-1], theirs[head:][::-1])
    pairs = [(i, i) for i in range(head)]
    pairs += [(len(ours) - i, len(theirs) - i) for i in range(tail, 0, -1)]
    left, right = range(head, len(ours) - tail), range(head, len(theirs) - tail)
    if left and right:
        middle = pair_equal([body.tight(p) for p in left], [resume.tight(p) for p in right])
        pairs += [(left[i], right[j]) for i, j in middle]
    for i, j in pairs:
        body.exact.add(i)
        resume.exact.add(j)
        draft.drop(resume, j, _equal_pointer(draft, i, j))


def drop_recut(draft: Draft) -> None:
    """Drop each stretch of the résumé whose text the body has, cut elsewhere; the body's cutting stays."""
    resume_runs = free_runs(draft.resume.loose())
    for our_run in free_runs(draft.body.loose()):
        start = our_run.start
        while start < our_run.end:
            found = _find_recut(draft, Run(start, our_run.end), resume_runs)
            if found is None:
                start += 1
                continue
            ours, theirs = found
            _drop_run(draft, ours, theirs)
            start = ours.end
            resume_runs = free_runs(draft.resume.loose())


def _count_common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """How many texts two lists share from their start."""
    count = 0
    for left, right in zip(ours, theirs, strict=False):
        if left != right:
            break
        count += 1
    return count


def _equal_pointer(draft: Draft, i: int, j: int) -> Pointer:
    if draft.body.passages[i].text == draft.resume.passages[j].text:
        return Pointer((i,), "same", 100.0)
    return Pointer((i,), "typography", fuzz.ratio(draft.body.folded(i), draft.resume.folded(j)))


# the same text cut differently


def _find_recut(draft: Draft, ours: Run, resume_runs: Sequence[Run]) -> tuple[Run, Run] | None:
    """The stretch of the body from the start of `ours`, and that of the résumé, which hold the same text."""
    for run in resume_runs:
        for start in range(run.start, run.end):
            found = _compare_stretches(draft, ours, Run(start, run.end))
            if found:
                return found
    return None


def _compare_stretches(draft: Draft, ours: Run, theirs: Run) -> tuple[Run, Run] | None:
    left, right = draft.body.tight(ours.start), draft.resume.tight(theirs.start)
    if not (left.startswith(right) or right.startswith(left)):
        return None
    texts = [draft.body.tight(p) for p in _places(ours)], [draft.resume.tight(p) for p in _places(theirs)]
    counts = match_recut(*texts)
    if counts is None:
        return None
    found = Run(ours.start, ours.start + counts[0]), Run(theirs.start, theirs.start + counts[1])
    return found if _is_cut_between_words(draft, *found) else None


def _is_cut_between_words(draft: Draft, ours: Run, theirs: Run) -> bool:
    """Whether each section is cut only where the other has an edge of a word; 20 | 000 is not 20 000."""
    for side, run, other, their in ((draft.body, ours, draft.resume, theirs), (draft.resume, theirs, draft.body, ours)):
        cuts = set(chain.from_iterable(offsets([side.tight(p) for p in _places(run)])))
        if not cuts <= _edges(other, their):
            return False
    return True


def _drop_run(draft: Draft, ours: Run, theirs: Run) -> None:
    """Point each passage of the résumé's stretch at those of the body's that hold its text."""
    body, resume = draft.body, draft.resume
    spans = offsets([body.tight(p) for p in _places(ours)])
    cuts = offsets([resume.tight(p) for p in _places(theirs)])
    for place, cut in zip(_places(theirs), cuts, strict=True):
        into = tuple(_overlap(ours, spans, *cut))
        draft.drop(resume, place, Pointer(into, "recut", 100.0))
    body.exact.update(_places(ours))
    body.bonds.update(_places(ours)[:-1])
    resume.exact.update(_places(theirs))


def _places(run: Run) -> range:
    return range(run.start, run.end)


def _overlap(run: Run, spans: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[int]:
    """The places of a run whose texts reach into [start, end) of its joined text."""
    for place, (left, right) in zip(_places(run), spans, strict=True):
        if left < end and start < right:
            yield place


def _edges(side: Side, run: Run) -> set[int]:
    """Where the joined tight text of a run may be cut."""
    spans = offsets([side.tight(p) for p in _places(run)])
    return {
        start + edge for p, (start, _) in zip(_places(run), spans, strict=True) for edge in word_edges(side.folded(p))
    }

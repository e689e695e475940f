"""Passages that are nearly equal: which pairs are compared, and which of the two is kept.

The score only names the pairs worth a look; whether they say the same is read word by word (`dedup.wording`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from rapidfuzz import fuzz, process

from dedup.draft import Draft, Pointer, Side
from dedup.facts import plain_word
from dedup.rules import Rules
from dedup.wording import compare_wording


def drop_near(draft: Draft, rules: Rules) -> None:
    """Drop one of two passages that differ in wording only: which says less, else the résumé's; best pair first."""
    body, resume = draft.body, draft.resume
    taken: tuple[set[int], set[int]] = (set(), set())
    for score, i, j in sorted(_score_pairs(draft, rules), key=lambda p: (-p[0], abs(p[1] - p[2]), p[1], p[2])):
        if i in taken[0] or j in taken[1]:
            continue
        side = _side_to_drop(draft, i, j, rules)
        if side is None or draft.is_repeat(body, i) or draft.is_repeat(resume, j):
            continue
        taken[0].add(i)
        taken[1].add(j)
        place, into = (i, j) if side is body else (j, i)
        draft.drop(side, place, Pointer((into,), "near", score))


def _score_pairs(draft: Draft, rules: Rules) -> Iterator[tuple[float, int, int]]:
    """(score, place in body, place in résumé) of passages whose folded texts reach the least score."""
    body, resume = draft.body, draft.resume
    left, right = body.loose(), resume.loose()
    if not left or not right:
        return
    texts = sorted((len(body.folded(i)), i) for i in left)
    # a ratio of s needs lengths within s : (200 - s)
    least = rules.near_min_score / (200.0 - rules.near_min_score)
    for j in right:
        query = resume.folded(j)
        shortest, longest = bisect_left(texts, (len(query) * least, 0)), bisect_left(texts, (len(query) / least + 1, 0))
        window = {i: body.folded(i) for _, i in texts[shortest:longest]}
        for _, score, i in process.extract_iter(query, window, scorer=fuzz.ratio, score_cutoff=rules.near_min_score):
            yield score, i, j
    yield from _pair_shouted(body, resume, left, right)


def _pair_shouted(body: Side, resume: Side, left: list[int], right: list[int]) -> Iterator[tuple[float, int, int]]:
    """A title in capitals and the same title in small letters, which no ratio finds alike."""
    for i in left:
        for j in right:
            ours, theirs = body.folded(i), resume.folded(j)
            if (
                ours.isupper() != theirs.isupper()
                and len(ours) == len(theirs)
                and plain_word(ours) == plain_word(theirs)
            ):
                yield 100.0, i, j


def _side_to_drop(draft: Draft, i: int, j: int, rules: Rules) -> Side | None:
    """The section whose passage goes: never one that others point at, never the one that says more."""
    verdict = compare_wording(draft.body.folded(i), draft.resume.folded(j), rules.near_min_shared)
    if verdict in {"equal", "left"} and j not in draft.resume.held:
        return draft.resume
    return draft.body if verdict in {"equal", "right"} and i not in draft.body.held else None

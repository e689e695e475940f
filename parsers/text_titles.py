"""Where the résumé of one record ends and the title of the next stands, which nothing in a plain-text copy marks.

What tells is that a public resource shows its text twice, as body before its labels and as résumé after them. Between
two blocks of labels stands a region, `résumé | title | body`; the titles of all regions are chosen together (Viterbi),
so that bodies repeat in their résumés as much as can be. Form (a full stop, a bullet) only weighs where the repetition
leaves it open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate, pairwise, product
from operator import add

from parsers.text_labels import Block
from parsers.text_lines import Line
from parsers.text_repeats import Repeats, find_end, find_repeats, weigh_above, weigh_below, weigh_body

Table = list[list[float]]

# in the unit of text_repeats, characters of repeated text; set on the same generated listings
_SEAM = 30.0  # body and résumé begin, or end, with the same line
_HEAD_DEPTH = 3  # lines from the head that may differ on both sides before the repetition sets in
_DEEPER = _SEAM / _HEAD_DEPTH  # less for each of them
_WHOLE = 40.0  # all lines of the body repeat all lines of the résumé
_UNPAIRED = 5.0  # a line without a twin stands in a public record or as a title, where a private résumé could hold it
_WORST_FORM = 30.0  # form never outweighs a whole repetition
_LONGEST_TITLE = 250
_MOST_CANDIDATES = 64  # for copies that are no listing: beyond them less is compared, never more time taken
_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Region:
    """The lines between two blocks of labels: résumé of the one above (None on top), title and body of the one below.

    following are the lines of the next region, after the last block those of the tail; back and forth are what this
    region repeats of the one before, and the next of this one.
    """

    above: Block | None
    lines: list[Line]
    below: Block
    following: list[Line]
    back: Repeats
    forth: Repeats
    is_last: bool


def part_regions(lines: Sequence[Line], blocks: Sequence[Block]) -> list[Region]:
    """The region above each block."""
    starts = [0, *(block.after for block in blocks)]
    ends = [*(block.first for block in blocks), len(lines)]
    heads = [[], *(block.values["resume"] for block in blocks)]
    texts = [[*head, *lines[start:end]] for head, start, end in zip(heads, starts, ends, strict=True)]
    repeats = [find_repeats(left, right) for left, right in pairwise([[], *texts])]
    above = [None, *blocks]
    return [
        Region(above[k], texts[k], block, texts[k + 1], repeats[k], repeats[k + 1], is_last=k + 1 == len(blocks))
        for k, block in enumerate(blocks)
    ]


def choose_titles(regions: Sequence[Region]) -> tuple[list[int], list[float]]:
    """The line of the title in each region, and by how much it leads the next best choice.

    The count of the region's lines stands for `no title`. Of choices that weigh the same the later line is taken: the
    nearer to the labels, the less a record claims without evidence.
    """
    forms = [_weigh_lines(region) for region in regions]
    choices = [_list_choices(region, form) for region, form in zip(regions, forms, strict=True)]
    ends = [*choices[1:], [len(regions[-1].following)]]
    steps = [
        [[form[title] + step for step in _weigh_steps(region, title, nexts)] for title in titles]
        for region, form, titles, nexts in zip(regions, forms, choices, ends, strict=True)
    ]
    before = _sum_best(steps)
    after = _sum_best([[list(column) for column in zip(*table, strict=True)] for table in reversed(steps)])[::-1]
    titles, leads = [], []
    onward = after[0]
    for k, candidates in enumerate(choices):
        best = max(range(len(candidates)), key=lambda place: (round(onward[place], 6), candidates[place]))
        totals = list(map(add, before[k], after[k]))
        titles.append(candidates[best])
        leads.append(totals.pop(best) - max(totals, default=_NEVER))
        onward = list(map(add, steps[k][best], after[k + 1]))
    return titles, leads


def _sum_best(steps: Sequence[Table]) -> Table:
    """For each choice of each title, and at last for the end, the best weight of all steps that lead there."""
    sums = [[0.0] * len(steps[0])]
    for table in steps:
        sums.append([max(map(add, sums[-1], column)) for column in zip(*table, strict=True)])
    return sums


def _list_choices(region: Region, form: Sequence[float]) -> list[int]:
    """The lines that may be the title; form weighs each line as one."""
    above, count = region.above, len(region.lines)
    # what stands on the line of a résumé's label is no title
    first = 1 if above and above.values["resume"] else 0
    if count == first:
        return [count]
    no_title = [count] if above and above.has_resume and not above.is_private else []
    if region.below.is_private:
        return [count - 1, *no_title]
    if above and not above.has_resume:
        return [0]
    bounds = list(map(sum, zip(weigh_above(region.back), weigh_below(region.forth), form, strict=False)))
    return [*sorted(nlargest(_MOST_CANDIDATES, range(first, count), key=bounds.__getitem__)), *no_title]


def _weigh_lines(region: Region) -> list[float]:
    """What speaks against each line as title apart from repetition: its form, and what it leaves without a twin.

    Lines before the first title and in a private résumé need no twin; after them a title stands as late as it can.

    Returns:
        One weight more than lines, the last for no title.
    """
    paired = {left for left, _ in region.forth.lines}
    needs_twins = region.above is not None and not region.above.is_private
    alone = [not needs_twins and place not in paired for place in range(len(region.lines))]
    left_alone = list(accumulate(reversed(alone)))[::-1]
    forms = [_weigh_form(line, is_last=line is region.lines[-1]) for line in region.lines]
    return [*(form - _UNPAIRED * count for form, count in zip(forms, left_alone, strict=True)), 0.0]


def _weigh_form(line: Line, *, is_last: bool) -> float:
    against = 40.0 * line.is_item + 20.0 * (not (line.is_alone or is_last)) + 20.0 * (len(line.text) > _LONGEST_TITLE)
    against += 12.0 * _is_open(line) + 15.0 * (len(line.units) > 1) + 8.0 * line.text[0].islower()
    return -min(against, _WORST_FORM)


def _is_open(line: Line) -> bool:
    return line.text[-1] in ".;:,"


def _weigh_steps(region: Region, title: int, ends: Sequence[int]) -> list[float]:
    """How well the body that a title leaves is repeated by the résumé that ends at each of ends.

    Returns:
        One weight per end; -inf where a next record without a title cannot be.
    """
    body = [line.key for line in region.lines[title + 1 :]]
    shown = [line.key for line in region.following]
    has_body = bool(body) and region.below.has_resume and not region.below.is_private
    weights = _weigh_repetition(region, title, ends) if has_body else [0.0] * len(ends)
    if has_body and body == shown[: len(body)]:
        # after the last block a cut record may follow the résumé
        weights = [w + _WHOLE * (end == len(body) or region.is_last) for end, w in zip(ends, weights, strict=True)]
    if len(ends) > 1 and not (has_body and body == shown):
        # only a region that repeats a whole body, and holds no more, is known to lack a title
        weights = [_NEVER if end == len(shown) else w for end, w in zip(ends, weights, strict=True)]
    return weights


def _weigh_repetition(region: Region, title: int, ends: Sequence[int]) -> list[float]:
    alike, last = region.forth.lines, len(region.lines) - 1
    met = (max(i, j) for i, j in product(range(_HEAD_DEPTH), repeat=2) if (title + 1 + i, j) in alike)
    depth = min(met, default=_HEAD_DEPTH)
    head = _SEAM - _DEEPER * depth
    return [
        weight + head * (end > depth) + _SEAM * ((last, end - 1) in alike)
        for weight, end in zip(weigh_body(region.forth, title + 1, ends), ends, strict=True)
    ]


def find_tail(region: Region, title: int) -> tuple[int, list[str]]:
    """The line after the last block at which its résumé ends and a record begins that the copy cuts off.

    Args:
        region: the last one.
        title: which of its lines is the title.
    """
    tail = region.following
    if not tail or not region.below.has_resume:
        return 0, []
    end = find_end(region.forth, min(title + 1, len(region.lines)))
    if region.below.is_private or not end:
        return len(tail), ["nothing tells where its résumé ends: all that follows was taken for it"]
    if end == len(tail) or (len(region.lines) - 1, end - 1) in region.forth.lines:
        return end, []
    # the last line of the body is not repeated: the résumé may go on with its own version of it
    end = next((place for place in range(end, len(tail)) if _is_like_title(tail[place])), len(tail))
    return end, ["its résumé does not end as its body: where it ends was told by the form of the lines"]


def _is_like_title(line: Line) -> bool:
    is_text = line.is_item or _is_open(line) or line.text[0].islower() or len(line.text) > _LONGEST_TITLE
    return line.is_alone and not is_text

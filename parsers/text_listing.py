"""Records out of the plain-text copy of a listing, where no markup is left.

Labels part the fields. Nothing marks where a résumé ends and the next title begins; what tells is that a public
resource shows its text twice, as body before its labels and as résumé after them. Between two blocks of labels stands a
region, `résumé | title | body`; the titles of all regions are chosen together (Viterbi), so that bodies repeat in their
résumés as much as can be. Form (a full stop, a bullet) only weighs where the repetition leaves it open.

Refuses to guess: a label spelled otherwise is reported and read as text, a record that the copy cuts off is a reject.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Literal

from rapidfuzz import fuzz, process

from schema.folding import fold, fold_label, squeeze, strip_accents
from schema.nouns import PageReading, Passage, Payload, Record, Reject, Span
from schema.sources import Labels

PARSER = "labelled-text"
VERSION = "1"

LabelKind = Literal["type", "is_private", "resume"]
Wordings = Mapping[str, LabelKind]
Pairs = list[tuple[int, int, float]]

_PRIVACY = {"oui": True, "non": False}
_LONGEST_VALUE = 120
_MOST_VALUES = 4  # lines between two labels of a block
_LONGEST_TITLE = 250
_LONGEST_EXCERPT = 500

# Evidence is counted in characters of repeated text, at most _UNIT_CAP of one sentence: many short sentences say more
# than one long. The numbers below were set on generated listings whose truth is known (tests/test_text_listing.py).
_UNIT_BASE, _UNIT_CAP = 4, 76
_SEAM = 30.0  # body and résumé begin, or end, with the same line
_DEEPER = 10.0  # less for each line of the head that differs
_HEAD_DEPTH = 3  # lines from the head that may differ on both sides before the repetition sets in
_WHOLE = 40.0  # all lines of the body repeat all lines of the résumé
_UNPAIRED = 5.0  # a line without a twin stands in a public record or as a title, where a private résumé could hold it
_WORST_FORM = 30.0  # form never outweighs a whole repetition
_CLEAR = 20.0  # a choice that leads by less gets a note
_NEARLY = 75.0  # ratio of two sentences that repeat each other; in rtes-listing.txt 3 of 25,878 other pairs exceed it
_SHORTEST_NEAR = 12  # characters; below, only equality says anything
_SHORTEST_CUT = 20  # characters of a sentence that the site cut short
# bounds for copies that are no listing: beyond them less is compared, never more time taken
_MOST_CANDIDATES = 64
_MOST_COMPARISONS = 250_000
_MOST_CHARACTERS = 4_000_000_000  # of one side times the other: half a second
_MOST_TWINS = 20

_LINE_END = re.compile(r"\r\n|\n|\r")
_COLON = re.compile(r"[^:]*:\s*")
_BULLET = re.compile(r"[•◦▪‣●]\s*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\W_a-zà-öø-ÿ]|\"|\()")
_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is not blank: text without its bullet, bytes `[start, end)` with it, number counted from 1.

    key is the text as compared; units are its sentences as compared; is_alone says that blank lines surround it; rest
    is the byte where the words after its first colon begin.
    """

    text: str
    key: str
    units: tuple[str, ...]
    start: int
    end: int
    number: int
    is_item: bool
    is_alone: bool
    rest: int


@dataclass(frozen=True, slots=True)
class _Label:
    """A label met at the head of a line; value is what stands after its colon on the same line."""

    kind: LabelKind
    value: _Line | None


@dataclass(slots=True)
class _Block:
    """The labels of one record: lines `[first, after)` of the copy, and the values that stand there."""

    first: int
    after: int
    types: list[_Line] = field(default_factory=list)
    privacies: list[_Line] = field(default_factory=list)
    kinds: list[LabelKind] = field(default_factory=list)
    resume_head: _Line | None = None

    @property
    def has_resume(self) -> bool:
        return "resume" in self.kinds

    @property
    def is_private(self) -> bool | None:
        return _PRIVACY.get(self.privacies[0].key.rstrip(".")) if len(self.privacies) == 1 else None


@dataclass(frozen=True, slots=True)
class _Repeats:
    """What two neighbouring regions have in common: sentences alike, and the lines these stand in.

    pairs are (sentence left, sentence right, weight), sorted so that a chain never takes one sentence twice; lefts and
    rights are the places of each line's first sentence, and the count of all at the end.
    """

    pairs: Pairs
    lefts: list[int]
    rights: list[int]
    lines: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Cut:
    """One record cut out of the copy: title is None where nothing stands before the labels."""

    block: _Block
    title: _Line | None
    body: list[_Line]
    resume: list[_Line]


def parse_text_listing(payload: Payload, *, page_url: str, labels: Labels) -> PageReading:
    """All records, rejects and notes of a plain-text copy of a listing.

    Args:
        payload: charset None means UTF-8, else cp1252 with a note.
        page_url: the address that the copy was made from; the reading's canonical address too.

    Returns:
        Records without address or links; position is the place among the blocks of the page, unreadable ones counted.
        Rejects: `no_blocks`, `no_title`, `two_types`, `two_privacies`, `incomplete`. Spans count bytes of the payload.
    """
    codec, notes = _choose_codec(payload)
    lines = _read_lines(payload.content, codec)
    wordings = _index_wordings(labels)
    blocks = _find_blocks(lines, wordings)
    notes += _note_odd_labels(lines, blocks, wordings)
    if not blocks:
        reject = _reject(page_url, "no_blocks", "no labels of a record stand on lines of their own", lines)
        return _reading(page_url, [reject], notes)
    regions = _part_regions(lines, blocks)
    repeats = [_find_repeats(left, right) for left, right in pairwise(regions)]
    titles, leads = _choose_titles(blocks, regions, repeats)
    tail, tail_notes = _find_tail(blocks[-1], regions[-2], titles[-1], regions[-1], repeats[-1])
    cuts = _cut_records(blocks, regions, titles, tail)
    judged = [
        _judge_record(cut, page_url, k, lines, is_cut_off=k == len(cuts) - 1 and not regions[-1])
        for k, cut in enumerate(cuts)
    ]
    if regions[-1][tail:]:
        message = "the copy ends before the labels of this resource"
        judged.append(_reject(page_url, "incomplete", message, regions[-1][tail:]))
    notes += _note_records(cuts, leads, regions)
    notes += [_name(len(cuts) - 1, cuts[-1]) + note for note in tail_notes]
    return _reading(page_url, judged, notes)


def _reading(page_url: str, judged: Sequence[Record | Reject], notes: Sequence[str]) -> PageReading:
    return PageReading(
        page_url=page_url,
        canonical_url=page_url,
        records=tuple(found for found in judged if isinstance(found, Record)),
        rejects=tuple(found for found in judged if isinstance(found, Reject)),
        notes=tuple(notes),
        parser=PARSER,
        parser_version=VERSION,
    )


# --- bytes to lines


def _choose_codec(payload: Payload) -> tuple[str, list[str]]:
    """The codec to read the bytes with, and what is odd about it.

    Every codec returned gives the same bytes back when its text is encoded piece by piece: spans rest on that.
    """
    content, declared = payload.content, payload.charset
    if content.startswith(codecs.BOM_UTF8):
        declared = "utf-8"
    codec = _find_codec(declared, content) if declared else None
    if codec is None:
        notes = [f"charset {declared!r} cannot be used: read as undeclared"] if declared else []
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return "cp1252", [*notes, "no usable charset and not UTF-8: read as cp1252"]
        return "utf-8", notes
    broken = sum(map(_is_surrogate, content.decode(codec, "surrogateescape")))
    return codec, [f"{broken} bytes are not {declared}: read as U+FFFD"] if broken else []


def _find_codec(name: str, content: bytes) -> str | None:
    """The codec that a charset's name stands for, None where it is unknown or cannot give the bytes back."""
    try:
        codec = codecs.lookup(name.strip()).name
        # as browsers do: those who declare latin-1 write the quotes and dashes of cp1252
        codec = {"iso8859-1": "cp1252", "utf-8-sig": "utf-8", "utf-16": _utf16(content)}.get(codec, codec)
        text = content.decode(codec, "surrogateescape")
        return codec if text.encode(codec, "surrogateescape") == content else None
    except (LookupError, UnicodeError):
        return None


def _utf16(content: bytes) -> str:
    return "utf-16-be" if content.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def _read_lines(content: bytes, codec: str) -> list[_Line]:
    """The lines that are not blank, with the bytes they stand in."""
    text = content.decode(codec, "surrogateescape")
    ends = [match.span() for match in _LINE_END.finditer(text)]
    chars = [(0, 0), *ends, (len(text), len(text))]
    raws = [text[before[1] : after[0]] for before, after in pairwise(chars)]
    sizes = [len(text[before[1] : after[1]].encode(codec, "surrogateescape")) for before, after in pairwise(chars)]
    starts = [0, *accumulate(sizes)]
    blanks = [True, *(not _strip_blank(raw) for raw in raws), True]
    return [
        _read_line(raw, start, codec, number, is_alone=blanks[number - 1] and blanks[number + 1])
        for number, (raw, start) in enumerate(zip(raws, starts, strict=False), 1)
        if not blanks[number]
    ]


def _strip_blank(raw: str) -> str:
    """The line without blanks (a byte order mark is one) at its ends, empty where a bullet is all it has."""
    stripped = raw.strip().strip("\ufeff\u200b").strip()
    return "" if _BULLET.fullmatch(stripped) else stripped


def _read_line(raw: str, start: int, codec: str, number: int, *, is_alone: bool) -> _Line:
    def place(index: int) -> int:
        return start + len(raw[:index].encode(codec, "surrogateescape"))

    stripped = _strip_blank(raw)
    begin = raw.index(stripped)
    colon = _COLON.match(stripped)
    text = "".join("\ufffd" if _is_surrogate(c) else c for c in stripped)
    bullet = _BULLET.match(text)
    line = _compare_as(squeeze(text[bullet.end() if bullet else 0 :]))
    return replace(
        line,
        start=place(begin),
        end=place(begin + len(stripped)),
        number=number,
        is_item=bool(bullet),
        is_alone=is_alone,
        rest=place(begin + (colon.end() if colon else 0)),
    )


def _compare_as(text: str) -> _Line:
    """A line of that text, nowhere yet."""
    folded = fold(text)
    units = tuple(unit.casefold() for unit in _SENTENCE_END.split(folded))
    return _Line(text, folded.casefold(), units, start=0, end=0, number=0, is_item=False, is_alone=False, rest=0)


# --- lines to blocks of labels


def _index_wordings(labels: Labels) -> dict[str, LabelKind]:
    """The kind of label by its folded wording."""
    wordings: dict[str, LabelKind] = {fold_label(wording): "type" for wording in labels.type}
    wordings |= {fold_label(wording): "is_private" for wording in labels.private}
    wordings |= {fold_label(wording): "resume" for wording in labels.summary}
    return wordings


def _find_blocks(lines: Sequence[_Line], wordings: Wordings) -> list[_Block]:
    """The blocks of labels, in order."""
    labels = [_read_label(line, wordings) for line in lines]
    blocks: list[_Block] = []
    place = 0
    while place < len(lines):
        block = _read_block(lines, labels, place, wordings)
        if block:
            blocks.append(block)
        place = block.after if block else place + 1
    return blocks


def _read_label(line: _Line, wordings: Wordings) -> _Label | None:
    """The label that a line is, alone or with its value behind a colon."""
    if line.is_item:
        return None
    kind = wordings.get(fold_label(line.text))
    if kind:
        return _Label(kind, None)
    head, colon, rest = line.text.partition(":")
    kind = wordings.get(fold_label(head))
    if not (colon and kind and rest.strip()):
        return None
    value = replace(
        _compare_as(rest.strip()), start=line.rest, end=line.end, number=line.number, is_alone=line.is_alone
    )
    return _Label(kind, value) if kind == "resume" or _is_value(value) else None


def _is_value(line: _Line) -> bool:
    """Whether a line can be the value of a label: short, and no sentence."""
    return len(line.text) <= _LONGEST_VALUE and not re.search(r"[.;!?](\s|$)", line.text.removesuffix("."))


def _read_block(
    lines: Sequence[_Line], labels: Sequence[_Label | None], first: int, wordings: Wordings
) -> _Block | None:
    """The block whose first label stands at that line, None where none begins.

    A résumé label alone begins none: it may be a heading of the text. Nor does one label with its value on the same
    line, or without any value: running text says `Type de ressource : guide` too.
    """
    opening = labels[first]
    if opening is None or opening.kind == "resume":
        return None
    block = _Block(first=first, after=first)
    while block.after < len(lines) and not block.has_resume:
        label = labels[block.after]
        if label is None:
            if not _read_extra_values(block, lines, labels, wordings):
                break
        elif label.kind == "type" and {"type", "is_private"} <= set(block.kinds):
            break  # the labels of the next record, whose title is missing
        elif label.kind == "type" and block.kinds == ["type"] and opening.value and not label.value:
            return None  # `Type de ressource : guide` closes the body above the labels
        else:
            _read_field(block, label, lines, labels)
    return block if _is_block(block, opening, len(lines)) else None


def _read_field(block: _Block, label: _Label, lines: Sequence[_Line], labels: Sequence[_Label | None]) -> None:
    """Adds the label at block.after, and its value, to the block."""
    place, value = block.after, label.value
    block.kinds.append(label.kind)
    block.after = place + 1
    if label.kind == "resume":
        block.resume_head = value
        return
    following = place + 1
    if value is None and following < len(lines) and labels[following] is None and _is_value(lines[following]):
        value = lines[following]
        block.after = following + 1
    if value:
        (block.types if label.kind == "type" else block.privacies).append(value)


def _read_extra_values(
    block: _Block, lines: Sequence[_Line], labels: Sequence[_Label | None], wordings: Wordings
) -> bool:
    """Adds lines that stand between two labels without a blank line: further values, or a misspelled label and its own.

    Returns:
        False where the block ends here: what follows is text.
    """
    following = block.after
    while following < len(lines) and labels[following] is None and following - block.after < _MOST_VALUES:
        if lines[following].number != lines[following - 1].number + 1:
            return False
        following += 1
    label = labels[following] if following < len(lines) else None
    is_next = label and label.kind not in block.kinds and lines[following].number == lines[following - 1].number + 1
    if not is_next:
        return False
    if not _find_near_label(lines[block.after], wordings):
        values = block.types if block.kinds[-1] == "type" else block.privacies
        values += lines[block.after : following]
    block.after = following
    return True


def _is_block(block: _Block, opening: _Label, count: int) -> bool:
    """Whether these labels are those of a record; count is that of all lines, for a copy that ends at a label."""
    if len(block.kinds) > 1:
        return True
    if opening.value:
        return False
    if block.kinds == ["is_private"]:
        return block.is_private is not None
    return bool(block.types) or block.after == count


def _find_near_label(line: _Line, wordings: Wordings) -> str | None:
    """The wording that a line all but spells."""
    if line.is_item or len(line.text) > max(map(len, wordings)) + 4:
        return None
    text = strip_accents(fold_label(line.text))
    found = process.extractOne(text, [strip_accents(w) for w in wordings], scorer=fuzz.ratio, score_cutoff=88)
    return list(wordings)[found[2]] if found else None


def _note_odd_labels(lines: Sequence[_Line], blocks: Sequence[_Block], wordings: Wordings) -> list[str]:
    """Sentences on lines that look like labels and were not read as such."""
    read = {place for block in blocks for place in range(block.first, block.after)}
    values = {line.number for block in blocks for line in (*block.types, *block.privacies)}
    notes = []
    for place, line in enumerate(lines):
        if line.number in values or (wording := _find_near_label(line, wordings)) is None:
            continue
        if fold_label(line.text) not in wordings:
            notes.append(f"line {line.number}: {line.text!r} is near the label {wording!r}, and was not read as one")
        elif place not in read:
            notes.append(f"line {line.number}: the label {line.text!r} stands apart from a block, and was read as text")
    return notes


def _part_regions(lines: Sequence[_Line], blocks: Sequence[_Block]) -> list[list[_Line]]:
    """What stands before the first block, between two, and after the last: one region more than blocks."""
    starts = [0, *(block.after for block in blocks)]
    ends = [*(block.first for block in blocks), len(lines)]
    heads = [None, *(block.resume_head for block in blocks)]
    return [
        [*([head] if head else []), *lines[start:end]] for head, start, end in zip(heads, starts, ends, strict=True)
    ]


# --- repetition


def _weigh(unit: str) -> float:
    return float(_UNIT_BASE + min(len(unit), _UNIT_CAP))


def _weigh_line(line: _Line) -> float:
    return sum(map(_weigh, line.units))


def _find_repeats(left: Sequence[_Line], right: Sequence[_Line]) -> _Repeats:
    """The sentences of two regions that repeat each other, exactly, nearly, or cut short."""
    lefts, left_units = _index_units(left)
    rights, right_units = _index_units(right)
    exact = _pair_equal(left_units, right_units)
    left_rest = sorted(set(range(len(left_units))) - {i for i, _, _ in exact})
    right_rest = sorted(set(range(len(right_units))) - {j for _, j, _ in exact})
    pairs = exact + _pair_near(left_units, left_rest, right_units, right_rest)
    pairs.sort(key=lambda pair: (pair[0], -pair[1]))
    left_line = [place for place, line in enumerate(left) for _ in line.units]
    right_line = [place for place, line in enumerate(right) for _ in line.units]
    return _Repeats(pairs, lefts, rights, frozenset((left_line[i], right_line[j]) for i, j, _ in pairs))


def _index_units(lines: Sequence[_Line]) -> tuple[list[int], list[str]]:
    """Place of each line's first sentence, the count of all sentences last; and the sentences."""
    return [0, *accumulate(len(line.units) for line in lines)], [unit for line in lines for unit in line.units]


def _pair_equal(lefts: Sequence[str], rights: Sequence[str]) -> Pairs:
    places: dict[str, list[int]] = defaultdict(list)
    for j, unit in enumerate(rights):
        places[unit].append(j)
    seen: dict[str, int] = defaultdict(int)
    pairs: Pairs = []
    for i in range(len(lefts) - 1, -1, -1):  # a body stands at the end of its region, a résumé at the head
        seen[lefts[i]] += 1
        if seen[lefts[i]] <= _MOST_TWINS:
            pairs += [(i, j, _weigh(lefts[i])) for j in places[lefts[i]][:_MOST_TWINS]]
    return pairs


def _pair_near(lefts: Sequence[str], left_rest: list[int], rights: Sequence[str], right_rest: list[int]) -> Pairs:
    left_rest = [i for i in left_rest if len(lefts[i]) >= _SHORTEST_NEAR]
    right_rest = [j for j in right_rest if len(rights[j]) >= _SHORTEST_NEAR]
    size = sum(len(lefts[i]) for i in left_rest) * sum(len(rights[j]) for j in right_rest)
    if not size or size > _MOST_CHARACTERS or len(left_rest) * len(right_rest) > _MOST_COMPARISONS:
        return []
    choices = {j: rights[j] for j in right_rest}
    pairs: Pairs = []
    for i in left_rest:
        cut = {j: 100.0 for j, unit in choices.items() if _is_cut_short(lefts[i], unit)}
        near = process.extract(lefts[i], choices, scorer=fuzz.ratio, score_cutoff=_NEARLY, limit=_MOST_TWINS)
        scores = {j: score for _, score, j in near} | cut
        pairs += [(i, j, min(_weigh(lefts[i]), _weigh(rights[j])) * score / 100) for j, score in scores.items()]
    return pairs


def _is_cut_short(one: str, other: str) -> bool:
    """Whether one sentence is the beginning of the other, its ellipsis aside."""
    short, long = sorted((one.rstrip(". "), other.rstrip(". ")), key=len)
    return len(short) >= _SHORTEST_CUT and long.startswith(short)


def _chain(pairs: Pairs) -> tuple[list[int], list[float]]:
    """The heaviest chain of pairs that run on on both sides, by where it ends on the right.

    Args:
        pairs: sorted by the left place, then by the right one downwards.

    Returns:
        Right places, and weights of the heaviest chain that ends at or before each; both strictly increasing.
    """
    ends: list[int] = []
    weights: list[float] = []
    for _, right, weight in pairs:
        place = bisect_left(ends, right)
        total = weight + (weights[place - 1] if place else 0.0)
        if place < len(ends) and ends[place] == right and weights[place] >= total:
            continue
        stop = place
        while stop < len(ends) and weights[stop] <= total:
            stop += 1
        ends[place:stop] = [right]
        weights[place:stop] = [total]
    return ends, weights


def _weigh_until(chain: tuple[list[int], list[float]], bounds: Sequence[int]) -> list[float]:
    """Weight of the chain that ends before each bound."""
    ends, weights = chain
    found = (bisect_left(ends, bound) for bound in bounds)
    return [weights[place - 1] if place else 0.0 for place in found]


def _chain_body(repeats: _Repeats, title: int) -> tuple[list[int], list[float]]:
    """The chain between the lines after a title and the next region."""
    begin = repeats.lefts[min(title + 1, len(repeats.lefts) - 1)]
    return _chain(repeats.pairs[bisect_left(repeats.pairs, begin, key=lambda pair: pair[0]) :])


# --- titles


def _choose_titles(
    blocks: Sequence[_Block], regions: Sequence[list[_Line]], repeats: Sequence[_Repeats]
) -> tuple[list[int], list[float]]:
    """The line of each block's title in the region before it, and by how much it leads the next best choice.

    The count of the region's lines stands for `no title`. Of choices that weigh the same the later line is taken: the
    nearer to the labels, the less a record claims without evidence.
    """
    choices = [_list_choices(k, blocks, regions, repeats) for k in range(len(blocks))]
    unpaired = [_count_unpaired(region, repeated) for region, repeated in zip(regions, repeats, strict=False)]
    own = [[_weigh_title(k, t, blocks, regions, unpaired[k]) for t in titles] for k, titles in enumerate(choices)]
    nexts = [*choices[1:], [len(regions[-1])]]
    steps = [
        _weigh_steps(
            blocks[k],
            choices[k],
            nexts[k],
            region=regions[k],
            following=regions[k + 1],
            repeats=repeats[k],
            is_last=k + 1 == len(blocks),
        )
        for k in range(len(blocks))
    ]
    come, go = _sum_before(own, steps), _sum_onward(own, steps)
    titles, leads = [], []
    onward = go[0]
    for k, candidates in enumerate(choices):
        best = max(range(len(candidates)), key=lambda place: (round(onward[place], 6), candidates[place]))
        totals = [before + after for before, after in zip(come[k], go[k], strict=True)]
        others = [total for place, total in enumerate(totals) if place != best]
        titles.append(candidates[best])
        leads.append(totals[best] - max(others, default=_NEVER))
        if k + 1 < len(blocks):
            onward = [step + rest for step, rest in zip(steps[k][best], go[k + 1], strict=True)]
    return titles, leads


def _sum_before(own: list[list[float]], steps: list[list[list[float]]]) -> list[list[float]]:
    """For each choice of each title, the best weight of all that comes before it."""
    come = [[0.0] * len(own[0])]
    for k in range(len(own) - 1):
        here = [before + weight for before, weight in zip(come[k], own[k], strict=True)]
        columns = zip(*steps[k], strict=True)
        come.append([max(b + step for b, step in zip(here, column, strict=True)) for column in columns])
    return come


def _sum_onward(own: list[list[float]], steps: list[list[list[float]]]) -> list[list[float]]:
    """For each choice of each title, the best weight from it, itself included, to the end."""
    go = [[0.0]]
    for weights, table in zip(reversed(own), reversed(steps), strict=True):
        best = [max(step + rest for step, rest in zip(row, go[0], strict=True)) for row in table]
        go.insert(0, [weight + rest for weight, rest in zip(weights, best, strict=True)])
    return go[:-1]


def _list_choices(
    k: int, blocks: Sequence[_Block], regions: Sequence[list[_Line]], repeats: Sequence[_Repeats]
) -> list[int]:
    """The lines that may be the title of block k."""
    count = len(regions[k])
    # what stands on the line of a résumé's label is no title
    first = 1 if k and blocks[k - 1].resume_head else 0
    if count == first:
        return [count]
    no_title = [count] if k and blocks[k - 1].has_resume and not blocks[k - 1].is_private else []
    if blocks[k].is_private:
        return [count - 1, *no_title]
    if k and not blocks[k - 1].has_resume:
        return [0]
    if count <= _MOST_CANDIDATES:
        return [*range(first, count), *no_title]
    bounds = _bound_titles(k, regions, repeats)
    unpaired = _count_unpaired(regions[k], repeats[k])
    ranked = sorted(
        range(first, count), key=lambda t: bounds[t] + _weigh_title(k, t, blocks, regions, unpaired), reverse=True
    )
    return [*sorted(ranked[:_MOST_CANDIDATES]), *no_title]


def _bound_titles(k: int, regions: Sequence[list[_Line]], repeats: Sequence[_Repeats]) -> list[float]:
    """How much can at most repeat on both sides of each line, were both neighbours cut for its good."""
    count = len(regions[k])
    back = [0.0] * count
    if k:
        back = _weigh_until(_chain(repeats[k - 1].pairs), repeats[k - 1].rights[:count])
    lefts = repeats[k].lefts
    mirrored = sorted(((-j, -i, weight) for i, j, weight in repeats[k].pairs), key=lambda pair: (pair[0], -pair[1]))
    forth = _weigh_until(_chain(mirrored), [1 - lefts[title + 1] for title in range(count)])
    return [left + right for left, right in zip(back, forth, strict=True)]


def _weigh_title(
    k: int, title: int, blocks: Sequence[_Block], regions: Sequence[list[_Line]], unpaired: Sequence[int]
) -> float:
    """What speaks against a line as title apart from repetition: its form, and what it leaves without a twin.

    Lines before the first title and in a private résumé need no twin; after them a title stands as late as it can.

    Args:
        unpaired: for each line of the region, how many from it on are like no line of the next region.
    """
    region = regions[k]
    if title == len(region):
        return 0.0
    line = region[title]
    is_apart = line.is_alone or title == len(region) - 1
    against = 40.0 * line.is_item + 20.0 * (not is_apart) + 20.0 * (len(line.text) > _LONGEST_TITLE)
    against += 12.0 * line.text.endswith((*".;:,",)) + 15.0 * (len(line.units) > 1) + 8.0 * line.text[:1].islower()
    needs_twins = k > 0 and not blocks[k - 1].is_private
    return -min(against, _WORST_FORM) - _UNPAIRED * (0 if needs_twins else unpaired[title])


def _count_unpaired(region: Sequence[_Line], repeats: _Repeats) -> list[int]:
    """For each line, how many from it on are like no line of the next region."""
    paired = {left for left, _ in repeats.lines}
    counts = accumulate(int(place not in paired) for place in range(len(region) - 1, -1, -1))
    return list(counts)[::-1]


def _weigh_steps(
    block: _Block,
    titles: Sequence[int],
    nexts: Sequence[int],
    *,
    region: Sequence[_Line],
    following: Sequence[_Line],
    repeats: _Repeats,
    is_last: bool,
) -> list[list[float]]:
    """How well the body that each title leaves is repeated by the résumé that each next title leaves.

    Returns:
        One row per title, one column per next title; -inf where a next record without a title cannot be.
    """
    keys = [line.key for line in region]
    whole = [line.key for line in following]
    table = []
    for title in titles:
        has_body = title + 1 < len(region) and block.has_resume and not block.is_private
        body = keys[title + 1 :]
        weights = _weigh_repetition(title, nexts, len(region), repeats) if has_body else [0.0] * len(nexts)
        if has_body and body == whole[: len(body)]:
            # after the last block a cut record may follow the résumé
            is_whole = [end == len(body) or is_last for end in nexts]
            weights = [weight + _WHOLE * w for w, weight in zip(is_whole, weights, strict=True)]
        if len(nexts) > 1 and not (has_body and body == whole):
            # only a region that repeats a whole body, and holds no more, is known to lack a title
            weights = [_NEVER if end == len(following) else w for end, w in zip(nexts, weights, strict=True)]
        table.append(weights)
    return table


def _weigh_repetition(title: int, nexts: Sequence[int], count: int, repeats: _Repeats) -> list[float]:
    weights = _weigh_until(_chain_body(repeats, title), [repeats.rights[end] for end in nexts])
    heads = [(i, j) for i in range(_HEAD_DEPTH) for j in range(_HEAD_DEPTH) if (title + 1 + i, j) in repeats.lines]
    depth = min(map(max, heads), default=_HEAD_DEPTH)
    head = _SEAM - _DEEPER * depth if heads else 0.0
    return [
        weight + head * (end > depth) + _SEAM * ((count - 1, end - 1) in repeats.lines)
        for weight, end in zip(weights, nexts, strict=True)
    ]


def _find_tail(
    block: _Block, region: Sequence[_Line], title: int, tail: Sequence[_Line], repeats: _Repeats
) -> tuple[int, list[str]]:
    """The line after the last block at which its résumé ends and a record begins that the copy cuts off.

    Args:
        region, title: the lines before the block, and which of them is its title.
        tail: the lines after it; repeats: what both have in common.
    """
    ends = _chain_body(repeats, title)[0]
    if not tail or not block.has_resume:
        return 0, []
    if block.is_private or not ends:
        return len(tail), ["nothing tells where its résumé ends: all that follows was taken for it"]
    after = bisect_left(repeats.rights, ends[-1] + 1)
    if after == len(tail) or (len(region) - 1, after - 1) in repeats.lines:
        return after, []
    # the last line of the body is not repeated: the résumé may go on with its own version of it
    while after < len(tail) and not _is_like_title(tail[after]):
        after += 1
    return after, ["its résumé does not end as its body: where it ends was told by the form of the lines"]


def _is_like_title(line: _Line) -> bool:
    form = line.text.endswith((*".;:,",)) or line.text[:1].islower() or len(line.text) > _LONGEST_TITLE
    return not (line.is_item or form) and line.is_alone


# --- records


def _cut_records(
    blocks: Sequence[_Block], regions: Sequence[list[_Line]], titles: Sequence[int], tail: int
) -> list[_Cut]:
    ends = [*titles[1:], tail]
    return [
        _Cut(
            block,
            regions[k][titles[k]] if titles[k] < len(regions[k]) else None,
            regions[k][titles[k] + 1 :],
            regions[k + 1][: ends[k]] if block.has_resume else [],
        )
        for k, block in enumerate(blocks)
    ]


def _judge_record(
    cut: _Cut, page_url: str, position: int, lines: Sequence[_Line], *, is_cut_off: bool
) -> Record | Reject:
    """The record, or why it is none."""
    held = [*([cut.title] if cut.title else []), *cut.body, *lines[cut.block.first : cut.block.after], *cut.resume]
    if is_cut_off:
        return _reject(page_url, "incomplete", "the copy ends at the labels of this resource", held)
    if cut.title is None:
        return _reject(page_url, "no_title", "nothing stands between these labels and the résumé before them", held)
    if cut.block.kinds.count("type") > 1 or len(cut.block.types) > 1:
        stated = ", ".join(repr(line.text) for line in cut.block.types)
        return _reject(page_url, "two_types", f"more than one type is stated: {stated}", held)
    if cut.block.kinds.count("is_private") > 1 or len(cut.block.privacies) > 1:
        stated = ", ".join(repr(line.text) for line in cut.block.privacies)
        return _reject(page_url, "two_privacies", f"privacy is stated more than once: {stated}", held)
    return Record(
        page_url=page_url,
        position=position,
        url=None,
        title=cut.title.text,
        type=cut.block.types[0].text if cut.block.types else None,
        is_private=cut.block.is_private,
        body=_read_passages(cut.body),
        resume=_read_passages(cut.resume),
        links=(),
        span=Span(held[0].start, held[-1].end),
        part_spans=_span_parts(cut, cut.title),
    )


def _read_passages(lines: Sequence[_Line]) -> tuple[Passage, ...]:
    return tuple(Passage("item" if line.is_item else "paragraph", line.text) for line in lines)


def _span_parts(cut: _Cut, title: _Line) -> dict[str, Span]:
    parts = {
        "title": [title],
        "type": cut.block.types,
        "is_private": cut.block.privacies,
        "body": cut.body,
        "resume": cut.resume,
    }
    return {name: Span(lines[0].start, lines[-1].end) for name, lines in parts.items() if lines}


def _reject(page_url: str, reason: str, message: str, lines: Sequence[_Line]) -> Reject:
    words = " ".join(line.text for line in lines)
    excerpt = words if len(words) <= _LONGEST_EXCERPT else words[: _LONGEST_EXCERPT - 1] + "…"
    span = Span(lines[0].start, lines[-1].end) if lines else None
    return Reject(page_url, reason, message, span, excerpt)


def _note_records(cuts: Sequence[_Cut], leads: Sequence[float], regions: Sequence[list[_Line]]) -> list[str]:
    """Sentences on what is unusual in the records, each naming its record."""
    notes = []
    for k, (cut, lead) in enumerate(zip(cuts, leads, strict=True)):
        found = [*_note_labels(cut.block), *_note_text(cut)]
        if lead < _CLEAR and cut.title:
            found.append("where its title stands is not clear: another line would do nearly as well")
        strays = regions[k].index(cut.title) if k and cut.title and not cuts[k - 1].block.has_resume else 0
        if cut.block.is_private and _shows_body(regions[k], cut.resume):
            found.append("it is private, and its résumé repeats the lines above its labels: look at its title")
        if strays:
            found.append(f"{strays} lines before its title belong to no label and were left out")
        notes += [_name(k, cut) + note for note in found]
    return notes


def _shows_body(region: Sequence[_Line], resume: Sequence[_Line]) -> bool:
    """Whether the last two lines above the labels both come again: members see the body of a private resource."""
    return len(region) > 1 and {line.key for line in region[-2:]} <= {line.key for line in resume}


def _name(position: int, cut: _Cut) -> str:
    return f"record {position} ({cut.title.text[:80] if cut.title else 'no title'}): "


def _note_labels(block: _Block) -> list[str]:
    notes = []
    for kind, words in (("type", "type"), ("is_private", "privacy"), ("resume", "résumé")):
        if kind not in block.kinds:
            notes.append(f"no label states its {words}")
    if "type" in block.kinds and not block.types:
        notes.append("its type is empty")
    if "is_private" in block.kinds and block.is_private is None:
        stated = ", ".join(repr(line.text) for line in block.privacies) or "nothing"
        notes.append(f"its privacy is neither Oui nor Non: {stated}")
    return notes


def _note_text(cut: _Cut) -> list[str]:
    if cut.block.is_private:
        return ["it is private, and its title looks like an item of a list"] if cut.title and cut.title.is_item else []
    notes = [] if cut.body else ["it is not private, and has no body"]
    if cut.block.has_resume and not cut.resume:
        notes.append("its résumé is empty")
    elif cut.body and cut.resume and not _find_repeats(cut.body, cut.resume).pairs:
        notes.append("its résumé repeats nothing of its body")
    return notes

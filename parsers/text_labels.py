"""The blocks of labels in a plain-text copy: where the fields of a record stand, and what they state.

Without markup a label is only a line of a certain wording, and running text can hold the same words. So a block asks
for more than one label, or one with its value below. Refuses to guess: a label spelled otherwise is reported and read
as text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rapidfuzz import fuzz, process

from parsers.caps import require_few_labels
from parsers.text_lines import Line
from schema.folding import fold_label, strip_accents
from schema.sources import Labels

LabelKind = Literal["type", "is_private", "resume"]
Wordings = Mapping[str, LabelKind]

_PRIVACY = {"oui": True, "non": False}
_LONGEST_VALUE = 120
_MOST_VALUES = 4  # lines between two labels of a block


@dataclass(frozen=True, slots=True)
class _Label:
    """A label met at the head of a line; value is what stands after its colon on the same line."""

    kind: LabelKind
    value: Line | None


@dataclass(slots=True)
class Block:
    """The labels of one record: lines `[first, after)` of the copy, their kinds in order, and the values met there.

    The value of a résumé's label is only what stands on the same line; the rest of the résumé is text.
    """

    first: int
    after: int
    kinds: list[LabelKind] = field(default_factory=list)
    values: dict[LabelKind, list[Line]] = field(default_factory=lambda: defaultdict(list))

    @property
    def has_resume(self) -> bool:
        """Whether a label announces a résumé."""
        return "resume" in self.kinds

    @property
    def is_private(self) -> bool | None:
        """What the one value says, None where there is none, more, or neither Oui nor Non."""
        stated = self.values["is_private"]
        return _PRIVACY.get(stated[0].key.rstrip(".")) if len(stated) == 1 else None


def index_wordings(labels: Labels) -> dict[str, LabelKind]:
    """The kind of label by its folded wording."""
    accepted: dict[LabelKind, tuple[str, ...]] = {
        "type": labels.type,
        "is_private": labels.private,
        "resume": labels.summary,
    }
    return {fold_label(wording): kind for kind, wordings in accepted.items() for wording in wordings}


def find_blocks(lines: Sequence[Line], wordings: Wordings) -> list[Block]:
    """The blocks of labels, in order."""
    labels = [_read_label(line, wordings) for line in lines]
    blocks: list[Block] = []
    place = 0
    while place < len(lines):
        block = _read_block(lines, labels, place, wordings)
        if block:
            blocks.append(block)
        place = block.after if block else place + 1
    return blocks


def _read_label(line: Line, wordings: Wordings) -> _Label | None:
    """The label that a line is, alone or with its value behind a colon."""
    if line.is_item:
        return None
    if kind := wordings.get(fold_label(line.text)):
        return _Label(kind, None)
    head, _, rest = line.text.partition(":")
    kind = wordings.get(fold_label(head))
    if not (kind and rest):
        return None
    value = replace(line, text=rest.strip(), start=line.rest)
    return _Label(kind, value) if kind == "resume" or _is_value(value) else None


def _is_value(line: Line) -> bool:
    """Whether a line can be the value of a label: short, and no sentence."""
    return len(line.text) <= _LONGEST_VALUE and not re.search(r"[.;!?](\s|$)", line.text.removesuffix("."))


def _read_block(lines: Sequence[Line], labels: Sequence[_Label | None], first: int, wordings: Wordings) -> Block | None:
    """The block whose first label stands at that line, None where none begins.

    A résumé label alone begins none: it may be a heading of the text. Nor does one label with its value on the same
    line, or without any value: running text says `Type de ressource : guide` too.
    """
    opening = labels[first]
    if opening is None or opening.kind == "resume":
        return None
    block = Block(first=first, after=first)
    while block.after < len(lines) and not block.has_resume:
        require_few_labels(len(block.kinds))
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


def _read_field(block: Block, label: _Label, lines: Sequence[Line], labels: Sequence[_Label | None]) -> None:
    """Adds the label at block.after, and its value, to the block."""
    value, below = label.value, block.after + 1
    block.kinds.append(label.kind)
    block.after = below
    has_below = value is None and label.kind != "resume" and below < len(lines)
    if has_below and labels[below] is None and _is_value(lines[below]):
        value = lines[below]
        block.after += 1
    if value:
        block.values[label.kind].append(value)


def _read_extra_values(
    block: Block, lines: Sequence[Line], labels: Sequence[_Label | None], wordings: Wordings
) -> bool:
    """Adds lines that stand between two labels without a blank line: further values, or a misspelled label and its own.

    Returns:
        False where the block ends here: what follows is text.
    """
    after = next((place for place in range(block.after, len(lines)) if labels[place]), len(lines))
    label = labels[after] if after < len(lines) else None
    count = after - block.after
    if label is None or label.kind in block.kinds or count > _MOST_VALUES:
        return False
    if lines[after].number - lines[block.after - 1].number > count + 1:
        return False  # a blank line stands between
    if not _find_near_label(lines[block.after], wordings):
        block.values[block.kinds[-1]] += lines[block.after : after]
    block.after = after
    return True


def _is_block(block: Block, opening: _Label, count: int) -> bool:
    """Whether these labels are those of a record; count is that of all lines, for a copy that ends at a label."""
    if len(block.kinds) > 1 or opening.value:
        return len(block.kinds) > 1
    if opening.kind == "is_private":
        return block.is_private is not None
    return bool(block.values["type"]) or block.after == count


def _find_near_label(line: Line, wordings: Wordings) -> str | None:
    """The wording that a line all but spells."""
    if line.is_item or len(line.text) > max(map(len, wordings)) + 4:
        return None
    plain = {wording: strip_accents(wording) for wording in wordings}
    found = process.extractOne(strip_accents(fold_label(line.text)), plain, scorer=fuzz.ratio, score_cutoff=88)
    return found[2] if found else None


def note_odd_labels(lines: Sequence[Line], blocks: Sequence[Block], wordings: Wordings) -> list[str]:
    """Sentences on lines that look like labels and were not read as such."""
    read = {place for block in blocks for place in range(block.first, block.after)}
    values = {line.number for block in blocks for kind in ("type", "is_private") for line in block.values[kind]}
    notes = []
    for place, line in enumerate(lines):
        if line.number in values or (wording := _find_near_label(line, wordings)) is None:
            continue
        if fold_label(line.text) not in wordings:
            notes.append(f"line {line.number}: {line.text!r} is near the label {wording!r}, and was not read as one")
        elif place not in read:
            notes.append(f"line {line.number}: the label {line.text!r} stands apart from a block, and was read as text")
    return notes

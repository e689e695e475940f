"""What persons decided, in data/raw/<source>/decisions.jsonl: one line a decision, appended and never edited.

An input like the pages: it is read again by every rebuild, and counts from the run after which it was said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from schema.disk import sync
from schema.errors import DamagedArchive, DiskTrouble, UsageError
from schema.layout import Layout
from schema.nouns import Judgement

_JUDGEMENT = TypeAdapter(Judgement)
_JUDGE, _ACCEPT, _TAKEDOWN = "judge", "accept", "takedown"
_KINDS = {kind: kind for kind in (_JUDGE, _ACCEPT, _TAKEDOWN)}  # another one is a damaged line


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A person's word that a run which a gate held tells the truth: it counts as a good night from then on."""

    run: int
    why: str
    author: str
    said_at: datetime


_ACCEPTANCE = TypeAdapter(Acceptance)


@dataclass(frozen=True, slots=True)
class Takedown:
    """What a person had taken down: an address, all those that the same content is known by, its resource_ids.

    after_run: number of the last run when it was said. Unlike a judgement it holds for every run, before and after.
    prints: of its passages, to know them again (flows.taken).
    """

    url: str
    addresses: tuple[str, ...]
    resource_ids: tuple[str, ...]
    why: str
    author: str
    said_at: datetime
    after_run: int
    prints: tuple[str, ...]


_TAKEN = TypeAdapter(Takedown)


def one_line(text: str, option: str, meaning: str) -> str:
    """A word of a person as one line.

    Raises:
        UsageError: it says nothing, or is not text.
    """
    line = " ".join(text.split())
    if not any(c.isalnum() for c in line):
        raise UsageError(f"{option} says nothing; give {meaning} in words")
    if not line.isascii() and any("\ud800" <= c <= "\udfff" for c in line):
        raise UsageError(f"{option} is not UTF-8 text; type {meaning} again")
    return line


def read_judgements(layout: Layout) -> list[Judgement]:
    """What persons said of pairs, in order.

    Raises:
        DamagedArchive: a line is not what was written.
    """
    return list(_read(layout, _JUDGE, _JUDGEMENT))


def read_acceptances(layout: Layout) -> dict[int, Acceptance]:
    """The held runs that persons accepted, by number.

    Raises:
        DamagedArchive: a line is not what was written.
    """
    return {said.run: said for said in _read(layout, _ACCEPT, _ACCEPTANCE)}


def accepted_up_to(layout: Layout, run: int) -> list[dict[str, Any]]:
    """The acceptances that tables as of a run rest on, as plain values."""
    said = sorted(read_acceptances(layout).items())
    return [_ACCEPTANCE.dump_python(one, mode="json") for number, one in said if number <= run]


def read_takedowns(layout: Layout) -> list[Takedown]:
    """What persons had taken down, in order.

    Raises:
        DamagedArchive: a line is not what was written.
    """
    return list(_read(layout, _TAKEDOWN, _TAKEN))


def _read(layout: Layout, kind: str, adapter: TypeAdapter[Any]) -> Iterator[Any]:
    """What persons said of one kind, in order."""
    try:
        # not str.splitlines: a reason may hold one of the other characters that end a line for it
        with layout.decisions.open(encoding="utf-8") as file:
            lines = list(file)
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedArchive(f"{layout.decisions}: cannot be read ({error}); restore it from a copy") from None
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
            if _KINDS[values.pop("kind")] == kind:
                yield adapter.validate_python(values)
        except (ValueError, KeyError, AttributeError, TypeError, ValidationError):
            raise DamagedArchive(
                f"{layout.decisions}: line {number} is damaged; restore the file from a copy"
            ) from None


def add_judgement(layout: Layout, judgement: Judgement) -> None:
    """Append what a person said; it lasts when this returns."""
    values = {"kind": _JUDGE, **_JUDGEMENT.dump_python(judgement, mode="json")}
    _append(layout, json.dumps(values, ensure_ascii=False))


def add_acceptance(layout: Layout, acceptance: Acceptance) -> None:
    """Append that a person accepts a run; it lasts when this returns."""
    values = {"kind": _ACCEPT, **_ACCEPTANCE.dump_python(acceptance, mode="json")}
    _append(layout, json.dumps(values, ensure_ascii=False))


def add_takedown(layout: Layout, takedown: Takedown) -> None:
    """Append what a person had taken down; it lasts when this returns."""
    values = {"kind": _TAKEDOWN, **_TAKEN.dump_python(takedown, mode="json")}
    _append(layout, json.dumps(values, ensure_ascii=False))


def _append(layout: Layout, line: str) -> None:
    try:
        layout.raw.mkdir(parents=True, exist_ok=True)
        is_new = not layout.decisions.exists()
        with layout.decisions.open("a+b") as file:
            # an editor may have taken the last line end away
            file.write((_missing_end(file) + line + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync(layout.raw)
    except OSError as error:
        raise DiskTrouble(f"{layout.decisions}: cannot be written ({error}); make room and say it again") from error


def _missing_end(file: BinaryIO) -> str:
    if not file.seek(0, os.SEEK_END):
        return ""
    file.seek(-1, os.SEEK_END)
    return "" if file.read(1) == b"\n" else "\n"


def judgements_digest(judgements: Sequence[Judgement]) -> str:
    """sha256 over what persons said, in order."""
    digest = sha256()
    for judgement in judgements:
        digest.update(_JUDGEMENT.dump_json(judgement) + b"\n")
    return digest.hexdigest()

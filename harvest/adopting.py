"""What a killed run left goes on under a new number, where another run has begun since: an import, say.

Runs are told in the order of their numbers, and the tables of the later one are made: the old number is past.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from harvest.archive import archive_info
from harvest.blocks import PART_SUFFIX
from harvest.compose import plain_member
from harvest.headers import REFERS_TO, SAME_REQUEST
from harvest.members import Damage, scan_records
from harvest.repair import Recovered
from schema.errors import DamagedArchive, DiskTrouble
from schema.nouns import Pointer


def adopt(recovered: Recovered, archive: Path, software: str) -> Recovered | None:
    """Make what an earlier run left the beginning of another archive, begun when that run was.

    Args:
        recovered: the part of that run, mended; the file is no more after this.
        archive: the name that the archive will have.
        software: who writes it.

    Returns:
        The same for the new archive; None, and nothing is changed, where records of the part name their own file.

    Raises:
        DiskTrouble: the disk would not take it.
    """
    old, part = recovered.part, archive.with_name(archive.name + PART_SUFFIX)
    info = plain_member("", "warcinfo", *archive_info(archive, software, recovered.asked), recovered.started_at)
    try:
        start = _start_of_rest(old)
        if start is None:
            return None
        fresh = old.with_name(old.name + ".adopted")
        with old.open("rb") as stream, fresh.open("wb") as new:
            stream.seek(start)
            new.write(info.stored)
            while piece := stream.read(1 << 20):
                new.write(piece)
            new.flush()
            os.fsync(new.fileno())
        fresh.rename(part)
        old.unlink()
    except DamagedArchive:
        return None
    except OSError as error:
        raise DiskTrouble(f"{part}: cannot be written ({error}); make room and refresh again") from error
    moved = len(info.stored) - start
    places = [Pointer(archive.name, e.pointer.offset + moved, e.pointer.length) for e in recovered.exchanges]
    exchanges = tuple(replace(e, pointer=p) for e, p in zip(recovered.exchanges, places, strict=True))
    return replace(recovered, part=part, run=int(archive.name.split(".")[0]), exchanges=exchanges)


def _start_of_rest(part: Path) -> int | None:
    """Where the second record starts; None where a record names a place in this file, which would be another."""
    own, start = part.name.removesuffix(PART_SUFFIX), 0
    for record in scan_records(part):
        if isinstance(record, Damage):
            return None
        start = start or record.offset + record.length
        if any(record.header(name.lower()).partition(";")[0] == own for name in (REFERS_TO, SAME_REQUEST)):
            return None
    return start

"""From a place in the archive to the payload that lies there."""

from __future__ import annotations

from pathlib import Path

from harvest.answers import read_answer
from harvest.members import record_at
from harvest.revisits import effective_answer
from schema.nouns import Payload


def read_payload(archive: Path, offset: int) -> Payload:
    """The payload of the record that starts at an offset of an archive, codings undone; a revisit's is its original's.

    Raises:
        DamagedArchive: the archive is not what was written.
        BrokenAnswer: the archived answer was cut or malformed from the start.
    """
    record = record_at(archive, offset)
    if record.kind not in ("response", "revisit"):
        media_type, _, rest = record.header("content-type").partition(";")
        charset = rest.partition("charset=")[2].strip() or None
        return Payload(record.url, record.block, media_type.strip().lower(), charset)
    answer = read_answer(record.block if record.kind == "response" else effective_answer(archive, offset))
    return Payload(record.url, answer.content, answer.media_type, answer.charset)

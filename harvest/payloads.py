"""From a place in the archive to the payload that lies there."""

from __future__ import annotations

from pathlib import Path

from harvest.answers import read_answer
from harvest.members import WarcRecord, record_at
from harvest.revisits import effective_block
from schema.nouns import Payload


def read_payload(archive: Path, offset: int) -> Payload:
    """The payload of the record that starts at an offset of an archive, codings undone; a revisit's is its original's.

    Raises:
        DamagedArchive: the archive is not what was written.
        BrokenAnswer: the archived answer was cut or malformed from the start.
    """
    return payload_of(archive, record_at(archive, offset))


def payload_of(archive: Path, record: WarcRecord) -> Payload:
    """The same of a record of an archive that was read already.

    Raises:
        DamagedArchive: the original of a revisit is not what was written.
        BrokenAnswer: as for read_payload.
    """
    if record.kind not in ("response", "revisit"):
        media_type, _, rest = record.header("content-type").partition(";")
        charset = rest.partition("charset=")[2].strip() or None
        return Payload(record.url, record.block, media_type.strip().lower(), charset)
    answer = read_answer(effective_block(archive, record))
    return Payload(record.url, answer.content, answer.media_type, answer.charset)

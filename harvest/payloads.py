"""From a place in the archive to the payload that lies there."""

from __future__ import annotations

from pathlib import Path

from harvest.answers import read_answer
from harvest.archive import read_block
from schema.errors import DamagedArchive
from schema.nouns import Payload


def read_payload(archive: Path, offset: int) -> Payload:
    """The payload of the record that starts at an offset of an archive, codings undone; a revisit's is its original's.

    Raises:
        DamagedArchive: the archive is not what was written.
        BrokenAnswer: the archived answer was cut or malformed from the start.
    """
    block, content = read_block(archive, offset)
    if block.kind == "revisit":
        file, _, place = block.refers_to.partition(";")
        if not place.isdecimal() or Path(file).name != file:
            raise DamagedArchive(f"{archive}: the record at offset {offset} does not say which answer it repeats")
        block, content = read_block(archive.with_name(file), int(place))
    if block.kind != "response":
        media_type, _, rest = block.content_type.partition(";")
        charset = rest.partition("charset=")[2].strip() or None
        return Payload(block.url, content, media_type.strip().lower(), charset)
    answer = read_answer(content)
    return Payload(block.url, answer.content, answer.media_type, answer.charset)

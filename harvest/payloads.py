"""From a place in the archive to the payload that lies there."""

from __future__ import annotations

from pathlib import Path

from harvest.answers import read_answer
from harvest.archive import read_block
from schema.nouns import Payload, Pointer


def read_payload(raw_dir: Path, pointer: Pointer) -> Payload:
    """The payload that a place in the archive holds, codings undone.

    Raises:
        DamagedArchive: the archive is not what was written.
        BrokenAnswer: the archived answer was cut or malformed from the start.
    """
    block, content = read_block(raw_dir / pointer.file, pointer.offset)
    if block.kind != "response":
        media_type, _, rest = block.content_type.partition(";")
        charset = rest.partition("charset=")[2].strip() or None
        return Payload(block.url, content, media_type.strip().lower(), charset)
    answer = read_answer(content)
    return Payload(block.url, answer.content, answer.media_type, answer.charset)

"""The archived answer that a 304 stands for: looked up when the 304 comes, and believed only as it was."""

from __future__ import annotations

import base64
from hashlib import sha1, sha256
from pathlib import Path

from harvest.answers import BrokenAnswer, split_head
from harvest.archive import read_block
from harvest.payloads import read_payload
from harvest.validators import Validators
from schema.errors import DamagedArchive
from schema.nouns import Original, Payload


def held_original(folder: Path, validators: Validators) -> tuple[Original, Payload] | None:
    """The answer that validators belong to, and its payload; None when the archive no longer holds it as it was."""
    path = folder / validators.file
    try:
        payload = read_payload(path, validators.offset)
        original = original_at(path, validators.offset)
    except (DamagedArchive, BrokenAnswer):
        return None
    is_same = sha256(payload.content).hexdigest() == validators.payload_digest
    return (original, payload) if is_same else None


def original_at(path: Path, offset: int) -> Original:
    """The answer that lies at an offset, as a revisit names it.

    Raises:
        DamagedArchive, BrokenAnswer: no whole answer lies there.
    """
    block, content = read_block(path, offset)
    body = split_head(content)[1]
    digest = "sha1:" + base64.b32encode(sha1(body, usedforsecurity=False).digest()).decode()
    return Original(path.name, offset, block.url, block.archived_at, digest)

"""A shelf (schema.shelf) that is a file without a name: what a run read and does not look at now is not in memory."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO
from weakref import finalize

from schema.errors import DiskTrouble

_HELD_BYTES = 1 << 20
_LENGTH_BITS = 32


class FileShelf:
    """Bytes put aside in a file. Little never touches the disk; the file is gone with the process, whatever ends it."""

    def __init__(self, folder: Path | None = None) -> None:
        """A new one, in a folder that is made where it is not there; in the system's own if none is given."""
        self._folder = folder
        self._stream: IO[bytes] | None = None
        self._written, self._held = 0, bytearray()

    def put(self, data: bytes) -> int:
        """Put bytes aside; where they are.

        Raises:
            DiskTrouble: no room for them.
        """
        place = (self._written + len(self._held)) << _LENGTH_BITS | len(data)
        self._held += data
        if len(self._held) >= _HELD_BYTES:
            try:
                self._write()
            except OSError as error:
                del self._held[max(0, len(self._held) - len(data)) :]  # it was not taken
                where = self._folder or gettempdir()
                raise DiskTrouble(
                    f"{where}: no room for what the run holds ({error}); make room: nothing was published"
                ) from error
        return place

    def get(self, place: int) -> bytes:
        """The bytes at a place."""
        start, length = place >> _LENGTH_BITS, place & ((1 << _LENGTH_BITS) - 1)
        end, written = start + length, self._written
        stored = os.pread(self._file().fileno(), min(end, written) - start, start) if start < written else b""
        return stored + self._held[max(0, start - written) : max(0, end - written)]

    def _write(self) -> None:
        stream = self._file()
        while self._held:  # a disk may take less than it is given
            taken = stream.write(self._held)
            del self._held[:taken]
            self._written += taken

    def _file(self) -> IO[bytes]:
        if self._stream is None:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            self._stream = TemporaryFile(buffering=0, dir=self._folder)  # noqa: SIM115  # closed with this shelf
            finalize(self, self._stream.close)
        return self._stream

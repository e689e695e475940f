"""What pages stated when they were read last: the same bytes, read by the same code, state the same.

    data/clean/<source>/readings.txt    a line a page of the last harvest, or a copy: key, digest, what it states (JSON)

Parsing is most of what a night costs, and nearly every page is as it was the night before. This file spares that and
decides nothing: it may be deleted at any time, a line that is not as it was written is no line, and a rebuild, which
shows that the archive alone gives the tables, deletes it first. Only what a parser read to its end is remembered: a
page that was refused, or a worker that was too slow, gets another try. An imported copy is read on every night and met
on none: it is remembered for as long as code, source file and takedowns are as they were.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from weakref import finalize

from pydantic import TypeAdapter

from flows.reading import read_in_worker
from flows.shelves import FileShelf
from flows.taken import taken_down, without_taken
from flows.versions import code_digest
from schema.errors import DiskTrouble
from schema.layout import Layout
from schema.nouns import PageReading, Payload
from schema.sources import Source

_READING = TypeAdapter(PageReading)
_DIGEST_CHARS = 64
_COPY = b"copy-"
_MADE_BY_CHARS = 16


class Remembered:
    """Readings by what they were made of; copies, and those asked for or made since it was opened, are kept."""

    def __init__(self, layout: Layout, source: Source) -> None:
        self._path, self._source, self._taken = layout.readings, source, taken_down(layout)
        told = [code_digest(), repr(source), self._taken.as_values()]
        self._made_by = _digest(json.dumps(told).encode()).decode()
        self._former = _load(self._path)
        self._copies = _COPY + self._made_by[:_MADE_BY_CHARS].encode()
        self._shelf = FileShelf(layout.staging)
        self._used: dict[bytes, int] = {}
        self._made: dict[bytes, None] = {}

    def find(self, payload: Payload, url: str, *, is_listing: bool | None) -> PageReading | None:
        """What a page states, where it was read before."""
        key = self._key(payload, url, is_listing=is_listing)
        line = self._line(key)
        if line is None or not line.startswith(_digest(key, line[_DIGEST_CHARS:])):
            return None
        self._use(key, line)
        page = _READING.validate_json(line[_DIGEST_CHARS:])
        return replace(page, records=tuple(page.records))

    def read(self, payload: Payload, url: str, *, is_listing: bool) -> PageReading:
        """What a page states, read in a worker where it was not read before."""
        reading = self.find(payload, url, is_listing=is_listing)
        if reading is None:
            whole = read_in_worker(payload, url, self._source, is_listing=is_listing)
            # what was taken down and is shown all the same is not kept here either
            reading = without_taken(whole, self._taken)
            self.add(payload, url, reading, is_listing=is_listing)
        return reading

    def add(self, payload: Payload, url: str, reading: PageReading, *, is_listing: bool | None) -> None:
        """Remember what a page states, what was taken down left out; not where no parser came to its end."""
        if reading.parser:
            key, said = self._key(payload, url, is_listing=is_listing), _READING.dump_json(reading)
            self._use(key, _digest(key, said) + said)
            self._made[key] = None

    def _line(self, key: bytes) -> bytes | None:
        if key in self._used:
            return self._shelf.get(self._used[key])
        try:
            return self._former.get(key)
        except OSError:
            return None

    def _use(self, key: bytes, line: bytes) -> None:
        if key not in self._used:
            with suppress(DiskTrouble):  # without room the next night parses
                self._used[key] = self._shelf.put(line)

    def keep(self) -> None:
        """Put what was used in the place of what was there but copies, at once; without room the next night parses."""
        copies = [key for key in self._former if key.startswith(self._copies) and key not in self._used]
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as stream:
                stream.writelines(b"%s%s\n" % (key, self._former[key]) for key in copies)
                stream.writelines(b"%s%s\n" % (key, self._shelf.get(place)) for key, place in self._used.items())
            fresh.replace(self._path)
        except OSError:
            with suppress(OSError):
                fresh.unlink()

    def keep_more(self) -> None:
        """Put what was made beside what is there; without room the next night parses."""
        if not self._made:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as stream:
                # the line before may have been cut
                stream.write(b"\n")
                made = (key for key in self._made if key in self._used)
                stream.writelines(b"%s%s\n" % (key, self._shelf.get(self._used[key])) for key in made)

    def _key(self, payload: Payload, url: str, *, is_listing: bool | None) -> bytes:
        content = sha256(payload.content).hexdigest()
        told = [self._made_by, payload.url, payload.media_type, payload.charset, content, url, is_listing]
        key = _digest(json.dumps(told).encode())
        return key if is_listing is not None else self._copies + key[len(self._copies) :]


def forget(layout: Layout) -> None:
    """Remember nothing: every page is parsed the next time."""
    layout.readings.unlink(missing_ok=True)


class _Lines(Mapping[bytes, bytes]):
    """The lines of a file, digest and reading, by key; each is read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        finalize(self, self._stream.close)
        self._places: dict[bytes, tuple[int, int]] = {}
        start = 0
        for line in self._stream:
            key = line[:_DIGEST_CHARS].rstrip(b"\n")
            self._places[key] = start + len(key), len(line.rstrip(b"\n")) - len(key)
            start += len(line)

    def __getitem__(self, key: bytes) -> bytes:
        start, length = self._places[key]
        return os.pread(self._stream.fileno(), length, start)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _load(path: Path) -> Mapping[bytes, bytes]:
    """Digest and reading by key."""
    try:
        told = path.stat()
        return _lines(path, told.st_mtime_ns, told.st_size)
    except OSError:
        return {}


# one run parses in many portions, and each looks here
@lru_cache(maxsize=1)
def _lines(path: Path, *_version: int) -> _Lines:
    return _Lines(path)


def _digest(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).hexdigest().encode()

"""One run at a time per source, by a lock that the kernel frees when its holder dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from schema.errors import AlreadyRunning, DiskTrouble
from schema.layout import Layout


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the lock of a source.

    Raises:
        AlreadyRunning: another run holds it.
        DiskTrouble: the data folder cannot be written.
    """
    try:
        layout.clean.mkdir(parents=True, exist_ok=True)
        layout.raw.mkdir(parents=True, exist_ok=True)
        handle = layout.lock.open("a")
    except OSError as error:
        raise DiskTrouble(f"{layout.data}: cannot be written ({error}); make room or give another --data") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"{layout.source}: another run holds {layout.lock}; wait for it, it is free the moment that run ends"
            ) from None
        yield

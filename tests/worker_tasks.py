"""What a worker is made to do in tests: at the top of a module, as it is imported there anew."""

from __future__ import annotations

import os
import resource
import signal
import time

from flows.reading import Page, read_one
from schema.nouns import PageReading


def double(task: int) -> int:
    return 2 * task


def who(_: int) -> int:
    return os.getpid()


def misbehave(task: str) -> str:
    """What a task names, done in the worker."""
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "leave":
        os._exit(3)
    if task == "hang":
        time.sleep(60)
    if task == "eat":
        return str(len(bytearray(4 * 1024**3)))
    if task == "raise":
        raise LookupError("a fault of ours")
    return task.upper()


def limits_here(_: int) -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CORE)[0]


def read_poisoned(page: Page) -> PageReading:
    """Read a page as ever, but that the one called /poison kills whoever reads it."""
    if page.url.endswith("/poison"):
        os.kill(os.getpid(), signal.SIGKILL)
    return read_one(page)

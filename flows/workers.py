"""Work in processes of their own, with limits of time and memory: what kills or stops one costs one task.

A parser of untrusted pages may loop, eat all memory or crash; none of that can be caught where it happens. A worker is
a fresh interpreter (no fork: nothing of the run stands in it), started when the first task comes and kept for the next
ones; the one that dies or is overdue is replaced. What comes out does not depend on how many workers there are.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_START_S = 60.0
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from flows.workers import serve; serve(sys.argv[1:])"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many processes, and what one task may take: seconds from its start, bytes of address space."""

    workers: int = 1
    task_s: float = 9.0
    memory_bytes: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that gave no result: `parser_crashed`, `too_slow` or `too_big`, and what happened in words."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class _Result(Generic[R]):
    value: R


class Worker:
    """One process and the line to it. It ends with its parent, and when it is closed."""

    def __init__(self, memory_bytes: int, work: Callable[..., Any]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            os.set_inheritable(theirs.fileno(), True)  # noqa: FBT003  # its signature
            command = [sys.executable, "-c", _START, str(theirs.fileno()), json.dumps(sys.path), str(memory_bytes)]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)  # noqa: S603  # ourselves
        self.line = Connection(ours.detach())
        self.due_at = 0.0
        # importing what it will do is part of starting, not of its first task
        self.line.send(work)
        if not self.line.poll(_START_S):
            self.kill()
            raise RuntimeError(f"a worker did not start within {_START_S:g} s")
        self.line.recv()

    def give(self, work: Callable[[T], R], task: T, task_s: float) -> None:
        """Hand over a task; its time runs from now."""
        self.due_at = time.monotonic() + task_s
        with suppress(OSError):  # it died meanwhile: taking its result will say so
            self.line.send((work, task))

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def take(self) -> _Result[Any] | Failure:
        """What came of the task.

        Raises:
            Exception: what the work raised, memory aside.
        """
        try:
            given = self.line.recv()
        except (EOFError, ConnectionError):
            code = self._process.wait()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return Failure("parser_crashed", f"the process that read it died ({how}): not read")
        if isinstance(given, BaseException):
            raise given
        result: _Result[Any] | Failure = given
        return result

    def kill(self) -> None:
        """End the process, whatever it does."""
        self.line.close()
        self._process.kill()
        self._process.wait()


class Pool:
    """Workers that are started when they are needed, and kept."""

    def __init__(self) -> None:
        self._idle: dict[tuple[int, int], list[Worker]] = {}
        self._guard = Lock()

    def _idle_for(self, limits: Limits) -> list[Worker]:
        # a fork of this process may not talk on the lines of its parent
        return self._idle.setdefault((os.getpid(), limits.memory_bytes), [])

    def _hire(self, limits: Limits, work: Callable[..., Any]) -> Worker:
        with self._guard:
            idle = self._idle_for(limits)
            while idle:
                if (worker := idle.pop()).is_alive:
                    return worker
        return Worker(limits.memory_bytes, work)

    def _dismiss(self, worker: Worker, limits: Limits) -> None:
        with self._guard:
            self._idle_for(limits).append(worker)

    def run(self, tasks: Sequence[T], work: Callable[[T], R], limits: Limits) -> list[R | Failure]:
        """The results of tasks, in their order; each worker has one task at a time."""
        results: list[R | Failure] = [Failure("", "")] * len(tasks)
        left = iter(enumerate(tasks))
        busy: dict[Worker, int] = {}
        try:
            self._fill(busy, left, work, limits, limits.workers)
            while busy:
                for worker in self._finished(busy):
                    place = busy.pop(worker)
                    results[place] = self._settle(worker, limits)
                self._fill(busy, left, work, limits, limits.workers)
        finally:
            for worker in busy:
                worker.kill()
        return results

    def _fill(
        self, busy: dict[Worker, int], left: Iterable[tuple[int, T]], work: Callable[[T], R], limits: Limits, count: int
    ) -> None:
        while len(busy) < count and (next_ := next(iter(left), None)) is not None:
            worker = self._hire(limits, work)
            busy[worker] = next_[0]
            worker.give(work, next_[1], limits.task_s)

    @staticmethod
    def _finished(busy: dict[Worker, int]) -> list[Worker]:
        """Workers that answered, died or are overdue; waits for the first."""
        pause_s = max(0.0, min(worker.due_at for worker in busy) - time.monotonic())
        ready = wait([worker.line for worker in busy], pause_s)
        now = time.monotonic()
        return [worker for worker in busy if worker.line in ready or worker.due_at <= now]

    def _settle(self, worker: Worker, limits: Limits) -> Any:
        if not worker.line.poll():
            worker.kill()
            return Failure("too_slow", f"not read within {limits.task_s:g} s: given up")
        try:
            given = worker.take()
        except BaseException:
            self._dismiss(worker, limits)
            raise
        if isinstance(given, Failure):
            # after what it met its memory is not to be trusted
            worker.kill()
            return given
        self._dismiss(worker, limits)
        return given.value

    def close(self) -> None:
        """End all workers."""
        with self._guard:
            for worker in (w for (owner, _), idle in self._idle.items() if owner == os.getpid() for w in idle):
                worker.kill()
            self._idle.clear()


_POOL = Pool()
atexit.register(_POOL.close)


def parse_in_workers(tasks: Sequence[T], parse: Callable[[T], R], limits: Limits | None = None) -> list[R | Failure]:
    """What a function makes of each task, in order, in processes of their own.

    Args:
        tasks: anything that can be pickled.
        parse: a function at the top of a module that can be imported.
        limits: of each task; one that breaks them, or dies, is a Failure, and the others go on.

    Raises:
        Exception: what the function itself raised.
    """
    return _POOL.run(tasks, parse, limits or Limits())


def serve(arguments: Sequence[str]) -> None:
    """A worker's life: tasks in, results out, until the line is closed."""
    # who stops the run stops its workers too, each in its own way
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (int(arguments[2]), int(arguments[2])))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    line = Connection(int(arguments[0]))
    line.recv()
    line.send("ready")
    while True:
        try:
            work, task = line.recv()
        except (EOFError, ConnectionError):
            return
        line.send(_do(work, task))


def _do(work: Callable[[Any], Any], task: Any) -> _Result[Any] | Failure | BaseException:
    try:
        return _Result(work(task))
    except MemoryError:
        return Failure("too_big", "it takes more memory than a page may: not read")
    except Exception as error:  # noqa: BLE001  # what it is, is for the one who asked to judge
        return error

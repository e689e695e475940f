"""The nightly schedule on Prefect: one deployment a source, one run at a time, on a server that is named or started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from schema.errors import EngineUnavailable, UsageError
from schema.sources import Source

TIMEZONE = "Europe/Paris"
START_WITHIN_S = 180.0


def serve(sources: Sequence[Source], cron: str, data: Path) -> None:
    """Refresh each source whenever the cron expression says, until stopped.

    Raises:
        EngineUnavailable: Prefect's server could not be started.
        UsageError: the cron expression is none.
    """
    with _server():
        from prefect import serve as serve_deployments
        from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
        from prefect.deployments.runner import RunnerDeployment
        from prefect.schedules import Cron

        from flows.refresh import refresh_flow

        try:
            schedule = Cron(cron, timezone=TIMEZONE)
        except ValueError as error:
            raise UsageError(f"--cron {cron!r}: {error}; write five fields, such as '0 2 * * *'") from None
        one_at_a_time = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
        deployments = [
            RunnerDeployment.from_flow(
                refresh_flow,
                name=f"nightly-{source.name}",
                parameters={"source": str(source.path.resolve()), "data": str(data.resolve())},
                schedule=schedule,
                concurrency_limit=one_at_a_time,
            )
            for source in sources
        ]
        names = ", ".join(source.name for source in sources)
        typer.echo(f"moisson: serving {names} at {cron!r} ({TIMEZONE}); stop with Ctrl-C", err=True)
        # stopped by a signal, Prefect's runner forgets to await its own end
        warnings.filterwarnings("ignore", message="coroutine 'Runner.astop' was never awaited", category=RuntimeWarning)
        # a paused schedule after a restart is a night that nobody misses for months
        serve_deployments(*deployments, pause_on_shutdown=False, print_starting_message=False)


@contextmanager
def _server() -> Iterator[None]:
    """The server that PREFECT_API_URL names, else one of our own on the loopback, gone when we are."""
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    port = _free_port()
    address = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:  # noqa: S603  # our own words only
        try:
            _wait_until_healthy(server, address)
            os.environ["PREFECT_API_URL"] = address
            yield
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise EngineUnavailable(f"Prefect's server ended at once with status {server.returncode}")
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2.0):  # noqa: S310  # our own loopback address
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    raise EngineUnavailable(f"Prefect's server was not ready after {START_WITHIN_S:g} s; look at the load, then again")

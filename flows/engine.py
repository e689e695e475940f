"""Prefect's engine: whether it can be reached, and a flow's end as our outcome or our error.

Imported only when a flow is to run: `import prefect` costs 1.5 s.
"""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from flows.jobs import Outcome
from schema.errors import EngineUnavailable

ANSWER_WITHIN_S = 5.0


def require_engine() -> None:
    """Refuse a PREFECT_API_URL behind which no server answers, in one line instead of Prefect's sixty.

    Raises:
        EngineUnavailable: a server is named, and it does not answer.
    """
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return
    if not url.startswith(("http://", "https://")):
        raise EngineUnavailable(f"PREFECT_API_URL is {url}, no http address; mend or unset it, or run with --direct")
    try:
        # not by way of a proxy of the environment: a server on this machine would not be found
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url.rstrip('/')}/health", timeout=ANSWER_WITHIN_S):
            return
    except (OSError, ValueError, HTTPException) as error:
        raise EngineUnavailable(
            f"PREFECT_API_URL is {url} and no Prefect server answers there ({error}); start it, unset the variable, or "
            "run with --direct"
        ) from None


def data_of(state: Any) -> Any:
    """What a Prefect state carries, out of its envelope."""
    return getattr(state.data, "result", state.data)


def run_flow(flow: Callable[..., Any], *arguments: Any, **options: Any) -> Outcome:
    """Run a flow to its end.

    Raises:
        MoissonError: what the job failed with (or whatever else it raised).
        EngineUnavailable: Prefect's own server could not be started or reached.
    """
    require_engine()
    try:
        state = flow(*arguments, return_state=True, **options)
    except RuntimeError as error:
        raise EngineUnavailable(f"Prefect's engine did not start ({_first_line(error)}); run with --direct") from None
    ended = data_of(state)
    if isinstance(ended, Outcome):
        return ended
    if isinstance(ended, BaseException):
        raise ended
    raise EngineUnavailable(
        f"the flow ended as {state.name}: {_first_line(state.message)}; run with --direct to see why"
    )


def _first_line(text: object) -> str:
    return str(text).strip().split("\n", 1)[0][:300]

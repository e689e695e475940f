"""Prefect's engine: whether it can be reached, and a flow's end as our outcome or our error.

Imported only when a flow is to run: `import prefect` costs 1.5 s.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable
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
    try:
        # the address is the operator's own setting; other schemes than http(s) are refused by the opener below
        with _opener().open(f"{url.rstrip('/')}/health", timeout=ANSWER_WITHIN_S):
            return
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise EngineUnavailable(
            f"PREFECT_API_URL is {url} and no Prefect server answers there ({error}); start it, unset the variable, or "
            "run with --direct"
        ) from None


def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(), urllib.request.HTTPErrorProcessor()):
        opener.add_handler(handler)
    return opener


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
    ended = getattr(state.data, "result", state.data)
    if isinstance(ended, Outcome):
        return ended
    if isinstance(ended, BaseException):
        raise ended
    raise EngineUnavailable(
        f"the flow ended as {state.name}: {_first_line(state.message)}; run with --direct to see why"
    )


def _first_line(text: object) -> str:
    return str(text).strip().split("\n", 1)[0][:300]

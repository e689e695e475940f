"""The jobs as Prefect flows: thin, over the same plain functions that `--direct` runs.

A failure that we foresee ends the flow as Failed in one line, without a traceback. Prefect's state is never our truth.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.engine import data_of
from flows.jobs import Outcome, rebuild, refresh, with_replay
from flows.sources_found import find_source
from flows.stages import silent
from harvest.crawl import Progress
from schema.errors import Bug, MoissonError

# who is told how far a harvest is; no parameter of the flow, which must be plain values
PROGRESS: ContextVar[Progress] = ContextVar("progress", default=silent)


def as_task(name: str, stage: Callable[..., Any], *arguments: Any) -> Any:
    """Run a stage as a Prefect task: coarse, not cached, its result not kept (our own files are the truth)."""

    def foreseen(*given: Any) -> State[Any]:
        try:
            return Completed(data=_Kept(stage(*given)))
        except MoissonError as error:
            return Failed(message=str(error), data=error)

    run = task(name=name, persist_result=False, cache_policy=NO_CACHE, retries=0)(foreseen)
    ended = data_of(run(*arguments, return_state=True))
    if isinstance(ended, MoissonError):
        raise ended
    if not isinstance(ended, _Kept):
        raise Bug(f"the task {name} came to no end; run with --direct to see why")
    return ended.value


@dataclass(frozen=True, slots=True)
class _Kept:
    """A stage's result in a box: Prefect gives a meaning of its own to some values, None among them."""

    value: Any


@flow(name="refresh", persist_result=False, validate_parameters=False)
def refresh_flow(
    source: str,
    data: str = "data",
    replay: str | None = None,
    *,
    is_dry: bool = False,
) -> State[Any]:
    """Harvest a source and publish what is new; source is a name or a path, data the data folder."""

    def job() -> Outcome:
        found = with_replay(find_source(source), Path(replay) if replay else None)
        return refresh(found, Path(data), is_dry=is_dry, progress=PROGRESS.get(), step=as_task)

    return _ended(job)


@flow(name="rebuild", persist_result=False, validate_parameters=False)
def rebuild_flow(source: str, data: str = "data") -> State[Any]:
    """Make every table of a source again from its archive."""
    return _ended(lambda: rebuild(find_source(source), Path(data), step=as_task))


def _ended(job: Callable[[], Outcome]) -> State[Any]:
    try:
        outcome = job()
    except MoissonError as error:
        return Failed(message=str(error), data=error)
    return Completed(message=outcome.verdict, data=outcome)

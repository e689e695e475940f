"""Work in processes of their own: what kills, stops or starves one costs one task, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import reading as reading_module
from flows.reading import read_in_worker, read_visits
from flows.stages import batches, harvest
from flows.workers import Failure, Limits, Pool, parse_in_workers
from harvest.payloads import read_payload
from parsers.caps import MAX_DEPTH, MAX_TAGS
from parsers.page import parse_page
from schema.layout import Layout
from schema.nouns import Payload, Visit
from schema.sources import Source
from tests import worker_tasks
from tests.site_server import Script, SiteServer, listing, make_source, resource

IS_LONG = bool(os.environ.get("MOISSON_LONG"))


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool()
    yield made
    made.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_their_tasks(pool: Pool, workers: int) -> None:
    assert pool.run(range(40), worker_tasks.double, Limits(workers)) == [2 * n for n in range(40)]


def test_no_task_needs_no_worker(pool: Pool) -> None:
    started = time.monotonic()
    assert pool.run([], worker_tasks.double, Limits()) == []
    assert time.monotonic() - started < 0.1


def test_one_worker_is_kept_for_all_tasks(pool: Pool) -> None:
    first = {*pool.run(range(5), worker_tasks.who, Limits()), *pool.run(range(5), worker_tasks.who, Limits())}
    assert len(first) == 1
    assert os.getpid() not in first


@pytest.mark.parametrize("workers", [1, 2])
def test_each_way_to_fail_fails_one_task(pool: Pool, workers: int) -> None:
    tasks = ["a", "die", "b", "hang", "c", "eat", "d", "leave", "e"]
    results = pool.run(tasks, worker_tasks.misbehave, Limits(workers, task_s=0.8, memory_bytes=1024**3))
    assert [given for given in results if isinstance(given, str)] == ["A", "B", "C", "D", "E"]
    failures = {task: given.reason for task, given in zip(tasks, results, strict=True) if isinstance(given, Failure)}
    assert failures == {"die": "parser_crashed", "hang": "too_slow", "eat": "too_big", "leave": "parser_crashed"}
    assert "SIGKILL" in str(results[1])


def test_what_the_work_raises_is_raised_here_and_the_pool_works_on(pool: Pool) -> None:
    with pytest.raises(LookupError, match="a fault of ours"):
        pool.run(["a", "raise", "b"], worker_tasks.misbehave, Limits())
    assert pool.run(["a"], worker_tasks.misbehave, Limits()) == ["A"]


def test_a_worker_has_the_limits_it_was_given(pool: Pool) -> None:
    assert pool.run([1], worker_tasks.limits_here, Limits(memory_bytes=1024**3)) == [(1024**3, 0)]


def test_a_worker_that_died_while_idle_is_replaced(pool: Pool) -> None:
    (first,) = pool.run([1], worker_tasks.who, Limits())
    assert isinstance(first, int)
    os.kill(first, 9)
    time.sleep(0.1)
    (second,) = pool.run([1], worker_tasks.who, Limits())
    assert second not in (first, os.getpid())


def test_no_worker_outlives_its_pool(pool: Pool) -> None:
    (worker,) = pool.run([1], worker_tasks.who, Limits())
    assert isinstance(worker, int)
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


# --- pages


@pytest.fixture
def archived(tmp_path: Path) -> tuple[Source, Layout, list[Visit]]:
    slugs = [f"r{n}" for n in range(18)] + ["poison"]
    scripts: dict[str, Script] = {"/liste": listing("Liste", slugs), **{f"/{slug}": resource(slug) for slug in slugs}}
    with SiteServer(scripts) as site:
        source = make_source(site.origin)
        ledger = harvest(source, Layout(tmp_path, source.name), 1, [])
    visits = [visit for batch in batches(ledger.visits) for visit in batch]
    assert len(visits) == 20
    return source, Layout(tmp_path, source.name), [*visits[:6], visits[-1], *visits[6:-1]]


@pytest.mark.parametrize("workers", [1, 2])
def test_pages_read_in_workers_are_read_as_here(archived: tuple[Source, Layout, list[Visit]], workers: int) -> None:
    source, layout, visits = archived
    for reading in read_visits(source, layout, visits, Limits(workers)):
        assert reading.visit.pointer is not None
        payload = read_payload(layout.raw / reading.visit.pointer.file, reading.visit.pointer.offset)
        is_listing = reading.visit.role == "listing"
        assert reading.page == parse_page(payload, page_url=reading.visit.url, source=source, is_listing=is_listing)
        assert reading.page.records


def test_a_reader_killed_on_page_7_of_20_costs_that_page(
    archived: tuple[Source, Layout, list[Visit]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "read_one", worker_tasks.read_poisoned)
    source, layout, visits = archived
    readings = read_visits(source, layout, visits)
    assert [len(reading.page.records) > 0 for reading in readings] == [True] * 6 + [False] + [True] * 13
    (reject,) = readings[6].page.rejects
    assert (reject.reason, reject.page_url) == ("parser_crashed", visits[6].url)


# --- hostile pages

SOURCE = make_source("https://site.example")


def reason_of(content: bytes) -> str | None:
    payload = Payload("https://site.example/a", content, "text/html", "utf-8")
    reading = read_in_worker(payload, payload.url, SOURCE, is_listing=False)
    return reading.rejects[0].reason if reading.rejects else None


HOSTILE = {
    "300,000 levels": (b"<div>" * 300_000, "too_large"),
    "a level too many": (b"<div>" * (MAX_DEPTH + 1), "too_deep"),
    "300,000 levels, ends too": (b"<div>" * 300_000 + b"</div>" * 300_000, "too_large"),
    "levels of many names": (b"<b><i><u><em><a>" * 1_000, "too_deep"),
    "60,000 attributes": (b"<p " + b" ".join(b"a%d=1" % n for n in range(60_000)) + b">", "too_large"),
    "60,000 quoted attributes": (b"<p " + b" ".join(b"a%d='x y'" % n for n in range(60_000)) + b">", "too_large"),
    "10 MB of tags": (b"<b>" * 3_400_000, "too_large"),
    # no tag begins there: it is read, and soon
    "10 MB of signs": (b"<" * 10_000_000, "no_blocks"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_done_with_soon(name: str) -> None:
    content, reason = HOSTILE[name]
    assert reason_of(b"<p>one that starts the worker</p>") == "no_blocks"
    started = time.monotonic()
    assert reason_of(content) == reason
    assert time.monotonic() - started < 5.0


FLOODS = {
    "10 MB of words": b"<p>" + b"mot " * 2_500_000,
    "10 MB of attributes that hold tags": b"<p " + b"a='<' " * 1_700_000 + b">",
    "as many tags as may be": (b"<p>" + b"x" * 20) * (MAX_TAGS - 1),
    "as deep as may be, with words": b"<div>" * (MAX_DEPTH - 1) + b"mot " * 2_000_000,
    "labels without end": b"<div>Type de ressource</div><div>Guide</div>" * 90_000,
    "attributes in tags": (b"<p " + b" ".join(b"a%d=1" % n for n in range(1_000)) + b">") * 1_000,
}


# in the short form, those that take a second or two
@pytest.mark.parametrize("name", list(FLOODS) if IS_LONG else [name for name in FLOODS if "words" in name])
def test_the_worst_page_of_10_mb_takes_less_than_ten_seconds(name: str) -> None:
    reason_of(b"<p>one that starts the worker</p>")
    started = time.monotonic()
    reason_of(FLOODS[name][: 10 * 1024 * 1024])
    assert time.monotonic() - started < 10.0


def test_limits_given_for_nothing_else_are_the_usual_ones() -> None:
    assert parse_in_workers([1, 2], worker_tasks.double) == [2, 4]

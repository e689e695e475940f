"""Broken neighbours cost themselves and not the site; a page that hangs costs a run one deadline."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from flows.jobs import refresh
from flows.ledger import Ledger, ledger_of
from harvest.limits import MAX_FAILURES, Breaker
from harvest.living import Living
from harvest.tape import Limits
from harvest.wire import NetworkTransport
from schema.layout import Layout
from schema.nouns import Visit
from tests.site_server import Answer, Script, SiteServer, answer, listing, make_source, page, resource

NAMES = [f"r{n:02d}" for n in range(50)]
SITE: dict[str, Script] = {"/liste": listing("Liste", NAMES), **{f"/{name}": resource(name) for name in NAMES}}
BROKEN = answer("x", status="500 x")
HUNG: Answer = (5.0, "close")
READ_S = 0.4


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(read_s=READ_S, exchange_s=1.5)
    monkeypatch.setattr("harvest.client.RETRY_PAUSE_S", 0.0)
    monkeypatch.setattr("flows.stages.NetworkTransport", lambda: NetworkTransport(limits))


def night(server: SiteServer, data: Path, **values: Any) -> Ledger:
    """The ledger of one more run, which comes to its end, and whose rows tell of every request."""
    before, layout = len(server.asked), Layout(data, "essai")
    refresh(make_source(server.origin, **values), data)
    told = ledger_of(layout, layout.runs()[-1])
    assert sum(visit.attempts for visit in told.visits) == len(server.asked) - before
    assert told.courtesy is not None
    assert told.courtesy["requests"] == len(server.asked) - before
    return told


def rows(told: Ledger) -> dict[str, Visit]:
    return {visit.url.rpartition("/")[2]: visit for visit in told.visits}


@pytest.mark.parametrize("first", [0, 10, 45], ids=["at the beginning", "amid", "at the end"])
@pytest.mark.parametrize("count", [4, 5])
def test_broken_neighbours_do_not_stop_a_site_that_lives(tmp_path: Path, first: int, count: int) -> None:
    broken = NAMES[first : first + count]
    with SiteServer({**SITE, **{f"/{name}": BROKEN for name in broken}}) as server:
        for _ in range(2):
            told = rows(night(server, tmp_path))
            assert [name for name in NAMES if told[name].outcome != "fetched"] == broken
            assert len(server.asked) <= 2 * (54 + 3 * count)
            assert all(told[name].attempts <= 3 for name in broken)


def test_of_many_broken_pages_each_is_asked_once_and_the_site_is_looked_at_now_and_then(tmp_path: Path) -> None:
    broken = NAMES[5:45]
    with SiteServer({**SITE, **{f"/{name}": BROKEN for name in broken}}) as server:
        told = rows(night(server, tmp_path))
    assert sum(told[name].attempts for name in broken) == 3 * 3 + len(broken) - 3
    assert 3 <= told["r04"].attempts <= 2 + len(broken) // (MAX_FAILURES - 1)
    assert told["r45"].outcome == "fetched"


@pytest.mark.parametrize("hung", [[3, 13, 23, 33, 43], [10, 11, 12, 13, 14]], ids=["spread", "side by side"])
def test_what_hangs_costs_a_deadline_each_and_all_of_it_one_more(tmp_path: Path, hung: list[int]) -> None:
    with SiteServer({**SITE, **{f"/{NAMES[n]}": HUNG for n in hung}}) as server:
        started = time.monotonic()
        told = rows(night(server, tmp_path))
        assert time.monotonic() - started < (len(hung) + 1) * READ_S + 3.0
        assert len(server.asked) == 53 + 2
        last = server.targets()[-1]
    assert [n for n, name in enumerate(NAMES) if told[name].outcome == "failed"] == hung
    assert (last, [told[NAMES[n]].attempts for n in hung]) == (f"/{NAMES[hung[0]]}", [2, 1, 1, 1, 1])


def test_what_hung_once_is_had_in_the_end(tmp_path: Path) -> None:
    late: dict[str, Script] = {f"/{name}": [HUNG, resource(name)] for name in NAMES[10:13]}
    with SiteServer({**SITE, **late}) as server:
        told = rows(night(server, tmp_path))
        assert server.targets()[-3:] == [f"/{name}" for name in NAMES[10:13]]
    assert {told[name].outcome for name in NAMES} == {"fetched"}
    assert [told[name].attempts for name in NAMES[9:14]] == [1, 2, 2, 2, 1]


def test_what_comes_late_and_is_no_page_is_a_soft_failure(tmp_path: Path) -> None:
    login = page("<h1>Connexion</h1><form><input type=password></form>")
    late: dict[str, Script] = {"/r20": [HUNG, resource("r01")]}
    late |= {f"/{name}": [HUNG, login] for name in NAMES[10:12]}
    scripts = {**SITE, **late, "/r02": resource("r01")}
    with SiteServer(scripts) as server:
        told = rows(night(server, tmp_path))
    assert {told[name].outcome for name in NAMES[10:12]} == {"soft_failure"}
    assert (told["r20"].outcome, told["r01"].outcome) == ("soft_failure", "fetched")
    assert "same body for 3" in (told["r20"].reason or "")


def test_beyond_the_budget_nothing_is_asked_late_or_beside(tmp_path: Path) -> None:
    with SiteServer({**SITE, "/r10": [HUNG, resource("r10")]}) as server:
        told = rows(night(server, tmp_path, pace={"delay_s": 0.0, "max_requests": 54}))
        assert (told["r10"].outcome, told["r10"].attempts) == ("failed", 1)
    with SiteServer({**SITE, **{f"/{name}": BROKEN for name in NAMES[10:13]}}) as server:
        told = rows(night(server, tmp_path / "b", pace={"delay_s": 0.0, "max_requests": 24}))
        assert len(server.asked) == 24
        assert told["r13"].outcome == "fetched"


# --- who is asked


def living(failures: int, *answered: str, status: int | None = None) -> Living:
    found = Living()
    for number, role in enumerate(answered):
        found.note(Visit(f"http://a/{number}", role, "fetched", status=200), has_failed=False)
    for number in range(failures):
        found.note(Visit(f"http://a/x{number}", "resource", "failed", status=status), has_failed=True)
    return found


ASKED = Visit("http://a/y", "known", "failed")


@pytest.mark.parametrize("answered", [("listing", "resource"), ("known", "listing")])
@pytest.mark.parametrize("status", [None, 500, 503, 429])
def test_a_page_of_the_kind_that_fails_is_asked(answered: tuple[str, ...], status: int | None) -> None:
    found = living(MAX_FAILURES - 1, *answered, status=status).witness(ASKED)
    assert found is not None
    assert found.role != "listing"
    assert living(MAX_FAILURES - 2, *answered).witness(ASKED) is None


def test_a_page_of_another_kind_buys_time_once_and_not_from_a_busy_host() -> None:
    for status in (429, 503):
        assert living(MAX_FAILURES - 1, "listing", status=status).witness(ASKED) is None
    found = living(MAX_FAILURES - 1, "listing", status=500)
    assert found.witness(ASKED) is not None
    assert found.witness(ASKED) is None


@pytest.mark.parametrize("role", ["robots", "probe", "sitemap"])
def test_what_is_no_page_of_the_site_shows_no_life(role: str) -> None:
    assert living(MAX_FAILURES - 1, role).witness(ASKED) is None


def test_doubt_ends_with_the_next_answer() -> None:
    breaker = Breaker()
    breaker.doubt("a")
    assert (breaker.is_in_doubt("a"), breaker.is_in_doubt("b")) == (True, False)
    breaker.note("a", has_failed=True)
    assert breaker.is_in_doubt("a")
    breaker.note("a", has_failed=False)
    assert not breaker.is_in_doubt("a")

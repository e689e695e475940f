"""What every test run shares: tests that were left out are said aloud, never dropped in silence."""

from collections import Counter

import pytest

from tests.outside import lacking

NOT_HERE = pytest.StashKey[Counter[str]]()


@pytest.hookimpl(trylast=True)  # what `-m "not outside"` left in
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose tool is not on this machine."""
    left_out = lacking(items)
    config.stash[NOT_HERE] = Counter(" and ".join(tools) for tools in left_out.values())
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def count_outside(items: list[pytest.Item]) -> int:
    """Count the tests among items that need a tool outside the lock."""
    return sum(item.get_closest_marker("outside") is not None for item in items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Close the report with the number of tests that were left out for a tool, and how to run them."""
    not_here = config.stash.get(NOT_HERE, Counter())
    for tools, count in sorted(not_here.items()):
        terminalreporter.write_line(f"NOT RUN: {_tests(count)} {tools}, not found here (tests/outside.py)", yellow=True)
    left_out = count_outside(terminalreporter.stats.get("deselected", [])) - not_here.total()
    if left_out:
        verb = "was" if left_out == 1 else "were"
        terminalreporter.write_line(
            f"{_tests(left_out)} a tool outside the lock and {verb} not run: make test-all", yellow=True
        )


def _tests(count: int) -> str:
    return "1 test needs" if count == 1 else f"{count} tests need"

"""What every test run shares: tests that were left out are said aloud, never dropped in silence."""

import pytest


def count_outside(items: list[pytest.Item]) -> int:
    """Count the tests among items that need a tool outside the lock."""
    return sum(item.get_closest_marker("outside") is not None for item in items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Close the report with the number of tests that `-m "not outside"` left out, and how to run them."""
    left_out = count_outside(terminalreporter.stats.get("deselected", []))
    if left_out:
        noun, verb = ("test needs", "was") if left_out == 1 else ("tests need", "were")
        terminalreporter.write_line(
            f"{left_out} {noun} a tool outside the lock and {verb} not run: make test-all", yellow=True
        )

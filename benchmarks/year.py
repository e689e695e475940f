"""A simulated year: is any identity lost, given twice or retired without evidence, and what does a night cost?

    year.py [NIGHTS] [RESOURCES] [SEED] [EVENTS]        365 nights, 500 resources, seed 1, ten events a night

What editors do is in tests/simulated_editors.py, what is judged in tests/simulated_year.py. Prints the figures as a
Markdown table, the faults below it; ends with 1 on any.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.simulated_year import Report, Year

DEFAULTS = (365, 500, 1, 10)
KINDS = {
    "lost": "identities lost",
    "re-used": "identities given to two",
    "joined": "nights on which two resources shared an id",
    "apart": "nights on which one resource had two ids",
    "false retirement": "false retirements",
    "late": "retirements that came late",
    "state": "states against the evidence",
    "twice": "ids or addresses on two rows",
    "values": "rows that are not what their page states",
    "themes": "rows on other listings than they stand on",
    "noise": "nights of noise that changed something",
    "history": "nights that history does not give again",
    "overlap": "intervals that overlap",
    "unresolved": "ids that lead nowhere on the last night",
}


def table(report: Report, seconds: Sequence[float]) -> list[str]:
    """The figures as a Markdown table."""
    tenth = max(1, len(seconds) // 10)
    rows: list[tuple[str, object]] = [
        *report.figures.items(),
        *((f"edits: {name.replace('_', ' ')}", count) for name, count in sorted(report.events.items())),
        ("edits in all", sum(report.events.values())),
        ("CPU seconds a night, the first tenth", f"{sum(seconds[:tenth]) / tenth:.2f}"),
        ("CPU seconds a night, the last tenth", f"{sum(seconds[-tenth:]) / tenth:.2f}"),
        ("memory, MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024),
        *((f"**{words}**", report.kinds[kind]) for kind, words in KINDS.items()),
    ]
    return ["| what | how many |", "|---|---|", *(f"| {what} | {count} |" for what, count in rows)]


def main() -> int:
    """Live through the year and tell."""
    given = [int(word) for word in sys.argv[1:]]
    nights, size, seed, events = (*given, *DEFAULTS[len(given) :])
    year = Year(seed, size, events, has_shortlinks=seed % 2 == 1)
    seconds = []
    for run in range(1, nights + 1):
        started = time.process_time()
        year.spend(run)
        seconds.append(time.process_time() - started)
        if sys.stderr.isatty():
            print(f"\rnight {run}", end="", file=sys.stderr)
    year.judge.look_back(year.now)
    report = year.judge.report
    print(f"{nights} nights, {size} resources at first, seed {seed}, node numbers told: {seed % 2 == 1}\n")
    print("\n".join(table(report, seconds)))
    print("\n".join(report.faults[:20]))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())

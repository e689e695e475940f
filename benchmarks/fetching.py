"""Fetching and archiving of this project beside Scrapy, Wget and httpx: the same pages from one server, in one run.

    fetching.py --peers PYTHON [--pages 2000] [--nights 2000] [--rounds 2] [--only NAME...]

PYTHON is an interpreter with fetching.txt installed; Wget must be on the path. Prints a table in Markdown: pages a
second, CPU, memory, what the WARC of a contender holds, and each cost as a multiple of ours; then the same for writing
an archive alone (as a multiple of warcio), and for a night on which nothing changed (as a multiple of the first).

No contender waits between requests. Every run is a process of its own; the contenders take turns, the order turned
around in each round; a ratio is the median of those of the rounds. CPU is user and system time from when the libraries
are loaded, children's too; memory is the peak of the process, libraries included. The server's cost is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.fetchers import CONTENDERS, WARC
from benchmarks.made_site import make_site, paths
from benchmarks.page_server import answer_of
from harvest.members import Damage, scan_records

FETCHERS = ("ours", "httpx", "httpx-warcio", "wget", "scrapy-1", "scrapy", "scrapy-warcio")
WRITERS = ("archive-warcio", "archive-ours")
NIGHTS = ("night-httpx", "night-harvest", "night-refresh")
OURS = frozenset({"ours", *WRITERS, *NIGHTS})
AGAIN = " again"
COSTS = ("pages", "wall_s", "cpu_s", "start_cpu_s", "peak_mb")
HEADINGS = (
    "contender",
    "pages/s",
    "CPU s per 1,000 pages",
    "CPU s to load",
    "peak MB",
    "CPU, ours = 1",
    "memory, ours = 1",
    "WARC MB",
    "answers byte for byte",
)


@dataclass(frozen=True, slots=True)
class Archived:
    """What a WARC holds: answers, how many of them are what the server sent to the byte, its size."""

    answers: int
    exact: int
    size_mb: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of a contender; start_cpu_s is what loading its libraries took."""

    pages: int
    wall_s: float
    cpu_s: float
    start_cpu_s: float
    peak_mb: float
    archived: Archived | None


Rounds = Sequence[Mapping[str, Outcome]]


@dataclass(frozen=True, slots=True)
class Lane:
    """How contenders are started, and what they are given."""

    peers: str
    origin: str
    folder: Path
    sent: Mapping[str, bytes]

    def run(self, name: str, *, is_kept: bool = False) -> Outcome:
        """Run a contender once and look at what it left; with is_kept the next run finds its folder again.

        Raises:
            CalledProcessError: it fails.
            ValueError: it did not fetch, or did not archive, every page.
        """
        home = self.folder / name
        home.mkdir(exist_ok=True)
        (home / "urls.txt").write_text("\n".join(self.sent), encoding="utf-8")
        python = sys.executable if name in OURS else self.peers
        script, out, said = str(Path(__file__).with_name("fetchers.py")), home / "out.json", home / "said.txt"
        print(f"{name}, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
        with said.open("w") as log:
            done = subprocess.run([python, script, name, str(home), str(out), self.origin], stdout=log, stderr=log)  # noqa: S603, PLW1510 - ours, and its code is looked at
        if done.returncode:
            print(said.read_text()[-2000:], file=sys.stderr)
            done.check_returncode()
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        warc = home / WARC
        archived = read_back(warc, self.sent) if warc.exists() else None
        require_all(name, found["pages"], archived, len(self.sent))
        if not is_kept:
            shutil.rmtree(home)
        return Outcome(archived=archived, **{key: found[key] for key in COSTS})


def read_back(warc: Path, sent: Mapping[str, bytes]) -> Archived:
    """Every record of a WARC, its checksum and digest checked, against what the server sent; pages only."""
    answers = exact = 0
    for record in scan_records(warc):
        if isinstance(record, Damage):
            raise ValueError(f"{warc}: damaged: {record.reason}")  # noqa: TRY004 - a value of the file
        if record.kind == "response" and record.url in sent:
            answers += 1
            exact += record.block == sent[record.url]
    return Archived(answers, exact, warc.stat().st_size / 1e6)


def require_all(name: str, pages: int, archived: Archived | None, wanted: int) -> None:
    """Refuse to compare a contender that did less than it was asked for."""
    if pages < wanted or (archived is not None and archived.answers != wanted):
        kept = "" if archived is None else f", archived {archived.answers}"
        raise ValueError(f"{name} fetched {pages}{kept} of {wanted} pages")


def ratio(rounds: Rounds, name: str, base: str, cost: str) -> float:
    """The median of the ratios of each round."""
    return float(median(getattr(one[name], cost) / getattr(one[base], cost) for one in rounds))


def middle(rounds: Rounds, name: str, cost: str) -> float:
    """The median of a cost."""
    return float(median(getattr(one[name], cost) for one in rounds))


def fetch_rows(rounds: Rounds, names: Sequence[str]) -> Iterator[list[str]]:
    """The lines of the table of fetchers."""
    yield list(HEADINGS)
    for name in names:
        last = rounds[0][name]
        yield [
            f"**{name}**" if name == "ours" else name,
            f"{median(one[name].pages / one[name].wall_s for one in rounds):.0f}",
            f"{1000 * middle(rounds, name, 'cpu_s') / last.pages:.2f}",
            f"{middle(rounds, name, 'start_cpu_s'):.2f}",
            f"{middle(rounds, name, 'peak_mb'):.0f}",
            *(f"{ratio(rounds, name, 'ours', cost):.2f}" if "ours" in names else "–" for cost in ("cpu_s", "peak_mb")),
            f"{last.archived.size_mb:.1f}" if last.archived else "–",
            f"{last.archived.exact} of {last.archived.answers}" if last.archived else "–",
        ]


def write_rows(rounds: Rounds) -> Iterator[list[str]]:
    """The lines of the table of archive writers."""
    yield ["writer", "CPU ms a page", "CPU, warcio = 1", "WARC MB", "size, warcio = 1"]
    base = rounds[0]["archive-warcio"].archived
    for name in WRITERS:
        last, kept = rounds[0][name], rounds[0][name].archived
        assert kept
        assert base
        yield [
            name,
            f"{1000 * middle(rounds, name, 'cpu_s') / last.pages:.3f}",
            f"{ratio(rounds, name, 'archive-warcio', 'cpu_s'):.2f}",
            f"{kept.size_mb:.1f}",
            f"{kept.size_mb / base.size_mb:.2f}",
        ]


def night_rows(rounds: Rounds) -> Iterator[list[str]]:
    """The lines of the table of nights."""
    yield ["what runs", "first night, CPU s", "unchanged night, CPU s", "CPU, first night = 1"]
    for name in NIGHTS:
        again = name + AGAIN
        costs = (f"{middle(rounds, one, 'cpu_s'):.2f}" for one in (name, again))
        yield [name, *costs, f"{ratio(rounds, again, name, 'cpu_s'):.2f}"]


def tell(rows: Iterator[list[str]]) -> None:
    """A table in Markdown."""
    for number, cells in enumerate(rows):
        print("| " + " | ".join(cells) + " |", flush=True)
        if not number:
            print("| " + " | ".join(["---"] * len(cells)) + " |")
    print()


def take_turns(lane: Lane, names: Sequence[str], rounds: int) -> list[dict[str, Outcome]]:
    """Every contender once a round, the order turned around each time."""
    return [{name: lane.run(name) for name in names[:: (-1) ** number]} for number in range(rounds)]


def two_nights(lane: Lane, rounds: int) -> list[dict[str, Outcome]]:
    """Each kind of night twice over the same data folder: all new, then all unchanged."""
    done = []
    for _ in range(rounds):
        turn: dict[str, Outcome] = {}
        for name in NIGHTS:
            turn |= {name: lane.run(name, is_kept=True), name + AGAIN: lane.run(name)}
        done.append(turn)
    return done


def with_server(peers: str, pages: int, folder: Path, measure: Any) -> Any:
    """Measure beside a server of so many pages."""
    script = str(Path(__file__).with_name("page_server.py"))
    with subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, script, str(pages)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        origin = f"http://127.0.0.1:{int(server.stdout.readline())}"
        site = make_site(pages)
        sent = {origin + path: answer_of(path, site[path]) for path in paths(pages)}
        try:
            return measure(Lane(peers, origin, folder, sent))
        finally:
            server.stdin.close()


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", required=True)
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--nights", type=int, default=2_000, help="pages of the site of the two nights; 0: none")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=[*FETCHERS, *WRITERS])
    options = parser.parse_args()
    fetchers = [name for name in FETCHERS if name in options.only]
    with tempfile.TemporaryDirectory() as folder:

        def all_of_them(lane: Lane) -> list[dict[str, Outcome]]:
            return take_turns(lane, options.only, options.rounds)

        rounds = with_server(options.peers, options.pages, Path(folder), all_of_them)
        if fetchers:
            tell(fetch_rows(rounds, fetchers))
        if set(WRITERS) <= set(options.only):
            tell(write_rows(rounds))
        if options.nights:
            nights = with_server(
                options.peers, options.nights, Path(folder), lambda lane: two_nights(lane, options.rounds)
            )
            tell(night_rows(nights))


if __name__ == "__main__":
    main()

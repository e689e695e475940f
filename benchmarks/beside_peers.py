"""The matcher of this project beside datasketch, rensa, RapidFuzz in blocks and Splink: the same texts, one run.

    beside_peers.py --peers PYTHON [--sizes 10000 100000] [--set DIR]... [--rounds 1] [--stop-s 300]

PYTHON is an interpreter with peers.txt installed. Prints a table in Markdown: pairwise quality, time, memory, and each
figure as a multiple of ours. Every run is a process of its own; a run longer than --stop-s is stopped and says so.

Quality is of the groups (pairs joined through others count). Ours runs with its default rules. A peer runs with each
of its knobs on the first size and on each set, and is then scored at every cut, on the truth itself; the knob of best
F1 is told, the cheaper of two that are within 0.001. So a peer's quality is the best it can reach here, and its
search for the knob costs it nothing; the joining of pairs is not in its time either.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.linkage import read_set
from benchmarks.made_texts import TWIN_SHARE, make
from benchmarks.scoring import Groups, Score, Truth, read_truth, score
from dedup.items import Item

Link = tuple[int, int, float]  # places of two records, and how sure the contender is
KNOBS: Mapping[str, Sequence[str]] = {
    "ours": ("all", "texts"),
    "datasketch": ("0.3", "0.5", "0.7"),
    "rensa": ("16", "32"),
    "rapidfuzz": ("numbers", "word"),
    "splink": ("weights",),
}
RATIO_CUTS = (*range(50, 86, 4), *range(86, 99), 99, 99.5, 99.8, 100)
WEIGHT_CUTS = tuple(range(-5, 60, 2))
AS_GOOD = 0.001
HEADINGS = (
    "texts",
    "contender",
    "knob, cut",
    "precision",
    "recall",
    "F1",
    "F1 told the nights",
    "look-alikes merged",
    "wall s",
    "CPU s",
    "CPU grows as n^",
    "peak MB",
    "CPU, ours = 1",
    "memory, ours = 1",
)


@dataclass(frozen=True, slots=True)
class Bench:
    """Records with their truth."""

    name: str
    items: Sequence[Item]
    truth: Truth


@dataclass(frozen=True, slots=True)
class Outcome:
    """One contender on one bench. cut: the least score of a pair that is joined; told: F1 without pairs of one slot."""

    contender: str
    knob: str
    cut: float
    quality: Score
    told: float
    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """A contender that did not end in time."""

    contender: str
    knob: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Lane:
    """How a contender is started."""

    peers: str
    stop_s: float
    folder: Path

    def run(self, bench: Bench, contender: str, knob: str) -> Outcome | Stopped:
        """Run once and score; raises CalledProcessError when the contender fails."""
        source, out = self.folder / f"{bench.name}.jsonl", self.folder / "out.json"
        if not source.exists():
            source.write_text("".join(json.dumps(asdict(item)) + "\n" for item in bench.items), encoding="utf-8")
        python = sys.executable if contender == "ours" else self.peers
        script = str(Path(__file__).with_name("contenders.py"))
        said = self.folder / "said.txt"
        print(f"{bench.name}: {contender} {knob}", file=sys.stderr, flush=True)
        with said.open("w") as log:
            try:
                line = [python, script, contender, knob, str(source), str(out)]
                subprocess.run(line, check=True, timeout=self.stop_s, stdout=log, stderr=log)  # noqa: S603 - ours
            except subprocess.TimeoutExpired:
                return Stopped(contender, knob, self.stop_s)
            except subprocess.CalledProcessError:
                print(said.read_text()[-2000:], file=sys.stderr)
                raise
        found = json.loads(out.read_text(encoding="utf-8"))
        cut, quality, told = best_cut(bench, contender, found["links"])
        outcome = Outcome(contender, knob, cut, quality, told, found["wall_s"], found["cpu_s"], found["peak_mb"])
        print(
            f"  F1 {quality.f1:.4f}, {outcome.cpu_s:.1f} s CPU, {found['candidates']} pairs",
            file=sys.stderr,
            flush=True,
        )
        return outcome


def best_cut(bench: Bench, contender: str, links: Sequence[Link]) -> tuple[float, Score, float]:
    """The cut of best F1 and its score; and the best F1 of any cut when pairs of one night and listing are left out."""
    if contender == "ours":
        [(cut, found)] = sweep(bench, links, [0])
        return cut, found, found.f1
    cuts = WEIGHT_CUTS if contender == "splink" else RATIO_CUTS
    slots = [item.slot for item in bench.items]
    apart = [link for link in links if slots[link[0]] is None or slots[link[0]] != slots[link[1]]]
    told = max(found.f1 for _, found in sweep(bench, apart, cuts))
    return *max(sweep(bench, links, cuts), key=lambda one: one[1].f1), told


def sweep(bench: Bench, links: Sequence[Link], cuts: Sequence[float]) -> Iterator[tuple[float, Score]]:
    """The highest cut first: the score of the groups of all links of at least that score."""
    groups, ordered, done = Groups(len(bench.items)), sorted(links, key=lambda link: -link[2]), 0
    for cut in sorted(cuts, reverse=True):
        upto = bisect_right(ordered, -cut, key=lambda link: -link[2])
        groups.join((left, right) for left, right, _ in ordered[done:upto])
        done = upto
        yield cut, score(bench.truth, groups.names())


def chosen(runs: Sequence[Outcome | Stopped]) -> Outcome | Stopped:
    """The run of best F1; the cheapest of those nearly as good."""
    ended = [run for run in runs if isinstance(run, Outcome)]
    if not ended:
        return runs[0]
    best = max(run.quality.f1 for run in ended)
    return min((run for run in ended if run.quality.f1 >= best - AS_GOOD), key=lambda run: run.cpu_s)


def middle(runs: Sequence[Outcome]) -> Outcome:
    """The run of median CPU."""
    half = median(run.cpu_s for run in runs)
    return min(runs, key=lambda run: abs(run.cpu_s - half))


def measure(lane: Lane, bench: Bench, knobs: Mapping[str, Sequence[str]], rounds: int) -> list[Outcome | Stopped]:
    """Every contender on a bench, in turn, as often as asked; ours once a knob, a peer with the knob that suits it."""
    first: list[Outcome | Stopped] = []
    for contender, choices in knobs.items():
        runs = [lane.run(bench, contender, knob) for knob in choices]
        first += runs if contender == "ours" else [chosen(runs)]
    again = (
        [run if isinstance(run, Stopped) else lane.run(bench, run.contender, run.knob) for run in first]
        for _ in range(rounds - 1)
    )
    done: list[Outcome | Stopped] = []
    for turns in zip(first, *again, strict=True):
        ended = [run for run in turns if isinstance(run, Outcome)]
        done.append(middle(ended) if ended else turns[0])
    return done


def rows(
    bench: Bench, done: Sequence[Outcome | Stopped], before: Mapping[str, tuple[int, float]]
) -> Iterator[list[str]]:
    """The lines of the table of one bench. before: records and CPU seconds of a contender on a smaller one."""
    ours = next((run for run in done if isinstance(run, Outcome) and run.contender == "ours"), None)
    for run in done:
        name = {"all": "**ours**", "texts": "ours, texts only"}[run.knob] if run.contender == "ours" else run.contender
        if isinstance(run, Stopped):
            yield [bench.name, name, run.knob, *["–"] * 5, f"stopped at {run.after_s:.0f}", *["–"] * 5]
            continue
        growth = "–"
        if earlier := before.get(run.contender + run.knob):
            growth = f"{math.log(run.cpu_s / earlier[1], len(bench.items) / earlier[0]):.2f}"
        yield [
            bench.name,
            name,
            "default rules" if run.contender == "ours" else f"{run.knob}, {run.cut:g}",
            *(f"{share:.4f}" for share in (run.quality.precision, run.quality.recall, run.quality.f1)),
            "–" if run.knob == "texts" else f"{run.told:.4f}",
            f"{run.quality.merged} / {len(bench.truth.alike)}" if bench.truth.alike else "–",
            f"{run.wall_s:.1f}",
            f"{run.cpu_s:.1f}",
            growth,
            f"{run.peak_mb:.0f}",
            f"{run.cpu_s / ours.cpu_s:.2f}" if ours else "–",
            f"{run.peak_mb / ours.peak_mb:.2f}" if ours else "–",
        ]


def tell(cells: Sequence[str]) -> None:
    """One line of the table."""
    print("| " + " | ".join(cells) + " |", flush=True)


def made(size: int, twin_share: float) -> Bench:
    """Made-up records."""
    items, entity, alike = make(size, twin_share)
    return Bench(f"made-{size}", items, Truth(entity, [None] * size, alike=frozenset(alike)))


def labelled(folder: Path) -> Bench:
    """A labelled set; its records in the order of their keys."""
    items = sorted(read_set(folder), key=lambda item: item.key)
    return Bench(folder.name, items, read_truth(folder, [i.key for i in items], [i.scope for i in items]))


def main() -> None:
    """Measure and tell, line by line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", required=True)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000])
    parser.add_argument("--set", type=Path, action="append", default=[])
    parser.add_argument("--only", nargs="+", choices=KNOBS, default=list(KNOBS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--stop-s", type=float, default=300)
    parser.add_argument("--twin-share", type=float, default=TWIN_SHARE)
    options = parser.parse_args()
    tell(HEADINGS)
    tell(["---"] * len(HEADINGS))
    knobs = {name: KNOBS[name] for name in options.only}
    with tempfile.TemporaryDirectory() as folder:
        lane = Lane(options.peers, options.stop_s, Path(folder))
        for one in options.set:
            bench = labelled(one)
            for row in rows(bench, measure(lane, bench, knobs, options.rounds), {}):
                tell(row)
        before: dict[str, tuple[int, float]] = {}
        for size in sorted(options.sizes):
            bench = made(size, options.twin_share)
            done = measure(lane, bench, knobs, options.rounds)
            for row in rows(bench, done, before):
                tell(row)
            ended = [run for run in done if isinstance(run, Outcome)]
            before |= {run.contender + run.knob: (size, run.cpu_s) for run in ended}
            # a greater size runs with what suited the smaller one, and not at all what was stopped there
            knobs = {run.contender: [run.knob] for run in ended if run.knob != "texts"}


if __name__ == "__main__":
    main()

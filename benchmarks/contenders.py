"""One contender on one file of records, in a process of its own, so that its time and memory are its own.

    contenders.py NAME KNOB RECORDS.jsonl OUT.json

RECORDS.jsonl: one record a line, the fields of dedup.items.Item. OUT.json: `links` (pairs of places and their score),
`candidates`, and the cost: `wall_s` and `cpu_s` from when the records are in memory and the libraries loaded, `peak_mb`
of the whole process, that included. Runs with the interpreter of the contender: only `ours` imports this project.
"""

# ruff: noqa: PLC0415 - each contender loads its own libraries, and no other's
from __future__ import annotations

import json
import re
import resource
import sys
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]
Pair = tuple[int, int]
Link = tuple[int, int, float]
Found = tuple[list[Link], int]
Run = Callable[[], Found]

PERMUTATIONS = 128
SHINGLE_WORDS = 3
LEAST_RATIO = 50.0  # below it no cut is tried
LEAST_WEIGHT = -5.0  # the same for Splink's match weights
CHUNK = 5_000
NEIGHBOURS = 20
HEAD_CHARS = 60
_NO_WORD = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+")
_MEMORY = Path("/proc/self/status")


def folded(text: str) -> str:
    """Lower case, without accents and signs, one space between words."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", " ")).encode("ascii", "ignore").decode()
    return _NO_WORD.sub(" ", plain).strip()


def whole(record: Record) -> str:
    """Title and text, folded: what every peer is given."""
    return folded(f"{record['title']}\n{record['text']}")


def shingles(text: str) -> set[str]:
    """Every three words in a row; all words at once when there are fewer."""
    words = text.split()
    return {" ".join(words[at : at + SHINGLE_WORDS]) for at in range(max(1, len(words) - SHINGLE_WORDS + 1))}


def verifier(scorer: str) -> Callable[[Sequence[str], Iterable[Pair]], Found]:
    """Loads RapidFuzz; the function given tells the pairs whose full texts are alike, how much (0-100), of how many."""
    import numpy as np
    from rapidfuzz import fuzz, process

    likeness = getattr(fuzz, scorer)

    def verify(texts: Sequence[str], pairs: Iterable[Pair]) -> Found:
        ordered, links = sorted(pairs), []
        for at in range(0, len(ordered), CHUNK):
            part = ordered[at : at + CHUNK]
            left, right = [texts[i] for i, _ in part], [texts[j] for _, j in part]
            ratios = process.cpdist(
                left, right, scorer=likeness, score_cutoff=LEAST_RATIO, dtype=np.float32, workers=1
            ).tolist()
            links += [(i, j, ratio) for (i, j), ratio in zip(part, ratios, strict=True) if ratio >= LEAST_RATIO]
        return links, len(ordered)

    return verify


def ours(records: Sequence[Record], knob: str) -> Run:
    """The matcher of this project with its default rules. Knob: `all` fields, or only the `texts`."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from dedup.matching import Item, match

    kept = {"key", "title", "text"} if knob == "texts" else set(Item.__slots__)
    items = [Item(**{name: value for name, value in record.items() if name in kept}) for record in records]
    place = {item.key: number for number, item in enumerate(items)}

    def run() -> Found:
        found = match(items)
        links = [(place[keys[0]], place[key], 100.0) for keys in found.clusters for key in keys[1:]]
        return links, len(found.pairs)

    return run


def datasketch(records: Sequence[Record], knob: str) -> Run:
    """MinHashLSH of 3-word shingles, then RapidFuzz. Knob: the Jaccard threshold."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found]
    from xxhash import xxh32_intdigest  # type: ignore[import-not-found]

    verify = verifier("ratio")

    def run() -> Found:
        texts = list(map(whole, records))
        bags = ([word.encode() for word in shingles(text)] for text in texts)
        index = MinHashLSH(threshold=float(knob), num_perm=PERMUTATIONS)
        pairs = []
        for number, sketch in enumerate(MinHash.generator(bags, num_perm=PERMUTATIONS, hashfunc=xxh32_intdigest)):
            pairs += [(other, number) for other in index.query(sketch)]
            index.insert(number, sketch, check_duplication=False)
        return verify(texts, pairs)

    return run


def rensa(records: Sequence[Record], knob: str) -> Run:
    """R-MinHash and its LSH on the same shingles, then RapidFuzz. Knob: the number of bands."""
    from rensa import RMinHash, RMinHashLSH  # type: ignore[import-not-found]

    verify = verifier("ratio")

    def run() -> Found:
        texts = list(map(whole, records))
        index = RMinHashLSH(0.5, PERMUTATIONS, int(knob))
        pairs = []
        for at in range(0, len(texts), CHUNK):
            bags = [list(shingles(text)) for text in texts[at : at + CHUNK]]
            sketches = RMinHash.from_token_sets(bags, PERMUTATIONS, 42)
            index.insert_many(sketches, at)
            for number, others in enumerate(index.query_all(sketches), at):
                pairs += [(other, number) for other in others if other < number]
        return verify(texts, pairs)

    return run


def rapidfuzz(records: Sequence[Record], knob: str) -> Run:
    """No sketch: in a block, each record beside the next ones in order of title, by token_sort_ratio.

    Knob: `numbers` (a block is all titles with the same numbers) or `word` (with the same first word).
    """
    verify = verifier("token_sort_ratio")

    def run() -> Found:
        titles = [folded(record["title"]) for record in records]
        blocks: dict[object, list[int]] = defaultdict(list)
        for number, title in enumerate(titles):
            blocks[tuple(_NUMBER.findall(title)) if knob == "numbers" else title.split(" ", 1)[0]].append(number)
        pairs: set[Pair] = set()
        for members in blocks.values():
            members.sort(key=titles.__getitem__)
            for at, one in enumerate(members):
                pairs.update((min(one, two), max(one, two)) for two in members[at + 1 : at + 1 + NEIGHBOURS])
        return verify(list(map(whole, records)), pairs)

    return run


def splink(records: Sequence[Record], _knob: str) -> Run:
    """Splink on DuckDB: five blocking keys, Jaro-Winkler on the title and on columns drawn from the text."""
    import logging

    import pandas as pd
    import splink.comparison_library as compare  # type: ignore[import-not-found]
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    keys = ("title", "head", "tail", "long_words", "numbers")

    def run() -> Found:
        table = pd.DataFrame(_columns(records))
        close = [compare.JaroWinklerAtThresholds(name, [0.97, 0.9, 0.8]) for name in keys]
        settings = SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name="place",
            comparisons=close,
            blocking_rules_to_generate_predictions=[block_on(key) for key in keys],
            retain_matching_columns=False,
        )
        api = DuckDBAPI()
        linker = Linker(api.register(table), settings)
        linker.training.estimate_probability_two_random_records_match([block_on("title"), block_on("tail")], 0.7)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        for key in ("title", "tail"):
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(key))
        found = linker.inference.predict(threshold_match_weight=LEAST_WEIGHT).as_pandas_dataframe()
        ends = (found["place_l"].tolist(), found["place_r"].tolist(), found["match_weight"].tolist())
        return list(zip(*ends, strict=True)), len(found)

    return run


def _columns(records: Sequence[Record]) -> Iterator[Record]:
    """What Splink compares; a missing value is None."""
    for place, record in enumerate(records):
        title, text = folded(record["title"]), folded(record["text"])
        longest = sorted(set(text.split()), key=lambda word: (-len(word), word))[:3]
        row = {
            "title": title,
            "head": text[:HEAD_CHARS],
            "tail": text[-HEAD_CHARS:],
            "long_words": " ".join(longest),
            "numbers": " ".join(_NUMBER.findall(title)),
        }
        yield {"place": place, **{name: value or None for name, value in row.items()}}


CONTENDERS = {run.__name__: run for run in (ours, datasketch, rensa, rapidfuzz, splink)}


def cpu_s() -> float:
    """Processor seconds of this process and its children so far, its own and the system's for it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_mb() -> float:
    """The most memory this process held; not what its parent held before it, as ru_maxrss may tell."""
    if found := re.search(r"VmHWM:\s+(\d+) kB", _MEMORY.read_text() if _MEMORY.exists() else ""):
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Read, run, measure, write."""
    name, knob, source, out = sys.argv[1:]
    with Path(source).open(encoding="utf-8") as lines:
        records = list(map(json.loads, lines))
    run = CONTENDERS[name](records, knob)
    start, spent = time.perf_counter(), cpu_s()
    links, candidates = run()
    cost = {"wall_s": time.perf_counter() - start, "cpu_s": cpu_s() - spent, "peak_mb": peak_mb()}
    Path(out).write_text(json.dumps({**cost, "candidates": candidates, "links": links}), encoding="utf-8")


if __name__ == "__main__":
    main()

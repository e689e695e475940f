"""What the benchmarks count and make; no peer is needed for it."""

import json
from dataclasses import asdict
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from benchmarks.beside_peers import Bench, Lane, Outcome, Stopped, best_cut, chosen, middle, rows
from benchmarks.contenders import ours, rapidfuzz, shingles, whole
from benchmarks.made_texts import make
from benchmarks.scoring import Groups, Score, Truth, read_truth, score
from dedup.items import Item


def test_links_group_what_they_reach_by_others() -> None:
    groups = Groups(5)
    groups.join([(3, 4)])
    assert groups.names() == [0, 1, 2, 3, 3]
    groups.join([(1, 4)])
    assert groups.names() == [0, 1, 2, 1, 1]


def test_pairs_within_groups_are_counted() -> None:
    truth = Truth(list("aaabb"), [None] * 5, alike=frozenset({frozenset("ab"), frozenset("ac")}))
    assert score(truth, [0, 0, 2, 2, 2]) == Score(precision=2 / 4, recall=2 / 4, merged=1)
    assert score(truth, [0, 0, 0, 1, 1]) == Score(1, 1, 0)
    assert score(truth, [0, 1, 2, 3, 4]) == Score(1, 0, 0)


def test_unclear_pairs_count_neither_way() -> None:
    truth = Truth(list("aabbcc"), [None] * 6, unclear=frozenset({frozenset("ab")}))
    # a and b are merged: not wrong, nor are their own pairs asked for; c is asked for and not found
    assert score(truth, [0, 0, 0, 0, 4, 5]) == Score(1, 0, 0)


def test_pairs_of_two_scopes_count_neither_way() -> None:
    truth = Truth(list("aaab"), ["x", "x", "y", "y"])
    assert score(truth, [0, 0, 0, 0]) == Score(precision=1 / 2, recall=1, merged=0)


def test_labels_are_read_in_the_order_of_the_records(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("rid,entity\n1,a\n2,b\n")
    (tmp_path / "hard_negatives.csv").write_text("entity_a,entity_b\nb,a\n")
    truth = read_truth(tmp_path, ["2", "1"], [None, None])
    assert truth == Truth(["b", "a"], [None, None], alike=frozenset({frozenset("ab")}))


def test_made_texts_are_the_same_again_and_tell_look_alikes_by_their_titles() -> None:
    items, entity, alike = make(600, twin_share=0.3)
    assert make(600, twin_share=0.3) == (items, entity, alike)
    assert make(600, twin_share=0.3, seed=8)[0] != items
    assert len(items) == len(entity) == 600
    assert 600 < sum(len(str(item.text)) for item in items) / len(items) < 1_000
    titles: dict[str, set[str]] = {}
    nights = set()
    for item, name in zip(items, entity, strict=True):
        titles.setdefault(name, set()).add(item.title)
        nights.add((name, item.night))
    assert len(nights) == len(items)  # a resource stands once in a night
    assert len(alike) > 30
    assert all(not titles[one] & titles[two] for one, two in map(sorted, alike))
    assert any(len(shown) > 1 for shown in titles.values())
    assert not make(600, twin_share=0)[2]


def _bench() -> Bench:
    nights = ("n1", "n2", "n1", "n2")
    items = [Item(str(at), f"Titre {at}", "un texte", night) for at, night in enumerate(nights)]
    return Bench("tiny", items, Truth(list("aabb"), [None] * 4))


def test_a_peer_gets_its_best_cut_with_and_without_the_nights() -> None:
    links = [(0, 1, 99.0), (2, 3, 91.0), (0, 2, 95.0), (1, 2, 60.0)]
    cut, quality, told = best_cut(_bench(), "rensa", links)
    assert (cut, quality) == (99, Score(1, 0.5, 0))  # further down the pair of one night joins all four
    assert told == 1.0


def _outcome(knob: str, f1: float, cpu_s: float) -> Outcome:
    return Outcome("rensa", knob, 90, Score(f1, f1, 0), f1, cpu_s, cpu_s, 10)


def test_the_knob_of_best_quality_is_told_the_cheaper_of_two_as_good() -> None:
    runs = [_outcome("slow", 0.9, 9), _outcome("good", 0.8995, 2), _outcome("poor", 0.5, 1)]
    assert chosen([*runs, Stopped("rensa", "late", 300)]) == runs[1]
    assert chosen([Stopped("rensa", "late", 300)]) == Stopped("rensa", "late", 300)


def test_the_run_of_median_cost_is_told() -> None:
    runs = [_outcome("a", 1, cpu_s) for cpu_s in (9, 1, 2)]
    assert middle(runs) == runs[2]


def test_a_row_tells_multiples_of_ours_and_growth() -> None:
    first = Outcome("ours", "all", 0, Score(1, 1, 0), 1, 2, 2, 100)
    bench = _bench()
    table = list(rows(bench, [first, _outcome("a", 1, 4), Stopped("splink", "weights", 300)], {"rensaa": (2, 1.0)}))
    assert len({len(row) for row in table}) == 1
    assert table[1][-4:] == ["2.00", "10", "2.00", "0.10"]  # 2 -> 4 records, 1 -> 4 s of CPU
    assert "stopped at 300" in table[2]


def test_a_run_too_long_is_stopped_and_a_failed_one_is_an_error(tmp_path: Path) -> None:
    slow, failing = tmp_path / "slow", tmp_path / "failing"
    slow.write_text("#!/bin/sh\nexec sleep 5\n")
    failing.write_text("#!/bin/sh\nexit 3\n")
    slow.chmod(0o700)
    failing.chmod(0o700)
    found = Lane(str(slow), 0.3, tmp_path).run(_bench(), "rensa", "16")
    assert found == Stopped("rensa", "16", 0.3)
    with pytest.raises(CalledProcessError):
        Lane(str(failing), 5, tmp_path).run(_bench(), "rensa", "16")


def test_a_run_leaves_its_cost_and_links_behind(tmp_path: Path) -> None:
    found = Lane("no such interpreter", 60, tmp_path).run(_bench(), "ours", "all")
    assert isinstance(found, Outcome)
    assert found.cpu_s > 0
    assert 10 < found.peak_mb < 2_000
    assert len((tmp_path / "tiny.jsonl").read_text().splitlines()) == 4


def test_contenders_read_the_same_records() -> None:
    items, entity, _ = make(200, twin_share=0)
    records = [json.loads(json.dumps(asdict(item))) for item in items]
    truth = Truth(entity, [None] * len(items))
    for start, knob in ((ours, "all"), (rapidfuzz, "word")):
        links, candidates = start(records, knob)()
        assert candidates >= len(links) > 20
        groups = Groups(len(items))
        groups.join((i, j) for i, j, ratio in links if ratio >= 80)
        found = score(truth, groups.names())
        assert found.precision > 0.98
        assert found.recall > 0.7


def test_peers_read_title_and_text_folded() -> None:
    assert whole({"title": "L’Été :", "text": "n° 12"}) == "l ete n 12"
    assert shingles("a b c d") == {"a b c", "b c d"}
    assert shingles("a b") == {"a b"}

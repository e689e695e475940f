"""No two records become one resource without a verdict on file, and every verdict can be made again from its row."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dedup.deciding import COLUMNS, DEFAULT_DECIDE_RULES, Decision, decide
from flows.jobs import rebuild, refresh
from flows.judging import judge
from flows.sources_found import find_source
from tests.judged_site import JOINED, UNSURE, Site

Row = dict[str, Any]
Tables = Mapping[str, list[Row]]
HAIR = 1e-6  # scores are rounded to four places; less than this is the sum's own last digit
NAMES = ("resources", "records", "passages", "pairs", "ids")


def read(release: Path) -> Tables:
    """Published tables as plain rows."""
    return {name: pq.read_table(release / f"{name}.parquet").to_pylist() for name in NAMES}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the sample, as the machine publishes it."""
    data = tmp_path_factory.mktemp("machine")
    refresh(find_source("sample"), data)
    return data


@pytest.fixture(scope="module", params=["machine", "person", "small"])
def tables(request: pytest.FixtureRequest, machine: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Published tables: the sample's, those after a person joined what was unsure, those of a small judged site."""
    folder = tmp_path_factory.mktemp("tables")
    if request.param == "small":
        site = Site(folder)
        site.refresh()
        site.judge(site.ids_of(UNSURE), "same")
        site.judge(site.records_of(JOINED), "different")
        site.rebuild()
        return read(site.data / "clean/mine/latest")
    if request.param == "person":
        data = Path(shutil.copytree(machine, folder / "data", symlinks=True))
        unsure = next(row for row in read(data / "clean/sample/latest")["pairs"] if row["verdict"] == "unsure")
        judge(find_source("sample"), data, (unsure["left_id"], unsure["right_id"]), "same", "one call", "me")
        rebuild(find_source("sample"), data)
        return read(data / "clean/sample/latest")
    return read(machine / "clean/sample/latest")


def decided(row: Row, needed: float) -> Decision:
    """What the features on file decide, at a least score."""
    features = {signal["name"]: signal["value"] for signal in row["features"]}
    return decide(features, needed, DEFAULT_DECIDE_RULES)


def asked(row: Row) -> float:
    return inf if row["needed"] is None else float(row["needed"])


def unjoined(tables: Tables) -> list[str]:
    """Resources whose records do not hang together by one address or by pairs held for the same."""
    homes = {row["record_id"]: row["url"] or row["record_id"] for row in tables["records"]}
    roots = {home: home for home in homes.values()}

    def root(home: str) -> str:
        while roots[home] != home:
            home = roots[home]
        return home

    for pair in tables["pairs"]:
        ends = homes.get(pair["left"]), homes.get(pair["right"])
        if pair["verdict"] == "same" and ends[0] and ends[1]:
            roots[root(ends[0])] = root(ends[1])
    of: dict[str, set[str]] = {}
    for record in tables["records"]:
        of.setdefault(record["resource_id"], set()).add(root(homes[record["record_id"]]))
    return [name for name, found in of.items() if len(found) > 1]


def test_every_pair_says_what_was_compared_and_what_decided(tables: Tables) -> None:
    assert tables["pairs"]
    for row in tables["pairs"]:
        assert {signal["name"] for signal in row["features"]} == set(COLUMNS)
        assert all(signal["value"] is not None for signal in row["features"])
        assert row["verdict"] in ("same", "different", "unsure")
        assert row["rule"]
        assert row["block"]
        assert isinstance(row["score"], float)
        assert row["left"] < row["right"]


def test_a_verdict_can_be_made_again_from_its_row(tables: Tables) -> None:
    for row in tables["pairs"]:
        again = decided(row, asked(row))
        assert again.score == row["score"]
        if row["rule"] != "person":
            assert (again.verdict, again.rule, again.flips_at) == (row["verdict"], row["rule"], row["flips_at"])


def test_a_verdict_flips_where_it_says_and_not_before(tables: Tables) -> None:
    moved = [row for row in tables["pairs"] if row["flips_at"] is not None]
    assert {row["verdict"] for row in moved} >= {"different"}
    for row in moved:
        # up or down, away from what is asked today
        step = HAIR if row["flips_at"] >= row["needed"] else -HAIR
        assert decided(row, row["flips_at"] - step).verdict == row["verdict"], row
        assert decided(row, row["flips_at"] + step).verdict != row["verdict"], row


def test_what_no_threshold_moves_is_not_moved(tables: Tables) -> None:
    fixed = [row for row in tables["pairs"] if row["flips_at"] is None and row["rule"] != "person"]
    for row in fixed:
        if row["rule"] == "known apart":
            assert row["needed"] is None
        else:
            assert {decided(row, at).verdict for at in (-50.0, 0.0, 50.0)} == {row["verdict"]}


def test_no_merge_row_without_a_verified_score(tables: Tables) -> None:
    several = {row["resource_id"] for row in tables["records"]}
    assert len(several) < len({row["url"] for row in tables["records"]}), "some resource has two addresses"
    assert unjoined(tables) == []


def test_a_merge_without_its_pair_would_be_found(tables: Tables) -> None:
    for name in {row["resource_id"] for row in tables["records"]}:
        addresses = {row["url"] for row in tables["records"] if row["resource_id"] == name}
        without = [row for row in tables["pairs"] if name not in (row["left_id"], row["right_id"])]
        assert unjoined({**tables, "pairs": without}) == ([name] if len(addresses) > 1 else [])


def test_the_text_of_every_record_stays_on_file(tables: Tables) -> None:
    best = {row["best_record_id"] for row in tables["resources"]}
    owners = {row["record_id"]: row["resource_id"] for row in tables["records"]}
    passages: dict[tuple[str, str], list[str]] = {}
    for row in sorted(tables["passages"], key=lambda row: (row["record_id"], row["section"], row["position"])):
        passages.setdefault((row["record_id"], row["section"]), []).append(row["text"])
    losers = [row for row in tables["records"] if row["record_id"] not in best]
    assert losers
    for row in losers:
        assert row["resource_id"] in {owners[name] for name in best if name}
        for section in ("body", "resume"):
            held = passages.get((row["record_id"], section))
            assert ("\n\n".join(held) if held else None) == row[section]


def test_a_row_names_the_record_that_gave_its_values(tables: Tables) -> None:
    records = {row["record_id"]: row for row in tables["records"]}
    kept: dict[str, list[tuple[int, str]]] = {}
    for row in tables["passages"]:
        if row["is_kept"]:
            kept.setdefault(row["record_id"], []).append((row["summary_position"], row["text"]))
    for row in tables["resources"]:
        best = records[row["best_record_id"]]
        assert best["resource_id"] == row["resource_id"]
        assert [best[name] for name in ("title", "type", "is_private", "links")] == [
            row[name] for name in ("title", "type", "is_private", "links")
        ]
        text = "\n\n".join(text for _, text in sorted(kept.get(row["best_record_id"], ())))
        assert (text or None) == row["summary"]
        assert row["record_count"] == sum(record["resource_id"] == row["resource_id"] for record in tables["records"])


def test_pairs_name_the_resources_of_their_records(tables: Tables) -> None:
    owners = {row["record_id"]: row["resource_id"] for row in tables["records"]}
    for row in tables["pairs"]:
        for end in ("left", "right"):
            assert row[f"{end}_id"] == owners.get(row[end], row[end])
        if row["verdict"] == "same" and row["held"] is None:
            assert row["left_id"] == row["right_id"]
        if row["rule"].startswith("clash") or (row["rule"] == "person" and row["verdict"] != "same"):
            assert row["left_id"] != row["right_id"]

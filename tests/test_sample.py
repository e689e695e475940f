"""The main job, end to end: two nights of the bundled site and the text copy, row by row against what was entered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.importing import import_copy
from flows.jobs import Outcome, rebuild, refresh, with_replay
from flows.sources_found import find_source
from releases.store import latest_release
from schema.folding import fold, squeeze
from schema.layout import Layout
from schema.sources import Source
from schema.tables import TABLES

HERE = Path(__file__).parent
ENTERED: dict[str, list[dict[str, Any]]] = json.loads((HERE / "truth" / "sample.json").read_text(encoding="utf-8"))
COPY = HERE / "pages" / "text" / "rtes-listing.txt"
COPY_URL = "http://www.rtes.fr/coconstruction-modes-de-contractualisation-subventions-marches-publicssieg?page=1"


@dataclass(frozen=True)
class Nights:
    """Both nights, published one after the other into one data folder."""

    data: Path
    source: Source
    outcomes: list[Outcome]

    def table(self, night: int, name: str) -> pd.DataFrame:
        """A table of the release of a night, 1 or 2."""
        return pd.read_parquet(self.data / f"clean/sample/releases/{night:06d}/{name}.parquet")


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    data, source = tmp_path_factory.mktemp("data"), find_source("sample")
    second = with_replay(source, source.path.parent / "sample" / "night2.warc.gz")
    return Nights(data, source, [refresh(source, data), refresh(source, data), refresh(second, data)])


def published(night: int) -> list[dict[str, Any]]:
    """What was entered and public on a night."""
    return [r for r in ENTERED[f"night{night}"] if r["published"]]


def each() -> Iterator[Any]:
    """Every resource of both nights, as a test parameter."""
    for night in (1, 2):
        for entered in published(night):
            yield pytest.param(night, entered, id=f"{night}-{entered['id']}")


def same_group(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two were entered for one resource."""
    return one.get("duplicate_group") is not None and one.get("duplicate_group") == two.get("duplicate_group")


@pytest.mark.parametrize(("night", "entered"), list(each()))
def test_a_resource_is_published_as_it_was_entered(nights: Nights, night: int, entered: dict[str, Any]) -> None:
    owner = nights.table(night, "records").drop_duplicates("url").set_index("url")["resource_id"]
    row = nights.table(night, "resources").set_index("resource_id").loc[owner[entered["url"]]]
    twins = [r for r in published(night) if r["id"] == entered["id"] or same_group(r, entered)]
    assert squeeze(row["title"]) in {squeeze(twin["title"]) for twin in twins}
    assert list(row["themes"]) == sorted({theme for twin in twins for theme in twin["themes"]})
    assert row["type"] == entered["type"]
    assert bool(row["is_private"]) is entered["private"]
    assert row["state"] == ("listed" if entered["listed_on"] else "unlisted")
    summary = row["summary"] if isinstance(row["summary"], str) else ""
    if row["url"] != entered["url"]:
        # the text of one entered twice that did not become the summary stands in the passages of its own records
        records = nights.table(night, "records")
        own = set(records[records["url"] == entered["url"]]["record_id"])
        table = nights.table(night, "passages")
        summary = "\n\n".join(table[table["record_id"].isin(own) & table["is_kept"]]["text"])
    held = re.sub(r"\s", "", fold(summary))
    digits = re.findall(r"\d+", held)
    for text in [*entered["body"], *entered["summary"]]:
        spelled = re.sub(r"\s", "", fold(text))
        assert spelled in held or not (set(re.findall(r"\d+", spelled)) - set(digits)), f"lost: {text}"
    if row["url"] != entered["url"]:
        return
    passages = [fold(p) for p in summary.split("\n\n") if p]
    for text in set(passages):
        most = max([fold(t) for t in section].count(text) for section in (entered["body"], entered["summary"]))
        assert passages.count(text) <= max(1, most), f"repeated: {text}"


@pytest.mark.parametrize("night", [1, 2])
def test_nothing_else_is_published_as_listed(nights: Nights, night: int) -> None:
    rows = nights.table(night, "resources")
    here = rows[rows["state"].isin(["listed", "unlisted"])]
    assert set(here["url"]) <= {r["url"] for r in published(night)}
    assert len(here) == len({r.get("duplicate_group") or r["id"] for r in published(night)})
    assert rows["resource_id"].is_unique


@pytest.mark.parametrize("night", [1, 2])
def test_what_was_entered_twice_is_one_row_and_look_alikes_are_two(nights: Nights, night: int) -> None:
    owner = nights.table(night, "records").drop_duplicates("url").set_index("url")["resource_id"]
    ids = {r["id"]: owner[r["url"]] for r in published(night)}
    doubles = [(a, b) for a in published(night) for b in published(night) if a["id"] < b["id"] and same_group(a, b)]
    assert len(doubles) == 4  # pairs
    assert all(ids[a["id"]] == ids[b["id"]] for a, b in doubles)
    alike = [(r["id"], other) for r in published(night) for other in r.get("must_not_merge_with", ()) if other in ids]
    assert len(alike) >= 8
    assert all(ids[one] != ids[other] for one, other in alike)
    titles = nights.table(night, "resources").groupby("title").size()
    assert titles.max() == 2  # two resources under one title, one of them at an address that ends in -0


def test_what_left_the_site_keeps_its_row_with_its_state(nights: Nights) -> None:
    states = nights.table(2, "resources").set_index("url")["state"]
    gone = {r["url"]: r["http_status"] for r in ENTERED["night2"] if not r["published"] and r["url"] in states.index}
    assert gone, "the second night withdraws a resource"
    assert {states[url] for url, status in gone.items() if status == 403} == {"forbidden"}  # HTTP
    entered_now = {r["url"] for r in ENTERED["night2"]}
    deleted = [url for url in states.index if url not in entered_now]
    assert deleted
    assert {states[url] for url in deleted} == {"not_found"}


@pytest.mark.parametrize("night", [1, 2])
def test_hidden_text_of_private_resources_is_in_no_table(nights: Nights, night: int) -> None:
    hidden = [fold(t)[:60] for r in ENTERED[f"night{night}"] for t in r["hidden_body"] if len(t) > 40]
    shown = "\n".join(fold(t) for n in (1, 2) for r in published(n) for k in ("body", "summary") for t in r[k])
    secret = [h for h in hidden if h not in shown]
    assert secret
    for table in TABLES:
        text = fold("\n".join(map(str, nights.table(night, table.name).to_numpy().ravel())))
        assert not [h for h in secret if h in text], table.name


def test_an_unchanged_site_gives_no_release(nights: Nights) -> None:
    verdicts = [outcome.verdict for outcome in nights.outcomes]
    assert verdicts[0].startswith("sample: release 1 published: 52 resources, 0 rejects, ")
    assert verdicts[0].endswith("-> " + str(nights.data / "clean/sample/latest"))
    assert "unchanged since release 1" in verdicts[1]
    assert "release 2 published" in verdicts[2]
    assert (nights.data / "clean/sample/latest").resolve().name == "000002"


def test_identifiers_are_carried_to_the_next_night(nights: Nights) -> None:
    before = nights.table(1, "resources").set_index("url")["resource_id"]
    after = nights.table(2, "resources").set_index("url")["resource_id"]
    shared = before.index.intersection(after.index)
    assert len(shared) >= 50  # two addresses changed
    assert (before[shared] == after[shared]).all()


def test_every_record_lies_in_the_archive_where_it_says(nights: Nights) -> None:
    pages = nights.table(2, "pages").set_index("url")
    records = nights.table(2, "records")
    assert set(records["page_url"]) <= set(pages.index)
    assert (records["block_end"] > records["block_start"]).all()
    resources = set(nights.table(2, "resources")["resource_id"])
    assert set(records["resource_id"]) <= resources
    assert set(nights.table(2, "passages")["record_id"]) == set(
        records[records["body"].notna() | records["resume"].notna()]["record_id"]
    )


def test_the_passages_give_back_both_sections(nights: Nights) -> None:
    table = nights.table(1, "records").set_index("record_id")
    sections = {"body": table["body"].to_dict(), "resume": table["resume"].to_dict()}
    passages = nights.table(1, "passages").sort_values(["record_id", "section", "position"])
    for (record_id, section), rows in passages.groupby(["record_id", "section"], observed=True):
        assert "\n\n".join(rows["text"]) == sections[str(section)][record_id]


def test_every_address_met_is_in_the_ledger_once(nights: Nights) -> None:
    pages = nights.table(1, "pages")
    assert pages["url"].is_unique
    assert set(pages["outcome"]) <= {"fetched", "not_listed"}
    assert (pages[pages["outcome"] == "fetched"]["status"] == 200).all()  # HTTP
    listings = pages[pages["role"] == "listing"]
    assert len(listings) == 9  # pages of six listings
    assert pages[pages["outcome"] == "not_listed"]["attempts"].eq(0).all()


def test_two_runs_over_the_same_input_have_equal_digests(nights: Nights, tmp_path: Path) -> None:
    refresh(nights.source, tmp_path)
    release = latest_release(Layout(tmp_path, "sample"))
    assert release is not None
    first = json.loads((nights.data / "clean/sample/releases/000001/release.json").read_text(encoding="utf-8"))
    for table in TABLES:
        assert release.manifest["tables"][table.name]["logical_digest"] == first["tables"][table.name]["logical_digest"]


def test_a_rebuild_from_the_archive_equals_the_release(nights: Nights) -> None:
    assert "equal to release 2 in every table" in rebuild(nights.source, nights.data).verdict


def test_keywords_and_month_are_read(nights: Nights) -> None:
    row = (
        nights.table(1, "resources")
        .set_index("url")
        .loc["https://rtes.example/fiche-deniche-vous-ndeg112-scic-relais-2d"]
    )
    assert list(row["keywords"]) == ["emploi", "insertion", "transition énergétique"]
    assert str(row["published_month"]) == "2022-05-01"


# --- the text copy --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, source = tmp_path_factory.mktemp("copy"), find_source("rtes")
    outcome = import_copy(source, data, COPY, COPY_URL, datetime(2023, 6, 1, tzinfo=UTC))
    assert "9 records, 1 rejects" in outcome.verdict
    assert "release 1 published: 9 resources, 1 rejects" in rebuild(source, data).verdict
    return data / "clean/rtes/latest"


def test_the_text_copy_is_published_by_a_rebuild(copied: Path) -> None:
    rows = pd.read_parquet(copied / "resources.parquet")
    assert len(rows) == 9  # complete resources of the copy
    assert set(rows["state"]) == {"unlisted"}
    assert rows["url"].isna().all()
    assert (rows["first_seen_at"] == pd.Timestamp("2023-06-01", tz="UTC")).all()
    private = rows[rows["is_private"].astype(bool)]["title"]
    assert len(private) == 3  # of the nine
    assert pd.read_parquet(copied / "records.parquet")["is_copy"].all()


def test_the_cut_resource_of_the_text_copy_is_a_reject(copied: Path) -> None:
    rejects = pd.read_parquet(copied / "rejects.parquet")
    assert list(rejects["reason"]) == ["incomplete"]
    assert "Fiche n°11" in rejects["excerpt"][0]


def test_a_copy_is_kept_beside_a_refresh_and_again_in_a_rebuild(tmp_path: Path) -> None:
    source = find_source("sample")
    refresh(source, tmp_path)
    import_copy(source, tmp_path, COPY, COPY_URL, datetime(2023, 6, 1, tzinfo=UTC))
    assert "later runs" in rebuild(source, tmp_path).verdict
    rows = pd.read_parquet(tmp_path / "clean/sample/latest/resources.parquet")
    # the nine of the copy stand on the site too, and are recognised by their text
    assert (rows["state"].value_counts().to_dict()) == {"listed": 52}
    assert (rows["first_seen_at"] == pd.Timestamp("2023-06-01", tz="UTC")).sum() == 9
    assert "unchanged since release 2" in refresh(source, tmp_path).verdict
    assert "equal to release 2" in rebuild(source, tmp_path).verdict

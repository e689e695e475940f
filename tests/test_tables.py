"""Tables: what is declared is what lies in the files, for every reader; and no flipped byte gives a wrong value."""

# ruff: noqa: S311 - the random numbers are seeded

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.jobs import refresh
from releases import tables as tables_module
from releases.store import Release, latest_release
from releases.tables import lay_out, logical_digest, open_table, read_rows
from schema.dictionary import datapackage, dictionary
from schema.errors import Bug, DamagedArchive
from schema.layout import Layout
from schema.nouns import OUTCOMES, ROLES
from schema.sources import read_source
from schema.tables import BY_NAME, RECORDS, RESOURCES, TABLES, Table

ROOT = Path(__file__).parent.parent
NAMES = [table.name for table in TABLES]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The bundled sample, published."""
    data = tmp_path_factory.mktemp("data")
    source = read_source(ROOT / "sources" / "sample.toml")
    refresh(source, data)
    published = latest_release(Layout(data, source.name))
    assert published is not None
    return published


def make_resource(**values: Any) -> Row:
    """A resource with something odd in each column."""
    when = datetime(2026, 11, 23, 2, 0, 0, 123_456, tzinfo=UTC)
    return {
        "resource_id": "r1",
        "url": None,
        "title": "L’épicerie – « n° 98 » 🚚",
        "type": None,
        "is_private": None,
        "summary": "Un.\n\nDeux\u00a0: 1\u202f000 €.",
        "themes": ["Eau", "Mobilités"],
        "keywords": [],
        "published_month": date(2023, 11, 1),
        "links": [{"text": "", "url": "https://rtes.example/a"}],
        "record_count": 0,
        "best_record_id": None,
        "absent_nights": 0,
        "state": "listed",
        "first_seen_at": when,
        "last_seen_at": when,
        "last_changed_at": when,
        "content_digest": "0" * 64,
        **values,
    }


# --- what is declared


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_a_table_is_declared_in_full(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert set(table.key) <= set(names)
    assert table.row
    for column in table.columns:
        assert len(column.description) > 5, column.name
        assert column.name == column.name.lower()
        assert column.name not in table.key or not column.is_nullable


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_names_end_in_their_unit_or_kind(table: Table) -> None:
    for column in table.columns:
        if pa.types.is_timestamp(column.type):
            assert column.name.endswith("_at") or column.name in ("valid_from", "valid_to")
            assert column.type.tz == "UTC"
        if pa.types.is_boolean(column.type):
            assert column.name.startswith(("is_", "has_"))
        if column.name.endswith("_s"):
            assert pa.types.is_floating(column.type)
        if column.name.endswith(("_bytes", "_count")):
            assert pa.types.is_integer(column.type)


def test_the_dictionary_in_the_repository_is_the_one_that_is_declared() -> None:
    assert (ROOT / "data" / "README.md").read_text(encoding="utf-8") == dictionary()


def test_the_dictionary_names_every_column_outcome_and_role() -> None:
    text = dictionary()
    for table in TABLES:
        section = text.split(f"## `{table.name}`")[1].split("\n## ")[0]
        for column in table.columns:
            assert f"| `{column.name}` |" in section
            assert column.description in section
    assert all(f"- `{name}`: {meaning}" in text for name, meaning in (OUTCOMES | ROLES).items())


def test_the_data_package_names_every_column_with_its_type(release: Release) -> None:
    package = json.loads((release.path / "datapackage.json").read_text(encoding="utf-8"))
    assert {**package, "created": ""} == {**datapackage(release.manifest), "created": ""}
    assert [described["name"] for described in package["resources"]] == NAMES
    for described in package["resources"]:
        table = BY_NAME[described["name"]]
        fields = described["schema"]["fields"]
        assert [f["name"] for f in fields] == [c.name for c in table.columns]
        assert [f["description"] for f in fields] == [c.description for c in table.columns]
        assert [f.get("constraints") for f in fields] == [
            None if c.is_nullable else {"required": True} for c in table.columns
        ]
        assert described["schema"]["primaryKey"] == list(table.key)
        assert (release.path / described["path"]).stat().st_size == described["bytes"]
    types = {f["name"]: f["type"] for f in package["resources"][0]["schema"]["fields"]}
    assert (types["title"], types["is_private"], types["themes"]) == ("string", "boolean", "array")
    assert (types["first_seen_at"], types["published_month"], types["record_count"]) == ("datetime", "date", "integer")


def test_the_data_package_says_when_as_the_standard_writes_it(release: Release) -> None:
    package = json.loads((release.path / "datapackage.json").read_text(encoding="utf-8"))
    assert package["created"] == release.manifest["published_at"]


# --- what lies in the files


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_a_file_holds_the_declared_types_and_descriptions(release: Release, table: Table) -> None:
    schema = pq.read_schema(release.path / f"{table.name}.parquet")
    assert schema.names == [column.name for column in table.columns]
    for column in table.columns:
        field = schema.field(column.name)
        assert field.type == column.type
        assert field.nullable == column.is_nullable
        assert field.metadata[b"description"].decode() == column.description
    assert schema.metadata[b"table"] == table.name.encode()
    assert schema.metadata[b"key"] == ",".join(table.key).encode()


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_every_column_is_compressed_with_zstd_and_dictionaries_stand_on_closed_lists_only(
    release: Release, table: Table
) -> None:
    meta = pq.ParquetFile(release.path / f"{table.name}.parquet").metadata
    closed = {column.name for column in table.columns if pa.types.is_dictionary(column.type)}
    for group in range(meta.num_row_groups):
        for place in range(meta.num_columns):
            chunk = meta.row_group(group).column(place)
            assert chunk.compression == "ZSTD"
            assert chunk.has_dictionary_page == (chunk.path_in_schema in closed)


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_rows_are_sorted_by_their_key(release: Release, table: Table) -> None:
    keys = [tuple(row[name] for name in table.key) for row in release.rows(table.name)]
    assert keys == sorted(keys)


# --- every reader


def plain(value: Any) -> Any:
    """A value as Python says it, whatever the reader it came from."""
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.date()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(one) for one in value]
    return None if value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)) else value


def same(rows: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> bool:
    return [{k: plain(v) for k, v in row.items()} for row in rows] == [
        {k: plain(v) for k, v in r.items()} for r in wanted
    ]


@pytest.fixture(scope="module")
def files(release: Release, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tables of the sample, and one of odd values."""
    odd = tmp_path_factory.mktemp("odd") / "resources.parquet"
    rows = [make_resource(), make_resource(resource_id="r2", links=[], published_month=None, summary=None, themes=[])]
    lay_out(RESOURCES, rows).copy_to(odd)
    return {**{table.name: release.path / f"{table.name}.parquet" for table in TABLES}, "odd": odd}


@pytest.mark.parametrize("name", [*NAMES, "odd"])
def test_pandas_duckdb_and_polars_read_the_same_values(files: dict[str, Path], name: str) -> None:
    path, table = files[name], BY_NAME.get(name, RESOURCES)
    wanted = read_rows(table, path)
    assert same(pl.read_parquet(path).to_dicts(), wanted)
    with duckdb.connect() as connection:
        read = connection.execute("SELECT * FROM read_parquet(?, file_row_number = false)", [str(path)])
        columns = [described[0] for described in read.description or ()]
        assert same([dict(zip(columns, row, strict=True)) for row in read.fetchall()], wanted)
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    assert same([dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False)], wanted)


def test_pandas_reads_without_being_told_how(files: dict[str, Path]) -> None:
    frame = pd.read_parquet(files["resources"])
    assert list(frame.columns) == [column.name for column in RESOURCES.columns]
    assert str(frame["first_seen_at"].dtype).endswith("UTC]")
    assert isinstance(frame["state"].dtype, pd.CategoricalDtype)
    assert frame["resource_id"].is_unique


# --- many rows


def many() -> list[dict[str, Any]]:
    """More than are laid out at once, each closed list with values that only the last rows have."""
    rows = [make_resource(resource_id=f"r{number:05}") for number in range(2_500)]
    rows[-1] = {**rows[-1], "type": "Vidéo", "state": "gone"}
    return rows


def test_many_rows_come_back_as_they_were() -> None:
    rows = many()
    seen = lay_out(RESOURCES, iter(rows))
    assert (list(seen), len(seen), seen[-1], seen[1_022:1_026]) == (rows, 2_500, rows[-1], rows[1_022:1_026])
    assert seen[5:0:-2] == rows[5:0:-2]
    assert seen == rows
    assert rows == seen
    assert seen != [*rows[:-1], rows[0]]
    assert seen != rows[:-1]
    assert list(seen.columns("state", "resource_id")) == [(row["state"], row["resource_id"]) for row in rows]
    assert lay_out(RESOURCES, seen) is seen
    assert logical_digest(RESOURCES, seen) == logical_digest(RESOURCES, rows)
    backwards = lay_out(RESOURCES, rows[::-1])
    assert logical_digest(RESOURCES, backwards) == logical_digest(RESOURCES, rows)


@pytest.mark.parametrize("in_memory_bytes", [1, 1 << 30])  # 0 is no limit
@pytest.mark.parametrize("limit", ["GROUP_ROWS", "GROUP_BYTES"])
def test_row_groups_are_cut_by_rows_and_by_bytes_and_hold_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, in_memory_bytes: int
) -> None:
    rows, whole, cut = many(), tmp_path / "whole.parquet", tmp_path / "cut.parquet"
    lay_out(RESOURCES, rows).copy_to(whole)
    monkeypatch.setattr(tables_module, limit, 1_000)
    monkeypatch.setattr(tables_module, "_IN_MEMORY_BYTES", in_memory_bytes)
    lay_out(RESOURCES, rows, tmp_path).copy_to(cut)
    assert [pq.ParquetFile(path).metadata.num_row_groups for path in (whole, cut)] == [1, 3]
    assert pl.read_parquet(cut).to_dicts() == pl.read_parquet(whole).to_dicts()
    assert read_rows(RESOURCES, cut) == rows
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.parquet", "whole.parquet"]


def test_rows_that_were_opened_are_read_to_their_end_though_the_file_is_gone(tmp_path: Path) -> None:
    rows, path = many(), tmp_path / "gone.parquet"
    lay_out(RESOURCES, rows).copy_to(path)
    opened = open_table(RESOURCES, path)
    path.unlink()
    assert opened == rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resource_id": "r00003"}, "the key resource_id is not unique"),
        ({"title": None}, "column title"),
        ({"record_count": 3.7}, "record_count"),
        ({"odd": 1}, "other columns than declared: odd"),
    ],
)
def test_the_last_of_many_rows_is_checked_too(change: Mapping[str, Any], message: str) -> None:
    rows = many()
    rows[-1] = {**rows[-1], **change}
    with pytest.raises(Bug, match=message):
        lay_out(RESOURCES, rows)


# --- rows that are none


def test_rows_come_back_as_they_were() -> None:
    rows = [make_resource(), make_resource(resource_id="r2", type="Guide", is_private=True)]
    assert list(lay_out(RESOURCES, rows)) == rows


@pytest.mark.parametrize("column", [c.name for c in RESOURCES.columns if not c.is_nullable])
def test_a_null_where_none_may_be_is_a_bug(column: str) -> None:
    with pytest.raises(Bug, match=f"table resources: .*{column}"):
        lay_out(RESOURCES, [make_resource(**{column: None})])


@pytest.mark.parametrize("column", [c.name for c in RESOURCES.columns if c.is_nullable])
def test_a_null_where_one_may_be_is_a_null(column: str) -> None:
    assert lay_out(RESOURCES, [make_resource(**{column: None})])[0][column] is None


def test_a_double_key_is_a_bug() -> None:
    with pytest.raises(Bug, match="table resources: the key resource_id is not unique"):
        lay_out(RESOURCES, [make_resource(), make_resource(title="autre")])


def test_a_key_of_several_columns_may_repeat_in_parts() -> None:
    table = BY_NAME["passages"]
    row = {
        "record_id": "m1",
        "section": "body",
        "position": 0,
        "kind": "paragraph",
        "text": "a",
        "is_kept": True,
        "summary_position": 0,
        "into_section": None,
        "into_positions": [],
        "method": None,
        "score": None,
    }
    rows = [row, {**row, "position": 1}, {**row, "section": "resume"}, {**row, "record_id": "m2"}]
    assert len(lay_out(table, rows)) == 4
    with pytest.raises(Bug, match="the key record_id, section, position is not unique"):
        lay_out(table, [*rows, row])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("record_count", "3"),
        ("is_private", "Oui"),
        ("title", 3),
        ("title", b"\xff"),
        ("themes", [3]),
        ("first_seen_at", "hier"),
        ("published_month", "2023-11"),
        ("links", ["https://rtes.example/"]),
    ],
)
def test_a_value_of_another_type_is_a_bug(column: str, value: Any) -> None:
    with pytest.raises(Bug, match="table resources: "):
        lay_out(RESOURCES, [make_resource(**{column: value})])


@pytest.mark.parametrize(
    ("column", "value"),
    [("record_count", 3.7), ("record_count", 2**70), ("themes", "Eau"), ("title", "a\udc80"), ("themes", [None])],
)
def test_a_value_that_arrow_would_bend_is_a_bug(column: str, value: Any) -> None:
    try:
        lay_out(RESOURCES, [make_resource(**{column: value})])
    except Bug:
        return
    except (OverflowError, UnicodeEncodeError) as error:
        pytest.fail(f"escaped: {error}")
    pytest.fail("was let pass")


@pytest.mark.parametrize("column", ["title", "resource_id", "summary"])
def test_a_row_without_a_column_is_a_bug(column: str) -> None:
    row = make_resource()
    del row[column]
    with pytest.raises(Bug, match=column):
        lay_out(RESOURCES, [row])


# --- logical digest


def test_the_logical_digest_hangs_neither_on_the_order_of_rows_nor_on_volatile_columns(release: Release) -> None:
    for table in TABLES:
        rows = release.rows(table.name)
        digest = logical_digest(table, rows)
        shuffled = list(rows)
        random.Random(3).shuffle(shuffled)
        later = datetime(2030, 1, 1, tzinfo=UTC)
        volatile = [column.name for column in table.columns if column.is_volatile]
        changed = [{**row, **dict.fromkeys(volatile, later)} for row in shuffled]
        assert digest == logical_digest(table, changed) == release.manifest["tables"][table.name]["logical_digest"]


@pytest.mark.parametrize("rows_a_group", [1, 1_000_000])
def test_the_logical_digest_does_not_hang_on_the_writer(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_a_group: int
) -> None:
    monkeypatch.setattr(tables_module, "GROUP_ROWS", rows_a_group)
    monkeypatch.setattr(tables_module, "_CHUNK_ROWS", 10)
    for table in TABLES:
        path = tmp_path / f"{table.name}.parquet"
        rows = list(release.rows(table.name))
        lay_out(table, rows).copy_to(path)
        groups = pq.ParquetFile(path).metadata.num_row_groups
        assert groups == (max(1, -(-len(rows) // 10)) if rows_a_group == 1 else 1)
        stated = release.manifest["tables"][table.name]["logical_digest"]
        assert logical_digest(table, read_rows(table, path)) == stated


def test_the_logical_digest_changes_with_every_lasting_value() -> None:
    row = make_resource()
    others: Row = {
        "resource_id": "r9",
        "url": "https://rtes.example/a",
        "title": "autre",
        "type": "Guide",
        "is_private": False,
        "summary": None,
        "themes": ["Eau"],
        "keywords": ["eau"],
        "published_month": None,
        "links": [],
        "record_count": 1,
        "state": "gone",
        "content_digest": "1" * 64,
    }
    assert set(others) == set(RESOURCES.lasting)
    digests = {logical_digest(RESOURCES, [{**row, name: value}]) for name, value in others.items()}
    assert len(digests | {logical_digest(RESOURCES, [row])}) == len(others) + 1
    assert logical_digest(RESOURCES, [row], ["title"]) == logical_digest(RESOURCES, [{**row, "title": "x"}], ["title"])
    assert logical_digest(RESOURCES, []) != logical_digest(RECORDS, [])


# --- damage

# what a damaged footer makes Arrow raise beside its own ArrowInvalid; that these escape, and that types are not
# compared, is what two tests at the end of this file say
ESCAPES = (ValueError, LookupError, NotImplementedError, TypeError)


@pytest.mark.parametrize("name", ["resources", "pages"])
def test_no_flipped_byte_gives_a_wrong_value(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    data, path = files[name].read_bytes(), tmp_path / "flipped.parquet"
    wanted = read_rows(BY_NAME[name], files[name])
    dice = random.Random(51)
    noticed = 0
    for _ in range(100):
        flipped = bytearray(data)
        flipped[dice.randrange(len(data))] ^= dice.randrange(1, 256)
        path.write_bytes(flipped)
        try:
            rows = read_rows(BY_NAME[name], path)
        except (DamagedArchive, *ESCAPES):
            noticed += 1
        else:
            assert rows == wanted or pq.read_schema(path).types != BY_NAME[name].schema.types
    assert noticed > 30


def test_a_flipped_byte_of_the_footer_hides_no_row(files: dict[str, Path], tmp_path: Path) -> None:
    # it has no checksum: where it tells a wrong count of a row group, Arrow gives no batch at all
    data, path = files["odd"].read_bytes(), tmp_path / "flipped.parquet"
    wanted, footer_bytes = read_rows(RESOURCES, files["odd"]), int.from_bytes(data[-8:-4], "little")
    dice, met = random.Random(7), set()
    for _ in range(1_000):
        flipped = bytearray(data)
        flipped[-8 - dice.randrange(1, footer_bytes)] ^= dice.randrange(1, 256)
        path.write_bytes(flipped)
        try:
            assert [row["resource_id"] for row in read_rows(RESOURCES, path)] == [row["resource_id"] for row in wanted]
        except (DamagedArchive, *ESCAPES) as error:
            met.add("rows" if "of 2 rows" in str(error) else type(error).__name__)
    assert "rows" in met


def test_a_file_without_its_checksums_would_give_wrong_values(files: dict[str, Path], tmp_path: Path) -> None:
    # what the checksums are for: pages as they lie, one letter of a stored text changed
    made, path = pq.read_table(files["odd"]), tmp_path / "bare.parquet"
    for is_checked in (False, True):
        pq.write_table(
            made, path, compression="none", use_dictionary=False, write_statistics=False, write_page_checksum=is_checked
        )
        data = bytearray(path.read_bytes())
        data[data.index("épicerie".encode()) + 2] ^= 1
        path.write_bytes(data)
        if is_checked:
            with pytest.raises(DamagedArchive):
                read_rows(RESOURCES, path)
        else:
            assert read_rows(RESOURCES, path)[0]["title"] == "L’éqicerie – « n° 98 » 🚚"


def test_a_cut_file_is_damage(files: dict[str, Path], tmp_path: Path) -> None:
    data, path = files["pages"].read_bytes(), tmp_path / "cut.parquet"
    for place in (0, 1, 4, 100, len(data) // 2, len(data) - 8, len(data) - 1):
        path.write_bytes(data[:place])
        with pytest.raises(DamagedArchive, match="moisson rebuild"):
            read_rows(BY_NAME["pages"], path)


def test_an_absent_file_or_one_that_is_no_table_is_damage(tmp_path: Path) -> None:
    with pytest.raises(DamagedArchive, match="not a readable table"):
        open_table(RESOURCES, tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("id;titre\n1;a\n", encoding="utf-8")
    with pytest.raises(DamagedArchive, match="not a readable table"):
        open_table(RESOURCES, tmp_path / "text.parquet")


def test_another_table_is_not_taken_for_this_one(files: dict[str, Path]) -> None:
    with pytest.raises(DamagedArchive, match="its columns are not those of the table resources"):
        open_table(RESOURCES, files["records"])


@pytest.mark.parametrize(
    ("column", "kind"), [("title", pa.binary()), ("record_count", pa.int64()), ("state", pa.string())]
)
def test_columns_of_another_type_are_damage(
    files: dict[str, Path], tmp_path: Path, column: str, kind: pa.DataType
) -> None:
    made = pq.read_table(files["odd"])
    place = made.schema.get_field_index(column)
    path = tmp_path / "other.parquet"
    pq.write_table(made.set_column(place, column, made[column].cast(kind)), path)
    with pytest.raises(DamagedArchive):
        read_rows(RESOURCES, path)


def test_a_footer_that_is_no_text_is_damage(files: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(files["odd"].read_bytes())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    data[data.index(b"resource_id", footer)] = 0xF3
    path = tmp_path / "flipped.parquet"
    path.write_bytes(data)
    with pytest.raises(DamagedArchive):
        read_rows(RESOURCES, path)

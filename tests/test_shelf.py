"""What is put aside comes back as it was."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO

import pytest

from flows import shelves
from flows.shelves import FileShelf
from schema.errors import DiskTrouble
from schema.nouns import Link, Passage, Record, Span
from schema.shelf import MemoryShelf, ShelvedRecords, ShelvedRows, heads, shelve_text

FULL = Record(
    "https://rtes.example/list",
    position=3,
    url="https://rtes.example/a",
    title="L’épicerie – « n° 98 » 🚚",
    type="Guide",
    is_private=True,
    body=(Passage("paragraph", "Un\u00a0: 1\u202f000 €."), Passage("item", "Deux")),
    resume=(Passage("heading", "À retenir"),),
    links=(Link("", "https://rtes.example/a.pdf"), Link("pdf", "https://rtes.example/b.pdf")),
    span=Span(5, 2**40),
    part_spans={"title": Span(6, 9), "body": Span(10, 2**33)},
    block_digest="f" * 64,
    keywords=("eau", "mobilité"),
    month=date(2023, 11, 1),
)
BARE = Record("https://rtes.example/list", 0, None, "", None, None, (), (), (), Span(0, 0))


class Full:
    """A file on a disk without room."""

    def write(self, _data: bytes) -> int:
        """Refuse."""
        raise OSError(28, "No space left on device")


class Slow:
    """A file on a disk that takes three bytes more, and no others."""

    def __init__(self, real: IO[bytes]) -> None:
        self.real, self.left = real, 3

    def fileno(self) -> int:
        return self.real.fileno()

    def write(self, data: bytes) -> int:
        if not self.left:
            raise OSError(28, "No space left on device")
        taken, self.left = self.left, 0
        return self.real.write(data[:taken])


def test_what_a_disk_took_by_half_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = FileShelf(tmp_path)
    first = shelf.put(b"first")
    with (tmp_path / "file").open("w+b", buffering=0) as real:
        monkeypatch.setattr(shelf, "_stream", Slow(real))
        with pytest.raises(DiskTrouble):
            shelf.put(bytes(2 << 20))
        assert shelf.get(first) == b"first"
        assert shelf.get(shelf.put(b"second")) == b"second"
        assert (tmp_path / "file").read_bytes() == b"fir"


def test_bytes_are_found_again_wherever_they_are(tmp_path: Path) -> None:
    shelf, folder = FileShelf(tmp_path / "new" / "one"), tmp_path / "new" / "one"
    dice = random.Random(5)  # noqa: S311  # the same bytes on every run
    things = [dice.randbytes(dice.choice((0, 1, 1_000, 300_000))) for _ in range(60)]
    places = []
    for number, thing in enumerate(things):
        places.append(shelf.put(thing))
        assert shelf.get(places[number // 2]) == things[number // 2]
        assert shelf.get(places[number]) == thing
    assert [shelf.get(place) for place in places] == things
    # without a name: nothing to sweep, whatever ends the process
    assert folder.is_dir()
    assert not list(folder.iterdir())


def test_little_never_touches_the_disk(tmp_path: Path) -> None:
    shelf = FileShelf(tmp_path / "new")
    assert shelf.get(shelf.put(b"little")) == b"little"
    assert not (tmp_path / "new").exists()


def test_a_disk_without_room_is_told_and_what_is_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = FileShelf(tmp_path)
    first = shelf.put(b"first")
    monkeypatch.setattr(shelves, "TemporaryFile", lambda **_: Full())
    monkeypatch.setattr(Full, "close", lambda _: None, raising=False)
    with pytest.raises(DiskTrouble, match=f"{tmp_path}: no room .* make room: nothing was published"):
        shelf.put(bytes(2 << 20))
    monkeypatch.undo()
    shelf._stream = None
    second = shelf.put(b"second")
    assert [shelf.get(first), shelf.get(second)] == [b"first", b"second"]
    third = shelf.put(b"third" * (1 << 20))
    assert [shelf.get(place)[:6] for place in (first, second, third)] == [b"first", b"second", b"thirdt"]


@pytest.mark.parametrize("record", [FULL, BARE])
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    assert list(ShelvedRecords([record], MemoryShelf())) == [record]


def test_shelved_records_are_a_sequence_of_records() -> None:
    several = ShelvedRecords((FULL, BARE, FULL), MemoryShelf())
    assert (len(several), several[1], several[-1], several[:2]) == (3, BARE, FULL, [FULL, BARE])
    assert several == (FULL, BARE, FULL)
    assert several != (FULL, BARE)
    assert several != 3
    assert not ShelvedRecords((), MemoryShelf())
    assert tuple(heads(several)) == tuple(heads((FULL, BARE, FULL)))


@pytest.mark.parametrize("text", ["", "L’épicerie 🚚", "a\udc80"])
def test_a_text_comes_back_as_it_was(text: str) -> None:
    assert shelve_text(text, MemoryShelf()).read() == text


def test_shelved_rows_are_a_mapping_and_stand_in_order() -> None:
    rows = [{"id": name, "at": datetime(2026, 1, 1, tzinfo=UTC), "list": [name]} for name in "bca"]
    shelved = ShelvedRows(MemoryShelf(), "id", rows)
    assert dict(shelved) == {row["id"]: row for row in rows}
    assert "d" not in shelved
    assert shelved.get("d") is None
    shelved.add({"id": "b", "at": None, "list": []})
    ordered = shelved.ordered()
    assert list(ordered) == [rows[2], {"id": "b", "at": None, "list": []}, rows[1]]
    assert (len(ordered), ordered[0], ordered[1:]) == (3, rows[2], [ordered[1], ordered[2]])
    assert ordered == tuple(ordered)
    assert ordered != tuple(ordered)[:2]

"""Words of a site that want to be more: names of files, lines of a log, commands to a terminal, broken letters."""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from flows.cli import main
from flows.jobs import refresh
from flows.ledger import load_readings, write_readings
from flows.sources_found import find_source
from parsers.marks import clean
from receipts.printable import printable
from releases.store import write_run
from releases.tables import lay_out, read_rows
from schema.layout import Layout
from schema.nouns import PageReading, Reading, Reject, Visit
from schema.shelf import MemoryShelf
from schema.tables import REJECTS
from tests.site_server import make_source
from tests.small_site import LISTING, block, listing, source_file, warc

# --- names of files

PLACES = [
    "../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/cron.d/x",
    "C:\\x",
    "\\\\server\\share\\x",
    "file:///etc/passwd",
    "~/.ssh/authorized_keys",
    "$HOME/x",
    "${IFS}x",
    "`touch x`",
    "$(touch x)",
    "a;touch x",
    "a|touch x",
    "a&&touch x",
    ".",
    "..",
    "...",
    "con",
    "nul.txt",
    "a/../../b",
    "%2e%2e%2fx",
    "%252e%252e%252fx",
    "..%c0%afx",
    "a\tb",
    "a b",
    "-rf",
    "--data=/tmp/x",
    "x" * 5000,
    "é" * 300,
    "．．／x",
    "latest.json",
    "000001.warc.gz",
]


def test_no_title_and_no_address_becomes_the_name_of_a_file(tmp_path: Path) -> None:
    assert len(PLACES) >= 30
    blocks = [
        block(f"Titre {n}").replace(f"/titre {n}", place).replace("Titre ", f"{place} ")
        for n, place in enumerate(PLACES)
    ]
    folder = tmp_path / "here"
    folder.mkdir()
    path = source_file(folder, warc(folder / "a.warc.gz", {LISTING: listing(*blocks)}))
    plain = source_file(folder, warc(folder / "b.warc.gz", {LISTING: listing(block("Titre"))}))
    refresh(find_source(str(plain)), tmp_path / "plain")
    path = source_file(folder, folder / "a.warc.gz")
    refresh(find_source(str(path)), tmp_path / "data")
    titles = pd.read_parquet(tmp_path / "data/clean/mine/latest/resources.parquet")["title"]
    assert len(titles) >= 30
    assert names_in(tmp_path / "data") == names_in(tmp_path / "plain")
    assert {p.name for p in tmp_path.iterdir()} == {"here", "plain", "data"}


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# `con` is a name like another where Windows does not reign
@pytest.mark.parametrize("place", [place for place in PLACES if place != "con"])
def test_no_source_is_named_by_a_place(place: str) -> None:
    with pytest.raises(ValidationError):
        make_source("https://site.example", name=place)


# --- lines of a log, and the terminal

LINES = [
    "\nmoisson: published",
    "\r\nmoisson: ok",
    "\rmoisson: ok",
    "\x0bmoisson: ok",
    "\x0cmoisson: ok",
    "\x1cmoisson: ok",
    "\x85moisson: ok",
    "\u2028moisson: ok",
    "\u2029moisson: ok",
    "\x1b[2J",
    "\x1b[31mrouge",
    "\x1b]0;titre\x07",
    "\x1b]8;;http://evil.example\x1b\\ici\x1b]8;;\x1b\\",
    "\x1bP0;1|17/ab\x1b\\",
    "\x9b31m",
    "\x9d0;x\x9c",
    "\x08\x08\x08ok",
    "\x00",
    "\x7f",
    "\u202eenvers",
    "\u2066isolé\u2069",
    "\ufeffok",
]


@pytest.mark.parametrize("payload", LINES)
def test_a_message_is_one_line_without_a_command(
    payload: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert len(LINES) >= 20
    monkeypatch.chdir(tmp_path)
    for words in (["refresh", f"a{payload}b"], ["trace", "sample", f"a{payload}b"]):
        monkeypatch.setattr(sys, "argv", ["moisson", *words])
        with pytest.raises(SystemExit):
            main()
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        assert unseen(err) == []


@pytest.mark.parametrize("payload", LINES)
def test_what_a_site_says_is_shown_without_a_command(payload: str, tmp_path: Path) -> None:
    blocks = [block("Alerte").replace("Alerte</a>", f"Alerte{payload}fin</a>").replace("texte de", f"texte{payload}de")]
    path = source_file(tmp_path, warc(tmp_path / "a.warc.gz", {LISTING: listing(*blocks)}))
    verdict = refresh(find_source(str(path)), tmp_path / "data").verdict
    assert len(verdict.splitlines()) == 1
    (row,) = pd.read_parquet(tmp_path / "data/clean/mine/latest/resources.parquet").to_dict("records")
    assert "\n" not in row["title"]
    assert [c for c in unseen(row["title"]) if ord(c) < 0xA0] == []
    assert unseen(printable(row["title"] + row["summary"])) == []


def unseen(text: str) -> list[str]:
    """The characters that a terminal would obey, or that hide."""
    return [c for c in text if not c.isprintable() and c not in "\n\t"]


# --- letters


def odd_texts(count: int) -> list[str]:
    """Texts of all kinds of characters, halves of characters and controls among them; the same each time."""
    chance = random.Random(25)  # noqa: S311 -- no secret
    kinds = (range(0x20), range(0x20, 0x250), range(0x2000, 0x2070), range(0xD800, 0xE000), range(0x110000))
    return ["a" + "".join(chr(chance.choice(chance.choice(kinds))) for _ in range(30)) for _ in range(count)]


def test_a_thousand_odd_texts_come_back_from_every_file_that_we_write(tmp_path: Path) -> None:
    texts = [clean(text) for text in odd_texts(1000)]
    assert sum(bool(unseen(text)) for text in texts) > 100
    when = datetime(2026, 11, 23, tzinfo=UTC)
    place = {"start": None, "end": None, "fetched_at": when, "warc_file": "000001.warc.gz", "warc_offset": 0}
    rows = [
        {
            "reject_id": f"{n:04}",
            "page_url": "https://a.example/",
            "reason": "no_title",
            "message": text,
            "excerpt": text,
        }
        for n, text in enumerate(texts)
    ]
    lay_out(REJECTS, [{**row, **place} for row in rows]).copy_to(tmp_path / "rejects.parquet")
    assert [row["excerpt"] for row in read_rows(REJECTS, tmp_path / "rejects.parquet")] == texts
    assert list(pd.read_parquet(tmp_path / "rejects.parquet")["excerpt"]) == texts

    rejects = tuple(Reject("https://a.example/", "no_title", text, None, text) for text in texts)
    visit = Visit("https://a.example/", "listing", "fetched", fetched_at=when)
    readings = (Reading(visit, PageReading("https://a.example/", "https://a.example/", rejects=rejects)),)
    assert load_readings(write_readings(tmp_path / "readings.json", readings), MemoryShelf()) == readings

    write_run(Layout(tmp_path, "essai"), 1, {"verdict": texts}, ())
    report = (Layout(tmp_path, "essai").run(1) / "run.json").read_bytes()
    assert json.loads(report.decode("utf-8"))["verdict"] == texts

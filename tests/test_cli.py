"""What a person types, and what bad input gets: one line that names the thing and the remedy, the right exit code."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from flows.cli import main
from flows.sources_found import SHIPPED
from tests.small_site import LISTING, SAMPLE, block, listing, page_of, source_file, warc

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def moisson(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command line, run in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moisson", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), out, err

    return run


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its digest."""
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


# --- what works -----------------------------------------------------------------------------------------------------


def test_a_third_partys_source_file_outside_the_repository_works(moisson: Run, tmp_path: Path) -> None:
    code, out, _ = moisson("refresh", str(source_file(tmp_path)), "--direct")
    assert code == 0
    assert out.splitlines()[-1].startswith("mine: release 1 published: 7 resources, 0 rejects, ")


def test_a_source_in_the_current_folder_hides_a_shipped_one(moisson: Run, tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    shutil.move(source_file(tmp_path, name='"sample"'), tmp_path / "sources" / "sample.toml")
    assert "7 resources" in moisson("refresh", "sample", "--direct")[1]


def test_the_verdict_is_all_that_stands_on_standard_output(moisson: Run) -> None:
    code, out, err = moisson("refresh", "sample", "--direct")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith("sample: release 1 published: 52 resources, 0 rejects, ")
    assert "read_parquet" in err
    assert "\x1b" not in out + err, "nothing is drawn when piped"


def test_a_dry_run_shows_the_difference_and_publishes_nothing(moisson: Run, tmp_path: Path) -> None:
    moisson("refresh", "sample", "--direct")
    before = fingerprint(tmp_path / "data/clean/sample/releases")
    second = str(SHIPPED / "sample" / "night2.warc.gz")
    code, out, _ = moisson("refresh", "sample", "--replay", second, "--dry-run", "--direct")
    assert (code, fingerprint(tmp_path / "data/clean/sample/releases")) == (0, before)
    assert "dry run, nothing published: 2 new, 0 gone" in out


def test_sources_are_listed_with_what_they_are(moisson: Run) -> None:
    code, out, _ = moisson("sources")
    assert code == 0
    assert "replays night1.warc.gz" in out
    assert "contact to be added" in out


def test_a_trace_shows_row_records_and_bytes(moisson: Run) -> None:
    moisson("refresh", "sample", "--direct")
    code, out, _ = moisson("trace", "sample", "https://rtes.example/points-reperess-spaser")
    assert code == 0
    for words in ("Points de RepèrESS", "at offset ", "sha256:", "  | <article", "2 records", "000001.warc.gz"):
        assert words in out


# --- what is wrong with the call ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("refresh", "nobody"), 2, "no source file named nobody.toml"),
        (("refresh", "missing.toml"), 2, "there is no such source file"),
        (("refresh", "rtes", "--direct"), 2, 'contact = "mailto:'),
        (("refresh", "sample", "--replay", "none.warc.gz"), 2, "there is no such file"),
        (("rebuild", "sample"), 2, "`moisson refresh sample` makes the first"),
        (("trace", "sample", "r123"), 2, "nothing published yet"),
        (("import", "sample", "none.txt", "--url", "https://a.example/", "--at", "2023-06-01"), 2, "cannot be read"),
        (("import", "sample", "x.txt", "--url", "https://a.example/", "--at", "hier"), 2, "is not a time"),
        (("import", "sample", "x.txt", "--url", "https://a.example/", "--at", "2999-01-01"), 2, "yet to come"),
        (("frobnicate",), 2, "No such command"),
        (("serve", "nobody"), 2, "no source file named nobody.toml"),
    ],
)
def test_a_wrong_call_is_told_what_to_do(moisson: Run, words: tuple[str, ...], code: int, said: str) -> None:
    got, out, err = moisson(*words)
    assert (got, out) == (code, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "not TOML"),
        ('name = "A B"\nlistings=["https://a.example/"]\nparser="labelled-blocks"\n[labels]\ntype=["T"]', "key `name`"),
        ('name = "a"\nlistings=[]\nparser="labelled-blocks"\n[labels]\ntype=["T"]', "key `listings`"),
        ('name = "a"\nlistings=["ftp://a"]\nparser="labelled-blocks"\n[labels]\ntype=["T"]', "not an http(s) address"),
        ('name = "a"\nlistings=["https://a.example/"]\nparser="other"\n[labels]\ntype=["T"]', "key `parser`"),
        ('name = "a"\nlistings=["https://a.example/"]\nparser="labelled-blocks"', "key `labels` is missing"),
        ('name = "a"\nlisting=["https://a.example/"]\nparser="labelled-blocks"\n[labels]\ntype=["T"]', "key `listing`"),
    ],
)
def test_a_malformed_source_file_is_named_with_key_and_remedy(
    moisson: Run, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    code, _, err = moisson("refresh", "bad.toml", "--direct")
    assert code == 2  # usage
    assert "bad.toml" in err
    assert said in err


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("a.txt", b"", 2, "is empty"),
        ("a.pdf", b"%PDF-1.7\x00", 2, "neither HTML nor text"),
        ("a.warc.gz", gzip.compress(b"WARC/1.1"), 9, "no page can be read"),
        ("a.html.gz", gzip.compress(b"<html></html>"), 2, "is compressed, and no WARC"),
        ("a.txt", b"rien du tout", 5, "nothing was archived"),
        ("a.html", b"<html><body><p>rien</p></body></html>", 5, "nothing was archived"),
    ],
)
def test_a_copy_that_cannot_be_read_is_not_archived(  # a table of cases
    moisson: Run, tmp_path: Path, name: str, content: bytes, code: int, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    got, _, err = moisson("import", "sample", name, "--url", "https://a.example/x", "--at", "2023-06-01")
    assert got == code
    assert said in err
    assert not (tmp_path / "data/raw/sample").exists() or not list((tmp_path / "data/raw/sample").iterdir())


# --- what is wrong with the site ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ({LISTING: listing()}, 5, "no resource stands on any listing"),
        ({LISTING: page_of(b"<html><body><h1>Se connecter</h1><form></form></body></html>")}, 4, "log-in page"),
        ({LISTING: page_of(b"%PDF-1.7", "application/pdf")}, 5, "no resource stands on any listing"),
        ({LISTING: page_of(b"x", status="503 Service Unavailable")}, 3, "no listing could be read"),
        ({LISTING: page_of(b"x", status="403 Forbidden")}, 4, "no listing may be read"),
        ({"https://rtes.example/other": listing(block("Titre"))}, 3, "holds none of the listings"),
        (
            {
                LISTING: listing(block("Titre")),
                "https://rtes.example/robots.txt": page_of(b"User-agent: *\nDisallow: /"),
            },
            4,
            "no listing may be read",
        ),
        (
            {LISTING: listing(block("Titre")), "https://rtes.example/robots.txt": page_of(b"x", status="500 Error")},
            3,
            "robots.txt cannot be had",
        ),
    ],
    ids=["empty", "login", "not-html", "down", "forbidden", "elsewhere", "robots-deny", "robots-down"],
)
def test_a_site_that_gives_nothing_leaves_the_release_as_it_was(
    moisson: Run, tmp_path: Path, answers: dict[str, bytes], code: int, said: str
) -> None:
    first = warc(tmp_path / "first.warc.gz", {LISTING: listing(block("Titre"), block("Autre"))})
    assert moisson("refresh", str(source_file(tmp_path, first)), "--direct")[0] == 0
    releases = tmp_path / "data/clean/mine/releases"
    before = fingerprint(releases)
    second = warc(tmp_path / "second.warc.gz", answers)
    got, out, err = moisson("refresh", str(source_file(tmp_path, second)), "--direct")
    assert (got, out) == (code, "")
    assert said in err
    assert fingerprint(releases) == before
    assert (tmp_path / "data/clean/mine/latest").resolve().name == "000001"
    assert (tmp_path / "data/clean/mine/runs/000002/run.json").is_file()


def test_a_listing_that_held_resources_and_is_empty_holds_the_run(moisson: Run, tmp_path: Path) -> None:
    other = LISTING.replace("mobilites-solidaires", "autre")
    listings = f'["{LISTING}", "{other}"]'
    full = {
        LISTING: listing(block("Titre")),
        other: listing(block("Autre")).replace("Mobilités".encode(), b"Autre lieu"),
    }
    path = source_file(tmp_path, warc(tmp_path / "1.warc.gz", full), listings=listings)
    assert moisson("refresh", str(path), "--direct")[0] == 0
    path = source_file(tmp_path, warc(tmp_path / "2.warc.gz", full | {LISTING: listing()}), listings=listings)
    code, _, err = moisson("refresh", str(path), "--direct")
    assert code == 6  # held
    assert "moisson: held: the listing" in err
    assert (tmp_path / "data/clean/mine/held/000002/resources.parquet").is_file()
    path = source_file(tmp_path, warc(tmp_path / "3.warc.gz", full), listings=listings)
    assert moisson("refresh", str(path), "--direct")[0] == 0, "the gate is silent once the listing is back"


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ((block("Bon"), block("")), "no_title"),
        (
            (
                block("Bon"),
                block(
                    "Double",
                    "<div><b>Type de ressource</b><i>Guide</i></div><div><b>Type de ressource</b><i>Carte</i></div>"
                    "<div><b>Ressource privée</b><i>Non</i></div>",
                ),
            ),
            "two_types",
        ),
    ],
)
def test_a_block_that_cannot_be_read_is_a_reject_and_the_others_are_published(
    moisson: Run, tmp_path: Path, blocks: tuple[str, ...], reason: str
) -> None:
    path = source_file(tmp_path, warc(tmp_path / "a.warc.gz", {LISTING: listing(*blocks)}))
    code, out, _ = moisson("refresh", str(path), "--direct")
    assert (code, "1 resources, 1 rejects" in out) == (0, True)
    rejects = pd.read_parquet(tmp_path / "data/clean/mine/latest/rejects.parquet")
    assert (rejects["reason"][0], rejects["page_url"][0]) == (reason, LISTING)
    assert rejects["end"][0] > rejects["start"][0]


def test_text_that_is_not_utf8_is_read_and_noted(moisson: Run, tmp_path: Path) -> None:
    page = listing(block("Été")).decode().replace("; charset=UTF-8", "").encode("cp1252")
    head, _, body = page.partition(b"\r\n\r\n")
    page = page_of(body, "text/html")
    assert head
    path = source_file(tmp_path, warc(tmp_path / "a.warc.gz", {LISTING: page}))
    assert moisson("refresh", str(path), "--direct")[0] == 0
    latest = tmp_path / "data/clean/mine/latest"
    assert list(pd.read_parquet(latest / "resources.parquet")["title"]) == ["Été"]
    pages = pd.read_parquet(latest / "pages.parquet").set_index("url")
    assert "cp1252" in str(pages["notes"][LISTING])


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"garbage", "not a WARC"), (b"", "is empty"), (SAMPLE.read_bytes()[:5000], "cut or damaged")],
    ids=["garbage", "empty", "cut"],
)
def test_an_unreadable_warc_is_refused_before_anything_is_written(
    moisson: Run, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "bad.warc.gz").write_bytes(content)
    code, out, err = moisson("refresh", "sample", "--replay", "bad.warc.gz", "--direct")
    assert (code, out) == (9, "")
    assert said in err
    assert not (tmp_path / "data/clean/sample/latest").exists()
    assert not list((tmp_path / "data/raw/sample").iterdir())


# --- what is wrong with the machine ---------------------------------------------------------------------------------


def test_a_second_run_at_once_is_refused(moisson: Run, tmp_path: Path) -> None:
    (tmp_path / "data/clean/sample").mkdir(parents=True)
    with (tmp_path / "data/clean/sample/lock").open("a") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        code, _, err = moisson("refresh", "sample", "--direct")
    assert (code, "another run holds" in err) == (7, True)
    assert moisson("refresh", "sample", "--direct")[0] == 0


def test_a_data_folder_that_cannot_be_written_is_named(moisson: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    code, _, err = moisson("refresh", "sample", "--direct")
    assert (code, "cannot be written" in err) == (8, True)


def test_a_damaged_archive_is_named_by_rebuild(moisson: Run, tmp_path: Path) -> None:
    moisson("refresh", "sample", "--direct")
    path = tmp_path / "data/raw/sample/000001.warc.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    code, out, _ = moisson("rebuild", "sample", "--direct")
    assert (code, f"{path.name}, offset" in out) == (0, True), "the ledger that was cut has a copy"
    path.write_bytes(whole[: len(whole) // 2])
    code, _, err = moisson("rebuild", "sample", "--direct")
    assert (code, path.name in err) == (9, True)


def test_a_release_that_another_hand_changed_is_a_bug_to_rebuild(moisson: Run, tmp_path: Path) -> None:
    moisson("refresh", "sample", "--direct")
    path = tmp_path / "data/clean/sample/latest/resources.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    manifest = path.with_name("release.json")
    told = json.loads(manifest.read_text(encoding="utf-8"))
    told["tables"]["resources"]["sha256"] = sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(told), encoding="utf-8")
    code, _, err = moisson("rebuild", "sample", "--direct")
    assert (code, "not equal to release 1 in resources" in err) == (70, True)


def test_a_damaged_release_is_named_by_refresh_and_made_again_by_rebuild(moisson: Run, tmp_path: Path) -> None:
    moisson("refresh", "sample", "--direct")
    path = tmp_path / "data/clean/sample/latest/resources.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    code, _, err = moisson("refresh", "sample", "--direct")
    assert (code, "`moisson rebuild` makes it again" in err) == (9, True)
    code, out, _ = moisson("rebuild", "sample", "--direct")
    assert (code, "rebuilt (release damaged), release 2 published: 52 resources" in out) == (0, True)


def test_a_replay_that_is_missing_names_the_source_file(moisson: Run, tmp_path: Path) -> None:
    code, _, err = moisson("refresh", str(source_file(tmp_path, tmp_path / "none.warc.gz")), "--direct")
    assert (code, "mine.toml: key `replay`" in err) == (2, True)


def test_malformed_links_and_deep_pages_stop_nothing(moisson: Run, tmp_path: Path) -> None:
    odd = "<base href='http://[x'><link rel=canonical href='http://[x'><a href='http://[x'>x</a>"
    page = listing(odd, block("Bon"), block("Odd").replace("'/odd'", "'http://[x'"), block(""), block(""))
    deep = page_of(("<div>" * 5000 + block("Creux") + "</html>").encode())
    path = source_file(tmp_path, warc(tmp_path / "a.warc.gz", {LISTING: page, "https://rtes.example/bon": deep}))
    code, out, err = moisson("refresh", str(path), "--direct")
    assert code == 0, err
    assert "2 resources, 3 rejects" in out
    rejects = pd.read_parquet(tmp_path / "data/clean/mine/latest/rejects.parquet")
    assert sorted(rejects["reason"].astype(str)) == ["no_title", "no_title", "too_deep"]


def test_what_a_trace_shows_of_a_page_cannot_write_to_the_terminal(moisson: Run, tmp_path: Path) -> None:
    page = listing(block("Alerte").replace("texte", "texte \x1b]0;pris\x07"))
    moisson("refresh", str(source_file(tmp_path, warc(tmp_path / "a.warc.gz", {LISTING: page}))), "--direct")
    code, out, _ = moisson("trace", str(tmp_path / "mine.toml"), "https://rtes.example/alerte")
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out


def test_messages_from_the_site_cannot_write_to_the_terminal(moisson: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('name = "a\\u001b[31mb"\n', encoding="utf-8")
    _, _, err = moisson("refresh", "bad.toml")
    assert "\x1b" not in err
    assert err.count("\n") == 1


def test_progress_is_drawn_on_a_terminal(tmp_path: Path) -> None:
    master, terminal = os.openpty()
    command = [sys.executable, "-m", "flows.cli", "refresh", "sample", "--direct"]
    ours = os.environ | {"PYTHONPATH": str(SHIPPED.parent), "TERM": "xterm"}
    with subprocess.Popen(command, cwd=tmp_path, env=ours, stdout=subprocess.PIPE, stderr=terminal) as running:
        os.close(terminal)
        drawn = b""
        with contextlib.suppress(OSError):  # the terminal's end reads as an error
            while piece := os.read(master, 65536):
                drawn += piece
        out, _ = running.communicate(timeout=60)
    os.close(master)
    assert b"sample: listings" in drawn
    assert out.count(b"\n") == 1

"""The pairs that wait for a person: which, in what order, and whether they can be read and judged as shown."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flows import cli
from flows.decisions import read_judgements
from flows.jobs import refresh
from flows.judging import review
from receipts.columns import COLOURED, GAP, PLAIN, side_by_side
from receipts.printable import printable
from receipts.review import Look, Question, _describe, open_questions
from releases.store import Release
from releases.tables import TableRows, lay_out
from schema.errors import UsageError
from schema.folding import fold
from schema.tables import PAIRS
from tests.judged_site import JOINED, UNSURE, Site, told
from tests.small_site import LISTING, listing, warc

Rows = list[dict[str, Any]]
ROOT = Path(__file__).resolve().parent.parent
COMMAND = re.compile(r"^    (moisson judge .*)$", re.MULTILINE)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.refresh()
    return made


@pytest.fixture
def with_pairs(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Rows], Rows]], None]:
    """Let releases hold other pairs than were published."""
    read = Release.rows

    def change(to: Callable[[Rows], Rows]) -> None:
        def rows(self: Release, table: str) -> TableRows:
            found = read(self, table)
            return lay_out(PAIRS, to(list(found))) if table == "pairs" else found

        monkeypatch.setattr(Release, "rows", rows)

    return change


def shown(site: Site, width: int = 100, **look: Any) -> str:
    return review(site.source, site.data, Look(width, **{"call": ("mine",), **look}))


def asked(site: Site) -> list[tuple[str, str]]:
    """The pairs that are asked about, in order."""
    found = open_questions(site.release, read_judgements(site.layout))
    return [(question.row["left"], question.row["right"]) for question in found]


# --- which pairs ----------------------------------------------------------------------------------------------------


def test_the_unsure_pair_is_shown_with_all_that_decides(site: Site) -> None:
    text = shown(site)
    row = next(row for row in site.rows("pairs") if row["verdict"] == "unsure")
    assert "-- 1 of 1: unsure, two resources today ---" in text
    for name in (row["left"], row["right"], row["left_id"], row["right_id"], *UNSURE):
        assert name in text
    assert (
        f"score {row['score']:g}, needed {row['needed']:g}, flips_at {row['flips_at']:g}; "
        "rule score; compared for title" in text
    )
    assert "Appel à projets" in text
    assert "Guide, public" in text
    assert text.splitlines()[-1] == "mine: 1 pair waits for a word in release 1"


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_the_command_shown_judges_the_pair_and_it_is_asked_no_more(site: Site, verdict: str) -> None:
    commands = [shlex.split(line) for line in COMMAND.findall(shown(site))]
    words = next(words for words in commands if words[5] == verdict)
    assert words[:3] == ["moisson", "judge", "mine"]
    assert words[6:] == ["--why", "..."]
    with pytest.raises(UsageError, match="--why says nothing"):
        site.judge((words[3], words[4]), "same", why=words[7])
    site.judge((words[3], words[4]), verdict)  # type: ignore[arg-type]  # words of a verdict
    nothing = "nothing to review in release 1: no pair is unsure or held back"
    assert shown(site) == f"mine: {nothing}"
    site.rebuild()
    assert shown(site).startswith("mine: nothing to review in release ")
    site.judge((words[3], words[4]), "withdrawn")
    site.rebuild()
    assert "1 pair waits" in shown(site)


def test_a_word_on_records_or_merged_ids_counts_too(site: Site) -> None:
    site.judge(site.records_of(UNSURE), "different")
    assert asked(site) == []
    site.judge(site.records_of(UNSURE), "withdrawn")
    assert len(asked(site)) == 1


def test_a_word_on_an_id_that_was_merged_counts_for_its_address(
    site: Site, with_pairs: Callable[[Callable[[Rows], Rows]], None]
) -> None:
    records = site.records_of(JOINED)
    for verdict in ("different", "withdrawn"):
        site.judge(records, verdict)
        site.rebuild()
    merged = next(row for row in site.rows("ids") if row["fate"] == "merged")
    other = site.records_of(UNSURE)[0]
    left = records[JOINED.index(merged["known_by"][0])]
    with_pairs(lambda rows: [{**rows[0], "left": left, "right": other, "verdict": "unsure", "rule": "score"}])
    assert asked(site) == [(left, other)]
    site.judge((merged["resource_id"], site.owners()[UNSURE[0]]), "different")
    assert asked(site) == []


def test_what_is_decided_is_not_asked(site: Site, with_pairs: Callable[[Callable[[Rows], Rows]], None]) -> None:
    with_pairs(lambda rows: [{**row, "verdict": "different"} for row in rows])
    assert asked(site) == []
    with_pairs(lambda rows: [{**row, "verdict": "same", "held": None} for row in rows])
    assert asked(site) == []
    with_pairs(lambda rows: [{**row, "verdict": "unsure", "rule": "person"} for row in rows])
    assert asked(site) == []


def test_pairs_that_a_rule_stopped_go_first_by_score_then_the_nearest_then_the_longest(
    site: Site, with_pairs: Callable[[Callable[[Rows], Rows]], None]
) -> None:
    rows = site.rows("pairs")
    rows.append({**rows[0], "left": rows[0]["right"], "right": rows[0]["left"]})
    rows += [{**row, "left": row["right"], "right": row["left"]} for row in rows[1:4]]
    given = [
        {"verdict": "unsure", "score": 0.4, "needed": 1.0, "held": None, "flips_at": 0.4},
        {"verdict": "same", "score": 9.0, "needed": 1.0, "held": "twin", "flips_at": 9.0},
        {"verdict": "unsure", "score": 0.9, "needed": 1.0, "held": None, "flips_at": 0.9},
        {"verdict": "unsure", "score": 0.4, "needed": None, "held": None, "flips_at": 0.4},
        {"verdict": "same", "score": 2.0, "needed": 1.0, "held": "slot", "flips_at": 2.0},
        {"verdict": "unsure", "rule": "other word", "score": 6.8, "needed": 1.0, "held": None, "flips_at": None},
        {"verdict": "unsure", "rule": "other text", "score": 1.1, "needed": 1.0, "held": None, "flips_at": None},
        {"verdict": "unsure", "rule": "nothing to compare", "score": -9, "needed": 1.0, "held": None, "flips_at": None},
    ]
    made = [{**row, **other} for row, other in zip(rows, given, strict=True)]
    keys = [(row["left"], row["right"]) for row in made]
    with_pairs(lambda _: made)
    assert asked(site) == [keys[n] for n in (1, 5, 4, 6, 2, 0, 7, 3)]
    text = shown(site, limit=2)
    assert text.splitlines()[0].startswith("-- 1 of 8: same, held back (twin), ")
    assert text.splitlines()[-1] == "mine: 8 pairs wait for a word in release 1, 2 shown; --all shows every one"
    assert text.count("--why") == 4
    assert shown(site, limit=None).splitlines()[-1] == "mine: 8 pairs wait for a word in release 1"
    for row in made:
        row |= {"verdict": "unsure", "score": 0.5, "needed": 1.0, "held": None, "flips_at": 0.5}
    lengths = [len(q.left.text + q.right.text) for q in open_questions(site.release, [])]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) > 1


def test_a_pair_within_one_resource_is_judged_by_its_records(
    site: Site, with_pairs: Callable[[Callable[[Rows], Rows]], None]
) -> None:
    with_pairs(lambda rows: [{**row, "held": "oversized"} for row in rows if row["left_id"] == row["right_id"]])
    text = shown(site)
    assert "one resource by way of others" in text
    assert set(shlex.split(COMMAND.findall(text)[0])[3:5]) == set(site.records_of(JOINED))


def test_a_side_that_no_page_states_now_is_shown_by_its_last_values(
    site: Site, with_pairs: Callable[[Callable[[Rows], Rows]], None]
) -> None:
    site.refresh("less")
    gone = next(row for row in site.rows("resources") if row["state"] == "not_found")
    rows = [row for row in site.rows("pairs") if gone["resource_id"] in (row["left"], row["right"])]
    assert rows, "it is compared with what is there"
    with_pairs(lambda _: [{**row, "verdict": "unsure"} for row in rows])
    questions = open_questions(site.release, [])
    sides = [side for question in questions for side in (question.left, question.right)]
    side = next(side for side in sides if side.key == gone["resource_id"])
    assert (side.title, side.text, side.type, side.is_private) == (gone["title"], gone["summary"], "Guide", False)
    assert f"{gone['resource_id']} (on no page now)" in shown(site)


def test_a_retired_side_is_shown_by_what_history_holds(
    site: Site, with_pairs: Callable[[Callable[[Rows], Rows]], None]
) -> None:
    for _ in range(4):
        site.refresh("less")
    fates = {row["resource_id"]: row["fate"] for row in site.rows("ids")}
    retired = next(name for name, fate in fates.items() if fate == "retired")
    with_pairs(lambda rows: [{**rows[0], "left": retired, "left_id": retired, "verdict": "unsure"}])
    side = open_questions(site.release, [])[0].left
    assert side.title == "Appel à projets"
    assert side.is_private is False
    assert "caserne" in side.text


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def moisson(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], site: Site
) -> Callable[..., tuple[int, str, str]]:
    """The command line, run beside the site's source file: exit code, standard output, standard error."""
    monkeypatch.chdir(site.folder)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moisson", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), out, err

    return run


Run = Callable[..., tuple[int, str, str]]


def test_review_and_judge_from_the_command_line(moisson: Run, site: Site) -> None:
    code, out, err = moisson("review", "mine.toml")
    assert (code, err) == (0, "")
    words = shlex.split(COMMAND.findall(out)[1].replace("...", "two calls"))
    assert words[2] == "mine.toml"
    code, out, err = moisson(*words[1:], "--author", "Zoé")
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert "are two resources, said by Zoé after run 1" in out
    code, out, err = moisson("review", "mine.toml")
    assert (code, out) == (0, "mine: nothing to review in release 1: no pair is unsure or held back\n")
    code, out, err = moisson(*words[1:5], "withdrawn", "--why", "a mistake")
    assert code == 0
    assert "is withdrawn, said by " in out
    assert [word.verdict for word in read_judgements(site.layout)] == ["different", "withdrawn"]


def test_another_data_folder_is_in_the_command(moisson: Run, site: Site) -> None:
    (site.folder / "data").rename(site.folder / "my data")
    code, out, _ = moisson("review", "mine.toml", "--data", "my data")
    assert code == 0
    assert COMMAND.findall(out)[0].endswith("--why \"...\" --data 'my data'")


def test_the_author_can_be_told_by_the_environment(moisson: Run, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOISSON_AUTHOR", "desk two")
    moisson("judge", "mine.toml", *site.ids_of(UNSURE), "unsure", "--why", "to be seen")
    assert read_judgements(site.layout)[0].author == "desk two"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("judge", "mine.toml", "r1", "r2", "alike", "--why", "x"), 2, "VERDICT"),
        (("judge", "mine.toml", "r1", "r2", "same"), 2, "--why"),
        (("judge", "mine.toml", "r1", "r2", "same", "--why", "x"), 2, "r1: no resource_id or record_id"),
        (("judge", "mine.toml", "r1", "r2", "same", "--why", "x", "--data", "none"), 2, "comes first"),
        (("review", "mine.toml", "--data", "none"), 2, "`moisson refresh mine` comes first"),
        (("review", "mine.toml", "--limit", "0"), 2, "--limit"),
        (("review", "nobody"), 2, "no source file named nobody.toml"),
    ],
)
def test_a_wrong_call_is_told_what_to_do(
    moisson: Run, site: Site, words: tuple[str, ...], code: int, said: str
) -> None:
    got, out, err = moisson(*words)
    assert (got, out) == (code, "")
    assert said in err
    assert "Traceback" not in err
    assert not (site.folder / "none").exists()


def test_damage_has_its_exit_code(moisson: Run, site: Site) -> None:
    site.layout.decisions.write_text("{\n", encoding="utf-8")
    for words in (("review", "mine.toml"), ("rebuild", "mine.toml", "--direct")):
        code, out, err = moisson(*words)
        assert (code, out) == (9, "")
        assert "decisions.jsonl: line 1 is damaged" in err


def on_terminal(site: Site, **environment: str) -> str:
    """What `moisson review` prints on a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "TERM")}
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "review", "mine.toml"],
        cwd=site.folder,
        env=kept | {"PYTHONPATH": str(ROOT), "TERM": "xterm"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
    ) as running:
        os.close(theirs)
        parts = []
        with suppress(OSError):  # Linux tells the end of a terminal so
            while part := os.read(ours, 65536):
                parts.append(part)
        assert running.wait(60) == 0
    os.close(ours)
    return b"".join(parts).decode()


def test_differences_are_coloured_on_a_terminal_and_marked_elsewhere(site: Site) -> None:
    coloured = on_terminal(site)
    assert "\x1b[31m" in coloured
    assert "\x1b[32m" in coloured
    assert "[-" not in coloured
    assert max(cell_len(re.sub(r"\x1b\[\d+m", "", line)) for line in coloured.split("\r\n")) == 100
    plain = on_terminal(site, NO_COLOR="1")
    assert "\x1b" not in plain
    assert "[-La Ville" in plain
    assert "{+Le Département" in plain


@pytest.mark.parametrize(
    ("is_terminal", "settings_", "coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, settings_: dict[str, str], coloured: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings_.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    assert cli._is_coloured() is coloured


def test_nothing_from_the_site_commands_the_terminal(tmp_path: Path) -> None:
    evil = "Le bouton &#27;[31m rouge &#155;2J et &#8238;inverse \u0007 du fablab"
    site = Site(tmp_path)
    blocks = (
        told("Fab&#27;lab &#8238;solidaire", "a", evil),
        told("Fab&#27;lab &#8238;solidaire", "b", evil + " est là, ici"),
    )
    pages = {
        LISTING: listing(*blocks, told("Autre chose", "c", "Un texte qui parle de tout.")),
    }
    replay = warc(tmp_path / "evil.warc.gz", pages)
    site.source = site.source.model_copy(update={"replay": str(replay)})
    refresh(site.source, site.data)
    rows = site.rows("pairs")
    assert rows
    texts = [row["title"] + str(row["summary"]) for row in site.rows("resources")]
    assert any(not c.isprintable() and not c.isspace() for text in texts for c in text), "the site sends such"
    for width, marks in ((100, PLAIN), (100, COLOURED)):
        look = Look(width, marks, None, ("mine",))
        for question in open_questions_of_all(site):
            text = "\n".join(_describe(question, "1 of 1", width, look))
            bare = text.replace("\x1b[31m", "").replace("\x1b[32m", "").replace("\x1b[0m", "")
            assert all(c.isprintable() or c == "\n" for c in bare)
            assert "\\u202e" in bare


def open_questions_of_all(site: Site) -> list[Question]:
    """Every pair of a release as a question."""
    release = site.release
    rows = [{**row, "verdict": "unsure", "rule": "score"} for row in release.rows("pairs")]

    class Asked(Release):
        def rows(self, table: str) -> TableRows:
            return lay_out(PAIRS, rows) if table == "pairs" else release.rows(table)

    return open_questions(Asked(release.number, release.path, release.manifest), [])


# --- side by side ---------------------------------------------------------------------------------------------------


def columns(lines: list[str], width: int) -> tuple[list[str], list[str]]:
    """Both columns of plain lines."""
    room = (width - len(GAP)) // 2
    return [line[:room].rstrip() for line in lines], [line[room + len(GAP) :] for line in lines]


def unmarked(lines: list[str]) -> list[str]:
    """The words of a column without the marks."""
    return re.sub(r"\[-|-\]|\{\+|\+\}", "", " ".join(lines)).split()


def test_differences_are_marked_word_by_word() -> None:
    left = "Réponses attendues avant le 15 janvier 2024 en mairie"
    right = "Réponses attendues avant le 30 avril 2024 en mairie"
    assert side_by_side(left, right, 135) == [
        "Réponses attendues avant le [-15 janvier-] 2024 en mairie".ljust(66)
        + " | Réponses attendues avant le {+30 avril+} 2024 en mairie"
    ]
    assert side_by_side(left, left, 120) == [left.ljust(58) + GAP + left]


def test_typography_is_no_difference() -> None:
    lines = side_by_side("L’appel – à « projets »", "L'appel - à « projets »", 100)
    assert "[-" not in lines[0]


def test_a_mark_is_closed_on_each_line() -> None:
    lines = side_by_side("mot " * 40, "autre", 80)
    assert len(lines) > 4
    assert all(line.startswith("[-mot") and "-]" in line for line in lines)


def test_paragraphs_that_both_have_stand_beside_each_other() -> None:
    left = "Un titre\n\n" + "long " * 30 + "\n\nLa fin du texte ici"
    right = "Un titre\n\ncourt\n\nLa fin du texte ici"
    ours, theirs = columns(side_by_side(left, right, 80), 80)
    assert ours.index("La fin du texte ici") == theirs.index("La fin du texte ici")
    more = columns(side_by_side("A b c\n\nd e f\n\ng h i", "A b c\n\ng h i", 80), 80)
    assert more[0].index("g h i") == more[1].index("g h i")


def test_a_long_address_is_cut_and_whole() -> None:
    address = "https://rtes.example/" + "x" * 200
    for line in side_by_side(address, address, 80):
        assert cell_len(line) <= 80
    ours, theirs = columns(side_by_side(address, address, 80), 80)
    assert "".join(ours) == "".join(theirs) == address


def test_wide_and_combining_letters_keep_the_columns_straight() -> None:
    for text in ("日本語 " * 20, "e\u0301te\u0301 " * 40):
        for line in side_by_side(text, text, 90):
            assert cell_len(line.partition(GAP)[0]) == 43


words = st.lists(
    st.sampled_from(["le", "la", "2024", "appel", "à", "projets", "\n\n", "x" * 60, "\x1b[2J"]), max_size=25
)


@settings(max_examples=150, deadline=None)
@given(left=words, right=words, width=st.integers(80, 200))
def test_no_word_is_lost_and_no_line_too_wide(left: list[str], right: list[str], width: int) -> None:
    one, two = (" ".join(text).replace(" \n\n ", "\n\n") for text in (left, right))
    lines = side_by_side(one, two, width)
    assert all(cell_len(line) <= width for line in lines)
    ours, theirs = columns(lines, width)
    for shown_, text in ((ours, one), (theirs, two)):
        assert "".join(unmarked(shown_)) == "".join(printable(text).split())
    # what is not marked stands in both, in order
    plain = [re.sub(r"(\[-.*?-\]|\{\+.*?\+\})", "", "\n".join(column)).split() for column in (ours, theirs)]
    assert [fold(word) for word in "".join(plain[0])] == [fold(word) for word in "".join(plain[1])]
    bare = [re.sub(r"\x1b\[(31|32|0)m", "", line) for line in side_by_side(one, two, width, COLOURED)]
    assert all(cell_len(line) <= width for line in bare)
    assert not any("\x1b" in line for line in bare)


def test_the_width_of_the_terminal_is_used_within_bounds(site: Site) -> None:
    for width, used in ((20, 80), (100, 100), (140, 140), (500, 200)):
        assert len(shown(site, width).splitlines()[0]) == used
        body = [line for line in shown(site, width).splitlines() if GAP in line]
        assert max(map(cell_len, body)) <= used

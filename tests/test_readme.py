"""README is run: its commands against one real Prefect server, its Python, its links and its table of exit codes."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from schema import errors

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# `serve` runs until it is stopped (tests/test_flows.py stops it)
COMMANDS = [line.split("  #")[0].strip() for line in README.splitlines() if re.match(r" {4}moisson (?!serve)", line)]
SITE = """name = "site"
listings = ["https://rtes.example/thematique/alimentation-durable"]
parser = "labelled-blocks"
replay = "{replay}"

[labels]
type = ["Type de ressource"]
private = ["Ressource privée"]
summary = ["Résumé"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server of its own."""
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/api"
    quiet = {"PREFECT_HOME": str(home), "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(  # our own words
        command, env=os.environ | quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        deadline = time.monotonic() + 180
        while True:
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=2):  # noqa: S310  # loopback  # loopback
                    break
            except OSError:
                assert time.monotonic() < deadline, "Prefect's server did not start"
                time.sleep(0.3)
        yield address
        running.terminate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what README's commands name."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "path" / "to").mkdir(parents=True)
    replay = ROOT / "sources" / "sample" / "night1.warc.gz"
    (folder / "path" / "to" / "site.toml").write_text(SITE.format(replay=replay), encoding="utf-8")
    (folder / "page.txt").write_bytes((ROOT / "tests" / "pages" / "text" / "rtes-listing.txt").read_bytes())
    return folder


def test_the_commands_of_the_readme_work_in_their_order(server: str, folder: Path) -> None:
    assert len(COMMANDS) >= 8, "README shows the commands"  # as many as it has
    for command in COMMANDS:
        words = shlex.split(command)
        ended = subprocess.run(  # README's own words
            [sys.executable, "-m", "flows.cli", *words[1:]],
            cwd=folder,
            env=os.environ | {"PREFECT_API_URL": server, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        assert ended.stdout.strip()
    assert (folder / "data/clean/rtes/latest/resources.parquet").is_file()


def test_the_python_of_the_readme_opens_the_table(
    server: str,  # the commands before it
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    snippet = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippet
    exec(snippet[1], {})  # noqa: S102  # README's own words  # README's own words
    assert "52 rows" in capsys.readouterr().out


def test_make_knows_the_two_commands() -> None:
    for target, says in (("refresh", "moisson refresh sample"), ("test", "-m pytest")):
        assert f"    make {target} " in README
        shown = subprocess.run(  # our own words
            ["make", "-n", target],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert says in shown


def test_the_exit_codes_of_the_readme_are_those_of_the_code() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    leaves = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.MoissonError)]
    assert told == {0} | {error.exit_code for error in leaves}
    kinds_of_others = (errors.MoissonError, errors.SourceFileError, errors.Blocked)
    codes = [e.exit_code for e in leaves if e not in kinds_of_others]
    assert len(set(codes)) == len(codes), "each failure has a code of its own"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_to_files_that_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / target).exists(), target

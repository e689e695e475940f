"""Prefect, for real: its own server starts, nothing leaves the machine, nothing stays behind, tables are equal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOISSON = (sys.executable, "-m", "flows.cli")
FLOW_WITHIN_S = 240
FIRE_WITHIN_S = 240

# every address that this process, or one that it starts, connects to or looks up
WITNESS = """
import os, sys
def note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        address = arguments[1] if event == "socket.connect" else arguments[0]
        host = address[0] if isinstance(address, tuple) else address
        with open(os.environ["WITNESS_FILE"], "a") as file:
            file.write(f"{host!r}\\n")
sys.addaudithook(note)
"""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment with a foreign Prefect profile in its home, and a witness of every connection."""
    home = folder / "home"
    (home / ".prefect").mkdir(parents=True, exist_ok=True)
    (home / ".prefect" / "profiles.toml").write_text(
        'active = "theirs"\n[profiles.theirs]\nPREFECT_API_URL = "http://127.0.0.1:9/api"\n', encoding="utf-8"
    )
    (folder / "witness").mkdir(exist_ok=True)
    (folder / "witness" / "sitecustomize.py").write_text(WITNESS, encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "DO_NOT_TRACK"))}
    path = os.pathsep.join([str(folder / "witness"), str(ROOT)])
    return kept | {"HOME": str(home), "PYTHONPATH": path, "WITNESS_FILE": str(folder / "witness.txt")} | more


def moisson(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a folder."""
    return subprocess.run(  # our own command
        [*MOISSON, *words],
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=FLOW_WITHIN_S,
        check=False,
    )


def left_behind(folder: Path) -> list[str]:
    """Command lines of processes that still run in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder.resolve():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def digests(folder: Path) -> dict[str, str]:
    """The logical digest of each table of the latest release."""
    manifest = json.loads((folder / "data/clean/sample/latest/release.json").read_text(encoding="utf-8"))
    return {name: table["logical_digest"] for name, table in manifest["tables"].items()}


@pytest.fixture(scope="module")
def flowed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which the sample was refreshed through Prefect, and how that ended."""
    folder = tmp_path_factory.mktemp("flowed")
    return folder, moisson(folder, "refresh", "sample")


def test_a_refresh_runs_as_a_flow_without_any_server_set_up(
    flowed: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, ended = flowed
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("sample: release 1 published: 52 resources, 0 rejects, ")
    assert len(ended.stdout.splitlines()) == 1
    assert [line for line in ended.stderr.splitlines() if not line.startswith("open it:")] == []


def test_nothing_is_asked_outside_this_machine(flowed: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    hosts = set((flowed[0] / "witness.txt").read_text(encoding="utf-8").split())
    assert hosts, "the witness saw the client speak to its server"
    local = ("'127.", "'localhost'", "'::1'", "None", "b'127.", "b'localhost'", "'/")
    assert [h for h in hosts if not h.startswith(local)] == []


def test_no_process_and_nothing_in_the_home_folder_stays_behind(
    flowed: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = flowed
    deadline = time.monotonic() + 10
    while left_behind(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left_behind(folder) == []
    assert [p.name for p in (folder / "home" / ".prefect").iterdir()] == ["profiles.toml"]
    assert (folder / ".prefect").is_dir()


def test_direct_gives_the_same_tables_to_the_digest(
    flowed: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    ended = moisson(tmp_path, "refresh", "sample", "--direct")
    assert ended.returncode == 0, ended.stderr
    assert digests(tmp_path) == digests(flowed[0])
    assert not (tmp_path / ".prefect").exists(), "the engine was not started"


def test_a_foreseen_failure_of_a_flow_is_one_line_and_its_exit_code(
    flowed: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = flowed
    (folder / "bad.warc.gz").write_bytes(b"garbage")
    ended = moisson(folder, "refresh", "sample", "--replay", "bad.warc.gz")
    assert (ended.returncode, ended.stdout) == (9, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "not a WARC" in ended.stderr


def test_a_dead_prefect_server_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    for url in ("http://127.0.0.1:9/api", "nonsense"):
        ended = moisson(tmp_path, "refresh", "sample", PREFECT_API_URL=url)
        assert (ended.returncode, ended.stdout) == (10, "")
        assert len(ended.stderr.splitlines()) == 1
        assert "--direct" in ended.stderr
        assert not (tmp_path / "data/clean/sample/latest").exists()


def test_prefects_start_limit_is_raised_and_telemetry_is_off(tmp_path: Path) -> None:
    code = (
        "import flows, prefect.settings as s; c = s.get_current_settings(); "
        "print(c.server.ephemeral.startup_timeout_seconds, c.server.analytics_enabled, c.home)"
    )
    said = subprocess.run(  # our own words
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert said == ["180", "False", str(tmp_path / ".prefect")]


def test_the_schedule_fires_on_a_real_server_and_ends_with_its_command(tmp_path: Path) -> None:
    with subprocess.Popen(  # our own command
        [*MOISSON, "serve", "sample", "--cron", "* * * * *"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as served:
        try:
            latest = tmp_path / "data/clean/sample/latest/release.json"
            deadline = time.monotonic() + FIRE_WITHIN_S
            while not latest.exists() and time.monotonic() < deadline and served.poll() is None:
                time.sleep(0.5)
            assert latest.exists(), "the schedule fired within two minutes of the server being up"
        finally:
            served.send_signal(signal.SIGINT)
            try:
                _, err = served.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                served.kill()
                raise
    assert "Traceback" not in err
    deadline = time.monotonic() + 15
    while left_behind(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left_behind(tmp_path) == []


def test_a_stopped_flow_takes_its_server_along(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*MOISSON, "refresh", "sample"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        deadline = time.monotonic() + 120
        while not any("server" in line for line in left_behind(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert running.poll() is None, "the flow was still to run"
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) != 0
    deadline = time.monotonic() + 15
    while left_behind(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left_behind(tmp_path) == []

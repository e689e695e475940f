"""Archivists' own tools: pywb plays every night of our archive, unchanged ones too, and a browser shows a page of it.

pywb lives in an environment of its own (it conflicts with Prefect); .ci/run makes one, or by hand:

    MOISSON_PYWB=/path/to/environment/bin make test-all ARGS=tests/test_replay.py
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from harvest.answers import read_answer, split_head
from tests.outside import find_chromium, find_pywb
from tests.site_server import free_port
from tests.unchanged_nights import FIRST_NIGHT, by_304, by_body, sample_night, write_night

pytestmark = pytest.mark.outside("pywb")
START_S = 60.0


@dataclass(frozen=True)
class Player:
    """A running pywb, and what it plays: the first night, one sent again, one confirmed with 304."""

    address: str
    collection: Path
    exchanges: list[tuple[str, bytes, bytes]]

    def get(self, url: str, when: datetime) -> httpx.Response:
        return httpx.get(f"{self.address}/essai/{when:%Y%m%d%H%M%S}id_/{url}", trust_env=False)


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    tools = find_pywb()
    assert tools
    raw, folder = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("pywb")
    exchanges = sample_night()
    first = write_night(raw, 1, lambda a, e, w, _: a.add_exchange(*e, w), exchanges, [])
    write_night(raw, 2, by_body, exchanges, first)
    write_night(raw, 3, by_304, exchanges, first)
    subprocess.run([tools / "wb-manager", "init", "essai"], cwd=folder, check=True, capture_output=True)
    archives = sorted(raw.glob("*.warc.gz"))
    subprocess.run([tools / "wb-manager", "add", "essai", *archives], cwd=folder, check=True, capture_output=True)
    # the page itself, not a frame around it, is what the browser is asked to write out
    (folder / "config.yaml").write_text("framed_replay: false\n", encoding="utf-8")
    port = free_port()
    with subprocess.Popen([tools / "wayback", "-p", str(port), "-b", "127.0.0.1"], cwd=folder) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address)
            yield Player(address, folder / "collections" / "essai", exchanges)
        finally:
            server.terminate()


def wait_for(address: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            httpx.get(address, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"{address} does not answer")


def test_pywb_indexes_every_answer_of_every_night(player: Player) -> None:
    index = (player.collection / "indexes" / "index.cdxj").read_text(encoding="utf-8")
    for name in ("000001", "000002", "000003"):
        assert index.count(f'"{name}.warc.gz"') == len(player.exchanges) + 1  # the ledger
    # all of the third night's, and of the second's those whose bodies are long enough to be worth it
    assert index.count('"mime": "warc/revisit"') > 1.9 * len(player.exchanges)


@pytest.mark.parametrize("run", [1, 2, 3])
def test_pywb_plays_the_page_of_every_answer_of_a_night(player: Player, run: int) -> None:
    played = 0
    for number, (url, _, got) in enumerate(player.exchanges):
        answer = read_answer(got)
        if answer.status != 200:
            continue
        when = FIRST_NIGHT + timedelta(days=run, seconds=1.25 * number)
        reply = player.get(url, when)
        assert reply.status_code == 200, url
        assert reply.content == answer.content, url
        assert reply.headers["memento-datetime"] == f"{when:%a, %d %b %Y %H:%M:%S} GMT"
        played += 1
    assert played > 75


@pytest.mark.outside("chromium")
@pytest.mark.parametrize("run", [1, 2, 3])
def test_a_browser_shows_a_listing_out_of_the_archive(player: Player, run: int, tmp_path: Path) -> None:
    number, url = next((n, u) for n, (u, _, _) in enumerate(player.exchanges) if "/thematique/" in u)
    when = FIRST_NIGHT + timedelta(days=run, seconds=1.25 * number)
    browser = find_chromium()
    assert browser
    command = [str(browser), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    command += ["--timeout=8000"]  # the page's own scripts never come to rest
    address = f"{player.address}/essai/{when:%Y%m%d%H%M%S}/{url}"
    shown = subprocess.run([*command, address], capture_output=True, check=True, timeout=60).stdout.decode()
    page = split_head(player.exchanges[number][2])[1].decode()
    heading = page.partition("<h1")[2].partition(">")[2].partition("</h1>")[0].strip()
    assert heading
    assert heading in shown
    assert shown.count("Type de ressource") >= page.count("Type de ressource") > 1

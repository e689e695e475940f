"""One contender that fetches, archives or harvests, in a process of its own, so that its time and memory are its own.

    fetchers.py NAME FOLDER OUT.json ORIGIN

FOLDER/urls.txt: the addresses to ask for, one a line. A contender that archives leaves one WARC in FOLDER. OUT.json:
`wall_s` and `cpu_s` (children's too) from when the libraries are loaded, `start_cpu_s` before, `peak_mb`, `pages` that
came, and what a contender says of itself. Runs with the interpreter of the contender: those named ours, archive and
night import this project.
"""

# ruff: noqa: PLC0415 - each contender loads its own libraries, and no other's
from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.contenders import cpu_s, peak_mb

Said = dict[str, Any]
Run = Callable[[], Said]
Fields = Iterable[tuple[str, str]]
AGENT = "moisson-benchmark/1.0"
WARC = "found.warc.gz"


def urls_of(folder: Path) -> list[str]:
    """The addresses to ask for."""
    return (folder / "urls.txt").read_text().split()


def source_of(origin: str) -> Any:
    """The made-up site as a source file would describe it, without courtesy."""
    from schema.sources import Source

    said = {
        "name": "essai",
        "listings": [f"{origin}/centre"],
        "parser": "labelled-blocks",
        "labels": {"type": ["Type de ressource"]},
        "contact": "mailto:essai@example.org",
        "pace": {"delay_s": 0.0, "max_requests": 1_000_000, "max_bytes": 2**40},
    }
    return Source.model_validate(said)


# --- fetching ---------------------------------------------------------------------------------------------------------


def ours(folder: Path, origin: str) -> Run:
    """The client of this project: robots.txt heeded, every exchange archived whole and read back from there."""
    from harvest.archive import ArchiveWriter
    from harvest.client import AGENT as TOKEN
    from harvest.client import Client, Pace
    from harvest.robots import read_robots
    from harvest.wire import NetworkTransport

    def run() -> Said:
        pages = 0
        with (
            ArchiveWriter(folder / WARC, "benchmark") as archive,
            Client(source_of(origin), NetworkTransport(), archive, Pace(0.0)) as client,
        ):
            robots = read_robots(client.read(client.fetch(f"{origin}/robots.txt", "robots")[-1]).content, TOKEN)
            for url in urls_of(folder):
                if robots.may_fetch(url):
                    pages += client.fetch(url, "resource")[-1].outcome == "fetched"
            archive.add_ledger({}, datetime.now(UTC))
        return {"pages": pages}

    return run


def scrapy(settings: Mapping[str, Any], *, is_archived: bool = False) -> Callable[[Path, str], Run]:
    """A spider of Scrapy that asks for the addresses and keeps nothing, or writes what it gets with warcio."""

    def prepare(folder: Path, _origin: str) -> Run:
        import scrapy as library  # type: ignore[import-not-found]
        from scrapy.crawler import CrawlerProcess  # type: ignore[import-not-found]

        write, close = warcio_writer(folder) if is_archived else (None, None)
        found = {"pages": 0}

        class Spider(library.Spider):  # type: ignore[misc]
            name = "benchmark"

            async def start(self) -> Any:
                for url in urls_of(folder):
                    yield library.Request(url)

            def parse(self, response: Any) -> None:
                found["pages"] += response.status == 200
                if write:
                    write(response.url, response.status, fields(response.headers), response.body, request_of(response))

        def fields(headers: Any) -> list[tuple[str, str]]:
            return [(name.decode(), value.decode("latin-1")) for name, values in headers.items() for value in values]

        def request_of(response: Any) -> list[tuple[str, str]]:
            return fields(response.request.headers)

        def run() -> Said:
            crawler = CrawlerProcess({"DOWNLOAD_DELAY": 0, "ROBOTSTXT_OBEY": True, "LOG_LEVEL": "INFO", **settings})
            crawler.crawl(Spider)
            crawler.start()
            if close:
                close()
            return found

        return run

    return prepare


def httpx(*, is_archived: bool = False) -> Callable[[Path, str], Run]:
    """One client of httpx; bodies thrown away, or written with warcio."""

    def prepare(folder: Path, _origin: str) -> Run:
        import httpx as library

        def run() -> Said:
            write, close = warcio_writer(folder) if is_archived else (None, None)
            pages = 0
            with library.Client() as client:
                for url in urls_of(folder):
                    got = client.get(url)
                    pages += got.status_code == 200
                    if write:
                        write(url, got.status_code, got.headers.items(), got.content, got.request.headers.items())
            if close:
                close()
            return {"pages": pages}

        return run

    return prepare


def warcio_writer(folder: Path) -> tuple[Callable[..., None], Callable[[], None]]:
    """What writes an answer and its request as a library gives them, with the defaults of warcio, and what ends it."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    stream = (folder / WARC).open("xb")
    writer = WARCWriter(stream, gzip=True)

    def write(url: str, status: int, headers: Fields, body: bytes, asked: Fields) -> None:
        head = StatusAndHeaders(f"{status} OK", list(headers), protocol="HTTP/1.1")
        answer = writer.create_warc_record(url, "response", payload=BytesIO(body), http_headers=head, length=len(body))
        sent = StatusAndHeaders(f"GET {url} HTTP/1.1", list(asked), is_http_request=True)
        writer.write_request_response_pair(writer.create_warc_record(url, "request", http_headers=sent), answer)

    return write, stream.close


def wget(folder: Path, _origin: str) -> Run:
    """Wget with a WARC beside; its memory is watched from outside."""

    def run() -> Said:
        name = str(folder / WARC.removesuffix(".warc.gz"))
        line = ["wget", "-q", "-i", str(folder / "urls.txt"), f"--warc-file={name}", "-O", "/dev/null"]
        program, peak_kb = subprocess.Popen(line), 0  # noqa: S603 - fixed
        while program.poll() is None:
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{program.pid}/status").read_text())
            peak_kb = max(peak_kb, int(found[1]) if found else 0)
            time.sleep(0.02)
        # what was asked and failed is found missing in the WARC
        return {"pages": len(urls_of(folder)) if program.returncode == 0 else 0, "peak_mb": peak_kb / 1024}

    return run


# --- archiving alone --------------------------------------------------------------------------------------------------


def exchanges(folder: Path, origin: str) -> list[tuple[str, bytes, bytes]]:
    """Address, request and answer of every page, as they would go over the wire."""
    from benchmarks.made_site import make_site
    from benchmarks.page_server import answer_of

    urls = urls_of(folder)
    site = make_site(len(urls))
    asked = "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
    paths = [url.removeprefix(origin) for url in urls]
    host = origin.removeprefix("http://")
    return [
        (url, asked.format(path, host, AGENT).encode(), answer_of(path, site[path]))
        for url, path in zip(urls, paths, strict=True)
    ]


def archive_ours(folder: Path, origin: str) -> Run:
    """The archive of this project: answers and requests as bytes, digests, one file."""
    from harvest.archive import ArchiveWriter

    given, now = exchanges(folder, origin), datetime.now(UTC)

    def run() -> Said:
        with ArchiveWriter(folder / WARC, "benchmark") as archive:
            for url, asked, got in given:
                archive.add_exchange(url, asked, got, now)
            archive.add_ledger({}, now)
        return {"pages": len(given)}

    return run


def archive_warcio(folder: Path, origin: str) -> Run:
    """The same with warcio's writer as it comes."""
    from warcio.warcwriter import WARCWriter

    given = exchanges(folder, origin)

    def run() -> Said:
        with (folder / WARC).open("xb") as stream:
            writer = WARCWriter(stream, gzip=True)
            for url, asked, got in given:
                answer = writer.create_warc_record(url, "response", payload=BytesIO(got), length=len(got))
                request = writer.create_warc_record(url, "request", payload=BytesIO(asked), length=len(asked))
                writer.write_request_response_pair(request, answer)
        return {"pages": len(given)}

    return run


# --- nights -----------------------------------------------------------------------------------------------------------


def night_httpx(folder: Path, _origin: str) -> Run:
    """One client of httpx that keeps validators and nothing else: what asking costs, whatever comes."""
    import httpx as library

    memory = folder / "validators.json"

    def run() -> Said:
        known = json.loads(memory.read_text()) if memory.exists() else {}
        kept, pages = {}, 0
        with library.Client() as client:
            for url in urls_of(folder):
                got = client.get(url, headers=known.get(url))
                pages += got.status_code in (200, 304)
                kept[url] = {
                    "If-None-Match": got.headers.get("etag"),
                    "If-Modified-Since": got.headers.get("last-modified"),
                }
        memory.write_text(json.dumps(known or kept))
        return {"pages": pages}

    return run


def night_harvest(folder: Path, origin: str) -> Run:
    """The stage `harvest` of a run: discovery from the listing on, the ledger, validators of the nights before."""
    from flows.ledger import read_ledgers
    from flows.stages import harvest
    from flows.workers import dismiss_workers
    from harvest.validators import validators_of
    from schema.layout import Layout

    source = source_of(origin)
    layout = Layout(folder / "data", source.name)

    def run() -> Said:
        past = read_ledgers(layout)
        known = [visit.url for ledger in past for visit in ledger.visits if visit.role == "resource"]
        ledger = harvest(source, layout, layout.next_run(), known, validators=validators_of(one.visits for one in past))
        dismiss_workers()  # what they cost is told once they have ended
        return {"pages": len(ledger.visits) - 1, "not_modified": (ledger.courtesy or {}).get("not_modified")}

    return run


def night_refresh(folder: Path, origin: str) -> Run:
    """A whole run, as `moisson refresh --direct` makes it: harvest, parse, build, publish."""
    from flows.jobs import refresh
    from flows.workers import dismiss_workers

    source = source_of(origin)

    def run() -> Said:
        verdict = refresh(source, folder / "data").verdict
        dismiss_workers()
        return {"pages": len(urls_of(folder)), "verdict": verdict}

    return run


CONTENDERS: Mapping[str, Callable[[Path, str], Run]] = {
    "ours": ours,
    "scrapy-1": scrapy({"CONCURRENT_REQUESTS": 1}),
    "scrapy": scrapy({}),
    "scrapy-warcio": scrapy({}, is_archived=True),
    "wget": wget,
    "httpx": httpx(),
    "httpx-warcio": httpx(is_archived=True),
    "archive-ours": archive_ours,
    "archive-warcio": archive_warcio,
    "night-httpx": night_httpx,
    "night-harvest": night_harvest,
    "night-refresh": night_refresh,
}


def main() -> None:
    """Load, run, measure, write."""
    name, folder, out, origin = sys.argv[1:]
    run = CONTENDERS[name](Path(folder), origin)
    start, spent = time.perf_counter(), cpu_s()
    said = run()
    cost = {"wall_s": time.perf_counter() - start, "cpu_s": cpu_s() - spent, "start_cpu_s": spent, "peak_mb": peak_mb()}
    Path(out).write_text(json.dumps({**cost, **said}), encoding="utf-8")


if __name__ == "__main__":
    main()

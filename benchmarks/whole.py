"""Time and memory of the whole command on a large catalogue: two nights of `moisson refresh --direct`, from WARCs.

    whole.py CORPUS.parquet N [--own-pages]

N records of a corpus made by shared/perf/gen.py (column text), ten a page. Every listing page is there, and with
--own-pages the page of each resource as well. On the second night one record in a thousand says another word. Each
night runs in a process of its own; prints CPU and peak memory of the largest, and what the run says.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.step import PAGE_RECORDS, TITLE_WORDS, batched, corpus_texts

SITE = "https://rtes.example"
EDITED = 1_000
LISTING_PAGES = 1_000  # as many as a listing may have
SOURCE = """name = "made"
listings = [LISTINGS]
parser = "labelled-blocks"
[labels]
type = ["Type de ressource"]
private = ["Ressource privée"]
summary = ["Résumé"]
[pace]
max_requests = 1000000
"""


def address(listing: int) -> str:
    """Of a listing."""
    return f"{SITE}/centre-{listing}"


def block(number: int, text: str) -> str:
    """One record of a listing."""
    halves = "".join(f"<p>{escape(half)}</p>" for half in (text[: len(text) // 2], text[len(text) // 2 :]))
    title = escape(" ".join(text.split()[:TITLE_WORDS]))
    return (
        f"<article><h2><a href='/r/{number}'>{title}</a></h2><div>{halves}</div><div><div><b>Type de ressource</b>"
        "<i>Article</i></div><div><b>Ressource privée</b><i>Non</i></div>"
        f"<div><b>Résumé</b>{halves}</div></div></article>"
    )


def pages(path: str, count: int, night: int, *, own_pages: bool) -> Iterator[tuple[str, str]]:
    """Addresses and pages of a night."""
    last = -(-count // PAGE_RECORDS) - 1
    for number, shown in enumerate(batched(enumerate(corpus_texts(path, count)), PAGE_RECORDS)):
        told = [(n, f"{text} Mise à jour." if night > 1 and n % EDITED == 0 else text) for n, text in shown]
        listing, page = divmod(number, LISTING_PAGES)
        is_last = number == last or page + 1 == LISTING_PAGES
        link = "" if is_last else f'<nav class="pager"><a rel="next" href="?page={page + 1}">Suivant</a></nav>'
        blocks = "".join(block(*one) for one in told)
        yield (
            f"{address(listing)}{f'?page={page}' if page else ''}",
            f"<h1>Centre {listing}</h1><div>{blocks}</div>{link}",
        )
        for n, text in told if own_pages else ():
            inner = block(n, text).replace("<h2>", "<h1>").replace("</h2>", "</h1>")
            yield f"{SITE}/r/{n}", inner


def write_warc(target: Path, answers: Iterator[tuple[str, str]]) -> None:
    """A WARC of these pages, one gzip member a record."""
    with target.open("wb") as file:
        for number, (url, inner) in enumerate(answers):
            body = f"<html><body>{inner}</body></html>".encode()
            answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\n" + (
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body
            )
            head = (
                f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number:032d}>\r\n"
                f"WARC-Date: 2026-01-02T03:04:05Z\r\nWARC-Target-URI: {url}\r\n"
                f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(answer)}\r\n\r\n"
            )
            file.write(gzip.compress(head.encode() + answer + b"\r\n\r\n", 1))


def main() -> None:
    """Make the nights, run them, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("count", type=int)
    parser.add_argument("--own-pages", action="store_true")
    options = parser.parse_args()
    moisson = Path(sys.executable).with_name("moisson")
    with TemporaryDirectory(prefix="moisson-whole-", dir=os.environ.get("TMPDIR")) as folder:
        source = Path(folder) / "made.toml"
        count = -(-options.count // (PAGE_RECORDS * LISTING_PAGES))
        listings = json.dumps([address(listing) for listing in range(count)])
        source.write_text(SOURCE.replace("LISTINGS", listings.strip("[]")), encoding="utf-8")
        for night in (1, 2):
            replay = Path(folder) / f"night{night}.warc.gz"
            write_warc(replay, pages(options.corpus, options.count, night, own_pages=options.own_pages))
            command = [moisson, "refresh", source, "--direct", "--replay", replay, "--data", Path(folder) / "data"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 - our own
            said = process.stdout.read().decode() if process.stdout else ""
            _, status, used = os.wait4(process.pid, 0)
            cpu_s, peak_mb = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
            print(f"night {night}: {cpu_s:.0f} s CPU, {peak_mb:.0f} MB at most, exit {status}")
            print(*list(islice(reversed(said.strip().splitlines()), 2))[::-1], sep="\n", flush=True)
    print(f"of its own {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()

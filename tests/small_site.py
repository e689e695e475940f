"""A small site made of words: source file, pages, listings, and the WARC that holds them."""

from __future__ import annotations

import gzip
from pathlib import Path

from flows.sources_found import SHIPPED

SAMPLE = SHIPPED / "sample" / "night1.warc.gz"


def source_file(folder: Path, replay: Path | None = SAMPLE, **changes: str) -> Path:
    """A source file of a third party, outside the repository."""
    values = {
        "name": '"mine"',
        "listings": '["https://rtes.example/thematique/mobilites-solidaires"]',
        "parser": '"labelled-blocks"',
    } | changes
    lines = [f"{key} = {value}" for key, value in values.items()]
    lines += [f'replay = "{replay}"'] if replay else []
    labels = '[labels]\ntype = ["Type de ressource"]\nprivate = ["Ressource privée"]\nsummary = ["Résumé"]\n'
    path = folder / "mine.toml"
    path.write_text("\n".join(lines) + "\n" + labels, encoding="utf-8")
    return path


def page_of(body: bytes, media_type: str = "text/html; charset=UTF-8", status: str = "200 OK") -> bytes:
    """An HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def warc(path: Path, answers: dict[str, bytes]) -> Path:
    """A WARC as anybody may have written it, one gzip member a record."""
    with path.open("wb") as file:
        for number, (url, answer) in enumerate(answers.items()):
            head = (
                f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number:032d}>\r\n"
                f"WARC-Date: 2026-01-02T03:04:05Z\r\nWARC-Target-URI: {url}\r\n"
                f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(answer)}\r\n\r\n"
            )
            file.write(gzip.compress(head.encode() + answer + b"\r\n\r\n"))
    return path


LISTING = "https://rtes.example/thematique/mobilites-solidaires"


def block(title: str, fields: str = "") -> str:
    """One record of a listing."""
    given = fields or (
        "<div><b>Type de ressource</b><i>Guide</i></div><div><b>Ressource privée</b><i>Non</i></div>"
        f"<div><b>Résumé</b><p>Le texte de {title}.</p></div>"
    )
    heading = f"<h2><a href='/{title.lower()}'>{title}</a></h2>" if title else ""
    return f"<article>{heading}<div>{given}</div></article>"


def listing(*blocks: str) -> bytes:
    """A listing page."""
    return page_of(f"<html><body><h1>Mobilités</h1><div>{''.join(blocks)}</div></body></html>".encode())


def redirect(target: str, status: str = "301 Moved Permanently") -> bytes:
    """An answer that sends elsewhere."""
    return f"HTTP/1.1 {status}\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()


def own_page(title: str, canonical: str = "") -> bytes:
    """A resource's own page."""
    link = f"<link rel=canonical href='{canonical}'>" if canonical else ""
    inner = block("x").replace("<h2><a href='/x'>x</a></h2>", "").replace("texte de x", f"texte de {title}")
    return page_of(f"<html><head>{link}</head><body><h1>{title}</h1>{inner}</body></html>".encode())

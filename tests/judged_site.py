"""A small site with a pair that the machine is unsure of and a pair that it joins, and what may happen to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.decisions import read_judgements
from flows.importing import import_copy
from flows.jobs import rebuild, refresh
from flows.judging import judge
from releases.store import Release, latest_release
from schema.errors import HeldByGate, SiteUnreachable, StructureChanged, UsageError
from schema.layout import Layout
from schema.nouns import JudgedAs
from schema.sources import Source, read_source
from tests.small_site import LISTING, listing, page_of, redirect, source_file, warc
from tests.taken_site import whole

SECOND = LISTING.replace("mobilites-solidaires", "autre")
HOST = "https://rtes.example"
BOUGHT = "Le groupement d'achat de la Haute-Sarine réunit douze communes pour acheter des denrées locales et solidaires"
SOUGHT = "Le Département cherche des associations pour gérer cinq garages."
OPENED = "La Ville lance un appel pour occuper l'ancienne caserne."
# one title, two texts: the machine is unsure; one text at two addresses: it joins them
UNSURE = f"{HOST}/appel", f"{HOST}/appel-0"
JOINED = f"{HOST}/achat", f"{HOST}/achat-0"
WHY = "they were read side by side"


def told(title: str, href: str, text: str) -> str:
    """One record of a listing at an address of its own."""
    fields = (
        "<div><b>Type de ressource</b><i>Guide</i></div><div><b>Ressource privée</b><i>Non</i></div>"
        f"<div><b>Résumé</b><p>{text}</p></div>"
    )
    return f"<article><h2><a href='/{href}'>{title}</a></h2><div>{fields}</div></article>"


ACHAT, ACHAT_0 = told("Groupement d'achat solidaire", "achat", BOUGHT), told("Groupement d’achat", "achat-0", BOUGHT)
APPEL, APPEL_0 = told("Appel à projets", "appel", SOUGHT), told("Appel à projets", "appel-0", OPENED)
OTHERS = [
    told(f"{one} {two}", two, f"Le texte de {one} parle de {two}.")
    for one, two in (("Mobilité", "garages"), ("Cuisine", "cantines"), ("Logement", "habitat"))
]
NIGHTS = {
    "full": {LISTING: listing(ACHAT, APPEL, *OTHERS[:2]), SECOND: listing(ACHAT_0, APPEL_0, OTHERS[2])},
    "edited": {
        LISTING: listing(ACHAT, APPEL.replace("cinq garages", "six garages"), *OTHERS[:2]),
        SECOND: listing(ACHAT_0, APPEL_0, OTHERS[2].replace("parle", "traite")),
    },
    "less": {
        LISTING: listing(ACHAT, APPEL, *OTHERS[:2]),
        SECOND: listing(OTHERS[2]),
        UNSURE[1]: page_of(b"<h1>Introuvable</h1>", status="404 Not Found"),
        JOINED[1]: page_of(b"<h1>Introuvable</h1>", status="404 Not Found"),
    },
    "moved": {
        LISTING: listing(ACHAT, APPEL, *OTHERS[:2]),
        SECOND: listing(ACHAT_0, APPEL_0.replace("appel-0", "appel-2"), OTHERS[2]),
        UNSURE[1]: redirect("/appel-2"),
    },
    # the listing has not heard of it
    "first moved": {
        LISTING: listing(ACHAT, APPEL, *OTHERS[:2]),
        SECOND: listing(ACHAT_0, APPEL_0, OTHERS[2]),
        UNSURE[0]: redirect("/appel-1"),
        f"{HOST}/appel-1": page_of(f"<html><body>{APPEL.replace('h2', 'h1')}</body></html>".encode()),
    },
    "other moved": {
        LISTING: listing(ACHAT, APPEL, *OTHERS[:2]),
        SECOND: listing(ACHAT_0.replace("achat-0", "achat-2"), APPEL_0, OTHERS[2]),
        JOINED[1]: redirect("/achat-2"),
    },
    "own page": {
        LISTING: listing(ACHAT, APPEL, *OTHERS[:2]),
        SECOND: listing(ACHAT_0, APPEL_0, OTHERS[2]),
        UNSURE[0]: page_of(f"<html><body>{APPEL.replace('h2', 'h1')}</body></html>".encode()),
    },
    "empty": {LISTING: listing(), SECOND: listing()},
}
for moved, old, new in (
    ("moved", b"/appel-0'", b"/appel-2'"),
    ("first moved", b"/appel'", b"/appel-1'"),
    ("other moved", b"/achat-0'", b"/achat-2'"),
):
    NIGHTS[f"edited {moved}"] = {url: page.replace(old, new) for url, page in NIGHTS["edited"].items()}
COPIES = {"old": (APPEL.replace("cinq", "quatre"), 2020), "new": (told("Omega", "omega", "Le texte d'Omega."), 2024)}


@dataclass
class Site:
    """A folder that holds a source and its data."""

    folder: Path
    source: Source = field(init=False)

    def __post_init__(self) -> None:
        path = source_file(self.folder, None, listings=f'["{LISTING}", "{SECOND}"]')
        self.source = read_source(path)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def layout(self) -> Layout:
        return Layout(self.data, self.source.name)

    @property
    def release(self) -> Release:
        found = latest_release(self.layout)
        assert found is not None
        return found

    def refresh(self, night: str = "full", *, is_dry: bool = False) -> str:
        return self.spend(NIGHTS[night], night, is_dry=is_dry)

    def spend(self, pages: dict[str, bytes], name: str = "night", *, is_dry: bool = False) -> str:
        """One night that brings these pages."""
        answers = {url: whole(answer) for url, answer in pages.items()}
        replay = warc(self.folder / f"{name}.warc.gz", answers)
        source = self.source.model_copy(update={"replay": str(replay)})
        return refresh(source, self.data, is_dry=is_dry).verdict

    def visit(self, first: Sequence[str], second: Sequence[str], *gone: str) -> str:
        """A night on which the two listings show these records, and pages are not found."""
        pages = {LISTING: listing(*first, *OTHERS[:2]), SECOND: listing(*second, OTHERS[2])}
        return self.read(pages, *gone)

    def read(self, pages: dict[str, bytes], *gone: str) -> str:
        """A night of these pages, others not found."""
        missing = page_of(b"<h1>Introuvable</h1>", status="404 Not Found")
        replay = warc(self.folder / "visit.warc.gz", pages | {f"{HOST}/{href}": missing for href in gone})
        return refresh(self.source.model_copy(update={"replay": str(replay)}), self.data).verdict

    def rebuild(self) -> str:
        return rebuild(self.source, self.data).verdict

    def bring_in(self, copy: str) -> None:
        block, year = COPIES[copy]
        file = self.folder / f"{copy}.html"
        file.write_text(f"<html><body><h1>Copie</h1>{block}</body></html>", encoding="utf-8")
        import_copy(self.source, self.data, file, f"{LISTING}?page=7", datetime(year, 1, 2, tzinfo=UTC))

    def judge(self, pair: tuple[str, str], verdict: JudgedAs, why: str = WHY) -> str:
        return judge(self.source, self.data, pair, verdict, why, "a person").verdict

    def rows(self, table: str) -> list[dict[str, Any]]:
        return list(self.release.rows(table))

    def row(self, name: str) -> dict[str, Any] | None:
        """The row of a resource."""
        return next((row for row in self.rows("resources") if row["resource_id"] == name), None)

    def owners(self) -> dict[str, str]:
        """resource_id by address of a record."""
        return {row["url"]: row["resource_id"] for row in self.rows("records")}

    def ids_of(self, urls: tuple[str, str]) -> tuple[str, str]:
        """The resource_ids at two addresses."""
        return self.owners()[urls[0]], self.owners()[urls[1]]

    def records_of(self, urls: tuple[str, str]) -> tuple[str, str]:
        """A record_id at each of two addresses."""
        found = {row["url"]: row["record_id"] for row in self.rows("records")}
        return found[urls[0]], found[urls[1]]

    def fate(self, name: str) -> tuple[str, list[str]]:
        row = next(row for row in self.rows("ids") if row["resource_id"] == name)
        return row["fate"], row["now"]

    def act(self, event: str) -> str:
        """One thing that may happen; how it ended, in a word."""
        kind, _, what = event.partition(" ")
        try:
            match kind:
                case "refresh" | "dry":
                    self.refresh(what, is_dry=kind == "dry")
                case "import":
                    self.bring_in(what)
                case "rebuild":
                    return self.rebuild()
                case "withdraw":
                    word = read_judgements(self.layout)[int(what)]
                    self.judge((word.left, word.right), "withdrawn")
                case _:
                    pairs = {"unsure": UNSURE, "joined": JOINED}
                    self.judge(self.ids_or_records(pairs[what]), {"join": "same", "part": "different"}[kind])  # type: ignore[arg-type]  # words of a verdict
        except (HeldByGate, StructureChanged, SiteUnreachable, UsageError, KeyError, IndexError) as error:
            return type(error).__name__
        return "done"

    def ids_or_records(self, urls: tuple[str, str]) -> tuple[str, str]:
        """The resource_ids at two addresses, or the record_ids where they are one resource."""
        ids = self.ids_of(urls)
        return ids if ids[0] != ids[1] else self.records_of(urls)

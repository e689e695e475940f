"""What a rebuild under other labels may do to what is published, and what it may not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.importing import import_copy
from flows.jobs import rebuild, refresh
from flows.judging import judge
from releases.store import Release, latest_release
from schema.errors import StructureChanged
from schema.layout import Layout
from schema.nouns import JudgedAs
from schema.sources import Source, read_source
from tests.judged_site import APPEL, APPEL_0, OTHERS, SECOND, UNSURE
from tests.small_site import LISTING, listing, source_file, warc

RENAMED = {"Type de ressource": "Nature", "Ressource privée": "Réservé", "Résumé": "Sommaire"}
GOOD = [APPEL, *OTHERS[:2]], [APPEL_0, OTHERS[2]]


def renamed(text: str) -> str:
    """A text with the labels that the site has after it renamed them."""
    for old, new in RENAMED.items():
        text = text.replace(old, new)
    return text


class Site:
    """A site of two listings, its source file and its data."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.folder, self.data = folder, folder / "data"
        self.path = source_file(folder, None, listings=f'["{LISTING}", "{SECOND}"]', **changes)

    @property
    def source(self) -> Source:
        return read_source(self.path)

    @property
    def layout(self) -> Layout:
        return Layout(self.data, "mine")

    @property
    def release(self) -> Release:
        release = latest_release(self.layout)
        assert release is not None
        return release

    def night(self, first: list[str], second: list[str], **answers: bytes) -> str:
        """Refresh from two listings of these blocks; the verdict."""
        pages = {LISTING: listing(*first), SECOND: listing(*second)}
        pages |= {f"https://rtes.example/{slug}": answer for slug, answer in answers.items()}
        replay = warc(self.folder / "night.warc.gz", pages)
        return refresh(self.source.model_copy(update={"replay": str(replay)}), self.data).verdict

    def renamed_night(self, first: list[str], second: list[str]) -> str:
        """The same of a site that renamed its labels."""
        return self.night([renamed(b) for b in first], [renamed(b) for b in second])

    def rebuild(self) -> str:
        return rebuild(self.source, self.data).verdict

    def relabel(self) -> None:
        """Replace the labels in the source file."""
        self.path.write_text(renamed(self.path.read_text(encoding="utf-8")), encoding="utf-8")

    def judge(self, one: str, two: str, verdict: JudgedAs) -> None:
        """A word on the resources of two addresses."""
        ids = {row["url"]: row["resource_id"] for row in self.release.rows("records")}
        judge(self.source, self.data, (ids[one], ids[two]), verdict, "read side by side", "a person")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_labels_that_read_nothing_leave_the_release_as_it_was(site: Site) -> None:
    site.night(*GOOD)
    site.relabel()
    with pytest.raises(StructureChanged, match="labels"):
        site.rebuild()
    assert (site.release.number, len(site.release.rows("resources"))) == (1, 5)


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_a_word_upon_labels_that_read_nothing_publishes_nothing(site: Site, verdict: JudgedAs) -> None:
    site.night(*GOOD)
    site.judge(*UNSURE, verdict)
    site.relabel()
    with pytest.raises(StructureChanged, match="labels"):
        site.rebuild()
    assert (site.release.number, len(site.release.rows("resources"))) == (1, 5)


def test_a_source_of_imported_copies_alone_is_published(site: Site) -> None:
    copy = site.folder / "copie.html"
    copy.write_text(f"<html><body><h1>Copie</h1>{APPEL}</body></html>", encoding="utf-8")
    import_copy(site.source, site.data, copy, f"{LISTING}?page=7", datetime(2020, 1, 2, tzinfo=UTC))
    assert "release 1 published: 1 resources" in site.rebuild()
    assert "equal to release 1" in site.rebuild()


# --- a site that renamed its labels


def test_labels_that_were_mended_let_the_next_night_pass_with_the_ids_of_before(site: Site) -> None:
    site.night(*GOOD)
    before = {row["url"]: row["resource_id"] for row in site.release.rows("resources")}
    edited = [APPEL.replace("cinq", "six"), *OTHERS[:2]], GOOD[1]
    with pytest.raises(StructureChanged):
        site.renamed_night(*edited)
    site.relabel()
    assert "release 2 published: 5 resources" in site.renamed_night(*edited)
    assert {row["url"]: row["resource_id"] for row in site.release.rows("resources")} == before
    (change,) = site.release.rows("changes")
    assert (change["resource_id"], change["field"]) == (before[UNSURE[0]], "summary")
    assert {(row["fate"], *row["now"]) for row in site.release.rows("ids")} == {("kept", r) for r in before.values()}
    assert "equal to release 2" in site.rebuild()
    assert "unchanged since release 2" in site.renamed_night(*edited)


def test_a_night_that_was_harvested_under_labels_that_found_nothing_stays_refused(site: Site) -> None:
    site.night(*GOOD)
    with pytest.raises(StructureChanged):
        site.renamed_night(*GOOD)
    site.relabel()
    # that night followed no link of a listing that it could not read
    with pytest.raises(StructureChanged, match="stands on any listing"):
        site.rebuild()
    assert site.release.number == 1


def test_labels_that_read_neither_the_old_nor_the_new_nights_are_refused(site: Site) -> None:
    site.night(*GOOD)
    site.judge(*UNSURE, "different")
    site.path.write_text(site.path.read_text(encoding="utf-8").replace("R", "X"), encoding="utf-8")
    site.path.write_text(site.path.read_text(encoding="utf-8").replace("Type", "Tipe"), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(StructureChanged, match="labels"):
            site.night(*GOOD)
    assert (site.release.number, len(site.release.rows("resources"))) == (1, 5)

"""A resource's own page says more than the listing; on some nights it gives no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from releases.store import latest_release
from tests.judged_site import APPEL, HOST, OTHERS, SECOND, Site
from tests.small_site import LISTING, listing, page_of

URL = f"{HOST}/appel"
FULLER = APPEL.replace("cinq garages.", "cinq garages. Les candidatures se font avant mars, auprès du Département.")
OWN = page_of(f"<html><body>{FULLER.replace('h2', 'h1')}</body></html>".encode())
BUSY = page_of(b"<h1>Service indisponible</h1>", status="503 Service Unavailable")
MISSING = page_of(b"<h1>Introuvable</h1>", status="404 Not Found")


def night(own: bytes, teaser: str = APPEL) -> dict[str, bytes]:
    return {LISTING: listing(teaser, *OTHERS[:2]), SECOND: listing(OTHERS[2]), URL: own}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    assert "published" in site.spend(night(OWN))
    return site


def row_of(site: Site) -> dict[str, object]:
    release = latest_release(site.layout)
    assert release is not None
    return next(row for row in release.rows("resources") if row["url"] == URL)


def test_a_page_that_fails_for_some_nights_is_no_edit(site: Site) -> None:
    before = row_of(site)
    for own in (BUSY, BUSY, OWN, BUSY, OWN):
        assert "unchanged" in site.spend(night(own))
    assert row_of(site) == before
    assert "equal" in site.rebuild()


def test_what_a_listing_says_anew_counts_though_the_page_is_silent(site: Site) -> None:
    assert "published" in site.spend(night(BUSY, APPEL.replace("cinq", "six")))
    assert "six garages" in str(row_of(site)["summary"])


def test_a_page_that_is_not_there_any_more_says_nothing(site: Site) -> None:
    assert "published" in site.spend(night(MISSING))
    assert "avant mars" not in str(row_of(site)["summary"])


def test_a_silent_page_is_read_when_it_answers_again(site: Site) -> None:
    assert "unchanged" in site.spend(night(BUSY))
    later = page_of(f"<html><body>{FULLER.replace('h2', 'h1').replace('mars', 'avril')}</body></html>".encode())
    assert "published" in site.spend(night(later))
    assert "avant avril" in str(row_of(site)["summary"])

"""Where things lie on disk: path arithmetic only.

<data>/raw/<source>/000007.warc.gz          one archive a run (.part while it is written)
<data>/raw/<source>/decisions.jsonl         people's decisions
<data>/raw/<source>/index.parquet           where each archived record lies; made from the archives
<data>/raw/<source>/ids.jsonl               every resource_id ever published
<data>/clean/<source>/releases/000012/      one release: the tables, release.json, datapackage.json
<data>/clean/<source>/latest                symbolic link to the newest release
<data>/clean/<source>/latest.json           the same pointer, for stores without links
<data>/clean/<source>/held/000007/          the tables of a run that a gate stopped
<data>/clean/<source>/runs/000007/          run.json, pages.parquet and the ledger of every run
<data>/clean/<source>/state/000007/         the tables as of the newest run, where that published nothing
<data>/clean/<source>/readings.txt          what pages stated when they were read last; may be deleted
<data>/clean/<source>/not-before.json       when the site may be asked again, where it named a time; may be deleted
<data>/clean/<source>/staging/              what is being written; swept at the start of a run
<data>/clean/<source>/lock                  held by the run in progress; the kernel frees it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ARCHIVE_SUFFIX = ".warc.gz"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one source below one data folder."""

    data: Path
    source: str

    @property
    def raw(self) -> Path:
        """Archives of this source."""
        return self.data / "raw" / self.source

    @property
    def clean(self) -> Path:
        """Tables of this source."""
        return self.data / "clean" / self.source

    @property
    def releases(self) -> Path:
        """Published releases, one folder each."""
        return self.clean / "releases"

    @property
    def latest(self) -> Path:
        """The link that analysts follow."""
        return self.clean / "latest"

    @property
    def staging(self) -> Path:
        """What is being written."""
        return self.clean / "staging"

    @property
    def readings(self) -> Path:
        """What pages stated when they were read last."""
        return self.clean / "readings.txt"

    @property
    def decisions(self) -> Path:
        """People's decisions."""
        return self.raw / "decisions.jsonl"

    @property
    def register(self) -> Path:
        """Every resource_id ever published."""
        return self.raw / "ids.jsonl"

    @property
    def lock(self) -> Path:
        """The file whose lock a run holds."""
        return self.clean / "lock"

    def archive(self, run: int) -> Path:
        """The archive of a run."""
        return self.raw / f"{run:06d}{ARCHIVE_SUFFIX}"

    def release(self, number: int) -> Path:
        """The folder of a release."""
        return self.releases / f"{number:06d}"

    def run(self, run: int) -> Path:
        """The folder of a run's report."""
        return self.clean / "runs" / f"{run:06d}"

    def held(self, run: int) -> Path:
        """The folder of a held run's tables."""
        return self.clean / "held" / f"{run:06d}"

    def state(self, run: int) -> Path:
        """The folder of the tables as of a run that published nothing."""
        return self.clean / "state" / f"{run:06d}"

    def states(self) -> list[int]:
        """Numbers of the runs whose tables are kept, in order."""
        return _numbers(self.clean / "state", r"(\d{6,})")

    def runs(self) -> list[int]:
        """Numbers of the runs that have a whole archive, in order."""
        return _numbers(self.raw, rf"(\d{{6,}}){re.escape(ARCHIVE_SUFFIX)}")

    def release_numbers(self) -> list[int]:
        """Numbers of the releases that are in their place, in order."""
        return _numbers(self.releases, r"(\d{6,})")

    def last_begun(self) -> int:
        """The newest number that a run has had, finished or not; 0 before the first."""
        begun = _numbers(self.raw, rf"(\d{{6,}}){re.escape(ARCHIVE_SUFFIX)}(?:\.part)?")
        return max([0, *begun, *_numbers(self.clean / "runs", r"(\d{6,})")])

    def next_run(self) -> int:
        """A number that no run has had."""
        return self.last_begun() + 1


def _numbers(folder: Path, pattern: str) -> list[int]:
    """Numbers in the names of a folder's entries that match; other names are nobody's business."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(found[1]) for name in names if (found := re.fullmatch(pattern, name)))

"""Everything that can end a run badly, as one tree; each leaf has its exit code and says whether trying again can help.

    MoissonError
    ├── UsageError            2  the call or a file given to it is wrong
    │   └── SourceFileError   2  a source file is missing or malformed
    ├── SiteUnreachable       3  no answer from the site (again later)
    ├── Forbidden             4  robots.txt or the site refuses us
    │   └── Blocked           4  log-in, challenge or maintenance pages in place of ours (again later)
    ├── StructureChanged      5  the pages answer, but are not what we can read
    ├── HeldByGate            6  the tables were made, a gate stopped them
    ├── AlreadyRunning        7  another run holds this source (again later)
    ├── DiskTrouble           8  disk full, read-only, input/output error (again once there is room)
    ├── DamagedArchive        9  a WARC cannot be read as it was written
    ├── EngineUnavailable    10  Prefect's server cannot be reached or started (again, or --direct)
    └── Bug                  70  what we promise does not hold

Exit code 0 is a published or unchanged run, 1 is kept for what Python itself could not catch.
"""

from __future__ import annotations


class MoissonError(Exception):
    """A failure a person is told about in one line: what is wrong, and what to do."""

    exit_code = 70
    is_retryable = False
    verdict = "failed"


class UsageError(MoissonError):
    """The call, or a file given to it, is wrong."""

    exit_code = 2


class SourceFileError(UsageError):
    """A source file is missing or malformed; the message names file, key and remedy."""


class SiteUnreachable(MoissonError):
    """The site gave no usable answer."""

    exit_code = 3
    is_retryable = True


class Forbidden(MoissonError):
    """robots.txt, or the site itself, refuses us."""

    exit_code = 4


class Blocked(Forbidden):
    """The site answers, and shows a log-in, challenge, maintenance or error page in place of every listing."""

    is_retryable = True


class StructureChanged(MoissonError):
    """Pages answer, but nothing that we can read stands in them."""

    exit_code = 5


class HeldByGate(MoissonError):
    """The tables were made and a gate stopped them; the published release is untouched."""

    exit_code = 6
    verdict = "held"


class AlreadyRunning(MoissonError):
    """Another run holds the lock of this source."""

    exit_code = 7
    is_retryable = True


class DiskTrouble(MoissonError):
    """The disk is full, read-only or failing."""

    exit_code = 8
    is_retryable = True


class DamagedArchive(MoissonError):
    """A WARC cannot be read as it was written."""

    exit_code = 9


class EngineUnavailable(MoissonError):
    """Prefect's server cannot be reached or started."""

    exit_code = 10
    is_retryable = True


class Bug(MoissonError):
    """A promise of ours does not hold: report it."""

    exit_code = 70

"""What a source file may say, and the words a person gets when it says something else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schema.addresses import canonical_url
from schema.errors import SourceFileError

_CONTACT = re.compile(r"(mailto:[!-~]+@[!-~]+|https?://[!-~]+)")
_REMEDIES = {
    "missing": "add it (see sources/sample.toml)",
    "extra_forbidden": "remove it, or mend its spelling",
}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


Wordings = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class Labels(_Strict):
    """Accepted wordings of each label; `summary` names the section `resume` of a record."""

    type: Wordings
    private: Wordings = ("Ressource privée",)
    summary: Wordings = ("Résumé",)


class Pace(_Strict):
    """How slowly to ask, at least delay_s seconds between two requests to the host, and how much in one run.

    Beyond max_requests, or max_bytes as they came over the wire, the addresses that are left are ledgered as not asked.
    """

    delay_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 1.0
    max_requests: Annotated[int, Field(ge=1)] = 20_000
    max_bytes: Annotated[int, Field(ge=1)] = 2 * 1024**3


class Source(_Strict):
    """One site.

    replay is relative to the file. retire_after_nights: complete nights in a row with evidence that it is gone, after
    which a resource leaves the table. max_vanished_share: share (0..1) of the listed resources that may leave the
    listings in one night; a night that shows less is held. path is where the file lies, set on loading.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    title: str = ""
    listings: Annotated[tuple[str, ...], Field(min_length=1)]
    sitemap: str | None = None
    ask_not_listed: bool = False
    parser: Literal["labelled-blocks", "labelled-text"]
    replay: str | None = None
    contact: str | None = None
    retire_after_nights: Annotated[int, Field(ge=1, le=1000)] = 3
    max_vanished_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.2
    labels: Labels
    pace: Pace = Pace()
    path: Path = Path()

    @field_validator("listings")
    @classmethod
    def _are_addresses(cls, listings: tuple[str, ...]) -> tuple[str, ...]:
        for url in listings:
            canonical_url(url)
        return listings

    @field_validator("sitemap")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url is not None:
            canonical_url(url)
        return url

    @field_validator("contact")
    @classmethod
    def _can_be_written_to(cls, contact: str | None) -> str | None:
        if contact is not None and not _CONTACT.fullmatch(contact):
            raise ValueError("must be a mailto: or https: address in plain ASCII, as it goes into the User-Agent")
        return contact

    @property
    def schemes(self) -> dict[str, str]:
        """Scheme by host, as the listings write them."""
        parts = (canonical_url(url).split("/", 3) for url in self.listings)
        return {host.split(":")[0]: scheme.rstrip(":") for scheme, _, host, *_ in parts}

    @property
    def replay_path(self) -> Path | None:
        """Where the WARC to replay lies, None for a live site."""
        return self.path.parent / self.replay if self.replay else None


def read_source(path: Path) -> Source:
    """The source a file describes.

    Raises:
        SourceFileError: missing, not TOML, or a key that is absent, unknown or malformed; names file, key and remedy.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceFileError(
            f"{path}: there is no such source file; `moisson sources` lists those there are"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SourceFileError(f"{path}: cannot be read ({error}); give a TOML file in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SourceFileError(f"{path}: not TOML: {error}; mend that line") from None
    if "path" in values:
        raise SourceFileError(f"{path}: key `path` is not a key of a source file: remove it, or mend its spelling")
    try:
        return Source.model_validate(values).model_copy(update={"path": path})
    except ValidationError as error:
        raise SourceFileError("; ".join(_complaint(path, e) for e in error.errors())) from None


def _complaint(path: Path, error: object) -> str:
    fault: dict[str, object] = dict(error)  # type: ignore[call-overload]
    location: tuple[object, ...] = fault["loc"]  # type: ignore[assignment]
    key = ".".join(str(part) for part in location)
    remedy = _REMEDIES.get(str(fault["type"]), f"it is {fault.get('input')!r}: {fault['msg']}")
    problem = {"missing": "is missing", "extra_forbidden": "is not a key of a source file"}.get(
        str(fault["type"]), "cannot be used"
    )
    return f"{path}: key `{key}` {problem}: {remedy}"

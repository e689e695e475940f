"""requirements.lock: complete, hashed, tied to no package index, and with the caps that keep Prefect alive."""

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PYTHONS = ["3.11.0", "3.11.9", "3.12.1", "3.13.0", "3.14.0"]
PIN = re.compile(r"(?P<name>[a-z0-9._-]+)==(?P<version>[a-z0-9.!+]+)(?: ; (?P<marker>[^\\]+?))?")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}")


class Pin(NamedTuple):
    """One entry of the lock; marker is None when it holds everywhere, hashes counts its files."""

    name: str
    version: Version
    marker: Marker | None
    hashes: int


def read_lock(text: str) -> list[Pin]:
    """Read every entry, or fail on the first line that is neither a pin nor a hash (an address, an option)."""
    pins: list[Pin] = []
    for entry in text.rstrip("\n").replace(" \\\n    --hash", "\n    --hash").split("\n"):
        if HASH.fullmatch(entry):
            pins[-1] = pins[-1]._replace(hashes=pins[-1].hashes + 1)
            continue
        found = PIN.fullmatch(entry)
        assert found, f"neither a pin nor a hash: {entry}"
        marker = Marker(found["marker"]) if found["marker"] else None
        pins.append(Pin(canonicalize_name(found["name"]), Version(found["version"]), marker, 0))
    return pins


def pick_versions(pins: list[Pin], python: str) -> dict[str, list[Version]]:
    """Collect, by name, the versions that an installer takes under this Python on this platform."""
    place = {**default_environment(), "python_full_version": python, "python_version": python.rpartition(".")[0]}
    taken: dict[str, list[Version]] = {}
    for pin in pins:
        if pin.marker is None or pin.marker.evaluate({key: str(value) for key, value in place.items()}):
            taken.setdefault(pin.name, []).append(pin.version)
    return taken


@pytest.fixture(scope="module")
def lock_text() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_line_is_a_pin_or_a_hash_so_no_host_is_named(lock_text: str) -> None:
    assert len(read_lock(lock_text)) > 100
    assert "://" not in lock_text


@pytest.mark.parametrize(
    "line",
    ["--index-url https://packages.example/simple", "a @ https://packages.example/a.whl", "# via b", "a>=1", "a==1 \\"],
)
def test_any_other_line_is_refused(line: str) -> None:
    with pytest.raises(AssertionError, match="neither a pin nor a hash"):
        read_lock(f"{line}\n")


def test_every_pin_has_hashes(lock_text: str) -> None:
    assert [pin.name for pin in read_lock(lock_text) if not pin.hashes] == []


@pytest.mark.parametrize("python", PYTHONS)
def test_each_python_takes_one_version_of_a_package(lock_text: str, python: str) -> None:
    taken = pick_versions(read_lock(lock_text), python)
    assert {name: versions for name, versions in taken.items() if len(versions) != 1} == {}


@pytest.mark.parametrize("python", PYTHONS)
def test_all_that_pyproject_asks_for_is_locked_in_its_range(
    lock_text: str, project: dict[str, Any], python: str
) -> None:
    taken = pick_versions(read_lock(lock_text), python)
    asked = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["test"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],  # the project is built from the lock alone
    ]
    for requirement in map(Requirement, asked):
        versions = taken.get(canonicalize_name(requirement.name), [])
        assert versions, f"not in the lock: {requirement}"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}"


@pytest.mark.parametrize(
    ("name", "cap", "why"),
    [
        ("fastapi", "<0.151", "Prefect 3.8 flows die at start"),
        ("sqlalchemy", "<2.1", "Prefect 3.8 schedules never fire, and say nothing"),
    ],
)
def test_the_caps_that_keep_prefect_alive_hold(
    lock_text: str, project: dict[str, Any], name: str, cap: str, why: str
) -> None:
    locked = [pin.version for pin in read_lock(lock_text) if pin.name == name]
    assert locked, name
    assert all(version in SpecifierSet(cap) for version in locked), why
    stated = [r.specifier for r in map(Requirement, project["project"]["dependencies"]) if r.name == name]
    assert stated, f"{name} is capped in the lock only: an install without it would break"
    assert not any(specifier.contains(cap.removeprefix("<")) for specifier in stated), why

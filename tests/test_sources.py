"""What a source file may say, and what a person is told when it says something else."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from harvest.archive import ArchiveWriter
from harvest.client import Client, Pace
from schema.errors import SourceFileError, UsageError
from schema.sources import Source, read_source

MINIMAL = {
    "name": '"essai"',
    "listings": '["https://rtes.example/thematique/eau"]',
    "parser": '"labelled-blocks"',
}
LABELS = 'type = ["Type de ressource"]'


def write(folder: Path, keys: dict[str, str], labels: str | None = LABELS, tail: str = "") -> Path:
    path = folder / "essai.toml"
    lines = [f"{key} = {value}" for key, value in keys.items()]
    path.write_text(
        "\n".join([*lines, *([f"[labels]\n{labels}"] if labels is not None else []), tail]), encoding="utf-8"
    )
    return path


def complaint(path: Path) -> str:
    with pytest.raises(SourceFileError) as caught:
        read_source(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.replace(str(path), "FILE")


# --- what works


def test_a_file_with_name_listings_parser_and_labels_is_enough(tmp_path: Path) -> None:
    source = read_source(write(tmp_path, MINIMAL))
    assert (source.name, source.parser, source.labels.type) == ("essai", "labelled-blocks", ("Type de ressource",))
    assert (source.labels.private, source.labels.summary) == (("Ressource privée",), ("Résumé",))
    assert (source.sitemap, source.replay_path, source.contact, source.ask_not_listed) == (None, None, None, False)
    assert source.pace.delay_s == 1.0


def test_every_key_can_be_given(tmp_path: Path) -> None:
    keys = {
        **MINIMAL,
        "title": '"Centre d’essai"',
        "sitemap": '"https://rtes.example/sitemap.xml"',
        "ask_not_listed": "true",
        "replay": '"nuit.warc.gz"',
        "contact": '"https://rtes.example/contact"',
    }
    labels = 'type = ["Type", "Nature"]\nprivate = ["Privé"]\nsummary = ["Résumé", "Présentation"]'
    source = read_source(write(tmp_path, keys, labels, "[pace]\ndelay_s = 2"))
    assert (source.title, source.ask_not_listed, source.contact) == (
        "Centre d’essai",
        True,
        "https://rtes.example/contact",
    )
    assert source.labels.summary == ("Résumé", "Présentation")
    assert source.pace.delay_s == 2.0


def test_what_is_replayed_lies_beside_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, {**MINIMAL, "replay": '"nuits/1.warc.gz"'})
    assert read_source(path).replay_path == tmp_path / "nuits" / "1.warc.gz"
    absolute = write(tmp_path, {**MINIMAL, "replay": '"/archives/1.warc.gz"'})
    assert read_source(absolute).replay_path == Path("/archives/1.warc.gz")


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent.parent / "sources").glob("*.toml")), ids=lambda p: p.stem
)
def test_every_source_that_ships_can_be_read(path: Path) -> None:
    source = read_source(path)
    assert source.name == path.stem
    assert source.replay_path is None or source.replay_path.is_file()


def test_schemes_are_those_of_the_listings(tmp_path: Path) -> None:
    listings = '["https://Un.example/a", "http://deux.example:8080/b", "https://un.example:443/c"]'
    assert read_source(write(tmp_path, {**MINIMAL, "listings": listings})).schemes == {
        "un.example": "https",
        "deux.example": "http",
    }


# --- what is missing


@pytest.mark.parametrize("key", MINIMAL)
def test_a_key_that_is_missing_is_named_with_its_remedy(tmp_path: Path, key: str) -> None:
    keys = {name: value for name, value in MINIMAL.items() if name != key}
    assert complaint(write(tmp_path, keys)) == f"FILE: key `{key}` is missing: add it (see sources/sample.toml)"


def test_missing_labels_are_named(tmp_path: Path) -> None:
    assert "key `labels` is missing: add it" in complaint(write(tmp_path, MINIMAL, None))
    assert "key `labels.type` is missing: add it" in complaint(write(tmp_path, MINIMAL, 'summary = ["Résumé"]'))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    message = complaint(write(tmp_path, {"name": '"essai"', "nom": '"x"'}, None))
    assert [key for key in ("listings", "parser", "labels", "nom") if f"`{key}`" in message] == [
        "listings",
        "parser",
        "labels",
        "nom",
    ]


# --- what is not a key


@pytest.mark.parametrize(
    ("keys", "labels", "tail", "named"),
    [
        ({"nom": '"essai"'}, LABELS, "", "nom"),
        ({"schemes": "{}"}, LABELS, "", "schemes"),
        ({"Title": '"x"'}, LABELS, "", "Title"),
        ({}, f'{LABELS}\nresume = ["Résumé"]', "", "labels.resume"),
        ({}, LABELS, "[pace]\ndelay = 1.0", "pace.delay"),
        ({"path": '"ailleurs"'}, LABELS, "", "path"),
    ],
)
def test_a_key_that_is_none_is_named_with_its_remedy(
    tmp_path: Path, keys: dict[str, str], labels: str, tail: str, named: str
) -> None:
    message = complaint(write(tmp_path, {**MINIMAL, **keys}, labels, tail))
    assert message == f"FILE: key `{named}` is not a key of a source file: remove it, or mend its spelling"


# --- what cannot be used


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("name", '"RTES"', "pattern"),
        ("name", '"9nuits"', "pattern"),
        ("name", '"../ailleurs"', "pattern"),
        ("name", '""', "pattern"),
        ("name", "3", "string"),
        ("title", "3", "string"),
        ("listings", "[]", "at least 1"),
        ("listings", '"https://rtes.example/"', "tuple"),
        ("listings", '["rtes.example/eau"]', "not an http(s) address"),
        ("listings", '["ftp://rtes.example/eau"]', "not an http(s) address"),
        ("listings", '["http://[rtes"]', "IPv6"),
        ("sitemap", '""', "not an http(s) address"),
        ("sitemap", "true", "string"),
        ("ask_not_listed", '"peut-être"', "boolean"),
        ("parser", '"labeled-blocks"', "'labelled-blocks' or 'labelled-text'"),
        ("replay", "1", "string"),
        ("contact", '"moi@rtes.example"', "mailto: or https:"),
        ("contact", "1", "string"),
        ("pace", "3", "dictionary"),
    ],
)
def test_a_value_that_cannot_be_used_is_shown_with_what_would_do(
    tmp_path: Path, key: str, value: str, hint: str
) -> None:
    message = complaint(write(tmp_path, {**MINIMAL, key: value}))
    assert message.startswith(f"FILE: key `{key}` cannot be used: it is ")
    assert hint in message


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        ("type = []", "labels.type"),
        ('type = "Type de ressource"', "labels.type"),
        (f"{LABELS}\nprivate = []", "labels.private"),
        (f"{LABELS}\nsummary = [3]", "labels.summary.0"),
        ('type = { fr = "Type" }', "labels.type"),
    ],
)
def test_labels_that_cannot_be_used_are_named(tmp_path: Path, labels: str, key: str) -> None:
    assert f"FILE: key `{key}` cannot be used: it is " in complaint(write(tmp_path, MINIMAL, labels))


@pytest.mark.parametrize("delay", ["-1", "nan", "inf", "3601", '"vite"', "[1]"])
def test_a_pace_that_cannot_be_kept_is_named(tmp_path: Path, delay: str) -> None:
    assert "FILE: key `pace.delay_s` cannot be used" in complaint(
        write(tmp_path, MINIMAL, LABELS, f"[pace]\ndelay_s = {delay}")
    )


@pytest.mark.parametrize("contact", ["mailto:rené@rtes.example", "mailto:a@rtes.example\\nX-Autre: b", "mailto:"])
def test_a_contact_that_no_header_can_hold_is_refused(tmp_path: Path, contact: str) -> None:
    assert "key `contact` cannot be used" in complaint(write(tmp_path, {**MINIMAL, "contact": f'"{contact}"'}))


def test_the_contact_stands_in_the_user_agent(tmp_path: Path) -> None:
    source = read_source(write(tmp_path, {**MINIMAL, "contact": '"mailto:a@rtes.example"'}))
    assert user_agent(tmp_path, source) == "moisson/0.1.0 (+mailto:a@rtes.example)"
    assert user_agent(tmp_path, read_source(write(tmp_path, MINIMAL))) == "moisson/0.1.0"


def user_agent(folder: Path, source: Source) -> str:
    path = folder / f"{len(list(folder.iterdir()))}.warc.gz"
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    with ArchiveWriter(path, "essai") as archive, Client(source, transport, archive, Pace(0.0)) as client:
        return client.user_agent


# --- what is no source file at all


def test_a_file_that_is_not_there_is_said_with_the_way_to_those_that_are(tmp_path: Path) -> None:
    message = complaint(tmp_path / "absent.toml")
    assert message == "FILE: there is no such source file; `moisson sources` lists those there are"


def test_toml_that_is_broken_is_said_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, {**MINIMAL, "title": '"sans fin'})
    message = complaint(path)
    assert "not TOML" in message
    assert "line 4" in message


@pytest.mark.parametrize("content", [b"\xff\xfen\x00", 'name = "privé"'.encode("latin-1")])
def test_a_file_that_is_not_utf_8_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "essai.toml"
    path.write_bytes(content)
    assert "give a TOML file in UTF-8" in complaint(path)


def test_a_folder_is_no_source_file(tmp_path: Path) -> None:
    assert "cannot be read" in complaint(tmp_path)


def test_a_fault_in_a_source_file_is_a_fault_of_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_source(tmp_path / "absent.toml")
    assert caught.value.exit_code == 2

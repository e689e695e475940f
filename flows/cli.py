"""The command line: `moisson`. Verdict on standard output, last; everything else on standard error."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.importing import import_copy, is_warc_file
from flows.jobs import Outcome, rebuild, refresh, with_replay
from flows.sources_found import find_source, source_files
from flows.stages import silent
from harvest.crawl import Progress
from receipts.printable import printable
from schema.errors import DiskTrouble, MoissonError, SourceFileError, UsageError
from schema.nouns import JudgedAs
from schema.sources import Source

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Harvest a resource centre's catalogue into clean, traceable tables.",
    epilog=(
        "Exit codes: 0 published or unchanged, 2 usage, 3 site unreachable, 4 blocked or forbidden by robots, "
        "5 structure changed, 6 held by a gate, 7 already running, 8 disk, 9 damaged archive, "
        "10 Prefect unreachable, 70 a bug."
    ),
)

SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="A name in sources/, or a path to a TOML file.")]
DataOption = Annotated[Path, typer.Option("--data", help="The data folder.")]
AuthorOption = Annotated[str | None, typer.Option(envvar="MOISSON_AUTHOR", help="Who says so; user@host by default.")]
DirectOption = Annotated[bool, typer.Option("--direct", help="Run without Prefect's engine: same tables.")]


@app.command("refresh")
def refresh_command(
    source: SourceArgument,
    replay: Annotated[Path | None, typer.Option(help="Ask this WARC instead of the site.")] = None,
    data: DataOption = Path("data"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, publish nothing.")] = False,
    direct: DirectOption = False,
) -> None:
    """Harvest a source and publish what is new."""
    from flows.display import progress_on_terminal

    found = with_replay(find_source(source), replay)
    with progress_on_terminal(found.name) as progress:
        if direct:
            outcome = refresh(found, data, is_dry=dry_run, progress=progress)
        else:
            path, again = str(found.path), str(found.replay_path) if found.replay_path else None
            outcome = _run_flow("refresh_flow", path, str(data), again, is_dry=dry_run, tell=progress)
    _tell_where(outcome, data, found)
    typer.echo(outcome.verdict)


@app.command("rebuild")
def rebuild_command(source: SourceArgument, data: DataOption = Path("data"), direct: DirectOption = False) -> None:
    """Make every table again from the archive alone; says whether it equals the release."""
    found = find_source(source)
    outcome = rebuild(found, data) if direct else _run_flow("rebuild_flow", str(found.path), str(data))
    typer.echo(outcome.verdict)


@app.command("import")
def import_command(
    source: SourceArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A saved page (HTML or text), or a whole WARC.")],
    url: Annotated[
        str | None, typer.Option(help="Of a page: the address it was saved from. Of a WARC: take only that one.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Of a page: when it was saved, 2023-06-01 or 2023-06-01T00:00:00Z.")
    ] = None,
    data: DataOption = Path("data"),
) -> None:
    """Archive a saved page, or the pages of a WARC; rebuild or refresh then reads them.

    A WARC tells address and date of each page itself: --url takes only the pages of that address, --at is not needed.
    """
    from flows.captures import import_warc
    from flows.display import progress_on_terminal

    found, saved_at = find_source(source), None if at is None else _read_time(at)
    if is_warc_file(file):
        if at is not None:
            typer.echo(f"{file}: a WARC tells the date of each page itself: --at counts for nothing", err=True)
        with progress_on_terminal(found.name) as progress:
            outcome = import_warc(found, data, file, progress, url)
        _tell_aside(outcome)
    elif url is None or saved_at is None:
        raise UsageError(f"{file}: a saved page: say with --url where it was saved from, and with --at when")
    else:
        outcome = import_copy(found, data, file, url, saved_at)
    typer.echo(outcome.verdict)


@app.command("trace")
def trace_command(
    source: SourceArgument,
    what: Annotated[str, typer.Argument(metavar="ID|URL", help="A resource_id, a record_id or an address.")],
    data: DataOption = Path("data"),
) -> None:
    """Where a resource comes from: its row, its records, their bytes in the archive."""
    from receipts.trace import trace

    typer.echo(printable(trace(find_source(source), data, what)))


@app.command("judge")
def judge_command(
    source: SourceArgument,
    left: Annotated[str, typer.Argument(metavar="ID", help="A resource_id or a record_id.")],
    right: Annotated[str, typer.Argument(metavar="ID", help="The other.")],
    verdict: Annotated[
        JudgedAs, typer.Argument(metavar="VERDICT", help="same, different or unsure; withdrawn takes the word back.")
    ],
    why: Annotated[str, typer.Option(help="The reason, kept with your word.")],
    data: DataOption = Path("data"),
    author: AuthorOption = None,
) -> None:
    """Say of two resources or records whether they are one; it outranks the machine from then on."""
    from flows.judging import author_here, judge

    who = author_here() if author is None else author
    typer.echo(judge(find_source(source), data, (left, right), verdict, why, who).verdict)


@app.command("accept")
def accept_command(
    source: SourceArgument,
    why: Annotated[str, typer.Option(help="The reason, kept with your word.")],
    run: Annotated[int | None, typer.Option(help="The run you looked at; refused where a newer one is held.")] = None,
    data: DataOption = Path("data"),
    author: Annotated[
        str | None, typer.Option(envvar="MOISSON_AUTHOR", help="Who says so; user@host by default.")
    ] = None,
) -> None:
    """Publish the newest run that a gate held: what it shows is true."""
    from flows.accepting import accept
    from flows.judging import author_here

    who = author_here() if author is None else author
    typer.echo(accept(find_source(source), data, why, who, run).verdict)


@app.command("review")
def review_command(
    source: SourceArgument,
    data: DataOption = Path("data"),
    limit: Annotated[int, typer.Option(min=1, help="How many pairs to show.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Show every pair that waits.")] = False,
) -> None:
    """The pairs that a person's word would help most, side by side, the most valuable first."""
    from flows.judging import review
    from receipts.columns import COLOURED, PLAIN
    from receipts.review import Look

    elsewhere = () if data == Path("data") else ("--data", str(data))
    width = shutil.get_terminal_size(fallback=(100, 24)).columns
    look = Look(width, COLOURED if _is_coloured() else PLAIN, None if everything else limit, (source, *elsewhere))
    typer.echo(review(find_source(source), data, look))


@app.command("takedown")
def takedown_command(
    source: SourceArgument,
    url: Annotated[str, typer.Argument(metavar="URL", help="The address of the resource's own page.")],
    why: Annotated[str, typer.Option(help="The reason; the tombstone repeats it.")],
    data: DataOption = Path("data"),
    author: AuthorOption = None,
) -> None:
    """Take a resource out of the archive and of every release, and leave a tombstone."""
    from flows.judging import author_here
    from flows.takedown import takedown

    who = author_here() if author is None else author
    typer.echo(printable(takedown(find_source(source), data, url, why, who)))


@app.command("serve")
def serve_command(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Which; all ready ones by default.")
    ] = None,
    cron: Annotated[str, typer.Option(help="When, as cron writes it, Europe/Paris.")] = "0 2 * * *",
    data: DataOption = Path("data"),
) -> None:
    """Refresh on a schedule, on Prefect; runs until stopped."""
    from flows.engine import require_engine
    from flows.serve import serve

    chosen = [find_source(name) for name in sources] if sources else _ready_sources()
    require_engine()
    serve(chosen, cron, data)


@app.command("sources")
def sources_command() -> None:
    """The sources, checked."""
    faults = 0
    for name, path in sorted(source_files().items()):
        try:
            source = find_source(str(path))
        except SourceFileError as error:
            faults += 1
            typer.echo(f"moisson: {error}", err=True)
            continue
        typer.echo(f"{name:<12} {len(source.listings):>3} listings  {_kind(source):<40} {path}")
    if faults:
        raise UsageError(f"{faults} of {len(source_files())} source files cannot be used")


def _kind(source: Source) -> str:
    if source.replay_path is not None:
        found = source.replay_path.is_file()
        return f"replays {source.replay_path.name}" + ("" if found else " (MISSING)")
    return f"live, contact {source.contact}" if source.contact else "live, contact to be added"


def _ready_sources() -> list[Source]:
    """Sources that a schedule can refresh: live ones with a contact, and replays."""
    found = [find_source(str(path)) for path in source_files().values()]
    ready = [s for s in found if s.contact or (s.replay_path and s.replay_path.is_file())]
    if not ready:
        raise UsageError("no source can be refreshed: add a contact to one, or write one into ./sources")
    return ready


def _run_flow(name: str, *arguments: Any, tell: Progress = silent, **options: Any) -> Outcome:
    """Run a flow of flows.refresh by its name; Prefect is imported here, once a server that is named has answered."""
    from flows.engine import require_engine, run_flow

    require_engine()
    import flows.refresh

    flows.refresh.PROGRESS.set(tell)
    return run_flow(getattr(flows.refresh, name), *arguments, **options)


def _read_time(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except ValueError:
        raise UsageError(f"--at {text!r} is not a time; write 2023-06-01T00:00:00Z") from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    if when > datetime.now(UTC):
        raise UsageError(f"--at {text} is yet to come; give the moment the copy was made")
    return when.astimezone(UTC)


def _is_coloured() -> bool:
    """Whether standard output takes colours, and nobody asked for none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _tell_where(outcome: Outcome, data: Path, source: Source) -> None:
    if outcome.facts.get("state") in ("published", "unchanged"):
        table = data / "clean" / source.name / "latest" / "resources.parquet"
        typer.echo(f'open it: python -c "import pandas as pd; print(pd.read_parquet({str(table)!r}))"', err=True)


def _tell_aside(outcome: Outcome) -> None:
    """What of a WARC was not taken, and why."""
    if lines := outcome.facts["left_aside"]:
        typer.echo("not taken:\n" + "\n".join(printable(" ".join(line.split("\n"))) for line in lines), err=True)


def _guarded(call: Callable[[], Any]) -> int:
    """The exit code of a call, each of our errors as one line on standard error."""
    try:
        call()
    except MoissonError as error:
        line = " ".join(printable(str(error)).split())
        print(f"moisson: {error.verdict}: {line}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"moisson: failed: {printable(str(error))}; make room, or see who may write there", file=sys.stderr)
        return DiskTrouble.exit_code
    except KeyboardInterrupt:
        print("moisson: stopped", file=sys.stderr)
        return 130
    return 0


def main() -> None:
    """The entry point of the command line."""
    # Prefect's own server is stopped on the way out, which a plain SIGTERM would not take
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(_guarded(app))


if __name__ == "__main__":
    main()

"""What `recs export` does once its options are known."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shlex import quote
from typing import BinaryIO, Final

import click
from rich.filesize import decimal

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.aws.errors import ExitCode, NothingFoundError, explained
from recommendation_cli.export.paging import Keys, Plan, Progress, State, StateError, copy
from recommendation_cli.export.parquet import arrow, write_parquet
from recommendation_cli.export.resumable_file import GrowingFile, part_path, state_path
from recommendation_cli.options import STDOUT, Destination, ListOptions, ReadOptions
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.not_found import nothing_found
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES

PARQUET: Final = "parquet"
Report = Callable[[str, int, int | None], None]

_BUSY: Final = "Another process is writing {}: let it finish."


class CutShortError(click.ClickException):
    """The file could not be written to its end; what is there can be gone on with."""

    exit_code = ExitCode.INCOMPLETE


def begin(runtime: Runtime, keys: Keys, read: ReadOptions, listed: ListOptions, destination: Destination) -> None:
    """Export to a new file, or to standard output."""
    now = None if read.include_expired else runtime.now()
    form = destination.resolved_form()
    if form == PARQUET:
        arrow()  # rather now than when everything is read
    state = State(Plan(read.target(runtime), keys, listed.period(), listed.only(), form, now), Progress())
    if destination.path == STDOUT:
        _to_stdout(runtime, state)
        return
    path = Path(destination.path)
    try:
        file = GrowingFile.create(path, overwrite=destination.overwrite)
    except FileExistsError as error:
        raise click.UsageError(_there_already(path, str(error))) from None
    except BlockingIOError:
        raise click.UsageError(_BUSY.format(part_path(path))) from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from None
    _run(runtime, state, file, path)


def resume(runtime: Runtime, path: Path) -> None:
    """Go on with an export that was interrupted."""
    try:
        file, state = GrowingFile.resume(path)
    except FileNotFoundError:
        if path.exists() and state_path(path).exists():  # interrupted between its last two steps
            state_path(path).unlink()
            click.echo(f"{path} is complete.", err=True)
            return
        raise click.UsageError(f"There is no interrupted export to {path}.") from None
    except BlockingIOError:
        raise click.UsageError(_BUSY.format(part_path(path))) from None
    except StateError as error:
        raise click.UsageError(f"{error}: begin again with --overwrite.") from None
    _run(runtime, state, file, path)


def _there_already(path: Path, there: str) -> str:
    if there == str(path):
        return f"{there} exists: choose another name, or --overwrite."
    return f"An export to {path} was interrupted: go on with recs export resume {quote(str(path))}, or --overwrite."


def _to_stdout(runtime: Runtime, state: State) -> None:
    target = state.plan.target
    with explained(target):
        client = runtime.connect(target)
        for page, reached in copy(client, state):
            state = reached
            sys.stdout.buffer.write(page)
        sys.stdout.flush()
        if not state.progress.documents:
            raise _nothing(client, state)


def _run(runtime: Runtime, state: State, file: GrowingFile, path: Path) -> None:
    target = state.plan.target
    finished = False
    try:
        with explained(target), _display(runtime.environ) as report:
            client = runtime.connect(target)
            for page, reached in copy(client, state):
                file.append(page, reached)
                state = reached
                report(_counted(state), 0, None)
            if not state.progress.documents:
                raise _nothing(client, state)
            if state.plan.form == PARQUET:
                file.finish_as(partial(_to_parquet, report, state.progress.size))
            else:
                file.finish()
            finished = True
    except OSError as error:  # of this machine; what AWS and the network do is explained already
        raise CutShortError(f"{part_path(path)} cannot be written: {error.strerror}.") from None
    finally:
        if state.progress.documents == 0:
            file.discard()
        elif not finished:
            file.close()
            click.echo(f"{_counted(state)} so far. Go on with: recs export resume {quote(str(path))}", err=True)
    _say_done(state, path)


def _to_parquet(report: Report, total: int, grown: BinaryIO, stream: BinaryIO) -> None:
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        report("writing Parquet", done, total)

    write_parquet(grown, stream, advance)


def _say_done(state: State, path: Path) -> None:
    hidden = f", {state.progress.expired} expired left out" if state.progress.expired else ""
    check = "" if state.plan.form == "csv" else f" Check it: recs export verify {quote(str(path))}"
    count, size = state.progress.documents, path.stat().st_size
    click.echo(f"{_recommendations(count)}, {decimal(size)}{hidden}, in {path}.{check}", err=True)
    if len(state.plan.keys) > 1:
        types = ", ".join(visible(agent) for _, agent in state.plan.keys)
        click.echo(f"Read: {types}. Other types are read only when --agent names them.", err=True)


@contextmanager
def _display(environ: Mapping[str, str]) -> Iterator[Report]:
    """Yield what shows progress where somebody sees it: told how far of what end; None as a query knows no end."""
    if not sys.stderr.isatty():
        yield lambda _text, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(bar_width=20), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    console = Console(stderr=True, no_color=bool(environ.get("NO_COLOR")))
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("begins", total=None)
        yield lambda text, done, total: display.update(task, description=text, completed=done, total=total)


def _counted(state: State) -> str:
    return f"{_recommendations(state.progress.documents)}, {decimal(state.progress.size)}"


def _recommendations(count: int) -> str:
    return f"{count:,} {'recommendation' if count == 1 else 'recommendations'}"


def _nothing(client: DynamoDb, state: State) -> NothingFoundError:
    plan, progress = state.plan, state.progress
    if len(plan.keys) == 1:
        return nothing_found(client, plan.target, plan.search(0), progress.expired, Counter(progress.others))
    wanted = ", ".join(visible(value) for _, value in plan.keys)
    remedy = "check the period, --table and --region"
    if progress.others:
        remedy = f"{sum(progress.others.values())} have less than --min-confidence"
    elif progress.expired:
        remedy = f"{progress.expired} have expired: --include-expired"
    return NothingFoundError(f"Nothing to export of {wanted} in {plan.target}: {remedy}.")


def agent_keys(agents: tuple[str, ...]) -> Keys:
    """Return the searches that cover a period: there is no index of time alone, so one an agent type."""
    return tuple(("agentType", agent) for agent in dict.fromkeys(agents or KNOWN_AGENT_TYPES))

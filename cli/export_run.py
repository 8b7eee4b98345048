"""What `recs export` does once its options are known."""

import sys
from contextlib import nullcontext
from pathlib import Path
from shlex import quote
from typing import Any, Final

import click
from rich.filesize import decimal

from cli.errors import ExitCode, NothingFoundError, explained
from cli.export import Keys, Plan, Progress, State, StateError, copy
from cli.export_file import GrowingFile, part_path, state_path
from cli.options import STDOUT, Destination, ReadOptions
from cli.period import Period
from cli.runtime import Runtime
from cli.visible import visible
from shared.vocabulary import KNOWN_AGENT_TYPES

_BUSY: Final = "Another process is writing {}: let it finish."


class CutShortError(click.ClickException):
    """The file could not be written to its end; what is there can be gone on with."""

    exit_code = ExitCode.INCOMPLETE


def begin(runtime: Runtime, keys: Keys, read: ReadOptions, period: Period, destination: Destination) -> None:
    """Export to a new file, or to standard output."""
    now = None if read.include_expired else runtime.now()
    state = State(Plan(read.target(runtime), keys, period, destination.resolved_form(), now), Progress())
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
        for page, reached in copy(runtime.connect(target), state):
            state = reached
            sys.stdout.buffer.write(page)
    sys.stdout.flush()
    if not state.progress.documents:
        raise NothingFoundError(_nothing(state))


def _run(runtime: Runtime, state: State, file: GrowingFile, path: Path) -> None:
    target = state.plan.target
    finished = False
    try:
        with explained(target), _display() as display:
            for page, reached in copy(runtime.connect(target), state):
                file.append(page, reached)
                state = reached
                if display is not None:
                    display.update(display.task_ids[0], description=_counted(state))
        if state.progress.documents:
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
    if not state.progress.documents:
        raise NothingFoundError(_nothing(state))
    _say_done(state, path)


def _say_done(state: State, path: Path) -> None:
    hidden = f", {state.progress.expired} expired left out" if state.progress.expired else ""
    check = f" Check it: recs export verify {quote(str(path))}" if state.plan.form == "jsonl" else ""
    click.echo(f"{_counted(state)}{hidden}, in {path}.{check}", err=True)
    if len(state.plan.keys) > 1:
        types = ", ".join(visible(agent) for _, agent in state.plan.keys)
        click.echo(f"Read: {types}. If you have other types, name them with --agent.", err=True)


def _display() -> Any:
    """Return a progress display where somebody sees it; it has no end, since a query does not tell what is left."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console  # noqa: PLC0415 - only terminals pay for it
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - as above

    columns = (BarColumn(bar_width=20), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    display = Progress(*columns, console=Console(stderr=True), transient=True)
    display.add_task("begins", total=None)
    return display


def _counted(state: State) -> str:
    count = state.progress.documents
    noun = "recommendation" if count == 1 else "recommendations"
    return f"{count:,} {noun}, {decimal(state.progress.size)}"


def _nothing(state: State) -> str:
    wanted = ", ".join(value for _, value in state.plan.keys)
    expired = state.progress.expired
    remedy = (
        f"{expired} have expired: --include-expired" if expired else "check the ID, the period, --table and --region"
    )
    return f"Nothing to export of {wanted} in {state.plan.target}: {remedy}."


def agent_keys(agents: tuple[str, ...]) -> Keys:
    """Return the searches that cover a period: there is no index of time alone, so one an agent type."""
    return tuple(("agentType", agent) for agent in dict.fromkeys((*KNOWN_AGENT_TYPES, *agents)))

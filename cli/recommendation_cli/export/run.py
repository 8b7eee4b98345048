"""Start or resume an export for `recs export`, show its progress, and say how it ended."""

import sys
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path
from shlex import quote
from typing import BinaryIO, Final

import click
from rich.filesize import decimal

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.aws.errors import ExitCode, NothingFoundError, explained
from recommendation_cli.durable_file import replaceable
from recommendation_cli.export.copying import copy
from recommendation_cli.export.destination import Destination
from recommendation_cli.export.parquet import arrow, write_parquet
from recommendation_cli.export.resumable_file import ResumableFile, part_path, state_path
from recommendation_cli.export.state import ExportState, Keys, Plan, Progress, StateError
from recommendation_cli.options.eager import CSV_WITH_BOM
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import STDOUT, TableOptions
from recommendation_cli.reviews.beside import ReviewsBeside, print_note
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import Report, progress
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.not_found import nothing_found
from recommendation_shared.envelope.identity import EPOCH, sort_key
from recommendation_shared.wording import plural

_PARQUET: Final = "parquet"


class CutShortError(click.ClickException):
    """The file could not be completed; the export can be resumed."""

    exit_code = ExitCode.INCOMPLETE


def start(runtime: Runtime, keys: Keys, table: TableOptions, listed: ListOptions, destination: Destination) -> None:
    """Export to a new file, or to standard output."""
    now = None if table.include_expired else runtime.now()
    file_format = destination.resolved_format()
    if file_format == _PARQUET:
        arrow()  # fail now if it is not installed, not after everything has been read
    plan = Plan(
        *(table.target(runtime), keys, listed.period(), listed.matching(), file_format, now),
        reviews=table.reviews_target(runtime),
        reviewed_until=destination.dataset.reviews_until or sort_key(EPOCH + timedelta(seconds=runtime.now())),
        dataset=destination.dataset.chosen(file_format),
    )
    state = ExportState(plan, Progress())
    if destination.path == STDOUT:
        _write_to_stdout(runtime, state)
        return
    path = Path(destination.path)
    try:
        path = replaceable(path)
        file = ResumableFile.create(path, overwrite=destination.overwrite)
    except FileExistsError as error:
        raise click.UsageError(_already_exists(path, str(error))) from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from None
    _write(runtime, state, file, path)


def start_period(runtime: Runtime, table: TableOptions, listed: ListOptions, destination: Destination) -> None:
    """Export a period: no index is by time alone, so run one search for each agent type."""
    agents = listed.agents
    if not agents:
        target = table.target(runtime)
        with explained(target):
            agents = agent_types(runtime.connect(target), target.table)
    keys = tuple(("agentType", agent) for agent in dict.fromkeys(agents))
    start(runtime, keys, table, listed._replace(agents=()), destination)


def resume(runtime: Runtime, path: Path) -> None:
    """Continue an export that was interrupted."""
    try:
        path = replaceable(path)
        file, state = ResumableFile.resume(path)
    except FileNotFoundError:
        if path.exists() and state_path(path).exists():  # interrupted between its last two steps
            state_path(path).unlink()
            click.echo(f"{path} is complete.", err=True)
            return
        raise click.UsageError(f"There is no interrupted export to {path}.") from None
    except StateError as error:
        raise click.UsageError(f"{error}: start again with --overwrite.") from None
    except OSError as error:
        raise click.UsageError(f"{part_path(path)} cannot be written: {error.strerror}.") from None
    _write(runtime, state, file, path)


def _already_exists(path: Path, existing: str) -> str:
    if existing == str(path):
        return f"{existing} exists: choose another name, or pass --overwrite."
    return (
        f"An export to {path} was interrupted: resume it with recs export resume {quote(str(path))}, or pass"
        " --overwrite."
    )


def _write_to_stdout(runtime: Runtime, state: ExportState) -> None:
    target = state.plan.target
    with explained(target):
        client = runtime.connect(target)
        reviews = _reviews(client, state)
        for page, reached in copy(client, state, reviews):
            state = reached
            sys.stdout.buffer.write(page)
        sys.stdout.flush()
        if not state.progress.documents:
            raise _nothing_to_export(client, state, reviews)
        _print_notes(state, reviews)


def _write(runtime: Runtime, state: ExportState, file: ResumableFile, path: Path) -> None:
    target = state.plan.target
    finished = False
    try:
        with explained(target), progress(runtime.environ, runtime.monotonic) as report:
            client = runtime.connect(target)
            reviews = _reviews(client, state)
            for page, reached in copy(client, state, reviews):
                file.append(page, reached)
                state = reached
                report(_counted(state), 0, None)
            if not state.progress.documents:
                raise _nothing_to_export(client, state, reviews)
            if state.plan.file_format == _PARQUET:
                file.finish_as(partial(_convert_to_parquet, report, state.progress.size))
            else:
                file.finish()
            finished = True
    except OSError as error:  # a local one; those of AWS and the network are explained already
        raise CutShortError(f"{part_path(path)} cannot be written: {error.strerror}.") from None
    finally:
        if state.progress.documents == 0:
            file.discard()
        elif not finished:
            file.close()
            click.echo(f"{_counted(state)} so far. To resume: recs export resume {quote(str(path))}", err=True)
    _report_success(state, path)
    _print_notes(state, reviews)


def _reviews(client: DynamoDb, state: ExportState) -> ReviewsBeside:
    """Return the reviews beside the documents, as of the start of the export."""
    plan = state.plan
    return ReviewsBeside(client, plan.reviews, now=plan.now, until=plan.reviewed_until)


def _convert_to_parquet(report: Report, total: int, part: BinaryIO, stream: BinaryIO) -> None:
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        report("writing Parquet", done, total)

    write_parquet(part, stream, advance)


def _report_success(state: ExportState, path: Path) -> None:
    reached = state.progress
    omitted = f", {plural(reached.omitted, 'recommendation')} without a review left out" if reached.omitted else ""
    hidden = f", {reached.expired:,} expired left out" if reached.expired else ""
    is_exact = state.plan.dataset is None and state.plan.file_format not in {"csv", CSV_WITH_BOM}
    check = f" Check it: recs export verify {quote(str(path))}" if is_exact else ""
    count, size = plural(reached.documents, _noun(state)), decimal(path.stat().st_size)
    click.echo(f"{count}, {size}{omitted}{hidden}, in {path}.{check}", err=True)
    if len(state.plan.keys) > 1:
        types = ", ".join(visible(agent) for _, agent in state.plan.keys)
        click.echo(f"Agent types read: {types}. Others are read only when --agent names them.", err=True)


def _print_notes(state: ExportState, reviews: ReviewsBeside) -> None:
    print_note(reviews)
    misspelt = state.plan.dataset.not_found(state.progress.redacted) if state.plan.dataset else []
    for path in misspelt:
        click.echo(f"No example has a value at {visible(path)}: check the spelling of --redact.", err=True)


def _counted(state: ExportState) -> str:
    return f"{plural(state.progress.documents, _noun(state))}, {decimal(state.progress.size)}"


def _noun(state: ExportState) -> str:
    return "recommendation" if state.plan.dataset is None else "example"


def _nothing_to_export(client: DynamoDb, state: ExportState, reviews: ReviewsBeside) -> NothingFoundError:
    plan, reached = state.plan, state.progress
    if reached.omitted:
        return NothingFoundError(
            f"Nobody reviewed what was found ({plural(reached.omitted, 'recommendation')}): say with recs review"
            " whether it was right, or pass --with-unreviewed." + (f" {reviews.note}" if reviews.note else "")
        )
    if len(plan.keys) == 1:
        return nothing_found(client, plan.target, plan.search(0), reached.expired, Counter(reached.others))
    wanted = ", ".join(visible(value) for _, value in plan.keys)
    remedy = "check the period, --table and --region"
    if reached.others:
        below = sum(reached.others.values())
        remedy = f"{plural(below, 'other')} left out by {visible(str(plan.matching))}"
    elif reached.expired:
        expired = "1 has" if reached.expired == 1 else f"{reached.expired:,} have"
        remedy = f"{expired} expired; --include-expired exports expired items too"
    return NothingFoundError(f"Nothing to export for {wanted} in {plan.target}: {remedy}.")

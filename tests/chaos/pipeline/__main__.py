"""The command line of the chaos run: `python -m tests.chaos.pipeline --help`."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from examples.executor.run import yesterday
from infra.local import StackError
from infra.local.dynalite import DynaliteError
from tests.chaos.pipeline import report
from tests.chaos.pipeline.broken_consumers import BREAKS
from tests.chaos.pipeline.faults.rates import Rates
from tests.chaos.pipeline.plan import Plan, slowness
from tests.chaos.pipeline.run import Show, run
from tests.support.no_account import NO_ACCOUNT

FULL: Final = 50_000  # envelopes; in a run of at least this size every kind of fault must happen
EVIDENCE: Final = Path("build", "chaos")
EPILOG: Final = """\
Runs a producer process, a queue, consumer processes and a table. A proxy in front of the queue and the table injects
faults, and consumers are killed with SIGKILL. At the end the run looks for every envelope and prints the ledger. The
same seed gives the same envelopes and the same sequence of faults for each call; the order of calls differs.

exit codes: 0 the ledger holds; 1 it does not: the failing lines are named, and logs and offending IDs are kept under
build/chaos/; 2 a required engine is missing; 130 interrupted

examples:
  python -m tests.chaos.pipeline
  python -m tests.chaos.pipeline --envelopes 1500 --seed 7
  python -m tests.chaos.pipeline --envelopes 2000 --break loses
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the pipeline as the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    os.environ.update(NO_ACCOUNT)
    folder = EVIDENCE / f"seed-{options.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    plan = Plan.of(
        folder=str(folder.absolute()),
        day=yesterday().isoformat(),
        seed=options.seed,
        envelopes=options.envelopes,
        consumers=options.consumers,
        minutes=options.minutes,
        slowness=slowness(),
        broken=options.broken,
    )
    try:
        with _progress(plan.envelopes) as show:
            result = run(plan, Rates(), show)
    except (DynaliteError, StackError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; all started processes have been stopped\n")
        return 130
    except RuntimeError as error:
        sys.stderr.write(f"error: {error}; logs are in {folder}\n")
        return 1
    wrong = report.failures(result, every_fault=plan.envelopes >= FULL)
    sys.stdout.write(report.text(plan, result, wrong) + "\n")
    document = report.to_json(plan, result, wrong)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(document)
    if wrong:
        evidence = folder / "evidence.json"
        evidence.write_text(document)
        sys.stderr.write(f"All offenders are listed in {evidence}; the logs are in the same folder.\n")
        return 1
    shutil.rmtree(folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.pipeline",
        description="Run the whole pipeline under faults and account for every envelope.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--envelopes", type=_positive, default=FULL, metavar="N", help=f"default: {FULL:,}")
    parser.add_argument(
        "--seed", type=int, default=SystemRandom().randrange(10**6), metavar="N", help="default: random, and printed"
    )
    parser.add_argument("--consumers", type=_positive, default=3, metavar="N", help="processes (default: 3)")
    parser.add_argument(
        "--minutes", type=float, default=3.0, metavar="M", help="give up without progress for so long (default: 3)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the result to FILE")
    parser.add_argument(
        "--break", dest="broken", choices=sorted(BREAKS), default="", help="break the consumer to see the ledger fail"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


@contextmanager
def _progress(total: int) -> Iterator[Show]:
    """Show a progress bar on stderr, if it is a terminal."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, status: bar.update(task, completed=done, description=status)


if __name__ == "__main__":
    sys.exit(main())

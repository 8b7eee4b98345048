"""Run the executor over the recorded incidents: `python -m examples.executor.run --help`."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from examples.executor.evidence import size
from examples.executor.execution import RECOMMENDATIONS, Execution, executions
from examples.executor.graph import build_graph
from examples.executor.handler import WAYS, Producer
from examples.executor.incident import incident_ids, load
from recommendation_producer import RecommendationProducer
from recommendation_shared.settings import Settings, SettingsError

FLUSH_SECONDS = 30.0
EPILOG = """\
The agents replay recorded outputs; no model is called. RECOMMENDATIONS_QUEUE_URL names the queue; everything else
comes from AWS's own variables (AWS_REGION, AWS_ENDPOINT_URL, ...).

The incidents happened years ago, and recommendations expire 90 days after the agent completed, so the runs are moved
to --day, at the recorded time of day. The same day gives the same recommendation IDs.

examples:
  python -m examples.executor.run --list
  python -m examples.executor.run --dry-run --incident incident-roblox-2021-10-28
  python -m examples.executor.run --way per-node
"""


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """What one execution handed to the producer."""

    incident_id: str
    execution_id: str
    expected_recommendations: int


def run_one(
    producer: Producer,
    incident_id: str,
    *,
    replay: bool = False,
    way: str = "after",
    day: date | None = None,
) -> ExecutionResult:
    """Run one recorded incident, or its replay, and hand the outputs to the producer.

    `way` is "after" or "per-node". `day` (UTC, default yesterday) is the day of the run; a second call with the same
    day sends the same recommendations again. Raises KeyError or ValueError for an incident or a replay that was not
    recorded.
    """
    planned = [Execution(incident_id, replay=replay, day=day or yesterday())]
    return _run(producer, planned, way=way, on_execution=None)[0]


def run_all(
    producer: Producer,
    *,
    on_execution: Callable[[ExecutionResult], None] | None = None,
    way: str = "after",
    day: date | None = None,
) -> list[ExecutionResult]:
    """Run every recorded incident and replay, like `run_one`; `on_execution` is called after each."""
    return _run(producer, executions(day or yesterday()), way=way, on_execution=on_execution)


def yesterday() -> date:
    """Return the day before today (UTC): recent enough not to be expired, and never in the future."""
    return datetime.now(UTC).date() - timedelta(days=1)


def _run(
    producer: Producer,
    planned: Iterable[Execution],
    *,
    way: str,
    on_execution: Callable[[ExecutionResult], None] | None,
) -> list[ExecutionResult]:
    run = WAYS[way](producer)
    results = []
    for execution in planned:
        run(execution)
        result = ExecutionResult(execution.incident_id, execution.execution_id, RECOMMENDATIONS)
        results.append(result)
        if on_execution is not None:
            on_execution(result)
    return results


def print_incidents() -> None:
    """Print the recorded incidents."""
    for incident_id in incident_ids():
        incident = load(incident_id)
        replay = "  (and a replay)" if incident.replay else ""
        print(f"{incident_id:<36} {incident.title}{replay}")


def print_dry_run(planned: Iterable[Execution]) -> None:
    """Run the graph without a producer; print each agent's status, confidence and size in bytes of JSON."""
    graph = build_graph().compile()
    for execution in planned:
        state = graph.invoke(execution.initial_state())
        print(execution.execution_id)
        for agent_id, output in sorted(state["hypotheses"].items()):
            confidence = "-" if output.confidence is None else output.confidence
            print(f"  {agent_id:<22} {output.status:<8} {confidence!s:>5} {size(asdict(output)):>7,} B")
        consensus = state["consensus"]
        print(
            f"  {'consensus':<22} {consensus.agreement_level:<8} {consensus.aggregated_confidence!s:>5} "
            f"{size(asdict(consensus)):>7,} B",
        )


def send(planned: Sequence[Execution], way: str) -> int:
    """Run the executions and send the outputs to the environment's queue; return the exit code."""
    try:
        Settings.from_env(os.environ).require_queue_url()
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    producer = (
        RecommendationProducer.from_env()
    )  # without a queue it would only count what it drops, hence the check above
    _run(producer, planned, way=way, on_execution=lambda result: print(f"ran {result.execution_id}"))
    balance = producer.flush(timeout=FLUSH_SECONDS)
    producer.close()
    print(
        f"accepted {balance.accepted}, sent {balance.sent}, dropped {dict(balance.dropped)}, pending {balance.pending}"
    )
    return 0 if balance.sent == len(planned) * RECOMMENDATIONS else 1


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-01-31") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.executor.run",
        description="Run a LangGraph executor with six agents over recorded incidents.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--incident",
        action="append",
        metavar="ID",
        choices=incident_ids(),
        help="run only this incident and its replay; may be repeated (default: all)",
    )
    parser.add_argument("--list", action="store_true", help="list the recorded incidents and exit")
    parser.add_argument("--dry-run", action="store_true", help="send nothing (no queue needed); print agents and sizes")
    parser.add_argument(
        "--way",
        choices=sorted(WAYS),
        default="after",
        help="hand over after the graph has finished, or as each node finishes (default: after)",
    )
    parser.add_argument(
        "--day", type=_day, metavar="YYYY-MM-DD", help="the day of the runs, in UTC (default: yesterday)"
    )
    options = parser.parse_args(arguments)
    if options.list:
        print_incidents()
        return 0
    chosen = options.incident or incident_ids()
    planned = [run for run in executions(options.day or yesterday()) if run.incident_id in chosen]
    if options.dry_run:
        print_dry_run(planned)
        return 0
    return send(planned, options.way)


if __name__ == "__main__":
    raise SystemExit(main())

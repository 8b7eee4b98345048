"""Run the pipeline: start everything, wait until it is at rest, and collect where everything ended."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recommendation_shared import metrics
from tests.chaos.pipeline.engines.queues import dead_letters, left
from tests.chaos.pipeline.engines.start import TABLE, Engines, running_engines
from tests.chaos.pipeline.engines.table import fingerprints
from tests.chaos.pipeline.faults.proxy import FaultProxy
from tests.chaos.pipeline.faults.rates import Dice, Rates
from tests.chaos.pipeline.ledger import EndState, Ledger, account
from tests.chaos.pipeline.plan import Plan
from tests.chaos.pipeline.processes import Processes, environment
from tests.chaos.pipeline.producer_process import read_journal

_TICK: Final = 0.1  # seconds
_EMPTY_COUNTS: Final = 3  # in a row, before the queue is taken for empty; its counts are approximate

Show = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a run. `injected` counts faults by (kind, call), `ends` consumers that ended without a kill."""

    ledger: Ledger
    dropped: Mapping[str, int]
    sent: int
    injected: Mapping[tuple[str, str], int]
    killed: int
    ends: Mapping[str, int]
    seconds: float  # until the pipeline was at rest
    seconds_checking: float


def run(plan: Plan, rates: Rates, show: Show) -> Result:
    """Run the pipeline. Raises `DynaliteError` or `StackError`, and `RuntimeError` if the producer fails."""
    with running_engines(Path(plan.folder), plan.visibility) as engines:
        return asyncio.run(_run(plan, engines, FaultProxy(*_addresses(engines), Dice(plan.seed, rates)), show))


def _addresses(engines: Engines) -> tuple[str, str, str]:
    return engines.sqs_url, engines.dynamodb_url, engines.dlq_url


async def _run(plan: Plan, engines: Engines, proxy: FaultProxy, show: Show) -> Result:
    started = time.monotonic()
    async with proxy:
        processes = Processes(plan, environment(engines, proxy.url))
        try:
            await _until_at_rest(plan, engines, proxy, processes, show)
        finally:
            processes.end()
    at_rest = time.monotonic()
    show(plan.envelopes, "at rest; checking every item")
    submissions, balance = read_journal(Path(plan.folder, "journal.jsonl"))
    end = EndState(
        items=fingerprints(engines.dynamodb_url, TABLE),
        dead=list(dead_letters(engines.sqs, engines.dlq_url)),
        left=left(engines.sqs, engines.queue_url),
        refused=frozenset(proxy.refused),
        expired=_counted(Path(plan.folder), metrics.EXPIRED),
        **balance,
    )
    return Result(
        ledger=account(submissions, end),
        dropped=end.dropped,
        sent=end.sent,
        injected=proxy.injected,
        killed=processes.killed,
        ends=Counter(processes.ends),
        seconds=at_rest - started,
        seconds_checking=time.monotonic() - at_rest,
    )


async def _until_at_rest(plan: Plan, engines: Engines, proxy: FaultProxy, processes: Processes, show: Show) -> None:
    started = time.monotonic()
    empty = 0
    while (now := time.monotonic() - started) < plan.minutes * 60 and empty < _EMPTY_COUNTS:
        processes.tick(now, proxy.deleted)
        await asyncio.sleep(_TICK)
        queued = await asyncio.to_thread(left, engines.sqs, engines.queue_url)
        empty = empty + 1 if processes.has_sent and queued == 0 else 0
        show(min(proxy.deleted, plan.envelopes), f"{queued} queued, {sum(proxy.injected.values())} faults")


def _counted(folder: Path, metric: str) -> int:
    return int(sum(line[metric][0] for line in _metric_lines(folder) if metric in line))


def _metric_lines(folder: Path) -> Iterator[Mapping[str, Any]]:
    for log in folder.glob("consumer-*.log"):
        for line in log.read_text().splitlines():
            if '"_aws"' in line and line.endswith("}"):  # a kill may truncate the last line
                yield json.loads(line)

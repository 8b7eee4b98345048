"""Run the pipeline: start everything, wait until it is at rest, and collect where everything ended."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.chaos.pipeline.engines.queues import dead_letters, left
from tests.chaos.pipeline.engines.start import TABLE, Engines, running_engines
from tests.chaos.pipeline.engines.table import fingerprints
from tests.chaos.pipeline.faults.proxy import FaultProxy
from tests.chaos.pipeline.faults.rates import Dice, Rates
from tests.chaos.pipeline.hands import Hands
from tests.chaos.pipeline.keeper_poller import KeeperPoller
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
    touched: int  # items edited or deleted by hand
    ends: Mapping[str, int]
    seconds: float  # until the pipeline was at rest
    seconds_checking: float


def run(plan: Plan, rates: Rates, show: Show) -> Result:
    """Run the pipeline, however long it takes, as long as it makes progress.

    Raises `DynaliteError` or `StackError`, and `RuntimeError` if the producer fails or if nothing moves any more.
    """
    with running_engines(Path(plan.folder), plan.visibility) as engines:
        return asyncio.run(_run(plan, engines, FaultProxy(*_addresses(engines), Dice(plan.seed, rates), TABLE), show))


def _addresses(engines: Engines) -> tuple[str, str, str]:
    return engines.sqs_url, engines.dynamodb_url, engines.dlq_url


async def _run(plan: Plan, engines: Engines, proxy: FaultProxy, show: Show) -> Result:
    started = time.monotonic()
    async with proxy:
        env = environment(engines, proxy.url)
        processes = Processes(plan, env)
        keeper = KeeperPoller(proxy.stream, env, Path(plan.folder))
        proxy.kill = lambda caller: keeper.kill() if caller == "keeper" else processes.kill(caller)
        keeping = asyncio.create_task(keeper.run())
        try:
            await until_at_rest(plan, Pipeline(engines, proxy, processes, keeper), show)
        finally:
            processes.end()
            keeping.cancel()
            await asyncio.wait([keeping])
    at_rest = time.monotonic()
    show(plan.envelopes, "at rest; checking every item")
    submissions, balance = read_journal(Path(plan.folder, "journal.jsonl"))
    end = EndState(
        items=fingerprints(engines.dynamodb_url, TABLE),
        dead=list(dead_letters(engines.sqs, engines.dlq_url)),
        left=left(engines.sqs, engines.queue_url),
        refused=frozenset(proxy.refused),
        touched=frozenset(proxy.stream.touched),
        **balance,
    )
    return Result(
        ledger=account(submissions, end),
        dropped=end.dropped,
        sent=end.sent,
        injected=proxy.injected,
        killed=processes.killed,
        touched=len(proxy.stream.touched),
        ends=Counter(processes.ends),
        seconds=at_rest - started,
        seconds_checking=time.monotonic() - at_rest,
    )


class Pipeline(NamedTuple):
    """The parts that run."""

    engines: Engines
    proxy: FaultProxy
    processes: Processes
    keeper: KeeperPoller


async def until_at_rest(plan: Plan, pipeline: Pipeline, show: Show) -> None:
    """Wait until everything was sent, handled and kept. Raises `RuntimeError` if nothing moves for too long."""
    engines, proxy, processes, keeper = pipeline
    started = moved = time.monotonic()
    empty, queued, seen = 0, 0, (0, 0, 0)
    hands = Hands(proxy.stream, plan.messages_per_touch, plan.seed)
    while empty < _EMPTY_COUNTS:
        now = time.monotonic()
        progress = (proxy.deleted, queued, processes.journaled)
        if progress != seen:
            seen, moved = progress, now
        elif now - moved > plan.minutes * 60:
            raise RuntimeError(f"nothing moved for {plan.minutes:g} minutes; {_waits_for(processes, queued, keeper)}")
        processes.tick(now - started, proxy.deleted)
        await hands.tick(proxy.deleted)
        await asyncio.sleep(_TICK)
        queued = await asyncio.to_thread(left, engines.sqs, engines.queue_url)
        empty = empty + 1 if processes.has_sent and queued == 0 and keeper.is_idle else 0
        show(min(proxy.deleted, plan.envelopes), f"{queued} queued, {sum(proxy.injected.values())} faults")


def _waits_for(processes: Processes, queued: int, keeper: KeeperPoller) -> str:
    waits = {
        "the producer to finish": not processes.has_sent,
        f"{queued:,} messages in the queue": queued > 0,
        "the keeper": not keeper.is_idle,
    }
    return "the run waited for " + " and ".join(name for name, is_waited_for in waits.items() if is_waited_for)

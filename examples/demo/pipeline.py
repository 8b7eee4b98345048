"""The steps of the demo on a running stack, each of which prints what it does and what it finds."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from typing import Final

from examples.demo.executor import Executor, HandedOver, executor_with_layer
from examples.demo.ledger import Ledger
from examples.executor.execution import executions
from examples.executor.run import ExecutionResult, yesterday
from infra.local import LocalStack
from recommendation_cli.screen.progress import progress

SHOWN: Final = "incident-roblox-2021-10-28"

_STORE_TIMEOUT: Final = 120.0  # seconds for everything to be stored; it takes a few
_POLL: Final = 0.25  # seconds


@dataclass(frozen=True)
class Result:
    """What the demo found."""

    problems: list[str]
    closing: str
    example: str  # the ID of a stored recommendation


def say(line: str = "") -> None:
    """Print a line at once, even into a pipe."""
    print(line, flush=True)


def run(stack: LocalStack) -> Result:
    """Run every step and return the result. The process's AWS variables must be those of `stack.env`."""
    ledger = Ledger(stack)
    day = yesterday()  # read once: after midnight, the second run would otherwise get other IDs
    with executor_with_layer() as executor:
        first = _run_executor(executor, day)
        _wait_until_stored(ledger, first.accepted)
        problems = _account(ledger, first)
        problems += _run_again(ledger, executor, first, day)
    say(f"\n6. What an operator sees: recs incident {SHOWN}\n")
    problems += _recs(stack, "incident", SHOWN)
    consensus = max((each for each in ledger.stored if f"{SHOWN}-consensus-" in each), default="")
    problems += _review(stack, consensus)
    problems += _hold(stack)
    accepted, stored = len(first.accepted), len(ledger.stored)
    return Result(problems, f"{accepted} enqueued, {stored} stored, {max(accepted - stored, 0)} lost", consensus)


def _run_executor(executor: Executor, day: date) -> HandedOver:
    total = len(executions(day))
    say(f"\n2. Running the LangGraph executor over {total} recorded executions (the agents replay their outputs)")
    with progress(os.environ, time.monotonic) as report:
        done: list[str] = []

        def after_each(result: ExecutionResult) -> None:
            done.append(result.execution_id)
            report(f"{len(done)} of {total} executions · {result.incident_id}", len(done), total)

        handed_over = executor.run(day, on_execution=after_each)
    packages = " and ".join(f"{name} {version}" for name, version in handed_over.packages.items())
    say(f"   with {packages} of its own; the producer comes from the layer ({executor.layer_bytes / 1024:.0f} KiB)")
    say(f"   {len(handed_over.results)} executions, {len(handed_over.accepted)} recommendations handed over")
    return handed_over


def _wait_until_stored(ledger: Ledger, expected: set[str]) -> None:
    say("\n3. Waiting until the consumer Lambda has stored everything")
    started = time.monotonic()
    with progress(os.environ, time.monotonic) as report:
        while True:
            stored = ledger.read(expected)
            report(f"{stored} of {len(expected)} stored · {ledger.queued()} in the queue", stored, len(expected))
            if stored >= len(expected) or time.monotonic() - started > _STORE_TIMEOUT:
                break
            time.sleep(_POLL)
    say(f"   {stored} of {len(expected)} stored after {time.monotonic() - started:.1f} s")


def _account(ledger: Ledger, handed_over: HandedOver) -> list[str]:
    """Print the balance and return whatever does not add up."""
    balance, accepted = handed_over.balance, handed_over.accepted
    missing = sorted(accepted - ledger.stored.keys())
    dead = ledger.dead_lettered()
    rows = {
        "accepted by the producer": balance.accepted,
        "sent to the queue": balance.sent,
        "dropped": sum(balance.dropped.values()),
        "pending": balance.pending,
        "distinct recommendations": len(accepted),
        "stored, digest verified": len(ledger.stored),
        "dead-lettered": dead,
        "lost": max(len(missing) - dead, 0),
    }
    say("\n4. The balance")
    for name, count in rows.items():
        say(f"   {name:<26}{count:>6}")
    problems = [f"not stored: {recommendation_id}" for recommendation_id in missing]
    expected = sum(result.expected_recommendations for result in handed_over.results)
    if len(accepted) != expected:
        problems.append(f"{len(accepted)} distinct recommendations; the executions produced {expected}")
    if handed_over.refused:
        problems.append(f"refused by the producer: {', '.join(handed_over.refused)}")
    if balance.sent != balance.accepted:
        problems.append(f"not sent: {dict(balance.dropped)} dropped, {balance.pending} pending")
    if dead:
        problems.append(f"{dead} messages in the dead-letter queue")
    return problems


def _run_again(ledger: Ledger, executor: Executor, first: HandedOver, day: date) -> list[str]:
    """Run one execution a second time, handing over node by node; return whatever it added or changed."""
    say(f"\n5. Running {SHOWN} a second time, sending each agent's output as soon as its node finishes")
    again = executor.run(day, SHOWN)
    deadline = time.monotonic() + _STORE_TIMEOUT
    while ledger.queued() and time.monotonic() < deadline:
        time.sleep(_POLL)
    new_ids = again.accepted - first.accepted
    execution_ids = {result.execution_id for result in [*first.results, *again.results]}
    new_items = ledger.ids_of(execution_ids) - ledger.stored.keys()
    changed = ledger.changed()
    say(f"   {len(new_ids)} new IDs, {len(new_items)} new items in the table, {len(changed)} items changed")
    problems = [f"changed by the second run: {recommendation_id}" for recommendation_id in changed]
    problems += [f"added by the second run: {recommendation_id}" for recommendation_id in sorted(new_ids | new_items)]
    if ledger.queued():
        problems.append(f"the second run's messages are still queued after {_STORE_TIMEOUT:.0f} s")
    return problems


def _review(stack: LocalStack, consensus: str) -> list[str]:
    """Say what the advice was worth, as people do after an incident."""
    say("\n7. After the incident, people say whether the advice was right: recs review\n")
    problems = _recs(stack, "review", consensus, "--verdict", "partly", "--note", "Less load helped; it was no fix.")
    say()
    cause, fix = "Consul's new streaming feature, under heavy load", "Switching streaming off"
    problems += _recs(stack, "review", "--incident", SHOWN, "--root-cause", cause, "--resolved-by", fix)
    say()
    return problems + _recs(stack, "reviews", SHOWN)


def _hold(stack: LocalStack) -> list[str]:
    """Keep the incident beyond its retention; nothing is on its way to the table, so there is nothing to wait for."""
    say("\n8. The incident must stay, however long its review takes: recs hold\n")
    problems = _recs(stack, "hold", SHOWN, "--reason", "Post-incident review 2021-17", "--no-wait")
    say()
    return problems + _recs(stack, "holds")


def _recs(stack: LocalStack, *args: str) -> list[str]:
    """Run `recs`; return the problem if it failed."""
    command = [sys.executable, "-m", "recommendation_cli", *args]
    done = subprocess.run(command, env=stack.environment(os.environ), check=False)  # noqa: S603 - our own CLI
    return [f"recs {args[0]} ended with exit code {done.returncode}"] if done.returncode else []

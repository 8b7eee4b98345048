"""A run's result as text for a terminal and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.chaos.pipeline.faults.rates import KILL, KINDS
from tests.chaos.pipeline.ledger import CHECKS
from tests.chaos.pipeline.plan import Plan
from tests.chaos.pipeline.run import Result

NEVER_INJECTED = "faults that never happened"
_SHOWN = 5  # offenders per line; evidence.json has them all


def failures(result: Result, *, every_fault: bool) -> dict[str, list[str]]:
    """Return the failed checks with their offenders; with `every_fault`, each kind of fault must have happened."""
    wrong = {check: result.ledger.wrong[check] for check in CHECKS if result.ledger.wrong[check]}
    injected = {kind for kind, _ in result.injected} | ({KILL} if result.killed else set())
    if every_fault and (missing := sorted({*KINDS, KILL} - injected)):
        wrong[NEVER_INJECTED] = missing
    return wrong


def text(plan: Plan, result: Result, wrong: Mapping[str, Sequence[str]]) -> str:
    """Return the ledger for a terminal."""
    return "\n".join(_lines(plan, result, wrong))


def _lines(plan: Plan, result: Result, wrong: Mapping[str, Sequence[str]]) -> Iterator[str]:
    ledger = result.ledger
    took = f"{result.seconds:.0f} s to run, {result.seconds_checking:.0f} s to check"
    yield f"seed {plan.seed}, {plan.envelopes:,} envelopes, {plan.consumers} consumers; {took}\n"
    yield "Where each submission ended"
    for place, count in sorted(ledger.ended.items()):
        yield _row(place, count)
    yield _row("= submitted", ledger.submissions)
    yield "\nThe producer's own counts (an envelope enqueued twice counts twice)"
    yield _row("sent", result.sent)
    for reason, count in sorted(result.dropped.items()):
        yield _row(f"dropped: {reason}", count)
    yield _row("= accepted", result.sent + sum(result.dropped.values()))
    yield "\nAllowed"
    yield _row("dropped by the producer, but stored after an earlier attempt", ledger.arrived_though_dropped)
    yield _row("repeated dead letters for the same message", ledger.dead_twice)
    for end, count in sorted(result.ends.items()):
        yield _row(f"consumers {end}", count)
    yield _row("items edited or deleted by hand", result.touched)
    yield "\nMust be zero"
    for check in CHECKS:
        yield _row(check, len(ledger.wrong[check]))
    yield "\nInjected faults"
    for (kind, call), count in sorted(result.injected.items()):
        yield _row(f"{kind}, {call}", count)
    yield _row(KILL, result.killed)
    for check, offenders in wrong.items():
        more = f" and {len(offenders) - _SHOWN} more" if len(offenders) > _SHOWN else ""
        yield f"\nFAILED: {check}: {', '.join(offenders[:_SHOWN])}{more}"
    if not wrong:
        yield "\nNothing lost, nothing altered, nothing unexplained."


def _row(name: str, count: int) -> str:
    return f"  {name:<64}{count:>8,}"


def document(plan: Plan, result: Result, wrong: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the result as plain values, for `--json` and evidence.json."""
    return {
        "plan": asdict(plan),
        "ended": dict(result.ledger.ended),
        "submissions": result.ledger.submissions,
        "sent": result.sent,
        "dropped": dict(result.dropped),
        "arrivedThoughDropped": result.ledger.arrived_though_dropped,
        "deadTwice": result.ledger.dead_twice,
        "ends": dict(result.ends),
        "faults": {f"{kind}, {call}": count for (kind, call), count in sorted(result.injected.items())},
        "killed": result.killed,
        "touched": result.touched,
        "seconds": round(result.seconds, 1),
        "failures": {check: list(offenders) for check, offenders in wrong.items()},
    }


def to_json(plan: Plan, result: Result, wrong: Mapping[str, Sequence[str]]) -> str:
    """Return the document as JSON text."""
    return json.dumps(document(plan, result, wrong), indent=2) + "\n"

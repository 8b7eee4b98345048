"""`make demo`: run the whole pipeline and account for every recommendation. See README.md."""

import os
import subprocess
import sys
import time
from datetime import date

from examples.demo.ledger import CountingProducer, Ledger
from examples.demo.progress import progress, say
from examples.executor.execution import executions
from examples.executor.run import ExecutionResult, run_all, run_one, yesterday
from infra.local import LocalStack, StackError, local_stack
from recommendation_producer import Balance, RecommendationProducer

LEAST = 84  # twelve incidents, six agents and a consensus each
WAIT = 120.0  # seconds for everything to be stored; it takes a few
POLL = 0.25  # seconds
SHOWN = "incident-roblox-2021-10-28"


def main() -> int:
    """Run the demo; 0 when nothing was lost."""
    keep = os.environ.get("KEEP", "0") not in {"", "0"}
    started = time.monotonic()
    say("1. Starting the local stack: production's template and zip, on 127.0.0.1")
    try:
        with local_stack(keep=keep) as stack:
            say(
                f"   up after {time.monotonic() - started:.1f} s at {stack.endpoint_url}; a canary message went through"
            )
            problems, closing = pipeline(stack)
            if keep:
                _say_what_to_try(stack)
    except StackError as error:
        _fail([str(error)])
        return 1
    except KeyboardInterrupt:
        say("interrupted; the local stack is stopped")
        return 130
    if problems:
        _fail(problems)
        return 1
    say(f"\n{closing}")
    return 0


def pipeline(stack: LocalStack) -> tuple[list[str], str]:
    """Run every step; return what is wrong, and the closing line."""
    os.environ.update(stack.env)
    real = RecommendationProducer(stack.queue_url, region_name=stack.region, endpoint_url=stack.endpoint_url)
    producer = CountingProducer(real)
    ledger = Ledger(stack)
    day = yesterday()  # read once: a run across midnight would get other IDs the second time
    before = ledger.items_in_table()
    try:
        balance = _run_executor(producer, real, day)
        _wait_until_stored(ledger, producer.accepted)
        problems = _account(ledger, producer, balance)
        problems += _run_again(ledger, producer, real, day, before)
    finally:
        real.close()
    problems += _show(stack)
    lost = len(producer.accepted) - len(ledger.stored)
    return problems, f"{len(producer.accepted)} enqueued, {len(ledger.stored)} stored, {max(lost, 0)} lost"


def _run_executor(producer: CountingProducer, real: RecommendationProducer, day: date) -> Balance:
    planned = executions(day)
    say(f"\n2. Running the LangGraph executor over {len(planned)} recorded executions (agents replay what they said)")
    with progress("executions", len(planned)) as show:
        done = 0

        def after_each(result: ExecutionResult) -> None:
            nonlocal done
            done += 1
            show(done, result.incident_id)

        run_all(producer, on_execution=after_each, day=day)
    return real.flush(timeout=30.0)


def _wait_until_stored(ledger: Ledger, expected: set[str]) -> None:
    say("\n3. Waiting until the consumer Lambda has stored everything")
    deadline = time.monotonic() + WAIT
    with progress("stored", len(expected)) as show:
        while True:
            stored = ledger.look_for(expected)
            show(stored, f"{ledger.queued()} in the queue")
            if stored >= len(expected) or time.monotonic() > deadline:
                return
            time.sleep(POLL)


def _account(ledger: Ledger, producer: CountingProducer, balance: Balance) -> list[str]:
    """Print the balance; return what does not add up."""
    missing = sorted(producer.accepted - ledger.stored.keys())
    dead = ledger.dead_lettered()
    rows = {
        "accepted by the producer": balance.accepted,
        "sent to the queue": balance.sent,
        "dropped": sum(balance.dropped.values()),
        "pending": balance.pending,
        "distinct recommendations": len(producer.accepted),
        "stored, digest verified": len(ledger.stored),
        "dead-lettered": dead,
        "lost": max(len(missing) - dead, 0),
    }
    say("\n4. The balance")
    for name, count in rows.items():
        say(f"   {name:<26}{count:>6}")
    problems = [f"not stored: {one}" for one in missing]
    if len(producer.accepted) < LEAST:
        problems.append(f"only {len(producer.accepted)} distinct recommendations; at least {LEAST} were expected")
    if producer.refused:
        problems.append(f"refused by the producer: {', '.join(producer.refused)}")
    if balance.sent != balance.accepted:
        problems.append(f"not sent: {dict(balance.dropped)} dropped, {balance.pending} pending")
    if dead:
        problems.append(f"{dead} messages in the dead-letter queue")
    return problems


def _run_again(
    ledger: Ledger, producer: CountingProducer, real: RecommendationProducer, day: date, before: int
) -> list[str]:
    """Run one execution a second time, handing over node by node; return what doubled or changed."""
    say(f"\n5. Running {SHOWN} a second time, each agent's output sent as its node finishes")
    distinct = len(producer.accepted)
    run_one(producer, SHOWN, way="per-node", day=day)
    real.flush(timeout=30.0)
    deadline = time.monotonic() + WAIT
    while ledger.queued() and time.monotonic() < deadline:
        time.sleep(POLL)
    added = ledger.items_in_table() - before - len(ledger.stored)
    changed = ledger.changed()
    say(
        f"   {len(producer.accepted) - distinct} new IDs, {added} items more in the table, {len(changed)} items changed"
    )
    problems = [f"changed by the second run: {one}" for one in changed]
    if ledger.queued():
        problems.append(f"the second run's messages are still queued after {WAIT:.0f} s")
    if added or len(producer.accepted) != distinct:
        problems.append("the second run made new items, where it should have written the same ones again")
    return problems


def _show(stack: LocalStack) -> list[str]:
    say(f"\n6. What an operator sees: recs incident {SHOWN}\n")
    command = [sys.executable, "-m", "recommendation_cli", "incident", SHOWN]
    shown = subprocess.run(command, env={**os.environ, **stack.env}, check=False)  # noqa: S603 - our own CLI
    return [f"recs ended with exit code {shown.returncode}"] if shown.returncode else []


def _say_what_to_try(stack: LocalStack) -> None:
    say("\nThe stack stays up. To try, in this folder:\n")
    for name, value in stack.env.items():
        say(f"  export {name}={value}")
    say("  export PATH=$PWD/.venv-stack/bin:$PATH  # an aws, if you have none")
    endpoint = f"--endpoint-url {stack.endpoint_url}"
    recs = f"{os.path.dirname(os.path.relpath(sys.executable))}/recs"  # noqa: PTH120 - as a person types it
    say(f"""
  {recs} incident {SHOWN}
  {recs} agent consensus --limit 5
  {recs} show $({recs} agent consensus --limit 1 -o json | jq -r '.[0].recommendationId')
  scripts/view-recommendations.sh {SHOWN} {endpoint}
  aws dynamodb query {endpoint} --table-name {stack.table_name} \\
    --index-name incidentId-timestamp-index --key-condition-expression 'incidentId = :i' \\
    --expression-attribute-values '{{":i": {{"S": "{SHOWN}"}}}}' --no-scan-index-forward --max-items 2
  make down  # stops it
""")


def _fail(problems: list[str]) -> None:
    print("\nThe demo failed:", *problems, sep="\n  ", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

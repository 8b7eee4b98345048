"""A small chaos run: real processes, every kind of fault, and a ledger that holds; and the command's exit codes."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from examples.executor.run import yesterday
from infra.local.dynalite import DynaliteError
from tests.chaos.pipeline import __main__ as command
from tests.chaos.pipeline import report
from tests.chaos.pipeline import run as pipeline_run
from tests.chaos.pipeline.faults.rates import KILL, KINDS, Rates
from tests.chaos.pipeline.ledger import LOST, Ledger
from tests.chaos.pipeline.plan import Plan, slowness
from tests.chaos.pipeline.run import Result, run
from tests.chaos.pipeline.traffic import PLAIN, SHARES, Traffic

SEED = 17214
# A short run has few calls, so more of them must fail; with this seed each kind of fault occurs early.
RATES = Rates(
    reset_before=0.03,
    reset_after=0.03,
    response_lost=0.015,
    error_500=0.02,
    unprocessed=0.2,
    entries_failed=0.06,
    entry_refused=0.04,
    delivered_twice=0.1,
    redelivered=0.1,
    dlq_failing=0.3,
    truncated=0.05,
    killed_sending=0.1,
)


@pytest.mark.timeout(300)  # it takes 30 s, and five times as long on a busy machine
@pytest.mark.usefixtures("dynalite")  # skipped where the engine is missing, but failed in CI
def test_under_every_fault_each_envelope_is_stored_dead_lettered_or_counted(tmp_path: Path) -> None:
    """Accepted = stored + dead-lettered + dropped + replaced and kept, and every stored item is what was sent."""
    plan = Plan.of(
        folder=str(tmp_path),
        day=yesterday().isoformat(),
        seed=SEED,
        envelopes=600,
        consumers=3,
        minutes=2.0,
        slowness=slowness(),
    )
    result = run(plan, RATES, lambda _done, _status: None)
    wrong = report.failures(result, every_fault=True)
    assert wrong == {}, report.text(plan, result, wrong)
    assert sum(result.ledger.ended.values()) == result.ledger.submissions >= plan.envelopes
    assert {end.partition(":")[0] for end in result.ledger.ended} >= {
        "stored",
        "dead-lettered",
        "dropped",
        "replaced, kept",
    }


def result_of(ledger: Ledger) -> Result:
    """Return a run's result with this ledger and one fault of each kind."""
    injected = Counter({(kind, "call"): 1 for kind in KINDS})
    return Result(ledger, {}, 0, injected, killed=1, touched=0, ends={}, seconds=1.0, seconds_checking=1.0)


async def test_a_run_in_which_nothing_moves_says_what_it_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow run goes on for as long as anything moves; one that stands still does not wait forever."""
    plan = Plan.of(folder=str(tmp_path), day="2026-01-31", seed=1, envelopes=10, consumers=1, minutes=0.005)
    monkeypatch.setattr(pipeline_run, "left", lambda _sqs, _url: 7)
    idle = SimpleNamespace(deleted=0, stream=SimpleNamespace(written=[]), injected={})
    processes = SimpleNamespace(journaled=0, has_sent=False, tick=lambda _now, _done: None)
    keeper = SimpleNamespace(is_idle=True)
    parts: list[Any] = [SimpleNamespace(sqs=None, queue_url=""), idle, processes, keeper]
    expected = "nothing moved for 0.005 minutes; the run waited for the producer to finish and 7 messages in the queue"
    with pytest.raises(RuntimeError, match=f"^{expected}$"):
        await pipeline_run.until_at_rest(plan, pipeline_run.Pipeline(*parts), lambda _done, _status: None)


def test_timeouts_grow_on_a_busy_machine() -> None:
    """Otherwise messages would be dead-lettered because the machine is slow."""
    given: Any = {"folder": "", "day": "", "seed": 1, "envelopes": 600, "consumers": 1, "minutes": 1.0}
    assert (Plan.of(**given).visibility, Plan.of(**given).function_timeout) == (4, 2.5)
    busy = Plan.of(**given, slowness=3.3)
    assert (busy.visibility, busy.function_timeout) == (14, 8.25)
    assert Plan.of(**given, slowness=50.0).visibility == 20
    assert slowness() > 0.9


def test_a_full_run_fails_if_a_kind_of_fault_never_happened() -> None:
    """A fault that never happens proves nothing; in a small run it may be chance."""
    idle = replace(result_of(Ledger(0)), injected={}, killed=0)
    assert report.failures(idle, every_fault=True) == {report.NEVER_INJECTED: sorted({*KINDS, KILL})}
    assert report.failures(idle, every_fault=False) == {}
    assert report.failures(result_of(Ledger(0)), every_fault=True) == {}


def test_a_failed_check_is_named_and_the_evidence_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1; the offending IDs and the seed are under build/chaos."""
    broken = Ledger(2)
    broken.wrong[LOST] += [f"{number} plain" for number in range(7)]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "run", lambda _plan, _rates, _show: result_of(broken))
    assert command.main(["--envelopes", "2", "--seed", "5", "--json", "out/run.json"]) == 1
    printed = capsys.readouterr()
    assert "FAILED: lost: 0 plain, 1 plain, 2 plain, 3 plain, 4 plain and 2 more" in printed.out
    assert "build/chaos/seed-5/evidence.json" in printed.err
    evidence = json.loads(Path("build/chaos/seed-5/evidence.json").read_text())
    assert evidence["plan"]["seed"] == 5
    assert len(evidence["failures"][LOST]) == 7
    assert json.loads(Path("out/run.json").read_text()) == evidence


def test_a_ledger_that_holds_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 0."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "run", lambda _plan, _rates, _show: result_of(Ledger(2)))
    assert command.main(["--envelopes", "2", "--seed", "5"]) == 0
    assert "Nothing lost" in capsys.readouterr().out
    assert list(Path("build/chaos").iterdir()) == []


def test_a_missing_engine_is_reported_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and the message says what to do."""

    def missing_engine(*_: object) -> Result:
        raise DynaliteError("Run `make setup`.")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "run", missing_engine)
    assert command.main(["--envelopes", "2", "--seed", "5"]) == 2
    assert capsys.readouterr().err == "error: Run `make setup`.\n"


def test_the_same_seed_sends_the_same_envelopes_of_every_kind() -> None:
    """The shares are about those of `SHARES`."""
    traffic, same, other = Traffic(7, yesterday()), Traffic(7, yesterday()), Traffic(8, yesterday())
    kinds = Counter(traffic.kind(number) for number in range(20_000))
    assert kinds == Counter(same.kind(number) for number in range(20_000))
    assert [traffic.kind(number) for number in range(1_000)] != [other.kind(number) for number in range(1_000)]
    for kind, share in SHARES.items():
        assert kinds[kind] == pytest.approx(share * 20_000, rel=0.5)
    number = next(number for number in range(1_000) if traffic.kind(number) == PLAIN)
    assert list(traffic.enqueued(number)) == list(same.enqueued(number))

"""The whole pipeline as `make demo` runs it, with a function that starts more slowly than messages reappear."""

import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from examples.demo.pipeline import Result, run
from examples.executor.execution import RECOMMENDATIONS, executions
from infra.build.zips import Built, build_for_this_python
from infra.local import LocalStack, canary, local_stack
from infra.local import stack as stack_module
from infra.local.stack import PARAMETERS
from infra.paths import ROOT

pytestmark = pytest.mark.stack

COLD_START: Final = int(PARAMETERS["VisibilityTimeout"]) + 1  # seconds
SLOW_HANDLER: Final = f"""
import time
from recommendation_consumer.real_handler import handler as real_handler

started = False

def handler(event, context):
    global started
    if not started:
        started = True
        time.sleep({COLD_START})
    return real_handler(event, context)
"""


def slow_zip(folder: Path) -> Built:
    """Return the function's zip with a handler whose first invocation in each process takes `COLD_START` longer."""
    built = build_for_this_python()
    slow = folder / "slow.zip"
    handler = "recommendation_consumer/handler.py"
    with zipfile.ZipFile(built.path) as source, zipfile.ZipFile(slow, "w") as target:
        for name in source.namelist():
            if name == handler:
                target.writestr("recommendation_consumer/real_handler.py", source.read(name))
                target.writestr(handler, SLOW_HANDLER)
            elif not name.startswith("recommendation_consumer/__pycache__/handler."):
                target.writestr(name, source.read(name))
    return replace(built, path=str(slow), digest="slow")


@pytest.fixture(scope="module")
def slow_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose function processes are slow to start, as on a cold and busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        built = slow_zip(tmp_path_factory.mktemp("slow"))
        patch.setattr(stack_module, "build_for_this_python", lambda: built)
        with local_stack(port=0) as running:
            yield running


@contextmanager
def standard_output_into(path: Path) -> Iterator[None]:
    """Send this process's output, and its subprocesses', to a file."""
    with path.open("w", encoding="utf-8") as output, redirect_stdout(output):
        saved = os.dup(1)
        os.dup2(output.fileno(), 1)
        try:
            yield
        finally:
            output.flush()
            os.dup2(saved, 1)
            os.close(saved)


@pytest.fixture(scope="module")
def demo(slow_stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, str]:
    """The demo's result, and everything that it printed."""
    printed = tmp_path_factory.mktemp("demo") / "printed"
    with pytest.MonkeyPatch.context() as patch, standard_output_into(printed):
        for name, value in {**slow_stack.env, "COLUMNS": "120"}.items():
            patch.setenv(name, value)
        result = run(slow_stack)
    return result, printed.read_text(encoding="utf-8")


def test_slow_start_loses_nothing_and_adds_nothing(demo: tuple[Result, str]) -> None:
    """Messages come back while the function starts, and a second run of one execution changes nothing."""
    result, printed = demo
    total = len(executions()) * RECOMMENDATIONS
    assert result.problems == []
    assert result.closing == f"{total} enqueued, {total} stored, 0 lost"
    assert "0 new IDs, 0 new items in the table, 0 items changed" in printed


@pytest.mark.usefixtures("demo")
def test_canary_does_not_come_back(slow_stack: LocalStack) -> None:
    """No invocation still had its message when it was deleted."""
    canaries = slow_stack.client("dynamodb").query(
        TableName=slow_stack.table_name,
        IndexName="incidentId-timestamp-index",
        KeyConditionExpression="incidentId = :incident",
        ExpressionAttributeValues={":incident": {"S": canary.INCIDENT_ID}},
    )
    assert canaries["Items"] == []


def test_visibility_timeout_is_the_parameters_again_after_the_canary(slow_stack: LocalStack) -> None:
    """Retries take as long as the stack's parameters say."""
    attributes = slow_stack.client("sqs").get_queue_attributes(
        QueueUrl=slow_stack.queue_url, AttributeNames=["VisibilityTimeout"]
    )["Attributes"]
    assert attributes["VisibilityTimeout"] == PARAMETERS["VisibilityTimeout"]


def test_readme_shows_what_the_demo_prints(demo: tuple[Result, str]) -> None:
    """`...` alone on a line stands for omitted lines; only the day of the run may differ."""
    result, printed = demo
    (sample,) = re.findall(r"```\w*\n(4\. The balance\n.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    rest = without_days(f"{printed}{result.closing}\n")
    for part in without_days(sample).split("...\n"):
        before, match, rest = rest.partition(part)
        assert match, f"README.md shows what the demo does not print:\n{part}\nThe demo printed:\n{before}"


def without_days(text: str) -> str:
    """Return a text with every day replaced, as in 2026-11-21 and 20261121T."""
    return re.sub(r"\d{4}-\d\d-\d\d(?= UTC)|\d{8}(?=T\d{6}Z)", "DAY", text)

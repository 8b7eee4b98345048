"""The runbook: every command in it runs and prints what the page shows, in the situation that the page is about."""

import ast
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import botocore.session
import pytest

from examples.alarms import __main__ as demonstration
from examples.alarms.definition import read_alarms
from examples.alarms.refusing_table import ENDPOINT, publish_consumer, refusing_table
from infra.local import background, local_stack, shell
from infra.local.background import BackgroundStack
from infra.local.deployment import load_template
from infra.local.emulator import stack_python
from infra.paths import ROOT, TEMPLATE
from recommendation_consumer.metrics import DROP_EXPIRED
from recommendation_producer import _balance as balance
from recommendation_shared.aws_errors import CONDITION_FAILED
from tests.support.runbook import warm_aws as warm_cli
from tests.support.runbook.page import ELSEWHERE, PAGE, Block, Section, agrees, read_sections
from tests.support.runbook.situations import SITUATIONS
from tests.support.runbook.world import WAIT, World

SECTIONS: Final = read_sections(PAGE.read_text(encoding="utf-8"))
TEXT: Final = "\n".join(section.text for section in SECTIONS)
ANCHORS: Final = {section.anchor: section for section in SECTIONS}
KINDS: Final = {"bash", "bash repeat", "bash production"}
# The parts of an alarm's section, in this order.
PARTS: Final = ["Means", "How bad", "See it", "Causes and what to do", "Resolved when", "Do not"]


@dataclass
class Shell:
    """A shell that keeps its variables and functions from one block to the next, as an interactive one does."""

    environment: dict[str, str]
    folder: Path

    def run(self, block: Block) -> subprocess.CompletedProcess[str]:
        """Run a block, with both output streams in one, as on a terminal."""
        state = self.folder / "state"
        keep = f"code=$?; unset RUNBOOK_CHECK_ONLY; (declare -px; declare -f) > {state}; exit $code"
        script = f"touch {state}; . {state}; {{\n{block.commands}}}; {keep}"
        check = {"RUNBOOK_CHECK_ONLY": "1"} if block.kind == "bash production" else {}
        return subprocess.run(
            ["bash", "-c", script],  # noqa: S607 - the page is for bash
            cwd=self.folder,
            env={**self.environment, **check},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )


@pytest.fixture(scope="module")
def warm_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An AWS CLI that does not spend half a second starting."""
    folder = tmp_path_factory.mktemp("aws")
    path = folder / "socket"
    client = folder / "warm-aws"
    client.write_text(warm_cli.CLIENT.format(python=stack_python(), path=str(path)))
    client.chmod(0o700)
    server = subprocess.Popen([str(stack_python()), warm_cli.__file__, str(path)], start_new_session=True)
    try:
        while not path.exists():
            assert server.poll() is None, "the AWS CLI does not start"
            time.sleep(0.02)
        yield client
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A stack that no other test uses: the page stops its consumer, removes permissions and publishes versions."""
    with local_stack(port=0) as stack, refusing_table(stack.endpoint_url) as table:
        publish_consumer(stack, **{ENDPOINT: table.url})
        world = World(stack, table)
        world.send(world.body("warm"))  # so that no situation waits for a cold start
        world.until("stored", lambda: world.stored("warm"))
        yield world


@pytest.fixture(scope="module")
def commands(world: World, warm_aws: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the `aws` and `recs` that a stack in the background offers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "FOLDER", tmp_path_factory.mktemp("local"))
        background.record(BackgroundStack(world.stack.pid, str(world.stack.log_path.parent), world.stack.env))
        shell.write_commands(background.commands(), background.record_file(), warm_aws)
        return background.commands()


@pytest.fixture(scope="module")
def bash(world: World, commands: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A person's shell: AWS's variables, and none of ours."""
    if shutil.which("jq") is None:
        if os.environ.get("CI"):
            pytest.fail("jq is missing")
        pytest.skip("jq is missing")
    aws = {name: value for name, value in world.stack.env.items() if not name.startswith("RECOMMENDATIONS_")}
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    folder = tmp_path_factory.mktemp("shell")
    return Shell({**aws, "PATH": path, "HOME": str(folder), "COLUMNS": "120", "LC_ALL": "C.UTF-8"}, folder)


@pytest.mark.stack
@pytest.mark.parametrize(
    "section", [section for section in SECTIONS if section.blocks], ids=lambda section: section.anchor
)
def test_commands_print_what_the_page_says(section: Section, world: World, bash: Shell) -> None:
    """Sections run in the order of the page, each in the state that the previous ones left."""
    situation = SITUATIONS[section.anchor](world)
    next(situation)
    for block in section.blocks:
        done = _run(bash, block)
        # grep exits with 1 if it finds nothing, `recs doctor` if it finds a problem; then only the output counts.
        assert done.returncode == 0 or (done.returncode == 1 and "aws: " not in done.stdout), _printed(block, done)
        if block.shown is not None:
            assert agrees(block.shown, done.stdout), _printed(block, done)
        next(situation, None)
    next(situation, None)


def _run(bash: Shell, block: Block) -> subprocess.CompletedProcess[str]:
    done = bash.run(block)
    deadline = time.monotonic() + WAIT
    while block.kind == "bash repeat" and not agrees(str(block.shown), done.stdout) and time.monotonic() < deadline:
        time.sleep(0.2)
        done = bash.run(block)
    return done


def _printed(block: Block, done: subprocess.CompletedProcess[str]) -> str:
    return f"{PAGE.name}:{block.line} ended with {done.returncode} and printed\n{done.stdout}"


@pytest.mark.stack
@pytest.mark.parametrize(
    ("scenario", "firing"),
    [
        (demonstration.nothing_wrong, set()),
        (demonstration.ten_refused_requests, set()),
        (demonstration.some_refused_requests, {"PersistentRecommendationThrottling"}),
        (demonstration.poison_among_good_ones, {"RecommendationDeadLetterQueueNotEmpty"}),
        (
            demonstration.changed_by_hand,
            {"RecommendationAltered", "RecommendationDeadLetterQueueNotEmpty"},
        ),
    ],
)
def test_alarms_fire_for_real_failures(world: World, scenario: demonstration.Scenario, firing: set[str]) -> None:
    """The metrics come from the deployed consumer, the definitions from the template."""
    definitions = read_alarms(load_template(TEMPLATE, {}))
    assert demonstration.fired(definitions, demonstration.play(world.stack, world.table, scenario)).keys() == firing


@pytest.mark.stack
def test_an_invalid_option_is_noticed_in_commands_that_cannot_run(bash: Shell) -> None:
    """Otherwise checking the commands for production would prove nothing."""
    known = (
        "aws dynamodb update-time-to-live --table-name t --time-to-live-specification Enabled=true,AttributeName=a\n"
    )
    assert bash.run(Block(0, "bash production", known)).returncode == 0
    for right, wrong in (("update-", "change-"), ("--table-name", "--table-title"), ("Attribute", "Field")):
        assert bash.run(Block(0, "bash production", known.replace(right, wrong))).returncode != 0


def test_commands_that_cannot_run_locally_are_rare_and_say_why() -> None:
    """Every fence is of a kind that a test knows."""
    blocks = [block for section in SECTIONS for block in section.blocks]
    assert {block.kind for block in blocks} == KINDS
    production = [block for block in blocks if block.kind == "bash production"]
    assert len(production) < len(blocks) / 5
    for block in production:
        (section,) = [section for section in SECTIONS if block in section.blocks]
        assert ELSEWHERE in section.text


@pytest.fixture(scope="module")
def alarms() -> dict[str, dict[str, Any]]:
    """The template's alarms by name, without the stage's suffix."""
    resources = load_template(TEMPLATE, {})["Resources"].values()
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    alarms = [resource["Properties"] for resource in resources if resource["Type"] in kinds]
    return {alarm["AlarmName"]["Fn::Sub"].removesuffix("${NameSuffix}"): alarm for alarm in alarms}


def test_every_alarm_has_its_section_with_all_its_parts(alarms: dict[str, Any]) -> None:
    """All alarms have the same headings, so that a half-asleep reader finds what they need."""
    for name in alarms:
        section = ANCHORS[name.lower()]
        assert section.title == name
        assert re.findall(r"^\*\*([A-Z][a-z ]+)[.:]?\*\*", section.text, re.MULTILINE) == PARTS
        assert section.blocks, f"{name}: no command shows the cause"


def test_links_within_the_page_resolve() -> None:
    """Nobody should follow a dead link at three in the morning."""
    links = re.findall(r"\]\(#([^)]+)\)", TEXT)
    assert links
    assert set(links) <= ANCHORS.keys()


def test_every_reason_of_a_drop_is_explained() -> None:
    """The section of the alarm lists every constant of the producer's balance, and the consumer's one reason."""
    reasons = {value for name, value in vars(balance).items() if name.isupper()}
    assert "send_failed" in reasons
    explained = set(re.findall(r"^\| `(\w+)` \|", ANCHORS["recommendationsdropped"].text, re.MULTILINE))
    assert explained == reasons | {DROP_EXPIRED}


def test_every_name_of_a_failure_is_explained() -> None:
    """The page lists everything that the consumer writes as a failure reason or as its own error type."""
    names = set()
    metrics = ROOT / "shared" / "recommendation_shared" / "metrics.py"
    files = {*(ROOT / "consumer").rglob("*.py"), *(ROOT / "shared").rglob("*.py")} - {metrics}
    for file in files:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
                names |= set(re.findall(r"^(?:[A-Z][a-z]+){2,}$|^Throttled$|^Unreachable$", str(node.value.value)))
    assert {"InvalidJson", "Throttled", "DeadLetterFailed"} <= names
    models = [botocore.session.get_session().get_service_model(name) for name in ("dynamodb", "sqs")]
    names -= {operation for model in models for operation in model.operation_names}
    names -= set(models[1].shape_for("MessageSystemAttributeName").enum)
    names.discard(CONDITION_FAILED)  # an answer that the consumer asks for, and no failure
    missing = {name for name in names if f"`{name}`" not in ANCHORS["what-the-names-mean"].text}
    assert not missing

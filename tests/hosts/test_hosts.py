"""The layer behind the packages of real hosts: whatever versions they bring, their seven outputs arrive."""

import functools
import json
import os
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3
import pytest

from infra.build.artifacts import LAYER
from infra.build.byte_code import interpreter
from infra.build.environments import environment
from infra.errors import BuildError
from recommendation_shared.envelope import Envelope
from tests.support.lambdas.zips import local_zip, unpack_zip
from tests.support.no_account import NO_ACCOUNT

HERE: Final = Path(__file__).parent
AGENTS: Final = 7


class Host(NamedTuple):
    """A host: its packages (`locks/{name}.lock`), its Python, and its code (a folder of `code`)."""

    name: str
    python: str
    code: str
    must_run: bool = False  # in CI


EXECUTOR: Final = Host("executor", "3.12", "executor", must_run=True)  # the one that the design was written for
NEWEST: Final = Host("newest", "3.13", "newest", must_run=True)  # the newest boto3 and langgraph
OLDEST: Final = Host("oldest", "3.11", "plain")  # boto3 1.28.0 with urllib3 1.26; its SQS client has the query protocol
COLLISION: Final = Host("collision", "3.11", "collision", must_run=True)  # pydantic 1, old orjson, `shared`, `producer`
RUNTIME: Final = Host("runtime", "3.13", "plain")  # the boto3 of Lambda's runtime and nothing else
BARE: Final = Host("bare", "3.13", "plain")  # no botocore at all


class Invocation(NamedTuple):
    """What one invocation of a host did."""

    result: dict[str, Any]
    stderr: str
    bodies: list[str]  # of the messages in the queue


Invoke = Callable[[Host], Invocation]


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the unpacked layer that Lambda puts on the path."""
    return unpack_zip(local_zip(LAYER), tmp_path_factory.mktemp("layer")) / "python"


@pytest.fixture(scope="module")
def invoke(layer: Path, moto_server: str) -> Invoke:
    """Return a function that invokes a host's handler, once however often it is called."""

    @functools.cache
    def invoke_host(host: Host) -> Invocation:
        return invocation(host, layer, moto_server)

    return invoke_host


def python_of(host: Host) -> str:
    """Return the Python of the host's environment; without it, skip, or fail in CI if the host must run."""
    try:
        interpreter(host.python)
    except BuildError:
        if host.must_run and os.environ.get("CI"):
            raise
        pytest.skip(f"Python {host.python} is not on this machine")
    return str(environment(host.name, host.python, HERE / "locks" / f"{host.name}.lock"))


def invocation(host: Host, layer: Path, endpoint: str) -> Invocation:
    """Invoke the host's handler with a queue of its own."""
    sqs = boto3.client("sqs", endpoint_url=endpoint)
    queue_url = sqs.create_queue(QueueName=f"{host.name}-{uuid.uuid4()}")["QueueUrl"]
    variables = {"AWS_ENDPOINT_URL": endpoint, "RECOMMENDATIONS_QUEUE_URL": queue_url}
    done = subprocess.run(
        [python_of(host), "-I", str(HERE / "invoke.py"), str(HERE / "code" / host.code), str(layer)],
        env={**NO_ACCOUNT, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    bodies: list[str] = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in messages]
    return Invocation(json.loads(done.stdout), done.stderr, bodies)


@pytest.mark.parametrize("host", [EXECUTOR, NEWEST, OLDEST, COLLISION, RUNTIME], ids=lambda host: host.name)
def test_every_output_arrives_from_any_host(host: Host, invoke: Invoke, layer: Path) -> None:
    """Seven are accepted, sent and in the queue as valid envelopes, and the host's own output stays clean."""
    result, stderr, bodies = invoke(host)
    assert stderr == ""
    assert result["accepted"] == AGENTS, result
    assert result["balances"] == [{"accepted": AGENTS, "sent": AGENTS, "dropped": {}, "pending": 0}]
    assert len({Envelope.from_json(body).recommendation_id for body in bodies}) == len(bodies) == AGENTS
    assert result["layer"].startswith(str(layer))
    assert result["foreign"] == []


def test_findings_of_pydantic_2_arrive_as_the_executor_defined_them(invoke: Invoke) -> None:
    """The executor's versions are those of the lock file; an excluded field never leaves."""
    result, _, bodies = invoke(EXECUTOR)
    assert result["versions"] == ["1.35.76", "2.10.3", "0.2.45"]
    assert (result["incidents"], result["model"]) == ("dynamodb", "ChatBedrock")
    envelopes = {envelope.agent_type: envelope for envelope in map(Envelope.from_json, bodies)}
    assert envelopes["knowledge-rag"].recommendation == {"cause": "deployment", "severity": 0.5}
    assert envelopes["knowledge-rag"].timestamp == "2026-01-31T12:00:04.500000Z"
    assert envelopes["consensus"].recommendation["agreement_level"] == "STRONG"


def test_findings_of_pydantic_1_arrive_from_a_host_with_packages_called_shared_and_producer(
    invoke: Invoke,
) -> None:
    """Its orjson is old, and writes the same content."""
    result, _, bodies = invoke(COLLISION)
    assert [version.rpartition(".")[0] for version in result["versions"]] == ["1.34", "1.10", "3.8"]
    envelopes = {envelope.agent_type: envelope for envelope in map(Envelope.from_json, bodies)}
    finding = {"cause": "deployment", "severity": 0.3}
    assert envelopes["agent-3"].recommendation == {"finding": finding, "weights": [0.1, 0.2]}


def test_host_without_botocore_runs_and_every_output_is_counted(invoke: Invoke) -> None:
    """The one line in its log names what is missing."""
    result, stderr, bodies = invoke(BARE)
    assert result["has_botocore"] is False
    assert result["balances"] == [
        {"accepted": AGENTS, "sent": 0, "dropped": {"client_unavailable": AGENTS}, "pending": 0}
    ]
    assert bodies == []
    (line,) = stderr.splitlines()
    assert line == (
        "recommendations dropped: client_unavailable 7; pending: 0; latest cause: the SQS client is unavailable: "
        "ModuleNotFoundError: No module named 'botocore'"
    )


@pytest.mark.parametrize("host", [EXECUTOR, NEWEST, OLDEST], ids=lambda host: host.name)
def test_requests_go_where_the_hosts_own_client_would_send_them(host: Host, layer: Path) -> None:
    """In every region that this botocore knows, and in one that it does not."""
    done = subprocess.run(
        [python_of(host), "-I", str(HERE / "endpoints.py"), str(layer)],
        env=dict(NO_ACCOUNT),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["differing"] == {}
    assert result["compared"] > 20

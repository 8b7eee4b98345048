"""The local stack's `aws` and `recs` reach that stack only, with dummy credentials, whatever the shell holds."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from infra.local import ports, shell
from infra.local.background import BackgroundStack
from infra.local.serving import serving
from tests.support.servers.recording_server import RecordingServer

REAL_KEY: Final = "AKIAREALREALREALREAL"
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "AmazonSQS.GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "7"}},
    "DynamoDB_20120810.ListTables": {"TableNames": ["opx-agent-recommendations"]},
    "DynamoDB_20120810.Query": {"Items": [], "Count": 0},
}
AWS: Final = [
    ("sqs", "get-queue-attributes", "--queue-url", "https://sqs.us-east-1.amazonaws.com/123456789012/q"),
    ("dynamodb", "list-tables"),
]
RECS: Final = [
    ("incident", "incident-7"),
    ("dlq", "status"),
    ("dlq", "status", "--dlq-url", "https://sqs.us-east-1.amazonaws.com/123456789012/q-dlq"),
]
EXAMPLES: Final = {"aws": AWS[0], "recs": RECS[0]}


@pytest.fixture
def servers() -> Iterator[tuple[RecordingServer, RecordingServer]]:
    """The local stack's endpoint, and a trap where everything else leads that the shell's variables name."""
    endpoint, trap = RecordingServer(ANSWERS), RecordingServer({})
    with ExitStack() as running:
        for server in (endpoint, trap):
            running.enter_context(serving(server))
        yield endpoint, trap


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The file that records the running stack."""
    return tmp_path / "stack.json"


@pytest.fixture
def aws(tmp_path: Path, record: Path, servers: tuple[RecordingServer, RecordingServer]) -> Path:
    """The `aws` of a stack that runs at the first server."""
    record.write_text(json.dumps(asdict(background_stack(servers[0].url))))
    shell.write_commands(tmp_path / "a folder", record)
    return tmp_path / "a folder" / "aws"


@pytest.fixture
def recs(aws: Path) -> Path:
    """The same stack's `recs`."""
    return aws.with_name("recs")


def dangerous(folder: Path, trap: str) -> dict[str, str]:
    """Return the environment of a shell that is set up for a real account."""
    config, credentials = folder / "config", folder / "credentials"
    config.write_text(f"[profile production]\nregion = eu-west-1\nendpoint_url = {trap}\n")
    keys = f"aws_access_key_id = {REAL_KEY}\naws_secret_access_key = real\naws_session_token = real\n"
    credentials.write_text(f"[default]\n{keys}[production]\n{keys}")
    return {
        **os.environ,
        "AWS_ACCESS_KEY_ID": REAL_KEY,
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_SECURITY_TOKEN": "real",
        "AWS_PROFILE": "production",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_ENDPOINT_URL": trap,
        "AWS_ENDPOINT_URL_SQS": trap,
        "AWS_ENDPOINT_URL_DYNAMODB": trap,
        "AWS_REGION": "eu-west-1",
        "HTTP_PROXY": trap,
        "http_proxy": trap,
        "HTTPS_PROXY": trap,
        "NO_PROXY": "",
    }


def run(aws: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run([aws, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", AWS, ids=lambda arguments: arguments[0])
@pytest.mark.parametrize("extra", [(), ("--endpoint-url", "TRAP"), ("--region", "eu-west-1")], ids=str)
def test_only_the_local_endpoint_is_called_and_with_dummy_credentials(
    aws: Path, servers: tuple[RecordingServer, RecordingServer], arguments: tuple[str, ...], extra: tuple[str, ...]
) -> None:
    """Real keys, a profile, other endpoints and proxies in the shell, and options, lead nowhere else."""
    endpoint, trap = servers
    extra = tuple(trap.url if each == "TRAP" else each for each in extra)
    done = run(aws, dangerous(aws.parent, trap.url), *arguments, *extra)
    assert done.returncode == 0, done.stderr
    assert trap.requests == []
    (ready, _), (_, headers) = endpoint.requests
    assert ready == "GET /_ministack/ready"
    assert "Credential=test/" in headers["Authorization"]
    assert "X-Amz-Security-Token" not in headers
    assert REAL_KEY not in json.dumps(endpoint.requests)
    assert json.loads(done.stdout) in ANSWERS.values()


@pytest.mark.parametrize("arguments", RECS, ids=" ".join)
def test_recs_calls_only_the_local_endpoint_and_with_dummy_credentials(
    recs: Path, servers: tuple[RecordingServer, RecordingServer], arguments: tuple[str, ...]
) -> None:
    """Even for another account's queue, named by an option or by the shell's variables."""
    endpoint, trap = servers
    elsewhere = {
        "RECOMMENDATIONS_TABLE": "another-table",
        "RECOMMENDATIONS_DLQ_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/another-dlq",
    }
    done = run(recs, dangerous(recs.parent, trap.url) | elsewhere, *arguments)
    assert trap.requests == []
    (ready, _), *calls = endpoint.requests
    assert ready == "GET /_ministack/ready"
    assert calls, done.stderr
    assert all("Credential=test/" in headers["Authorization"] for _, headers in calls)
    assert all("X-Amz-Security-Token" not in headers for _, headers in calls)
    assert REAL_KEY not in json.dumps(endpoint.requests)
    assert "another" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_profile_cannot_be_chosen(aws: Path, servers: tuple[RecordingServer, RecordingServer], name: str) -> None:
    """The user's configuration files are not read."""
    endpoint, trap = servers
    environment = dangerous(aws.parent, trap.url)
    done = run(aws.with_name(name), environment, *EXAMPLES[name], "--profile", "production")
    assert done.returncode != 0
    assert "production" in done.stderr
    assert [request for request, _ in endpoint.requests + trap.requests] == ["GET /_ministack/ready"]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("recorded", [False, True], ids=["never started", "ended"])
def test_without_a_running_stack_nothing_is_called(
    aws: Path, record: Path, servers: tuple[RecordingServer, RecordingServer], name: str, *, recorded: bool
) -> None:
    """It refuses and says what to do, rather than fall back to AWS."""
    _, trap = servers
    record.unlink()
    if recorded:
        record.write_text(json.dumps(asdict(background_stack(f"http://{ports.HOST}:{ports.choose(0)}"))))
    done = run(aws.with_name(name), dangerous(aws.parent, trap.url), *EXAMPLES[name])
    assert done.returncode == {"aws": 253, "recs": 3}[name]
    assert done.stderr.startswith(f"error: the local stack is not running, and this {name} reaches nothing else")
    assert "make demo KEEP=1" in done.stderr
    assert trap.requests == []


def test_lines_for_a_shell_leave_no_variable_that_leads_elsewhere(tmp_path: Path) -> None:
    """Bash, started with a real account's variables, has only the stack's after the lines are pasted."""
    stack = background_stack("http://127.0.0.1:4566").env
    environment = dangerous(tmp_path, "http://127.0.0.1:1")
    folder = tmp_path / "a folder"
    script = "\n".join([*shell.lines(stack, environment, folder), "env"])
    printed = subprocess.run(
        ["bash", "-c", script],  # noqa: S607 - wherever the system has it
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    after = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    assert {name: value for name, value in after.items() if name.startswith(("AWS_", "RECOMMENDATIONS_"))} == stack
    assert after["PATH"] == f"{folder}:{environment['PATH']}"


def background_stack(endpoint_url: str) -> BackgroundStack:
    """Return a stack as it is recorded."""
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "RECOMMENDATIONS_DLQ_URL": f"{endpoint_url}/000000000000/local-dlq",
        "RECOMMENDATIONS_TABLE": "local-table",
    }
    return BackgroundStack(os.getpid(), "/nowhere", environment)

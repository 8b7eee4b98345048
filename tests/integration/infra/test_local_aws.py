"""The local stack's `aws` reaches that stack only, with dummy credentials, whatever the caller's shell holds."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from infra.local import ports, shell
from infra.local.background import BackgroundStack
from infra.local.serving import serving

REAL_KEY: Final = "AKIAREALREALREALREAL"
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "AmazonSQS.GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "7"}},
    "DynamoDB_20120810.ListTables": {"TableNames": ["opx-agent-recommendations"]},
}
COMMANDS: Final = [
    ("sqs", "get-queue-attributes", "--queue-url", "https://sqs.us-east-1.amazonaws.com/123456789012/q"),
    ("dynamodb", "list-tables"),
]


class RecordingServer(ThreadingHTTPServer):
    """Answers a few AWS calls and records every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((ports.HOST, 0), _Connection)
        self.url = f"http://{ports.HOST}:{self.server_port}"
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.recording = threading.Lock()


class _Connection(BaseHTTPRequestHandler):
    server: RecordingServer

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(ANSWERS.get(self.headers["X-Amz-Target"], {}))

    do_CONNECT = do_GET  # noqa: N815 - http.server's name

    def _answer(self, document: dict[str, Any]) -> None:
        with self.server.recording:
            self.server.requests.append((f"{self.command} {self.path}", dict(self.headers)))
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the output clean."""


@pytest.fixture
def servers() -> Iterator[tuple[RecordingServer, RecordingServer]]:
    """The local stack's endpoint, and a trap where everything else leads that the shell's variables name."""
    endpoint, trap = RecordingServer(), RecordingServer()
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
    """The command of a stack that runs at the first server."""
    record.write_text(json.dumps(asdict(background_stack(servers[0].url))))
    shell.write_commands(tmp_path / "a folder", record)
    return tmp_path / "a folder" / "aws"


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


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
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


def test_a_profile_cannot_be_chosen(
    aws: Path, servers: tuple[RecordingServer, RecordingServer], tmp_path: Path
) -> None:
    """The user's configuration files are not read."""
    endpoint, trap = servers
    done = run(aws, dangerous(tmp_path, trap.url), *COMMANDS[0], "--profile", "production")
    assert done.returncode != 0
    assert "production" in done.stderr
    assert [request for request, _ in endpoint.requests + trap.requests] == ["GET /_ministack/ready"]


@pytest.mark.parametrize("recorded", [False, True], ids=["never started", "ended"])
def test_without_a_running_stack_nothing_is_called(
    aws: Path, record: Path, servers: tuple[RecordingServer, RecordingServer], tmp_path: Path, *, recorded: bool
) -> None:
    """It refuses and says what to do, rather than fall back to AWS."""
    _, trap = servers
    record.unlink()
    if recorded:
        record.write_text(json.dumps(asdict(background_stack(f"http://{ports.HOST}:{ports.choose(0)}"))))
    done = run(aws, dangerous(tmp_path, trap.url), *COMMANDS[0])
    assert done.returncode == 253
    assert done.stderr.startswith("error: the local stack is not running")
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
    assert {name: value for name, value in after.items() if name.startswith("AWS_")} == stack
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
    }
    return BackgroundStack(os.getpid(), "/nowhere", environment)

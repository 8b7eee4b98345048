"""Run the AWS CLI against the local stack, and never against AWS: `python -I aws.py RECORD CLI ARGUMENTS...`.

The `aws` command that `infra.local.shell` writes calls this in the local stack's own virtual environment, so this file
imports nothing from the project. RECORD is the file that records the running stack, CLI the AWS CLI to run.

PyPI's AWS CLI 1.x ignores AWS_ENDPOINT_URL for SQS, so the endpoint is passed as an option; and the caller's shell may
hold real credentials, profiles and proxies, so none of its AWS or proxy variables reach the CLI.
"""

import http.client
import json
import os
import sys
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

_NOT_RUNNING = 253  # the AWS CLI's own exit code for an environment in which it cannot run
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})


def main() -> NoReturn:
    """Replace this process with the AWS CLI, or exit if the stack is not running."""
    record, cli, *arguments = sys.argv[1:]
    stack = _running_stack(Path(record))
    if stack is None:
        sys.stderr.write(
            "error: the local stack is not running, and this aws reaches nothing else.\n"
            "Start it with: make demo KEEP=1\n"
        )
        sys.exit(_NOT_RUNNING)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name.lower() not in _PROXIES
    }
    # Last, so that it wins over an --endpoint-url among the arguments.
    command = [cli, *arguments, "--endpoint-url", stack["AWS_ENDPOINT_URL"]]
    os.execve(cli, command, {**environment, **stack})  # noqa: S606 - no shell is needed


def _running_stack(record: Path) -> dict[str, str] | None:
    """Return the environment of the recorded stack, or None if there is none or it does not answer."""
    try:
        stack: dict[str, str] = json.loads(record.read_text())["env"]
        connection = http.client.HTTPConnection(urlsplit(stack["AWS_ENDPOINT_URL"]).netloc, timeout=10)
        connection.request("GET", "/_ministack/ready")
        ready = connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return None
    return stack if ready else None


if __name__ == "__main__":
    main()

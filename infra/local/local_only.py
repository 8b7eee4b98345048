"""Run `aws` or `recs` against the local stack, and never against AWS.

    python -I local_only.py RECORD NAME PROGRAM ARGUMENTS...

The commands that `infra.local.shell` writes call this in the local stack's own virtual environment, so this file
imports nothing from the project. RECORD is the file that records the running stack, NAME is `aws` or `recs`, and
PROGRAM is the executable to run.

The caller's shell may hold real credentials, profiles, endpoints and proxies, so none of its AWS or proxy variables
reach the program; the stack's variables take their place.
"""

import http.client
import json
import os
import sys
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

# Each program's own exit code for an environment in which it cannot reach AWS.
_NOT_RUNNING = {"aws": 253, "recs": 3}
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})


def main() -> NoReturn:
    """Replace this process with the program, or exit if the stack is not running."""
    record, name, program, *arguments = sys.argv[1:]
    stack = _running_stack(Path(record))
    if stack is None:
        sys.stderr.write(
            f"error: the local stack is not running, and this {name} reaches nothing else.\n"
            "Start it with: make demo KEEP=1\n"
        )
        sys.exit(_NOT_RUNNING[name])
    environment = {
        variable: value
        for variable, value in os.environ.items()
        if not variable.startswith("AWS_") and variable.lower() not in _PROXIES
    }
    if name == "aws":
        # PyPI's AWS CLI 1.x ignores AWS_ENDPOINT_URL for SQS. Last, so that it wins over another --endpoint-url.
        arguments += ["--endpoint-url", stack["AWS_ENDPOINT_URL"]]
    os.execve(program, [program, *arguments], {**environment, **stack})  # noqa: S606 - no shell is needed


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

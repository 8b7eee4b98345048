"""The reference producer in TypeScript, run by Node.js as its README says."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from infra.contract.__main__ import FOLDER
from infra.local import LocalStack, ports
from infra.paths import ROOT
from recommendation_shared.envelope.fields import python_name
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.item.encoding import encode_item
from tests.support.no_account import NO_ACCOUNT

PROJECT: Final = ROOT / "examples" / "typescript"
VECTORS: Final = json.loads((FOLDER / "vectors.json").read_text(encoding="ascii"))
ARGUMENTS: Final = [vector["arguments"] for vector in VECTORS["sending"] if "sent" in vector]


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js, with the example's packages installed. Without them skip, but fail in CI."""
    bundled = Path(sys.prefix, "bin", "node")
    found = str(bundled) if bundled.exists() else shutil.which("node")
    if found is None or not (PROJECT / "node_modules" / ".ready").exists():
        reason = "Node.js or the example's packages are missing. Run `make setup` in the project folder."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def run(
    node: str, *arguments: str, env: dict[str, str] = NO_ACCOUNT, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run Node.js in the example's folder."""
    return subprocess.run(
        [node, *arguments],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **env},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_agrees_with_the_golden_vectors(node: str) -> None:
    """All but those that need what its README says it lacks."""
    done = run(node, "--test", "--test-reporter=tap", "tests/vectors.test.ts")
    assert done.returncode == 0, done.stdout
    counts = {name: int(count) for name, count in re.findall(r"^# (\w+) (\d+)$", done.stdout, re.MULTILINE)}
    lacking = [vector["name"] for vector in VECTORS["storing"] if "needs" in vector]
    assert counts["skipped"] == len(lacking) == 3
    assert counts["pass"] == len(VECTORS["sending"]) + len(VECTORS["storing"]) - len(lacking)


def test_it_sends_in_batches_and_counts_what_fails(node: str) -> None:
    """Its own tests, against a scripted client."""
    done = run(node, "--test", "--test-reporter=tap", "tests/producer.test.ts")
    assert done.returncode == 0, done.stdout
    assert "# pass 5\n" in done.stdout


def test_its_types_are_correct(node: str) -> None:
    """Node.js strips types without checking them."""
    done = run(node, "node_modules/typescript/bin/tsc")
    assert done.returncode == 0, done.stdout


@pytest.mark.stack
def test_the_consumer_stores_what_it_sends_as_if_python_had_sent_it(node: str, stack: LocalStack) -> None:
    """Every accepted vector, each as an incident of its own, through the real queue and function."""
    sent = [{**given, "incidentId": f"typescript-{n}", "retention": None} for n, given in enumerate(ARGUMENTS)]
    done = run(
        node,
        "src/send.ts",
        env=stack.environment(os.environ),
        given="".join(json.dumps(arguments) + "\n" for arguments in sent),
    )
    assert done.returncode == 0, done.stderr
    *outcomes, balance = map(json.loads, done.stdout.splitlines())
    assert balance == {"accepted": len(sent), "sent": len(sent), "pending": 0, "dropped": {}}
    expected = {}
    for arguments, outcome in zip(sent, outcomes, strict=True):
        body = write_envelope(**{python_name(name): value for name, value in arguments.items()}).body
        item = encode_item(read_envelope(body))
        assert outcome == {"accepted": True, "recommendationId": item.recommendation_id}
        expected[item.recommendation_id] = item.digest
    assert stored_digests(stack, expected) == expected


def test_it_refuses_what_breaks_the_contract_and_says_why(node: str) -> None:
    """A refused line costs nothing but itself, and the exit code tells."""
    lines = [json.dumps({**ARGUMENTS[0], "agentType": "Not Kebab"}), "not JSON"]
    done = run(node, "src/send.ts", env=nothing_listens(), given="\n".join(lines))
    assert done.returncode == 1
    assert done.stderr == "error: line 2 is not JSON\n"
    outcome, balance = map(json.loads, done.stdout.splitlines())
    assert outcome == {
        "accepted": False,
        "reason": "invalid",
        "detail": "agentType: must be kebab-case: a-z, 0-9 and single hyphens",
    }
    assert balance == {"accepted": 1, "sent": 0, "pending": 0, "dropped": {"invalid": 1}}


def test_it_counts_what_it_could_not_send(node: str) -> None:
    """After its attempts it gives up, and does not throw."""
    done = run(node, "src/send.ts", env=nothing_listens(), given=json.dumps(ARGUMENTS[0]))
    assert done.returncode == 1
    balance = json.loads(done.stdout.splitlines()[-1])
    assert balance == {"accepted": 1, "sent": 0, "pending": 0, "dropped": {"send_failed": 1}}


def test_without_a_queue_it_says_which_variable_is_missing(node: str) -> None:
    """A usage error, before anything is read."""
    done = run(node, "src/send.ts")
    assert done.returncode == 2
    assert done.stderr == "error: RECOMMENDATIONS_QUEUE_URL is not set: it must be the URL of the queue\n"


def nothing_listens() -> dict[str, str]:
    """Return an environment whose queue cannot be reached."""
    url = f"http://{ports.HOST}:{ports.choose(0)}"
    return {**NO_ACCOUNT, "AWS_ENDPOINT_URL": url, "RECOMMENDATIONS_QUEUE_URL": f"{url}/000000000000/queue"}


def stored_digests(stack: LocalStack, expected: dict[str, str]) -> dict[str, Any]:
    """Wait until the table holds these recommendations, and return their digests."""
    client = stack.client("dynamodb")
    found: dict[str, Any] = {}
    deadline = time.monotonic() + 60
    while len(found) < len(expected) and time.monotonic() < deadline:
        stack.check()
        for key in expected.keys() - found.keys():
            answer = client.get_item(TableName=stack.table_name, Key={"recommendationId": {"S": key}})
            if "Item" in answer:
                found[key] = answer["Item"]["contentDigest"]["S"]
        time.sleep(0.2)
    return found

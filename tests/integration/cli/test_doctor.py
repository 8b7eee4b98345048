import json
import os
import subprocess
import sys

import pytest

from infra.local import LocalStack

# What the local stack lacks or sets differently (see infra/local).
LOCAL_DIFFERENCES = {
    ("queue", "refuses connections without TLS"),
    ("dead-letter queue", "refuses connections without TLS"),
    *((table, "is encrypted with a KMS key") for table in ("table", "reviews table")),
    *((table, "deletes items past their ttl") for table in ("table", "reviews table")),
    *((table, "can be restored to any point in time") for table in ("table", "reviews table")),
    ("queue", "has a visibility timeout of at least 192 s"),
    ("queue", "retries messages through an outage of at least 4 hours"),
    ("alarms", "notify a topic"),  # the emulator describes alarms without their actions
}


@pytest.mark.stack
def test_a_fresh_deployment_matches_the_template(stack: LocalStack) -> None:
    """Except for the local differences, which it does find: the checks really run."""
    done = subprocess.run(
        [sys.executable, "-m", "recommendation_cli", "doctor", "-o", "json"],
        env={**os.environ, **stack.env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    findings = json.loads(done.stdout)
    assert {
        (finding["subject"], finding["expected"]) for finding in findings if finding["state"] != "passed"
    } == LOCAL_DIFFERENCES
    assert len(findings) == 55
    assert done.returncode == 1

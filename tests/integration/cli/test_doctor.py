"""`recs doctor` over the template as it is deployed."""

import json
import os
import subprocess
import sys

import pytest

from infra.local import LocalStack

# What the local stack leaves out or sets otherwise, and production does not (see infra/local).
LOCAL = {
    ("queue", "refuses connections without TLS"),
    ("dead-letter queue", "refuses connections without TLS"),
    ("table", "is encrypted with a key of KMS"),
    ("table", "deletes items past their ttl"),
    ("table", "can be restored to any point in time"),
    ("queue", "hides a message for at least 192 s while the function works on it"),
}


@pytest.mark.stack
def test_a_fresh_deployment_is_as_the_template_wants_it(stack: LocalStack) -> None:
    """But for what the emulator lacks, which is found: so the doctor really looks."""
    done = subprocess.run(
        [sys.executable, "-m", "recommendation_cli", "doctor", "-o", "json"],
        env={**os.environ, **stack.env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    findings = json.loads(done.stdout)
    assert {(one["subject"], one["wanted"]) for one in findings if one["state"] != "right"} == LOCAL
    assert len(findings) == 41
    assert done.returncode == 1

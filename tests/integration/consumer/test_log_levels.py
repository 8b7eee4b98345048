"""Lambda's JSON log format and its log levels: every line that matters passes Lambda's filter."""

import json
import os
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from tests.support.lambdas.event import body, event
from tests.support.servers.aws_server import aws_server, dynamodb_error

PROGRAM = """
import json, sys
from recommendation_consumer.handler import handler
from tests.support.lambdas.event import Context
handler(json.load(sys.stdin), Context())
"""
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL")


def _passed(line: str, minimum: str) -> bool:
    """Return whether Lambda passes a line (AWS Lambda Developer Guide, "Log-level filtering")."""
    fields: dict[str, Any] = json.loads(line)
    level = fields.get("level", "INFO")
    try:
        datetime.fromisoformat(fields["timestamp"].replace(",", "not RFC 3339"))
    except (KeyError, ValueError):
        level = "INFO"
    return LEVELS.index(level) >= LEVELS.index(minimum)


@pytest.mark.parametrize("minimum", ["INFO", "WARN", "ERROR"])
def test_metrics_and_problems_pass_the_functions_log_level(minimum: str) -> None:
    """Every line is JSON. Above INFO, only what was stored goes unsaid."""
    with aws_server() as server:
        server.table.faults.append(dynamodb_error("AccessDeniedException"))
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": server.url,
            "RECOMMENDATIONS_TABLE": "recommendations",
            "RECOMMENDATIONS_DLQ_URL": server.dlq_url,
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": minimum,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        messages = json.dumps(event(*(body(incident_id=f"incident-{n}", retention=None) for n in range(50)), "poison"))
        done = subprocess.run(  # the logger's stream and level are those of the process
            [sys.executable, "-c", PROGRAM], input=messages, env=environment, capture_output=True, text=True, check=True
        )
    lines = [line for line in done.stdout.splitlines() if _passed(line, minimum)]
    texts = "\n".join(lines)
    for metric in ("RecommendationsPersisted", "RecommendationPersistenceFailure", "RecommendationDeadLettered"):
        assert f'"{metric}":[' in texts
    assert "Left 25 messages to be retried: AccessDeniedException" in texts
    assert ("Dead-lettered 1 message: InvalidJson" in texts) == (minimum != "ERROR")
    assert ("Successfully persisted 25 recommendations" in texts) == (minimum == "INFO")

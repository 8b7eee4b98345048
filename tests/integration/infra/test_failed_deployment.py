"""A deployment that fails says why, however many events follow the failure."""

from pathlib import Path

import pytest

from infra.local import StackError, deployment, ports
from infra.local.emulator import Emulator
from infra.local.stack import client

_OTHERS = 60  # queues; creating and deleting them takes 240 events, of which the service returns 100 at a time


def test_the_reason_is_found_before_the_events_of_the_rollback(tmp_path: Path) -> None:
    """The resource that failed is named with its reason, although the newest events are about deleting the others."""
    others = {f"Queue{number}": {"Type": "AWS::SQS::Queue"} for number in range(_OTHERS)}
    undeployable = {
        "Type": "AWS::CloudWatch::Alarm",
        "DependsOn": list(others),
        "Properties": {
            "AlarmName": "undeployable",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "Metrics": [{"Id": "one", "Expression": "1"}],
        },
    }
    template = {"Resources": {**others, "Undeployable": undeployable}}
    emulator = Emulator(tmp_path)
    try:
        emulator.start(ports.choose(0))
        with pytest.raises(StackError, match=r"(?s)ended as ROLLBACK_COMPLETE:.*  Undeployable: .*metric math"):
            deployment.deploy(
                lambda service: client(emulator.endpoint_url, service), template, emulator.check, "failing"
            )
    finally:
        emulator.stop()

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.deployment import load_template
from infra.paths import TEMPLATE
from recommendation_cli.doctor.alarms import ALARMS, alarm_names, check_alarms
from tests.support.fakes.deployment_answers import URL, described_alarms, healthy_answers
from tests.unit.cli.doctor.conftest import RunDoctor

NOW = datetime(2026, 1, 31, 14, tzinfo=UTC)
FIRST = ALARMS[0]


def test_the_names_are_the_templates() -> None:
    """One that the doctor does not know would be missing without anybody noticing."""
    resources = load_template(TEMPLATE, {})["Resources"].values()
    alarms = [each["Properties"]["AlarmName"] for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert sorted(name["Fn::Sub"] for name in alarms) == sorted(f"{name}${{NameSuffix}}" for name in ALARMS)


def test_a_stage_has_alarms_of_its_own() -> None:
    """Their names end like the queue's."""
    assert alarm_names(URL) == list(ALARMS)
    assert alarm_names(f"{URL}-dev") == [f"{name}-dev" for name in ALARMS]


@pytest.mark.parametrize(
    ("changed", "expected", "actual"),
    [
        ({"AlarmName": "Another"}, "all 12 exist", f"missing: {FIRST}"),
        ({"ActionsEnabled": False}, "notify a topic", f"without actions: {FIRST}"),
        ({"AlarmActions": []}, "notify a topic", f"without actions: {FIRST}"),
        ({"StateValue": "ALARM"}, "do not fire", f"{FIRST} since 2026-01-31T12:00Z"),
        (
            {"StateValue": "ALARM", "StateTransitionedTimestamp": NOW - timedelta(minutes=1)},
            "do not fire",
            f"{FIRST} since 2026-01-31T13:59Z",
        ),
        (
            {"StateValue": "INSUFFICIENT_DATA", "StateUpdatedTimestamp": NOW - timedelta(hours=1, seconds=1)},
            "are evaluated",
            f"undecided: {FIRST} since 2026-01-31T12:59Z",
        ),
    ],
)
def test_an_alarm_that_would_not_be_heard_or_fires_is_found(
    changed: dict[str, Any], expected: str, actual: str
) -> None:
    """Each problem fails a check of its own, which names the alarm."""
    (failed,) = [
        each for each in check_alarms(ALARMS, described_alarms(changed), NOW.timestamp()) if each.state == "failed"
    ]
    assert (failed.subject, failed.expected, failed.actual) == ("alarms", expected, actual)
    assert failed.remedy


def test_alarms_that_are_all_missing_or_mute_are_not_listed() -> None:
    """Twelve names would fill the screen, and say no more."""
    (missing,) = check_alarms(ALARMS, [], NOW.timestamp())
    assert missing.actual == "missing: all"
    mute = [{**alarm, "ActionsEnabled": False} for alarm in described_alarms({})]
    (found,) = [each for each in check_alarms(ALARMS, mute, NOW.timestamp()) if each.state == "failed"]
    assert found.actual == "without actions: all"


def test_a_new_alarm_may_be_undecided_for_an_hour() -> None:
    """CloudWatch creates it in this state."""
    new = {"StateValue": "INSUFFICIENT_DATA", "StateUpdatedTimestamp": NOW - timedelta(hours=1)}
    assert {each.state for each in check_alarms(ALARMS, described_alarms(new), NOW.timestamp())} == {"passed"}


def test_an_alarm_without_a_time_is_named_without_one() -> None:
    """The time is optional in the service's model, and the local stack has none."""
    firing, undecided = (
        {"StateValue": state, "StateUpdatedTimestamp": None} for state in ("ALARM", "INSUFFICIENT_DATA")
    )
    *_, found = check_alarms(ALARMS, described_alarms(firing), NOW.timestamp())
    assert found.actual == FIRST
    assert {each.state for each in check_alarms(ALARMS, described_alarms(undecided), NOW.timestamp())} == {"passed"}


def test_an_alarm_in_another_zone_is_shown_in_utc() -> None:
    """The SDK gives it in the zone of the response."""
    firing = {"StateValue": "ALARM", "StateUpdatedTimestamp": datetime.fromisoformat("2026-01-31T12:00:00+02:00")}
    *_, found = check_alarms(ALARMS, described_alarms(firing), NOW.timestamp())
    assert found.actual == f"{FIRST} since 2026-01-31T10:00Z"


def test_the_command_shows_them(run_doctor: RunDoctor) -> None:
    """The remedy names the command that enables the actions again."""
    result = run_doctor(healthy_answers(alarms={"ActionsEnabled": False}), "-o", "json")
    assert result.exit_code == 1
    (failed,) = [each for each in json.loads(result.stdout) if each["state"] == "failed"]
    assert f"enable-alarm-actions --alarm-names {FIRST};" in failed["remedy"]

"""Whom the alarms notify: an address, a topic, and a pager, once for all losses or for each."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.paths import ROOT
from infra.synthesis.synthesize import synthesize

pytestmark = pytest.mark.one_python

TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
OWN_TOPIC = "arn:aws:sns:us-east-1:123456789012:opx-recommendations-alarms"
PAGER = "arn:aws:sns:us-east-1:123456789012:pager"
NOTIFIED: tuple[dict[str, str], ...] = ({"AlarmEmail": "on-call@example.com"}, {"AlarmTopicArn": TOPIC})


def resources(parameters: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return what is deployed with these parameters."""
    result: dict[str, dict[str, Any]] = synthesize(parameters)["Resources"]
    return result


def of_type(kind: str, deployed: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type."""
    return [resource["Properties"] for resource in deployed.values() if resource["Type"] == kind]


@pytest.mark.parametrize(("parameters", "topic"), [(NOTIFIED[1], TOPIC), ({}, OWN_TOPIC)])
def test_alarms_notify_an_existing_topic_or_the_stacks_own(parameters: dict[str, str], topic: str) -> None:
    """Nobody is subscribed to the stack's own without AlarmEmail."""
    deployed = resources(parameters)
    assert {alarm["AlarmActions"][0] for alarm in of_type("AWS::CloudWatch::Alarm", deployed)} == {topic}
    assert not any("Subscription" in each for each in of_type("AWS::SNS::Topic", deployed))


@pytest.mark.parametrize(
    ("parameters", "topics"),
    [
        ({**NOTIFIED[1], "PagerTopicArn": PAGER}, {TOPIC, PAGER}),
        ({"PagerTopicArn": PAGER}, {OWN_TOPIC, PAGER}),
    ],
)
def test_a_pagers_topic_is_notified_beside_the_other_one(parameters: dict[str, str], topics: set[str]) -> None:
    """Each alarm notifies one of the two."""
    deployed = of_type("AWS::CloudWatch::Alarm", resources(parameters))
    assert {topic for alarm in deployed for topic in alarm["AlarmActions"]} == topics


def test_address_is_notified_through_a_topic_that_the_stack_creates() -> None:
    """Every alarm publishes to the topic, and the address is subscribed to it."""
    deployed = resources(NOTIFIED[0])
    topic = OWN_TOPIC
    assert all(alarm["AlarmActions"] == [topic] for alarm in of_type("AWS::CloudWatch::Alarm", deployed))
    subscription = {"Protocol": "email", "Endpoint": "on-call@example.com"}
    assert deployed["AlarmTopic"]["Properties"]["Subscription"] == [subscription]
    assert deployed["AlarmTopicPolicy"]["Properties"]["Topics"] == [topic]


@pytest.mark.parametrize(
    ("parameters", "topic", "pager"),
    [
        ({**NOTIFIED[1], "PagerTopicArn": PAGER}, TOPIC, PAGER),
        ({"PagerTopicArn": PAGER}, OWN_TOPIC, PAGER),
        (NOTIFIED[1], TOPIC, TOPIC),
        ({}, OWN_TOPIC, OWN_TOPIC),
    ],
)
def test_one_page_for_all_losses_instead_of_one_for_each(parameters: dict[str, str], topic: str, pager: str) -> None:
    """Only the composite then notifies the pager, and it stands for the alarms that page without it."""
    each = of_type("AWS::CloudWatch::Alarm", resources({"PagerTopicArn": PAGER}))
    losses = sorted(alarm["AlarmName"] for alarm in each if alarm["AlarmActions"] == [PAGER])
    deployed = resources({**parameters, "PagerComposite": "true"})
    (composite,) = of_type("AWS::CloudWatch::CompositeAlarm", deployed)
    assert sorted(composite["AlarmRule"].split(" OR ")) == [f'ALARM("{name}")' for name in losses]
    assert composite["AlarmActions"] == [pager]
    assert "OKActions" not in composite  # a part of what it stands for is gone
    alarms = of_type("AWS::CloudWatch::Alarm", deployed)
    assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {topic}


def test_the_composite_is_listed_and_explained() -> None:
    """Its name ends like the stage's others, and its page of the runbook exists."""
    chosen = {"PagerComposite": "true", "NameSuffix": "-two"}
    (composite,) = of_type("AWS::CloudWatch::CompositeAlarm", resources(chosen))
    assert composite["AlarmName"] == "RecommendationsBeingLost-two"
    with_it, without = (
        synthesize(parameters)["Outputs"]["AlarmNames"]["Value"].split(",")
        for parameters in (chosen, {"NameSuffix": "-two"})
    )
    assert with_it == [*without, composite["AlarmName"]]
    assert composite["AlarmDescription"].endswith(" See docs/runbook.md#recommendationsbeinglost.")
    assert "\n## RecommendationsBeingLost\n" in (ROOT / "docs" / "runbook.md").read_text()

"""Every difference between the local stack's template and production's.

Each is forced by a limitation of the emulator, has a test that it is still needed, and is deleted when that test
fails.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.template import Template

_ACTIONS_WITH_BATCHES = ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")


@dataclass(frozen=True)
class Difference:
    """One change to the template. `apply` returns a new template and does not modify its argument."""

    name: str
    why: str
    apply: Callable[[Template], Template]


def apply_all(template: Template, differences: tuple["Difference", ...] | None = None) -> Template:
    """Return the template as it is deployed on the emulator."""
    for difference in DIFFERENCES if differences is None else differences:
        template = difference.apply(template)
    return template


def _literal_maximum_concurrency(template: Template) -> Template:
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            match event["Properties"].get("ScalingConfig"):
                case {"Fn::If": [_, _, {"MaximumConcurrency": {"Ref": name}} as scaling]}:
                    scaling["MaximumConcurrency"] = int(changed["Parameters"][name]["Default"])
    return changed


def _no_metric_math_alarms(template: Template) -> Template:
    """Let each alarm watch the first metric of its expression, so that its name and ARN still exist."""
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            queries = properties.pop("Metrics")
            first = next(query["MetricStat"] for query in queries if "MetricStat" in query)
            properties |= {**first["Metric"], "Period": first["Period"], "Statistic": first["Stat"]}
    return changed


def _no_tls_only_policies(template: Template) -> Template:
    return _without(
        template,
        lambda resource: (
            resource["Type"] == "AWS::SQS::QueuePolicy"
            and "aws:SecureTransport" in str(resource["Properties"]["PolicyDocument"])
        ),
    )


def _no_saved_queries(template: Template) -> Template:
    return _without(template, lambda resource: resource["Type"] == "AWS::Logs::QueryDefinition")


def _no_backup_selection(template: Template) -> Template:
    return _without(template, lambda resource: resource["Type"] == "AWS::Backup::BackupSelection")


def _no_composite_alarm(template: Template) -> Template:
    return _without(template, lambda resource: resource["Type"] == "AWS::CloudWatch::CompositeAlarm")


def _batch_actions_by_name(template: Template) -> Template:
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        properties = resource.get("Properties", {})
        policies = properties.get("Policies", [])
        documents = [policy["PolicyDocument"] for policy in policies if isinstance(policy, dict)]
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            documents.append(properties["PolicyDocument"])
        for statement in [s for document in documents for s in document["Statement"] if "Action" in s]:
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            batches = [f"{action}Batch" for action in actions if action in _ACTIONS_WITH_BATCHES]
            statement["Action"] = [*actions, *batches]
    return changed


def _removals_by_anyone(template: Template) -> Template:
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            for criterion in event["Properties"].get("FilterCriteria", {}).get("Filters", ()):
                match criterion["Pattern"]:
                    case {"Fn::If": [condition, pattern, narrower]} if "userIdentity" in json.loads(narrower):
                        criterion["Pattern"] = {"Fn::If": [condition, pattern, pattern]}
    return changed


def _without(template: Template, unwanted: Callable[[dict[str, Any]], bool]) -> Template:
    changed = copy.deepcopy(template)
    changed["Resources"] = {name: resource for name, resource in changed["Resources"].items() if not unwanted(resource)}
    return changed


DIFFERENCES = (
    Difference(
        name="literal-maximum-concurrency",
        why="The event source mapping gets a parameter as text, and the poller cannot compare it with a number.",
        apply=_literal_maximum_concurrency,
    ),
    Difference(
        name="no-metric-math-alarms",
        why="An alarm on a metric expression rolls the stack back, so it watches the expression's first metric here.",
        apply=_no_metric_math_alarms,
    ),
    Difference(
        name="no-tls-only-policies",
        why="The emulator speaks plain HTTP and enforces the policies that deny it.",
        apply=_no_tls_only_policies,
    ),
    Difference(
        name="no-saved-queries",
        why="The emulator rejects a template with a resource type that it does not know.",
        apply=_no_saved_queries,
    ),
    Difference(
        name="no-backup-selection",
        why="The emulator rejects a template with a resource type that it does not know.",
        apply=_no_backup_selection,
    ),
    Difference(
        name="no-composite-alarm",
        why="The emulator rejects a template with a resource type that it does not know.",
        apply=_no_composite_alarm,
    ),
    Difference(
        name="batch-actions-by-name",
        why="The emulator demands actions named after batches. AWS has none: the single call's action covers them.",
        apply=_batch_actions_by_name,
    ),
    Difference(
        name="removals-by-anyone",
        why="A filter for a field that is absent from an absent object matches nothing, so every removal is delivered.",
        apply=_removals_by_anyone,
    ),
)

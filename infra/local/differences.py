"""All in which the local stack's template differs from production's.

Each difference is forced by a limit of the emulator, has a test that it is still needed, and is
deleted when that test fails.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Template = dict[str, Any]

_HAVE_BATCHES = ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")


@dataclass(frozen=True)
class Difference:
    """One change to the template. `apply` returns a new template and leaves its argument alone."""

    name: str
    why: str
    apply: Callable[[Template], Template]


def apply_all(template: Template, differences: tuple["Difference", ...] | None = None) -> Template:
    """Return the template as the emulator gets it."""
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
    """Let each watch the first metric of its expression, so that its name and its ARN are still there."""
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


def _batch_actions_by_name(template: Template) -> Template:
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        properties = resource.get("Properties", {})
        policies = properties.get("Policies", [])
        documents = [policy["PolicyDocument"] for policy in policies if isinstance(policy, dict)]
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            documents.append(properties["PolicyDocument"])
        for statement in [one for document in documents for one in document["Statement"] if "Action" in one]:
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            batches = [f"{action}Batch" for action in actions if action in _HAVE_BATCHES]
            statement["Action"] = [*actions, *batches]
    return changed


def _without(template: Template, unwanted: Callable[[dict[str, Any]], bool]) -> Template:
    changed = copy.deepcopy(template)
    changed["Resources"] = {name: resource for name, resource in changed["Resources"].items() if not unwanted(resource)}
    return changed


DIFFERENCES = (
    Difference(
        name="literal-maximum-concurrency",
        why="A parameter arrives at the event source mapping as text, and the poller cannot compare it with a number.",
        apply=_literal_maximum_concurrency,
    ),
    Difference(
        name="no-metric-math-alarms",
        why="An alarm on a metric expression rolls the stack back. Here it watches the expression's first metric.",
        apply=_no_metric_math_alarms,
    ),
    Difference(
        name="no-tls-only-policies",
        why="The emulator speaks plain HTTP, and holds every call to the policy that denies it.",
        apply=_no_tls_only_policies,
    ),
    Difference(
        name="batch-actions-by-name",
        why="A batch needs a right of its own name; in AWS there is none, and that of the single call covers it.",
        apply=_batch_actions_by_name,
    ),
)

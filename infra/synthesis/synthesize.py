"""The template as CloudFormation deploys it with given parameters.

Checks the parameters and the template's rules, translates the template with SAM, removes what conditions exclude, and
resolves every reference to a value or an ARN in a fictitious account.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from infra.paths import TEMPLATE
from infra.synthesis.intrinsics import REGION, Resolver
from infra.template import Template, load, packaged

# All options that can be combined. This set and the default take both branches of every condition.
EVERY_OPTION: Final = {
    "Stage": "prod",
    "NameSuffix": "-all",
    "CompactIndexes": "true",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "ArchiveBucketArn": "arn:aws:s3:::opx-archive",
    "SnapStart": "PublishedVersions",
    "MinimumPollers": "2",
    "ExecutorRoleName": "OpxPhase6ExecutorLambdaRole",
    "ExecutorAccountIds": "111122223333,444455556666",
    "ExecutorOrganizationId": "o-a1b2c3d4e5",
    "ReaderPrincipalArn": "arn:aws:iam::123456789012:role/on-call",
    "ReaderMayScan": "true",
    "RedrivePrincipalArn": "arn:aws:iam::123456789012:role/on-call",
    "CuratorPrincipalArn": "arn:aws:iam::123456789012:role/legal",
    "ReviewerPrincipalArn": "arn:aws:iam::123456789012:role/on-call",
    "EraserPrincipalArn": "arn:aws:iam::123456789012:role/privacy",
    "AlarmEmail": "on-call@example.com",
    "PagerTopicArn": "arn:aws:sns:us-east-1:123456789012:pager",
    "PagerComposite": "true",
    "LogLevel": "WARNING",
    "BackupDays": "120",
    "ReviewRetentionDays": "730",
}


Value = str | int | list[str]  # of a parameter


class SynthesisError(ValueError):
    """CloudFormation would reject the parameters; the text says which and why."""


def synthesize(chosen: Mapping[str, str] | None = None, path: Path = TEMPLATE) -> Template:
    """Return Resources and Outputs as CloudFormation deploys them.

    Raises `SynthesisError` if CloudFormation would reject the parameters.
    """
    template = load(path)
    parameters = _parameters(template["Parameters"], chosen or {})
    _check_rules(template, parameters)
    template = packaged(template, lambda name: {"Bucket": "packages", "Key": name})  # SAM translates no others
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    # `translate` modifies both of its arguments; the template is this function's own.
    translated: Template = translator.translate(template, {**parameters})
    resolver = Resolver(translated, parameters)

    def deployed(section: str) -> dict[str, Any]:
        return {
            name: resolver.resolve({key: value for key, value in entry.items() if key != "Condition"})
            for name, entry in translated[section].items()
            if "Condition" not in entry or resolver.holds(entry["Condition"])
        }

    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": translated["Description"],
        "Resources": deployed("Resources"),
        "Outputs": deployed("Outputs"),
    }


def _parameters(declared: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Value]:
    if unknown := chosen.keys() - declared.keys():
        raise SynthesisError(f"the template has no parameter {', '.join(sorted(unknown))}")
    return {name: _checked(name, rule, str(chosen.get(name, rule["Default"]))) for name, rule in declared.items()}


def _checked(name: str, rule: Mapping[str, Any], text: str) -> Value:
    if rule["Type"] == "CommaDelimitedList":
        return [str(_checked(name, {**rule, "Type": "String"}, part)) for part in text.split(",")]
    value = int(text) if rule["Type"] == "Number" else text
    allowed = rule.get("AllowedValues")
    if allowed is not None and value not in allowed:
        raise SynthesisError(f"{name} is {text!r}; it must be one of {', '.join(map(str, allowed))}")
    if isinstance(value, int) and not rule.get("MinValue", value) <= value <= rule.get("MaxValue", value):
        raise SynthesisError(f"{name} is {value}; it must be from {rule['MinValue']} to {rule['MaxValue']}")
    too_long = len(text) > rule.get("MaxLength", len(text))
    if too_long or re.search(rule.get("AllowedPattern", ""), text) is None:
        raise SynthesisError(f"{name} is {text!r}; it must be {rule['ConstraintDescription']}")
    return value


def _check_rules(template: Template, parameters: Mapping[str, Value]) -> None:
    resolver = Resolver(template, parameters)
    for rule in template["Rules"].values():
        if "RuleCondition" in rule and not resolver.holds(rule["RuleCondition"]):
            continue
        for assertion in rule["Assertions"]:
            if not resolver.holds(assertion["Assert"]):
                raise SynthesisError(assertion["AssertDescription"])

"""CloudFormation's intrinsic functions and conditions, resolved with parameters and the names that resources get."""

import re
from collections.abc import Mapping
from typing import Any, Final

from infra.template import Template

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
STREAM_LABEL: Final = "2026-01-31T12:00:00.000"  # AWS chooses it
NO_VALUE: Final = object()

_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "opx-recommendations",
    "AWS::URLSuffix": "amazonaws.com",
}

# What Ref returns for a type of resource; for others, the physical name or else the logical ID. {name} is that name.
_REFERENCES: Final = {
    "AWS::SQS::Queue": "https://sqs.{region}.amazonaws.com/{account}/{name}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::IAM::ManagedPolicy": "arn:aws:iam::{account}:policy/{name}",
    "AWS::Lambda::Alias": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::Lambda::LayerVersion": "arn:aws:lambda:{region}:{account}:layer:{name}:1",
}
_ARNS: Final = {
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::CloudWatch::Alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
}
_NAMES: Final = (
    "QueueName",
    "TableName",
    "FunctionName",
    "LayerName",
    "LogGroupName",
    "RoleName",
    "AlarmName",
    "TopicName",
    "DashboardName",
    "BackupVaultName",
)
_VARIABLE: Final = re.compile(r"\$\{([^!][^}]*)\}")


class UnresolvedError(ValueError):
    """The template uses a function or a name that this module does not support."""


class Resolver:
    """Resolves values of one template with one set of parameters."""

    def __init__(self, template: Template, parameters: Mapping[str, str | int | list[str]]) -> None:
        self._resources: dict[str, Any] = template["Resources"]
        self._conditions: dict[str, Any] = template.get("Conditions", {})
        self._parameters = parameters

    def holds(self, condition: Any) -> bool:
        """Evaluate a condition, given by name or in full."""
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = (str(self.resolve(side)) for side in argument)
                return left == right
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(map(self.holds, argument))
            case "Fn::Or":
                return any(map(self.holds, argument))
        raise UnresolvedError(f"the condition {function} is not supported")

    def resolve(self, value: Any) -> Any:
        """Resolve a value and everything in it; `NO_VALUE` is removed from lists and maps."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, argument)
        resolved = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not NO_VALUE}

    def _call(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._reference(argument)
            case "Fn::GetAtt":
                parts = argument.split(".") if isinstance(argument, str) else argument
                return self._attribute(*parts)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.holds(condition) else otherwise)
            case "Fn::Sub":
                text, own = argument if isinstance(argument, list) else (argument, {})
                names = self.resolve(own)
                return _VARIABLE.sub(lambda match: str(names.get(match[1]) or self._substitute(match[1])), text)
            case "Fn::Join":
                separator, parts = argument
                return separator.join(self.resolve(parts))
        raise UnresolvedError(f"the function {function} is not supported")

    def _substitute(self, name: str) -> Any:
        resource, dot, attribute = name.partition(".")
        return self._attribute(resource, attribute) if dot else self._reference(resource)

    def _reference(self, name: str) -> Any:
        if name in self._parameters:
            return self._parameters[name]
        if name in _PSEUDO:
            return _PSEUDO[name]
        return self._formatted(name, _REFERENCES.get(self._resource(name)["Type"], "{name}"))

    def _attribute(self, name: str, attribute: str) -> str:
        kind = self._resource(name)["Type"]
        if attribute == "Arn":
            return self._formatted(name, _ARNS[kind])
        if attribute == "QueueName":
            return self._name(name)
        if attribute == "StreamArn":
            return f"{self._formatted(name, _ARNS[kind])}/stream/{STREAM_LABEL}"
        if (kind, attribute) == ("AWS::Lambda::Version", "Version"):
            return "1"
        if (kind, attribute) == ("AWS::SSM::Parameter", "Value"):
            return str(self.resolve(self._resource(name)["Properties"]["Value"]))
        raise UnresolvedError(f"{name}.{attribute} of {kind} is not supported")

    def _resource(self, name: str) -> dict[str, Any]:
        if name not in self._resources:
            raise UnresolvedError(f"the template has no resource named {name}")
        resource: dict[str, Any] = self._resources[name]
        if "Condition" in resource and not self.holds(resource["Condition"]):
            raise UnresolvedError(f"{name} is used although its condition {resource['Condition']} is false")
        return resource

    def _formatted(self, name: str, pattern: str) -> str:
        return pattern.format(region=REGION, account=ACCOUNT, name=self._name(name))

    def _name(self, name: str) -> str:
        properties = self._resource(name)["Properties"]
        if self._resource(name)["Type"] == "AWS::Lambda::Alias":
            return f"{self.resolve(properties['FunctionName'])}:{properties['Name']}"
        return next((str(self.resolve(properties[key])) for key in _NAMES if key in properties), name)

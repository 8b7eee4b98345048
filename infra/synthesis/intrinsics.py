"""CloudFormation's intrinsic functions and conditions, resolved against parameters and the names that resources get."""

import re
from collections.abc import Mapping
from typing import Any, Final

Template = dict[str, Any]

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
NO_VALUE: Final = object()

_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "opx-recommendations",
    "AWS::URLSuffix": "amazonaws.com",
}

# What Ref returns of a resource; without an entry, a name made of its logical ID. {name} is its physical name.
_REFERENCES: Final = {
    "AWS::SQS::Queue": "https://sqs.{region}.amazonaws.com/{account}/{name}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::IAM::ManagedPolicy": "arn:aws:iam::{account}:policy/{name}",
    "AWS::Lambda::Alias": "arn:aws:lambda:{region}:{account}:function:{name}",
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
    "LogGroupName",
    "RoleName",
    "AlarmName",
    "TopicName",
    "DashboardName",
)
_VARIABLE: Final = re.compile(r"\$\{([^!][^}]*)\}")


class UnresolvedError(ValueError):
    """The template uses a function, or refers to a name, that this module does not know."""


class Resolver:
    """Resolves values of one template under one set of parameters."""

    def __init__(self, template: Template, parameters: Mapping[str, str | int]) -> None:
        self._resources: dict[str, Any] = template["Resources"]
        self._conditions: dict[str, Any] = template.get("Conditions", {})
        self._parameters = parameters

    def holds(self, condition: Any) -> bool:
        """Evaluate a condition, by its name or written out."""
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
                return all(self.holds(one) for one in argument)
            case "Fn::Or":
                return any(self.holds(one) for one in argument)
        raise UnresolvedError(f"{function} is not a condition that can be evaluated here")

    def resolve(self, value: Any) -> Any:
        """Resolve a value with all that is in it; `NO_VALUE` in a list or a map disappears."""
        if isinstance(value, list):
            return [one for one in map(self.resolve, value) if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, argument)
        resolved = {name: self.resolve(one) for name, one in value.items()}
        return {name: one for name, one in resolved.items() if one is not NO_VALUE}

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
                return _VARIABLE.sub(lambda found: str(self._substitute(found[1])), argument)
            case "Fn::Join":
                separator, parts = argument
                return separator.join(self.resolve(parts))
        raise UnresolvedError(f"{function} cannot be resolved here")

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
        if (kind, attribute) == ("AWS::Lambda::Version", "Version"):
            return "1"
        raise UnresolvedError(f"{name}.{attribute} of {kind} cannot be resolved here")

    def _resource(self, name: str) -> dict[str, Any]:
        if name not in self._resources:
            raise UnresolvedError(f"the template has nothing named {name}")
        resource: dict[str, Any] = self._resources[name]
        if "Condition" in resource and not self.holds(resource["Condition"]):
            raise UnresolvedError(f"{name} is referred to, and its condition {resource['Condition']} does not hold")
        return resource

    def _formatted(self, name: str, form: str) -> str:
        return form.format(region=REGION, account=ACCOUNT, name=self._name(name))

    def _name(self, name: str) -> str:
        properties = self._resource(name)["Properties"]
        if self._resource(name)["Type"] == "AWS::Lambda::Alias":
            return f"{self.resolve(properties['FunctionName'])}:{properties['Name']}"
        return next((str(self.resolve(properties[key])) for key in _NAMES if key in properties), name)

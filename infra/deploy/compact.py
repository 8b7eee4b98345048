"""A template in as few bytes as CloudFormation reads the same way: YAML in flow style, with short intrinsics."""

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from infra.template import Template

# Names of conditions. The four that are missing mean no and yes in YAML 1.1.
_LETTERS: Final = "".join(sorted(set(string.ascii_letters) - set("nNyY")))
# Each short tag, by the function that it stands for. Only these are used in the template.
_TAGS: Final = {
    "Ref": "!Ref",
    "Condition": "!Condition",
    **{f"Fn::{name}": f"!{name}" for name in ("And", "Equals", "GetAtt", "If", "Join", "Not", "Or", "Sub")},
}
_BLANKS: Final = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')  # a JSON string, which stays as it is, or blanks outside one
# Types and actions. PyYAML quotes every text with a colon, but templates everywhere have [sqs:SendMessage].
_NAME_WITH_COLONS: Final = re.compile(r"[A-Za-z][\w.-]*(::?[A-Za-z][\w.-]*)+")
# A change of their description would replace these: a policy's ARN is exported, and a layer's version published anew.
_REPLACED: Final = frozenset({"AWS::IAM::ManagedPolicy", "AWS::Serverless::LayerVersion"})


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML ships no types
    def ignore_aliases(self, *_: object) -> bool:
        """Repeat what occurs twice: CloudFormation knows no aliases."""
        return True

    def serialize(self, node: yaml.Node) -> None:
        """Write each section on a line of its own: Terraform takes what begins with a brace for JSON."""
        node.flow_style = False
        super().serialize(node)

    def write_indicator(self, indicator: str, *needed: bool, whitespace: bool = False, **others: bool) -> None:
        """Write no blank after a comma, where YAML needs none."""
        super().write_indicator(indicator, *needed, whitespace=whitespace or indicator == ",", **others)

    def choose_scalar_style(self) -> str:
        """Quote neither a value for its colons nor a text for its tag, and keep a text of several lines on one."""
        style: str = super().choose_scalar_style()
        if self.analysis.multiline:
            return '"'
        if self.event.tag in _TAGS.values() and self.analysis.allow_flow_plain:
            return ""
        is_name = _NAME_WITH_COLONS.fullmatch(self.analysis.scalar) and not self.simple_key_context
        return "" if is_name else style


def _represent_mapping(dumper: _Dumper, value: dict[str, Any]) -> yaml.Node:
    ((name, argument), *others) = value.items() or ((None, None),)
    if others or name not in _TAGS or isinstance(argument, dict):
        return dumper.represent_dict(value)
    if name == "Fn::GetAtt" and isinstance(argument, list):
        argument = ".".join(argument)
    if isinstance(argument, str):
        return dumper.represent_scalar(_TAGS[name], argument)
    return dumper.represent_sequence(_TAGS[name], argument)


_Dumper.add_representer(dict, _represent_mapping)


def stripped(template: Template) -> Template:
    """Return the template without what only people read, except alarms' descriptions and what rules say.

    Its own description stays. What goes: descriptions of parameters, resources and outputs, the texts of constraints,
    the IDs of statements, `Metadata` (the console's forms, and what checkov skips), and blanks in the dashboard's JSON.
    Conditions, which nobody sees outside the template, get names of one letter. Those that a function depends on keep
    theirs: SAM publishes a version when a function's text changes, which fails if the function itself does not change.
    """
    kept = {name: _without_texts(section) for name, section in template.items() if name != "Metadata"}
    for name, resource in kept["Resources"].items():
        resource.pop("Metadata", None)
        if resource["Type"] in _REPLACED and "Description" in (source := template["Resources"][name]["Properties"]):
            resource["Properties"]["Description"] = source["Description"]
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            body = resource["Properties"]["DashboardBody"]["Fn::Sub"]
            body[0] = _BLANKS.sub(lambda match: match[1] or "", body[0])
    functions = [each for each in kept["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    same = {name for each in functions for name in _conditions_in({**each["Properties"], "Events": None})}
    letters = iter(_LETTERS)
    names = {name: name if name in same else next(letters) for name in template["Conditions"]}
    kept["Conditions"] = {names[name]: condition for name, condition in kept["Conditions"].items()}
    renamed: Template = _with_conditions(kept, names)
    return renamed


def compact(template: Template) -> str:
    """Return a template as YAML, each section on one line."""
    text: str = yaml.dump(
        template, Dumper=_Dumper, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return text


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_texts(item)
            for key, item in value.items()
            if key not in ("ConstraintDescription", "Sid") and not (key == "Description" and isinstance(item, str))
        }
    return [_without_texts(item) for item in value] if isinstance(value, list) else value


def _conditions_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "Fn::If" in value:
            yield value["Fn::If"][0]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _conditions_in(item)


def _with_conditions(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case {"Fn::If": [condition, *branches]}:
            return {"Fn::If": [names[condition], *_with_conditions(branches, names)]}
        case dict():
            return {
                key: names[item] if key == "Condition" and isinstance(item, str) else _with_conditions(item, names)
                for key, item in value.items()
            }
        case list():
            return [_with_conditions(item, names) for item in value]
    return value

"""A template in as few bytes as CloudFormation reads the same way: YAML in flow style, with short intrinsics."""

import re
from typing import Any, Final

import yaml

from infra.template import Template

# Each short tag, by the function that it stands for. Only these are used in the template.
_TAGS: Final = {
    "Ref": "!Ref",
    "Condition": "!Condition",
    **{f"Fn::{name}": f"!{name}" for name in ("And", "Equals", "GetAtt", "If", "Join", "Not", "Or", "Sub")},
}
_BLANKS: Final = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')  # a JSON string, which stays as it is, or blanks outside one

# A change of their description would replace these: a policy's ARN is exported, and a layer's version published anew.
_REPLACED: Final = frozenset({"AWS::IAM::ManagedPolicy", "AWS::Serverless::LayerVersion"})


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML ships no types
    def ignore_aliases(self, *_: object) -> bool:
        """Repeat what occurs twice: CloudFormation knows no aliases."""
        return True

    def write_indicator(self, indicator: str, *needed: bool, whitespace: bool = False, **others: bool) -> None:
        """Write no blank after a comma, where YAML needs none."""
        super().write_indicator(indicator, *needed, whitespace=whitespace or indicator == ",", **others)

    def choose_scalar_style(self) -> str:
        """Quote a text with a tag only if it would be quoted without one."""
        style: str = super().choose_scalar_style()
        is_plain = self.analysis.allow_flow_plain and not self.analysis.multiline
        return "" if style == "'" and self.event.tag in _TAGS.values() and is_plain else style


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
    `Metadata` (the console's forms, and what checkov skips), and blanks in the dashboard's JSON.
    """
    kept = {name: _without_texts(section) for name, section in template.items() if name != "Metadata"}
    for name, resource in kept["Resources"].items():
        resource.pop("Metadata", None)
        if resource["Type"] in _REPLACED:
            resource["Properties"] = template["Resources"][name]["Properties"]
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            body = resource["Properties"]["DashboardBody"]["Fn::Sub"]
            body[0] = _BLANKS.sub(lambda match: match[1] or "", body[0])
    return kept


def compact(template: Template) -> str:
    """Return a template as YAML on one line."""
    text: str = yaml.dump(
        template, Dumper=_Dumper, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return text


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_texts(item)
            for key, item in value.items()
            if key != "ConstraintDescription" and not (key == "Description" and isinstance(item, str))
        }
    return [_without_texts(item) for item in value] if isinstance(value, list) else value

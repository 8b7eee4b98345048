"""IAM's decision for one request, as documented: an explicit deny wins, and everything not allowed is denied.

See the IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements" and "Conditions with multiple context keys
or values". An unsupported element or operator raises an error and is never ignored.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, Literal, NamedTuple

Decision = Literal["allowed", "denied"]
Statement = Mapping[str, Any]
Context = Mapping[str, str | tuple[str, ...]]
"""The condition keys that are present. A key with several values has a tuple."""
NO_CONTEXT: Final[Context] = {}

_ELEMENTS: Final = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"}
)
_OPERATOR: Final = re.compile(
    r"(?P<set>ForAllValues:|ForAnyValue:)?(Bool|String(?P<not_string>Not)?(Equals|(?P<like>Like))"
    r"|(?P<arn>Arn)(?P<not_arn>Not)?(Equals|Like))(?P<optional>IfExists)?"
)


class Request(NamedTuple):
    """One call; `principal` is an ARN, a service or `*`."""

    action: str
    resource: str
    context: Context = NO_CONTEXT
    principal: str = "*"


class Policy:
    """The statements of one account's identity and resource policies, whose patterns are compiled once.

    Raises `NotImplementedError` for an unsupported element or operator.
    """

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._statements = [_compiled(statement) for statement in statements]

    def allowed(self, actions: Iterable[str], resource: str, context: Context, principal: str = "*") -> frozenset[str]:
        """Return which of these actions are allowed on a resource."""
        reaching = [each for each in self._statements if each.reaches(resource, context, principal)]
        if not any(each.effect == "Allow" for each in reaching):
            return frozenset()
        return frozenset(
            action for action in actions if {each.effect for each in reaching if each.names(action)} == {"Allow"}
        )


def decide(statements: Iterable[Statement], request: Request) -> Decision:
    """Return the combined decision of one account's identity and resource policies."""
    allowed = Policy(statements).allowed([request.action], request.resource, request.context, request.principal)
    return "allowed" if allowed else "denied"


class _Compiled(NamedTuple):
    effect: str
    has_action: Callable[[str], bool]
    has_resource: Callable[[str], bool]
    principal: str | Mapping[str, Any]
    conditions: tuple[Callable[[Context], bool], ...]

    def reaches(self, resource: str, context: Context, principal: str) -> bool:
        """Return whether the statement applies to some action on a resource."""
        return (
            self.has_resource(resource)
            and _is_principal(self.principal, principal)
            and all(condition(context) for condition in self.conditions)
        )

    def names(self, action: str) -> bool:
        """Return whether the statement applies to an action; actions are case-insensitive."""
        return self.has_action(action.lower())


def _compiled(statement: Statement) -> _Compiled:
    # A policy with an unsupported element must fail the test rather than be judged without that element.
    if unknown := statement.keys() - _ELEMENTS:
        raise NotImplementedError(f"policy element {', '.join(unknown)}")
    return _Compiled(
        statement["Effect"],
        _element(statement, "Action", str.lower),
        _element(statement, "Resource", str),
        statement.get("Principal", "*"),
        tuple(
            _condition(operator, key, _listed(values))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        ),
    )


def _element(statement: Statement, element: str, fold: Callable[[str], str]) -> Callable[[str], bool]:
    """Return the test whether an element, or its negation, names a text."""
    negated = f"Not{element}" in statement
    matches = _one_of([fold(pattern) for pattern in _listed(statement[f"Not{element}" if negated else element])])
    return lambda text: matches(text) is not negated


def _is_principal(principal: str | Mapping[str, Any], wanted: str) -> bool:
    if principal == "*":
        return True
    assert isinstance(principal, Mapping), principal
    return any(name in ("*", wanted) for values in principal.values() for name in _listed(values))


def _condition(operator: str, key: str, values: list[str]) -> Callable[[Context], bool]:
    parsed = _OPERATOR.fullmatch(operator)
    if parsed is None:
        raise NotImplementedError(f"condition operator {operator} on {key}")
    # ArnEquals and ArnLike behave identically.
    matches = _one_of(values) if parsed["like"] or parsed["arn"] else values.__contains__
    return partial(_holds, parsed, key, matches)


def _holds(operator: re.Match[str], key: str, matches: Callable[[str], bool], context: Context) -> bool:
    present, negated = context.get(key), bool(operator["not_string"] or operator["not_arn"])
    if present is None:
        # A missing key satisfies only negations, ...IfExists and ForAllValues.
        return negated or operator["optional"] is not None or operator["set"] == "ForAllValues:"
    if operator["set"] is None:
        assert isinstance(present, str), f"{key} has several values, which {operator[0]} does not compare"
        return matches(present) is not negated
    each = (matches(value) is not negated for value in _listed(present))
    return all(each) if operator["set"] == "ForAllValues:" else any(each)


def _one_of(patterns: list[str]) -> Callable[[str], bool]:
    """Return the test whether one of these patterns matches: `*` is any text and `?` one character."""
    expressions = (
        "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
        for pattern in patterns
    )
    expression = re.compile("|".join(expressions), re.DOTALL)
    return lambda text: expression.fullmatch(text) is not None


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)

"""IAM's decision for one request, as documented: an explicit deny wins, and what nothing allows is denied.

IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements". An element or an operator that this does not
know is an error, never ignored.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

Decision = Literal["allowed", "denied"]
Statement = Mapping[str, Any]

_ELEMENTS: Final = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"}
)


class Request(NamedTuple):
    """One call; `context` has the condition keys that are present, `principal` an ARN, a service or `*`."""

    action: str
    resource: str
    context: Mapping[str, str] = {}
    principal: str = "*"


def decide(statements: Iterable[Statement], request: Request) -> Decision:
    """Return the decision of all policies of one account together, those of identities and of resources."""
    effects = {statement["Effect"] for statement in statements if applies(statement, request)}
    return "allowed" if effects == {"Allow"} else "denied"


def applies(statement: Statement, request: Request) -> bool:
    """Tell whether a statement speaks of this request."""
    # A policy that says what is not known here must fail the test, not be judged without it; so below.
    if unknown := statement.keys() - _ELEMENTS:
        raise NotImplementedError(f"policy element {', '.join(unknown)}")
    return (
        _named(statement, "Action", request.action.lower(), str.lower)
        and _named(statement, "Resource", request.resource, str)
        and _is_principal(statement.get("Principal", "*"), request.principal)
        and all(
            _satisfies(operator, key, _listed(values), request.context.get(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _named(statement: Statement, element: str, wanted: str, fold: Callable[[str], str]) -> bool:
    if f"Not{element}" in statement:
        return not any(_matches(fold(one), wanted) for one in _listed(statement[f"Not{element}"]))
    return any(_matches(fold(one), wanted) for one in _listed(statement[element]))


def _is_principal(principal: str | Mapping[str, Any], wanted: str) -> bool:
    if principal == "*":
        return True
    assert isinstance(principal, Mapping), principal
    return any(one in ("*", wanted) for values in principal.values() for one in _listed(values))


def _satisfies(operator: str, key: str, values: list[str], present: str | None) -> bool:
    name = operator.removesuffix("IfExists")
    if present is None:
        # A key that is absent satisfies negations and ...IfExists, and nothing else.
        return name != operator or "Not" in name
    match name:
        case "StringEquals" | "Bool" | "ArnEquals":
            return present in values
        case "StringNotEquals" | "ArnNotEquals":
            return present not in values
        case "StringLike" | "ArnLike":
            return any(_matches(one, present) for one in values)
        case "StringNotLike" | "ArnNotLike":
            return not any(_matches(one, present) for one in values)
    raise NotImplementedError(f"condition operator {operator} on {key}")


def _matches(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)

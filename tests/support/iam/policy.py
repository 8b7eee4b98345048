"""IAM's decision for one request, as documented: an explicit deny wins, and everything not allowed is denied.

See the IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements". An unsupported element or operator
raises an error and is never ignored.
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
    """One call; `context` has the condition keys that are present; `principal` is an ARN, a service or `*`."""

    action: str
    resource: str
    context: Mapping[str, str] = {}
    principal: str = "*"


def decide(statements: Iterable[Statement], request: Request) -> Decision:
    """Return the combined decision of one account's identity and resource policies."""
    effects = {statement["Effect"] for statement in statements if applies(statement, request)}
    return "allowed" if effects == {"Allow"} else "denied"


def applies(statement: Statement, request: Request) -> bool:
    """Return whether a statement applies to this request."""
    # A policy with an unsupported element must fail the test rather than be judged without that element.
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
        return not any(_matches(fold(pattern), wanted) for pattern in _listed(statement[f"Not{element}"]))
    return any(_matches(fold(pattern), wanted) for pattern in _listed(statement[element]))


def _is_principal(principal: str | Mapping[str, Any], wanted: str) -> bool:
    if principal == "*":
        return True
    assert isinstance(principal, Mapping), principal
    return any(name in ("*", wanted) for values in principal.values() for name in _listed(values))


def _satisfies(operator: str, key: str, values: list[str], present: str | None) -> bool:
    name = operator.removesuffix("IfExists")
    if present is None:
        # A missing key satisfies only negations and ...IfExists.
        return name != operator or "Not" in name
    match name:
        case "StringEquals" | "Bool" | "ArnEquals":
            return present in values
        case "StringNotEquals" | "ArnNotEquals":
            return present not in values
        case "StringLike" | "ArnLike":
            return any(_matches(pattern, present) for pattern in values)
        case "StringNotLike" | "ArnNotLike":
            return not any(_matches(pattern, present) for pattern in values)
    raise NotImplementedError(f"condition operator {operator} on {key}")


def _matches(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)

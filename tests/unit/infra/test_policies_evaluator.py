"""The evaluator that the least-privilege tests rely on, checked against examples of the IAM User Guide's rules."""

from typing import Any

import pytest

from tests.support.iam.policy import Request, decide

ALLOW = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:1:q"}
SEND = Request("sqs:SendMessage", "arn:aws:sqs:us-east-1:1:q")


def test_actions_are_denied_by_default() -> None:
    """Without a statement, nothing is allowed."""
    assert decide([], SEND) == "denied"


def test_explicit_deny_wins_over_any_allow() -> None:
    """Their order makes no difference."""
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    assert decide([ALLOW], SEND) == "allowed"
    assert decide([ALLOW, deny], SEND) == decide([deny, ALLOW], SEND) == "denied"


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("sqs:SendMessage", True),
        ("SQS:sendmessage", True),
        ("sqs:Send*", True),
        ("sqs:SendMessag?", True),
        ("*", True),
        ("sqs:SendMessageBatch", False),
        ("sqs:SendMessage?", False),
        ("sqs.SendMessage", False),
    ],
)
def test_actions_match_by_wildcard_in_any_case(pattern: str, *, allowed: bool) -> None:
    """`*` matches any text and `?` one character; nothing else is special."""
    assert (decide([{**ALLOW, "Action": pattern}], SEND) == "allowed") is allowed


def test_resources_match_by_wildcard_and_case() -> None:
    """ARNs are case-sensitive, actions are not."""
    assert decide([{**ALLOW, "Resource": ["arn:aws:sqs:*:1:q"]}], SEND) == "allowed"
    assert decide([{**ALLOW, "Resource": "arn:aws:sqs:us-east-1:1:Q"}], SEND) == "denied"


def test_not_action_and_not_resource_match_everything_else() -> None:
    """That is why no policy of ours may have one."""
    statement: dict[str, Any] = {"Effect": "Allow", "NotAction": "sqs:ReceiveMessage", "Resource": "*"}
    assert decide([statement], SEND) == "allowed"
    assert decide([statement], Request("sqs:ReceiveMessage", "q")) == "denied"
    statement = {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:sqs:*:*:other"}
    assert decide([statement], SEND) == "allowed"


@pytest.mark.parametrize(
    ("operator", "value", "context", "allowed"),
    [
        ("StringEquals", "a", {"key": "a"}, True),
        ("StringEquals", ["a", "b"], {"key": "b"}, True),
        ("StringEquals", "a", {"key": "A"}, False),
        ("StringEquals", "a", {}, False),
        ("StringEqualsIfExists", "a", {}, True),
        ("StringNotEquals", "a", {}, True),
        ("StringNotEquals", "a", {"key": "a"}, False),
        ("StringLike", "a*", {"key": "abc"}, True),
        ("StringLike", "a*", {"key": "b"}, False),
        ("Bool", "false", {"key": "false"}, True),
        ("Bool", "false", {}, False),
        ("ArnNotLike", "arn:aws:iam::1:role/*", {"key": "arn:aws:iam::1:role/x"}, False),
    ],
)
def test_conditions_hold_as_documented(operator: str, value: Any, context: dict[str, str], *, allowed: bool) -> None:
    """A missing key satisfies only negations and ...IfExists."""
    statement = {**ALLOW, "Condition": {operator: {"key": value}}}
    assert (decide([statement], SEND._replace(context=context)) == "allowed") is allowed


def test_principal_of_a_resource_policy_is_matched() -> None:
    """A service matches only its own name."""
    statement = {**ALLOW, "Principal": {"Service": "cloudwatch.amazonaws.com"}}
    assert decide([statement], SEND._replace(principal="cloudwatch.amazonaws.com")) == "allowed"
    assert decide([statement], SEND._replace(principal="sns.amazonaws.com")) == "denied"


@pytest.mark.parametrize(
    ("operator", "present", "allowed"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAllValues:StringEquals", (), True),
        ("ForAllValues:StringEquals", None, True),
        ("ForAllValues:StringLike", ("a", "bc"), False),
        ("ForAnyValue:StringEquals", ("a", "c"), True),
        ("ForAnyValue:StringEquals", ("c",), False),
        ("ForAnyValue:StringEquals", None, False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("c", "a"), False),
    ],
)
def test_conditions_on_keys_with_several_values(
    operator: str, present: tuple[str, ...] | None, *, allowed: bool
) -> None:
    """A request without the key satisfies every ForAllValues, so an Allow needs another condition that demands it."""
    statement = {**ALLOW, "Condition": {operator: {"key": ["a", "b"]}}}
    context = {} if present is None else {"key": present}
    assert (decide([statement], SEND._replace(context=context)) == "allowed") is allowed


@pytest.mark.parametrize("extra", [{"NotPrincipal": "*"}, {"Condition": {"DateLessThan": {"aws:CurrentTime": "x"}}}])
def test_unsupported_elements_are_an_error(extra: dict[str, Any]) -> None:
    """Ignoring a condition would make a policy look broader or narrower than it is."""
    with pytest.raises(NotImplementedError):
        decide([{**ALLOW, **extra}], SEND._replace(context={"aws:CurrentTime": "x"}))

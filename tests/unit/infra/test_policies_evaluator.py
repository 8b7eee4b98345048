"""The evaluator that the least-privilege tests trust, held to examples of the IAM User Guide's rules."""

from typing import Any

import pytest

from tests.support.iam.policy import Request, decide

ALLOW = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:1:q"}
SEND = Request("sqs:SendMessage", "arn:aws:sqs:us-east-1:1:q")


def test_what_nothing_allows_is_denied() -> None:
    """The default."""
    assert decide([], SEND) == "denied"


def test_explicit_deny_wins_over_any_allow() -> None:
    """In whatever order they stand."""
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
    """`*` is any text, `?` one character, and nothing else is special."""
    assert (decide([{**ALLOW, "Action": pattern}], SEND) == "allowed") is allowed


def test_resources_match_by_wildcard_in_their_case() -> None:
    """ARNs differ by case, actions do not."""
    assert decide([{**ALLOW, "Resource": ["arn:aws:sqs:*:1:q"]}], SEND) == "allowed"
    assert decide([{**ALLOW, "Resource": "arn:aws:sqs:us-east-1:1:Q"}], SEND) == "denied"


def test_not_action_and_not_resource_take_everything_else() -> None:
    """Which is why no policy of ours may have one."""
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
    """A key that the request lacks satisfies negations and ...IfExists only."""
    statement = {**ALLOW, "Condition": {operator: {"key": value}}}
    assert (decide([statement], SEND._replace(context=context)) == "allowed") is allowed


def test_principal_of_a_resource_policy_is_matched() -> None:
    """A service is a principal of its own."""
    statement = {**ALLOW, "Principal": {"Service": "cloudwatch.amazonaws.com"}}
    assert decide([statement], SEND._replace(principal="cloudwatch.amazonaws.com")) == "allowed"
    assert decide([statement], SEND._replace(principal="sns.amazonaws.com")) == "denied"


@pytest.mark.parametrize("extra", [{"NotPrincipal": "*"}, {"Condition": {"DateLessThan": {"aws:CurrentTime": "x"}}}])
def test_what_the_evaluator_does_not_know_is_an_error(extra: dict[str, Any]) -> None:
    """Ignoring a condition would make a policy look wider or narrower than it is."""
    with pytest.raises(NotImplementedError):
        decide([{**ALLOW, **extra}], SEND._replace(context={"aws:CurrentTime": "x"}))

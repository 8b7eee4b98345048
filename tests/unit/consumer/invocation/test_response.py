"""The reader of answers that the consumer's tests trust: Lambda's own rules, as documented."""

from typing import Any

import pytest

from tests.support.lambdas.event import event, redelivered

MESSAGES = event("a", "b")
ALL = {"m0", "m1"}


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_answer_that_names_nothing_deletes_everything(response: Any) -> None:
    """Which is why an accidental one loses messages."""
    assert redelivered(response, MESSAGES) == set()


@pytest.mark.parametrize(
    "response",
    [
        "failed",
        [],
        {"batchItemFailures": "m0"},
        {"batchItemFailures": ["m0"]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"ItemIdentifier": "m0"}]},
        {"batchItemFailures": [{"messageId": "m0"}]},
        {"batchItemFailures": [{}]},
        {"batchItemFailures": [None]},
        {"batchItemFailures": [{"itemIdentifier": 7}]},
        {"batchItemFailures": {"itemIdentifier": "m0"}},
        {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": object()}]},
    ],
)
def test_an_answer_that_cannot_be_read_redelivers_everything(response: Any) -> None:
    """Nothing is lost by it, and everything is done twice."""
    assert redelivered(response, MESSAGES) == ALL


def test_an_answer_by_name_redelivers_what_it_names() -> None:
    """The case that is wanted."""
    assert redelivered({"batchItemFailures": [{"itemIdentifier": "m1"}]}, MESSAGES) == {"m1"}

"""`redelivered`, on which the consumer's tests rely, reads responses as Lambda does."""

from typing import Any

import pytest

from tests.support.lambdas.event import event, redelivered

MESSAGES = event("a", "b")


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_response_that_names_no_message_deletes_all(response: Any) -> None:
    """So an accidental response of this kind would lose messages."""
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
def test_invalid_response_redelivers_all_messages(response: Any) -> None:
    """Nothing is lost, but every message is processed twice."""
    assert redelivered(response, MESSAGES) == {"m0", "m1"}


def test_valid_response_redelivers_the_messages_that_it_names() -> None:
    """The intended case."""
    assert redelivered({"batchItemFailures": [{"itemIdentifier": "m1"}]}, MESSAGES) == {"m1"}

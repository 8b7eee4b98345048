"""Which stage's CloudWatch namespace a queue belongs to."""

import pytest

from recommendation_shared.metrics import namespace_of


@pytest.mark.parametrize(
    ("queue_url", "namespace"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/opx-recommendations", "OPX/Recommendations"),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/opx-recommendations-dev", "OPX/Recommendations-dev"),
        ("http://127.0.0.1:4566/000000000000/opx-recommendations-a-2", "OPX/Recommendations-a-2"),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/other-dev", "OPX/Recommendations"),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/opx-recommendationsdev", "OPX/Recommendations"),
        (None, "OPX/Recommendations"),
    ],
)
def test_namespace_ends_with_the_suffix_of_the_queues_name(queue_url: str | None, namespace: str) -> None:
    """An executor that only knows its queue still reports to the right stage."""
    assert namespace_of(queue_url) == namespace

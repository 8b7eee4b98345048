import pytest

from recommendation_cli.cost.profile import billed_requests


@pytest.mark.parametrize(
    ("count", "size", "requests"),
    [(7, 5_120, 1), (10, 6_553, 1), (10, 6_554, 2), (11, 5_120, 2), (1, 65_536, 1), (1, 65_537, 2), (2, 1_048_576, 32)],
)
def test_requests_are_billed_per_64_kb_of_a_call(count: int, size: int, requests: int) -> None:
    """A call takes up to ten messages and 1 MiB."""
    assert billed_requests(count, size) == requests

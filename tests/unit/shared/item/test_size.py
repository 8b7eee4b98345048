"""Sizes computed by hand from DynamoDB's documentation."""

from typing import Any

import pytest

from recommendation_shared.item.size import item_size, value_size


@pytest.mark.parametrize(
    ("attribute", "size"),
    [
        ({"S": "漢é"}, 5),
        ({"NULL": True}, 1),
        ({"BOOL": False}, 1),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "ab"}, {"NULL": True}]}, 3 + (1 + 2) + (1 + 1)),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "-7"}, 3),
        ({"N": "123"}, 3),
        ({"N": "1234"}, 3),
        ({"N": "123.4"}, 4),
        ({"N": "100"}, 2),
        ({"N": "0.0001"}, 2),
        ({"N": "9" * 38}, 20),
    ],
)
def test_size_follows_dynamodbs_rule(attribute: dict[str, Any], size: int) -> None:
    """UTF-8 bytes for text, a byte per two digits, 3 bytes per container and 1 per element."""
    assert value_size(attribute) == size
    assert item_size({"name": attribute}) == len("name") + size

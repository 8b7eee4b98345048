"""Numbers that DynamoDB cannot hold."""

from decimal import Decimal

import pytest

from recommendation_shared.exact_json.numbers import number_text


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("-Infinity"), float("inf"), 10**126, Decimal("1E-131")])
def test_number_out_of_dynamodbs_range_has_no_number_text(number: float | Decimal) -> None:
    """So it is stored as text."""
    assert number_text(number) is None

"""The account that the tests of erasures share."""

import pytest

from tests.support.fakes.erasable_account import Account, filled_account


@pytest.fixture
def account() -> Account:
    """An account with something of two incidents in every place."""
    return filled_account()

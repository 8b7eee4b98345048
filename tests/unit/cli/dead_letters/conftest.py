"""The client that the tests of move tasks share."""

from collections.abc import Iterator

import pytest

from tests.support.fakes.stubbed_sqs import StubbedSqs


@pytest.fixture
def native() -> Iterator[StubbedSqs]:
    """A client whose prepared responses must all be used."""
    stubber = StubbedSqs()
    with stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    stubber.sqs.close()

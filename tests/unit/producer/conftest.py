"""Both ways of writing a body, for the tests that are about envelopes on their way."""

import pytest

from recommendation_shared.exact_json import dump


@pytest.fixture(params=["caller writes", "sender writes"])
def either_writer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test in a host with orjson, and in one without, where the sender writes the bodies."""
    if request.param == "sender writes":
        monkeypatch.setattr(dump, "ORJSON", None)

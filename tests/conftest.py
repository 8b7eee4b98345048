"""The engines that tests run against. Each starts when a test first needs it, on 127.0.0.1, once per run."""

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Final, NoReturn

import hypothesis
import pytest

from infra.local import LocalStack, local_stack
from infra.local.dynalite import DynaliteError, running_dynalite
from infra.local.moto import running_moto
from tests.support.no_account import NO_ACCOUNT

# A property is about values. How long an example takes depends on the machine; pytest-timeout ends what hangs.
hypothesis.settings.register_profile("any speed", deadline=None)
# For the Pythons that are not the main one: there, a property is to show that Python makes no difference.
hypothesis.settings.register_profile("fewer-examples", deadline=None, max_examples=20)
hypothesis.settings.load_profile("any speed")

# Seconds. pytest-timeout counts the fixtures too: the stack starts in 30 s, and in 120 s on a busy machine. Its canary
# alone may take 150 s, after which the stack says what is wrong; ending the test earlier would hide that.
_STACK_TIMEOUT: Final = 300


def pytest_configure() -> None:
    """Let Ctrl-C reach this process and those that it starts: a shell's background jobs inherit it as ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow each test that may be the first to need the stack the time to start it."""
    for item in items:
        if item.get_closest_marker("stack") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_STACK_TIMEOUT))


@pytest.fixture(scope="session", autouse=True)
def _no_real_account() -> Iterator[None]:
    """Keep every test away from the user's AWS account, even if it forgets to set an endpoint."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "RECOMMENDATIONS_"))]:
            patch.delenv(name)
        for name, value in NO_ACCOUNT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The whole system, deployed from the real template. Mark tests that use it with `stack`."""
    with local_stack(port=0) as running:
        yield running


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """The endpoint URL of moto in server mode. Tests share it, so each names its own queues and tables."""
    with running_moto() as url:
        yield url


@pytest.fixture(scope="session")
def dynalite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint URL of dynalite, which enforces DynamoDB's limits. Its tables are ready at once."""
    with contextlib.ExitStack() as resources:
        try:
            url = resources.enter_context(running_dynalite(tmp_path_factory.mktemp("dynalite") / "log"))
        except DynaliteError as error:
            _cannot_run(str(error))
        yield url


def _cannot_run(reason: str) -> NoReturn:
    """Skip on a machine without Node, but fail in CI, where a skipped conformance run would go unnoticed."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final, Protocol

import botocore.session
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from tests.support.fakes.deployment_answers import ENVIRON, Answers
from tests.support.fakes.recommendation_table import FakeDynamoDb, runtime

SERVICES: Final = ("sqs", "dynamodb", "lambda", "iam", "cloudwatch")


class RunDoctor(Protocol):
    """Runs `recs doctor`; botocore checks each prepared answer against its model of the service."""

    def __call__(self, answers: Answers, *args: str, environ: Mapping[str, str] = ENVIRON) -> Result:
        """Return how it ended; every answer must have been asked for."""


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, Any]]:
    """Clients that are only used with stubs."""
    session = botocore.session.get_session()
    clients = {service: session.create_client(service) for service in SERVICES}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def run_doctor(clients: dict[str, Any]) -> RunDoctor:
    """Runs `recs doctor` over prepared answers."""

    def run(answers: Answers, *args: str, environ: Mapping[str, str] = ENVIRON) -> Result:
        with ExitStack() as stubs:
            stubbers = {service: stubs.enter_context(Stubber(client)) for service, client in clients.items()}
            for service, method, answer in answers:
                if isinstance(answer, str):
                    stubbers[service].add_client_error(method, service_error_code=answer)
                else:
                    stubbers[service].add_response(method, dict(answer))
            world = replace(runtime(FakeDynamoDb(), environ), create_client=lambda service, _location: clients[service])
            result = CliRunner().invoke(recs, ["doctor", *args], obj=world)
            for stubber in stubbers.values():
                stubber.assert_no_pending_responses()
            return result

    return run

"""The proxy that throttles writes: how many clients learn that they were refused."""

import socket
from collections.abc import Iterator

import pytest

from examples.alarms.refusing_table import RefusingTable
from infra.local import ports

REQUEST = b"POST / HTTP/1.1\r\nHost: table\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def table() -> Iterator[RefusingTable]:
    """A proxy that refuses the next request. It accepts connections only when a test says so."""
    with RefusingTable("http://127.0.0.1:1") as proxy:
        proxy.left = 1
        yield proxy


def _handle_next(table: RefusingTable) -> None:
    connection, address = table.get_request()
    with connection:
        table.finish_request(connection, address)


def test_a_refusal_is_answered_and_counted(table: RefusingTable) -> None:
    """The client sees DynamoDB's error, and one refusal fewer is left."""
    with socket.create_connection((ports.HOST, table.server_port)) as client:
        client.sendall(REQUEST)
        _handle_next(table)
        answer = client.makefile("rb").read()
    assert b" 400 " in answer
    assert b"ProvisionedThroughputExceededException" in answer
    assert table.left == 0


def test_a_client_that_has_timed_out_does_not_use_up_a_refusal(table: RefusingTable) -> None:
    """Its metrics would lack the refusal, so the alarm would see one fewer than the table refused."""
    with socket.create_connection((ports.HOST, table.server_port)) as client:
        client.sendall(REQUEST)
    _handle_next(table)
    assert table.left == 1

"""An AWS CLI that is already running: `python warm_aws.py SOCKET`, in the local stack's own environment.

Every `aws` command spends half a second starting. Here the AWS CLI starts once, and a fork of it runs each command with
the caller's arguments, environment, folder and streams. `CLIENT` is a program that takes the place of the AWS CLI. With
RUNBOOK_CHECK_ONLY, a command succeeds once its request has been validated against AWS's model, without sending it.
"""

import importlib
import json
import os
import socket
import sys
from typing import Any, Final

CLIENT: Final = """\
#!{python} -IS
import json, os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect({path!r})
request = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(connection, [len(request).to_bytes(4, "big")], [0, 1, 2])
connection.sendall(request)
sys.exit(int.from_bytes(connection.recv(1), "big"))
"""


def serve(path: str) -> None:
    """Run every command that arrives on the socket, one at a time, until killed."""
    create_clidriver = importlib.import_module("awscli.clidriver").create_clidriver  # only in this environment

    driver = create_clidriver()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        while True:
            connection, _ = listening.accept()
            with connection:
                child = os.fork()
                if child == 0:
                    os._exit(_run(connection, driver))
                _, status = os.waitpid(child, 0)
                connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(1, "big"))


def _run(connection: socket.socket, driver: Any) -> int:
    size, streams, _, _ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as stream:
        arguments, environment, folder = json.loads(stream.read(int.from_bytes(size, "big")))
    for number, stream_of_caller in enumerate(streams):
        os.dup2(stream_of_caller, number)
    data = os.environ["AWS_DATA_PATH"]  # set by importing awscli, which finds its own data files by it
    os.environ.clear()
    os.environ.update(environment, AWS_DATA_PATH=data)
    os.chdir(folder)
    if "RUNBOOK_CHECK_ONLY" in environment:
        driver.session.register("before-send", lambda **_: os._exit(0))
    code: int = driver.main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve(sys.argv[1])

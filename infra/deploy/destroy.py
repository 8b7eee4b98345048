"""Delete the dev stage and everything it stored: `python -m infra.deploy.destroy dev`. Other stages are refused."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.deploy import account, sam, stages
from infra.errors import DeployError

DESTROYABLE = "dev"


def destroy(stage: stages.Stage, *, account_number: str | None, confirmed: str | None) -> None:
    """Show what is to go, ask, and delete the stack and the table that outlives it. Raises `DeployError`."""
    if stage.name != DESTROYABLE:
        raise DeployError(
            f"{stage.name} holds records that must be kept, and is never destroyed from here; only {DESTROYABLE} is. "
            "How to retire another stage by hand is in docs/deploy.md"
        )
    sam.executable()
    asks = stages.must_ask(stage, confirmed)
    caller = account.current(account_number)
    outputs = _outputs(caller, stage.stack_name)
    if outputs is not None and outputs.get("Stage") != DESTROYABLE:
        raise DeployError(f"the stack {stage.stack_name} says that its stage is {outputs.get('Stage')}: left alone")
    table = _table(caller, stage.table_name)
    if outputs is None and table is None:
        sys.stdout.write(f"{caller.describe()}\nThere is no stack {stage.stack_name} and no table: nothing to do.\n")
        return
    sys.stdout.write(f"{caller.describe()}\nTo be deleted, for ever:\n")
    if outputs is not None:
        sys.stdout.write(f"  the stack {stage.stack_name}, with the queues and what waits in them\n")
    if table is not None:
        sys.stdout.write(f"  the table {stage.table_name}, with about {table['ItemCount']} recommendations\n")
    if asks and input(f"Type {stage.name} to delete it: ") != stage.name:
        raise DeployError("not confirmed; nothing was deleted")
    if outputs is not None:
        sam.delete(stage.stack_name, caller.region)
    if table is not None:
        _delete_table(caller, stage.table_name)
        sys.stdout.write(f"Deleted the table {stage.table_name}\n")


def _outputs(caller: account.Account, stack_name: str) -> Mapping[str, str] | None:
    """Return the stack's outputs, or None if there is no such stack."""
    try:
        (stack,) = caller.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # the only sign of a stack that is not there
            return None
        raise _refused("DescribeStacks", error) from error
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _table(caller: account.Account, name: str) -> Mapping[str, Any] | None:
    try:
        table: Mapping[str, Any] = caller.client("dynamodb").describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise _refused("DescribeTable", error) from error
    return table


def _delete_table(caller: account.Account, name: str) -> None:
    """Delete a table, which the template makes every stack retain."""
    dynamodb = caller.client("dynamodb")
    try:
        dynamodb.delete_table(TableName=name)
        dynamodb.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 150})
    except ClientError as error:
        raise _refused("DeleteTable", error) from error
    except WaiterError as error:
        raise DeployError(f"the table {name} is still being deleted after five minutes") from error


def _refused(call: str, error: ClientError) -> DeployError:
    described = error.response["Error"]
    return DeployError(f"{call} failed: {described['Code']}: {described.get('Message', '')}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Destroy from the command line; 0 when nothing of the stage is left."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy.destroy",
        description="Delete the dev stage: its stack, and its table with all records.",
    )
    parser.add_argument("stage", help=f"{DESTROYABLE}; no other may be destroyed")
    parser.add_argument("--account", metavar="DIGITS", help="refuse to touch any other")
    parser.add_argument("--confirm", metavar="STAGE", help="the stage's name again: do not ask")
    options = parser.parse_args(arguments)
    try:
        destroy(stages.load(options.stage, {}), account_number=options.account, confirmed=options.confirm)
    except DeployError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Delete the dev stage and everything it stored: `python -m infra.deploy.destroy dev`. Other stages are refused."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.deploy import account, sam, stages
from infra.errors import DeployError
from recommendation_shared.aws_errors import MISSING_RESOURCE, error_code

DESTROYABLE = "dev"


def destroy(stage: stages.Stage, *, account_number: str | None, confirmed: str | None) -> None:
    """Show what will be deleted, ask, and delete the stack and the table that outlives it. Raises `DeployError`."""
    if stage.name != DESTROYABLE:
        raise DeployError(
            f"{stage.name} holds records that must be kept; this command destroys only {DESTROYABLE}. "
            "docs/deploy.md says how to retire another stage by hand"
        )
    sam.executable()
    asks = stages.must_ask(stage, confirmed)
    caller = account.current(account_number)
    outputs = _outputs(caller, stage.stack_name)
    if outputs is not None and outputs.get("Stage") != DESTROYABLE:
        raise DeployError(f"the stack {stage.stack_name} is of stage {outputs.get('Stage')}; nothing was deleted")
    table = _table(caller, stage.table_name)
    if outputs is None and table is None:
        sys.stdout.write(
            f"{caller.describe()}\nThe stack {stage.stack_name} and its table do not exist: nothing to do.\n"
        )
        return
    sys.stdout.write(f"{caller.describe()}\nThis permanently deletes:\n")
    if outputs is not None:
        sys.stdout.write(f"  the stack {stage.stack_name}, with its queues and the messages in them\n")
    if table is not None:
        sys.stdout.write(f"  the table {stage.table_name}, with about {table['ItemCount']} recommendations\n")
    if asks and input(f"Type {stage.name} to confirm: ") != stage.name:
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
        if error_code(error) == "ValidationError":  # how CloudFormation reports a stack that does not exist
            return None
        raise _refused("DescribeStacks", error) from error
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _table(caller: account.Account, name: str) -> Mapping[str, Any] | None:
    try:
        table: Mapping[str, Any] = caller.client("dynamodb").describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error_code(error) in MISSING_RESOURCE:
            return None
        raise _refused("DescribeTable", error) from error
    return table


def _delete_table(caller: account.Account, name: str) -> None:
    """Delete a table, which every stack retains when it is deleted."""
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
    """Destroy from the command line; return 0 if nothing of the stage is left."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy.destroy",
        description="Delete the dev stage: its stack and its table with all records.",
    )
    parser.add_argument("stage", help=f"{DESTROYABLE}; other stages are refused")
    parser.add_argument("--account", metavar="DIGITS", help="the account of the stage; any other is refused")
    parser.add_argument("--confirm", metavar="STAGE", help="the stage's name again: destroy without asking")
    options = parser.parse_args(arguments)
    try:
        destroy(stages.load(options.stage, {}), account_number=options.account, confirmed=options.confirm)
    except DeployError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

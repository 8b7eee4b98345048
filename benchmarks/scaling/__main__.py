"""Simulate the pipeline from 1 to 100,000 recommendations a second, and show which limit binds first.

For each rate: how long recommendations take until they are stored, the backlog when the load ends, the cost of an hour
at that rate, and the limit that binds. The deployments with compact indexes and write sharding show what each remedy
buys.
"""

import argparse
import sys
from typing import Final

from benchmarks.scaling.deployments import SIZE, deployments
from benchmarks.scaling.report import limits_table, rates_table

SECONDS: Final = 300


def main(arguments: list[str] | None = None) -> int:
    """Run the simulation; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N", help=f"of load (default: {SECONDS})")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random arrivals (default: 1)")
    parser.add_argument("--size", type=int, default=SIZE, metavar="BYTES", help=f"of an envelope (default: {SIZE})")
    options = parser.parse_args(arguments)
    simulated = deployments(options.size)
    print(limits_table(simulated, options.seconds))
    for name, deployment in simulated.items():
        print(f"\n{name}, {options.seconds} s of load\n")
        print(rates_table(deployment, options.seconds, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())

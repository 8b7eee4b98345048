"""SnapStart: Lambda takes a snapshot of the initialised sandbox, and later starts any number of copies of it.

Source: AWS Lambda Developer Guide, "Lambda SnapStart runtime hooks" (Python).
"""

from collections.abc import Callable

from recommendation_producer._loss_log import LOGGER


def call_before_snapshot(prepare: Callable[[], None]) -> None:
    """Call `prepare` before Lambda takes the snapshot. Never raises.

    An exception of a hook would end the initialisation, and so the deployment of a version of the host's function.
    """

    def harmless() -> None:
        try:
            prepare()
        except Exception as error:  # noqa: BLE001 - see above; what is pending is sent by the copies
            LOGGER.warning("draining before the snapshot failed: %s", type(error).__name__)

    try:
        # Only Lambda's runtimes have this module, so neither mypy nor other hosts find it.
        from snapshot_restore_py import register_before_snapshot  # type: ignore[import-not-found]  # noqa: PLC0415

        register_before_snapshot(harmless)
    except Exception as error:  # noqa: BLE001 - the host must still start
        LOGGER.warning("nothing is drained before the snapshot: %s: %s", type(error).__name__, error)

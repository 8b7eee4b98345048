"""Every test here uses real calls, and waits for them at its end."""

from tests.support.call_threads import calls_end

__all__ = ["calls_end"]

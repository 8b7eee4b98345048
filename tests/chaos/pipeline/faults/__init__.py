"""The faults that a run injects, and the proxy that injects them."""

"""Adapters for agent frameworks: each hands an agent's output to the active `recording` when the agent ends.

A framework is imported only by its own adapter, and only when that is used.
"""

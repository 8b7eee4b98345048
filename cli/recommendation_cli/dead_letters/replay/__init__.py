"""Shared by `redrive` and `restore`: choosing dead letters, sending them to the queue again, recording each step."""

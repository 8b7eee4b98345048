"""The table and the queues: how they are named, their clients, and the failures of calling them."""

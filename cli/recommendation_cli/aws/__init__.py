"""The table and the queues: which ones, their clients, and what can go wrong with them."""

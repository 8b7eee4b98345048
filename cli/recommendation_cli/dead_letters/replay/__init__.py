"""What `redrive` and `restore` share: choosing dead letters, sending them to the queue again, recording each step."""

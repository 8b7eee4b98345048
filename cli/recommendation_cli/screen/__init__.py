"""Output for people: the terminal, tables, progress, words, and text that is safe to print."""

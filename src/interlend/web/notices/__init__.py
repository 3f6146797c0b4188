"""The pages about letters: what went, what did not and why, the mail drawer, printing."""

"""Interlend: libraries that borrow from and lend to each other. ARCHITECTURE.md shows the house."""

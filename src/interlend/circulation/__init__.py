"""The house that knows patrons, items, holds and loans. It does not know that requests exist elsewhere."""

"""Letters to patrons: when they are due, what they say, and whether they went."""

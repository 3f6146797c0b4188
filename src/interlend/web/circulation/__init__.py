"""The circulation pages: check in, patrons, items, holds, and the lists of the desk."""

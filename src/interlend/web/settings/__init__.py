"""The settings pages: every policy row of a library as a form."""

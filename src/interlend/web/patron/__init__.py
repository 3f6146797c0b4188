"""The patron's own pages, phone first."""

"""How files become rows: CSV and MARC 21 read, understood, and saved in batches. `interlend load` is its door.

Strategy: sources (`csvfile`, `marcfile`, `sources`) give entries; `items` and `patrons` understand them; `batches`
saves them; `pipeline` joins the three; `report` tells how it went.
"""

from interlend.cli._loading.items import load_items
from interlend.cli._loading.mapping import ItemMapping, read_mapping
from interlend.cli._loading.patrons import load_patrons
from interlend.cli._loading.report import LoadError, LoadReport, Progress

__all__ = ["ItemMapping", "LoadError", "LoadReport", "Progress", "load_items", "load_patrons", "read_mapping"]

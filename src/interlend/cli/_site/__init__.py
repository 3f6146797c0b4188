"""The site file: everything a library sets up, in one YAML file (`interlend apply`; docs/site-file.md).

Strategy: `document` reads the file and remembers its lines, `schema` says what may stand in it, `checks` look at what
no single line can know (doubles, references), `reading` joins the three into all errors at once, `writing` writes.
"""

from interlend.cli._site.document import Problem, Unusable
from interlend.cli._site.reading import Faulty, SiteFile, read_site_file
from interlend.cli._site.writing import Outcome, write_site

__all__ = ["Faulty", "Outcome", "Problem", "SiteFile", "Unusable", "read_site_file", "write_site"]

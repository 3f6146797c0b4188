"""The sharing pages: lists, one request with its time line, the scan pages, partners, what needs attention."""

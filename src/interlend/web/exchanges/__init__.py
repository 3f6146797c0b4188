"""The exchanges pages: every message that passed between this library and other systems, found, read, tried again."""

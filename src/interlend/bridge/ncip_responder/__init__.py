"""Others drive our circulation over NCIP: bytes in, bytes out. `door.respond` is the way in; services are by noun."""

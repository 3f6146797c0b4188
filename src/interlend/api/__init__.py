"""The doors for programs: NCIP over HTTP, NCIP over bare TCP. They carry bytes to the bridge and back, nothing more."""

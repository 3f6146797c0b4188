"""The doors for people: staff pages and the patron's. A view reads a form, calls one service, shows the answer."""

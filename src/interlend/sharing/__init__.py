"""The house that knows requests and partner libraries. It knows circulation only through `host.py`."""

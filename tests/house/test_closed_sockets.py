"""The guard of tests/conftest.py holds: far machines are out of reach, this one is not."""

from __future__ import annotations

import socket

import pytest


@pytest.mark.parametrize("far", ["192.0.2.1", "far.example"])
def test_no_test_reaches_another_machine(far: str) -> None:
    with socket.socket() as sock, pytest.raises(PermissionError, match=far):
        sock.connect((far, 80))


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as here:
        socket.create_connection(here.getsockname(), timeout=1).close()

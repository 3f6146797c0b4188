"""Argon2id with the parameters that OWASP recommends as a minimum: 19 MiB, two passes, one lane.

Django's own default takes five times the memory on eight lanes, which makes a load of patrons with PINs take hours and
lets a few sign-ins at once exhaust a small machine. Hashes made with other parameters are still read and renewed.
"""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """The hasher of passwords and PINs."""

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

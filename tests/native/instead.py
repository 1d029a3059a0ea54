"""When networks run instead of native layers, for tests of any of these."""

import pytest

from pillow_lic.engine import runtime

CASES = pytest.mark.parametrize(
    ("reference", "providers", "bare"),
    [(True, "cpu", False), (False, "cpu", True), (False, "cuda,cpu", False)],
)
"""As the reference, of a model without numbers, and where another provider may have it."""


def roles_that_run(monkeypatch: pytest.MonkeyPatch, *given: str) -> list[str]:
    """Have networks give back these of what they are fed, and return the roles of those that run, as they do."""
    roles: list[str] = []

    def run(networks, role, feeds):
        roles.append(role)
        return [feeds[name] for name in given]

    monkeypatch.setattr(runtime, "run", run)
    return roles

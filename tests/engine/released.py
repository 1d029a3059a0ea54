"""The models of this release by procedure, for tests of what one family asks of its models."""

import pytest

from pillow_lic.engine import models
from pillow_lic.engine.models import Model

WRITING = [model for model in models.models() if model.superseded_by is None]
"""The models that write files, oldest first."""


def models_of(procedure: str) -> list[Model]:
    """Return the models with that procedure that write files, oldest first."""
    return [model for model in WRITING if model.procedure == procedure]


def name_and_number(value: object) -> str:
    """Return how pytest names a case by a model, or by anything else."""
    return f"{value.name}-{value.number}" if isinstance(value, Model) else str(value)


each_wrapping = pytest.mark.parametrize("model", [*models_of("restored"), *models_of("jiang2017")], ids=name_and_number)
"""A test of every model whose files have a JPEG file inside."""

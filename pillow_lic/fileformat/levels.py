"""The one scale of quality: levels 0..1024 in a file, 1.0 to 10.0 for the user."""

from .limits import MAX_LEVEL

MIN_QUALITY, MAX_QUALITY = 1.0, 10.0


def quality_to_level(quality: float) -> int:
    """Return the nearest level of a quality in 1..10; ValueError outside."""
    if not MIN_QUALITY <= quality <= MAX_QUALITY:
        msg = f"quality must be {MIN_QUALITY:g}-{MAX_QUALITY:g}, got {quality!r}"
        raise ValueError(msg)
    return round((quality - MIN_QUALITY) * MAX_LEVEL / (MAX_QUALITY - MIN_QUALITY))


def level_to_quality(level: int) -> float:
    """Return the quality, 1..10, that a level means; ValueError outside 0..1024."""
    if not 0 <= level <= MAX_LEVEL:
        msg = f"level must be 0-{MAX_LEVEL}, got {level}"
        raise ValueError(msg)
    return MIN_QUALITY + (MAX_QUALITY - MIN_QUALITY) * level / MAX_LEVEL

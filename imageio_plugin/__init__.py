"""The imageio backend for .lic, installed as `pillow_lic.imageio_plugin`.

`import pillow_lic` arranges for :func:`register` to run as soon as imageio is imported; nothing else need be done.
"""

from __future__ import annotations

NAME = "LIC"
EXTENSION = ".lic"


def register() -> None:
    """Enter the backend in imageio's public registries. Calling it again changes nothing."""
    from imageio.config import known_extensions, known_plugins
    from imageio.config.extensions import FileExtension, extension_list
    from imageio.config.plugins import PluginConfig

    known_plugins[NAME] = PluginConfig(
        name=NAME, class_name="LicPlugin", module_name=f"{__name__}.backend", install_name="pillow"
    )
    if EXTENSION not in known_extensions:
        extension = FileExtension(
            extension=EXTENSION, priority=[NAME, "pillow"], name="Learned image compression (pillow-lic)"
        )
        extension_list.append(extension)
        known_extensions[EXTENSION] = [extension]

"""Registration in every program of an environment without `import pillow_lic`. Imports `errors`, `files` and `installed_files`.

`installation` copies `after_import` into site-packages, where Python runs it when it starts.
"""

"""The files that PyInstaller cannot find by the imports of pillow_lic: networks, and modules that are imported by name."""

from PyInstaller.utils.hooks import collect_data_files, collect_dynamic_libs, collect_submodules

datas = collect_data_files("pillow_lic", excludes=["**/recipes/**"])
binaries = collect_dynamic_libs("pillow_lic")
hiddenimports = collect_submodules("pillow_lic", lambda name: "recipes" not in name)

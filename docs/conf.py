from importlib.metadata import version as installed_version

project = "imle_core"
author = "The imle_core developers"
copyright = "2026, the imle_core developers"
version = release = installed_version("imle-core")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 2
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Shape", "params_style")]

html_theme = "furo"
html_title = f"imle_core {version}"
html_static_path = ["_static"]
exclude_patterns = ["_build"]

from importlib.metadata import version as installed_version

project = "imle_core"
author = "The imle_core developers"
copyright = "2026, the imle_core developers"
version = release = installed_version("imle-core")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 2
# The tutorial is stored without outputs and computed here; a cell that raises is an error of the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300  # seconds a cell; all of them take less than a minute on two cores
nb_execution_in_temp = True
nb_execution_show_tb = True
nb_merge_streams = True
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

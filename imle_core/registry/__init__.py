"""Solver plugins: their hook and descriptions, discovery, look-up by name, and checked construction."""

from ._blame import chain as chain
from ._create import create as create
from ._create import import_factory as import_factory
from ._default import default_registry as default_registry
from ._default import register as register
from ._default import solver as solver
from ._default import solvers as solvers
from ._default import use_registry as use_registry
from ._hooks import hookimpl as hookimpl
from ._hooks import hookspec as hookspec
from ._listing import SolverListing as SolverListing
from ._parameters import Parameter as Parameter
from ._parameters import parameter as parameter
from ._parameters import parameters_of as parameters_of
from ._plugins import Plugin as Plugin
from ._registry import PluginRegistry as PluginRegistry
from ._requirements import install_command as install_command
from ._requirements import unmet_requirements as unmet_requirements
from ._spec import API_VERSION as API_VERSION
from ._spec import SolverSpec as SolverSpec

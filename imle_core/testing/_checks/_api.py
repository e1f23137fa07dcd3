"""Level api: what the description says of a solver, and what it asks of a user."""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from imle_core._solver import OPTIONAL_METHODS, Solver
from imle_core.errors import RegistrationError, SolverParameterError
from imle_core.registry import create, import_factory, parameters_of
from imle_core.registry._types import resolve
from imle_core.testing._catalogue import check
from imle_core.testing._outcome import fail, skip

if TYPE_CHECKING:
    from imle_core.registry import SolverSpec
    from imle_core.testing._case import Case
    from imle_core.testing._subject import Subject

LARGEST_EXAMPLE = 256
"""The most entries that an example may have: the kit solves it some hundred times."""

DECLARATIONS = ("sense", "event_shape", "output", "scale_invariant", "negative", "takes_tensors")


@check("api", once=True)
def check_examples(subject: Subject) -> None:
    """Examples exist, can be built, and are small: without them nothing else can be tested."""
    cases = subject.cases
    if subject.fault is not None:
        fail(
            asked="examples: a list of imle_core.testing.Example to test the solver with",
            found=f"{type(subject.fault).__name__}: {subject.fault}",
            usually="SolverSpec(examples='module:attribute') names no function, or one that raises",
        )
    # All of them are tried: no other check is to fail for what is told here.
    failed: dict[str, list[str]] = {}
    usually, large = "", []
    for case in cases:
        try:
            entries = case.renewed().entries
        except Exception as error:
            case.known["fault"] = "check_examples failed: the solver cannot be built"
            failed.setdefault(f"{type(error).__name__}: {error}", []).append(repr(case.label))
            usually = usually or _why_not_built(error)
        else:
            large += [f"example {case.label!r} has {entries}"] if entries > LARGEST_EXAMPLE else []
    if failed:
        fail(
            asked="every example can be built",
            found="; ".join(f"{', '.join(labels)}: {error}" for error, labels in failed.items()),
            usually=usually,
        )
    if large:
        fail(
            asked=f"examples have at most {LARGEST_EXAMPLE} entries",
            found="; ".join(large),
            usually="a small graph or instance shows the same faults, and its set can be enumerated",
        )


@check("api")
def check_description(case: Case) -> None:
    """The solver is what its description says, which is all that `imle show` and a user's choice rest on."""
    spec, solver = _spec(case.subject), case.solver
    names = case.subject.parameter_names
    wrong = [
        f"{field}: described as {getattr(spec, field)!r}, the solver has {getattr(solver, field)!r}"
        for field in ("sense", "output", "negative")
        # what a parameter decides, the description cannot know
        if field not in names and getattr(spec, field) not in (None, getattr(solver, field))
    ]
    if case.subject.plugin is not None and spec.sense is None and "sense" not in vars(solver):
        wrong.append(
            f"sense: described as None, which says that the problem decides, but the class declares {solver.sense!r}"
        )
    # a class that was registered as it stands has nobody to describe its devices
    described = case.subject.plugin is not None or spec.devices == "any"
    if described and (spec.devices == "any") != solver.takes_tensors:
        kind = "tensors" if solver.takes_tensors else "NumPy arrays"
        wrong.append(f"devices: described as {spec.devices!r}, but solve is given {kind}")
    if spec.time_limit and "time_limit" not in names:
        wrong.append("time_limit: described as True, but there is no parameter time_limit")
    if wrong:
        fail(
            asked="the description agrees with the solver",
            found="; ".join(wrong),
            usually="SolverSpec keeps a default that should be declared; devices='any' needs theta: torch.Tensor",
        )


@check("api")
def check_declarations(case: Case) -> None:
    """No declaration is misspelt: the core would not see it, and change answers silently."""
    solver = case.solver
    solver.check_declarations()
    classes = [cls for cls in type(solver).__mro__ if issubclass(cls, Solver) and cls not in Solver.__mro__]
    own = {name for cls in classes for name in vars(cls)} | set(vars(solver))
    valid = (*DECLARATIONS, *OPTIONAL_METHODS)
    for name in sorted(own - set(dir(Solver)) - set(valid)):
        match = difflib.get_close_matches(name, valid, n=1, cutoff=0.85)
        if match and not name.startswith("_"):
            fail(
                asked="attributes and methods that the core reads have their names",
                found=f"{type(solver).__name__} has {name!r}, which nothing reads, and {match[0]!r} is not its own",
                usually=f"{name!r} is a slip of the pen for {match[0]!r}",
            )


@check("api", once=True)
def check_light_module(subject: Subject) -> None:
    """The plugin's module imports neither torch, NumPy nor a required library, so that listing solvers is quick."""
    spec, plugin = _spec(subject), subject.plugin
    if plugin is None:
        skip("registered at run time: there is no plugin module")
    heavy = {"torch", "numpy", *_import_names(spec)}
    path = list(map(str, sys.path))
    given = {"path": path, "name": plugin.name, "value": plugin.target, "solver": spec.name}
    command = [sys.executable, "-c", _LIST, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        fail(
            asked=f"{plugin.target} can be imported in a new process",
            found=(done.stderr.strip().splitlines() or ["no message"])[-1],
            usually="it depends on something that another import has done",
        )
    if found := heavy & set(json.loads(done.stdout.splitlines()[-1])):
        fail(
            asked=f"finding {spec.name} imports none of {', '.join(sorted(heavy))}",
            found=f"importing {plugin.target} imports {', '.join(sorted(found))}",
            usually="the module, or the __init__ of its package, imports the solver; name it as 'module:attribute'",
        )


@check("api", once=True)
def check_parameters(subject: Subject) -> None:
    """The schema fits the factory, explains each parameter, and an unknown parameter is refused."""
    spec = _spec(subject)
    factory = import_factory(spec)
    try:
        create(spec, {"no_such_parameter": 0})
    except SolverParameterError:
        refused, found = True, ""
    except Exception as error:
        refused, found = False, f"{type(error).__name__}: {error}"
    else:
        refused, found = False, "it was accepted"
    if not refused:
        fail(
            asked="an unknown parameter is refused with SolverParameterError",
            found=found,
            usually="the factory takes **kwargs, so that a user's slip of the pen has no effect",
        )
    if spec.parameters is None:
        return
    declared = {p.name: p for p in parameters_of(spec.parameters)}
    taken = inspect.signature(factory).parameters
    any_key = any(p.kind is p.VAR_KEYWORD for p in taken.values())
    unknown = [] if any_key else [name for name in declared if name not in taken]
    missing = [
        name
        for name, p in taken.items()
        if p.default is p.empty
        and name not in declared
        and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    differing = [
        f"{name} is {p.default!r} in the schema and {taken[name].default!r} in the factory"
        for name, p in declared.items()
        if name in taken
        and not p.required
        and taken[name].default is not inspect.Parameter.empty
        and not _same(p.default, taken[name].default)
    ]
    untold = [name for name, p in declared.items() if not p.help.strip()]
    wrong = [f"the factory does not take {', '.join(unknown)}"] if unknown else []
    wrong += [f"the schema lacks {', '.join(missing)}, which the factory requires"] if missing else []
    wrong += [f"the default of {each}" for each in differing]
    wrong += [f"no help for {', '.join(untold)}"] if untold else []
    for name, p in declared.items():
        try:
            resolve(p.annotation, p.names)
        except Exception as error:
            wrong.append(f"the type {p.type!r} of {name} cannot be resolved: {error}")
    if wrong:
        fail(
            asked=f"{spec.parameters.__name__} declares the parameters of {spec.factory}, each with help",
            found="; ".join(wrong),
            usually="a parameter was changed in one place, or declared without imle_core.parameter(help=...)",
        )


@check("api", once=True)
def check_docstring(subject: Subject) -> None:
    """The factory has a docstring, which is where a user looks for the equation and the arguments."""
    factory = import_factory(_spec(subject))
    if not (factory.__doc__ or "").strip():
        fail(
            asked=f"{_spec(subject).factory} has a docstring",
            found="none",
            usually="one sentence, the equation and the arguments with their shapes and units are missing",
        )


def _why_not_built(error: Exception) -> str:
    if isinstance(error, SolverParameterError):
        return "its parameters are not those of the factory, or the solver declares something that does not exist"
    if isinstance(error, RegistrationError):
        return "what SolverSpec says and what the solver declares differ, or the factory makes no imle_core.Solver"
    if isinstance(error, ImportError):
        return "the factory names no module and attribute that are there, or needs a library that `requires` lacks"
    return "the factory raises it: make the solver by hand, with the parameters of the example"


def _same(a: object, b: object) -> bool:
    try:
        return bool(a == b)
    except Exception:  # arrays and the like, whose comparison is no single answer
        return repr(a) == repr(b)


def _spec(subject: Subject) -> SolverSpec:
    if subject.spec is None:
        skip("a solver object has no description")
    return subject.spec


def _import_names(spec: SolverSpec) -> set[str]:
    """Return the top-level modules of the libraries that a solver requires; NumPy's speed-ups are among them."""
    wanted = {_normal(Requirement(text).name) for text in spec.requires}
    if not wanted:
        return set()
    owners: dict[str, Any] = dict(importlib.metadata.packages_distributions())
    return {module for module, names in owners.items() if wanted & set(map(_normal, names))}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


_LIST = """
import importlib.metadata, json, sys
given = json.loads(sys.argv[1])
sys.path[:] = given["path"]
from imle_core.registry import PluginRegistry
entry = importlib.metadata.EntryPoint(given["name"], given["value"], "imle.plugins")
PluginRegistry([entry], env={}).find(given["solver"])
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""

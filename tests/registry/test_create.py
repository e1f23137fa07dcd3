"""From a name and parameters to a solver."""

import pytest

import imle_core as imle
from imle_core.errors import MissingDependencyError, PluginLoadError, RegistrationError, SolverParameterError
from imle_core.registry import PluginRegistry, SolverSpec

from .conftest import SOLVER, plugin_source, spec_source


def installed(install, *specs: str, solver: str = SOLVER, top: str = "") -> PluginRegistry:
    install("p-dist", {"p": "p_plugin"}, p_plugin=top + plugin_source(*specs), fake_solver=solver)
    return PluginRegistry(env={"IMLE_LOAD_PLUGINS": "p"})


def test_a_solver_is_built_with_its_parameters_and_its_qualified_name(install):
    solver = installed(install, spec_source(aliases=("best",))).create("p.best", k=3)
    assert isinstance(solver, imle.Solver)
    assert (solver.k, solver.name, solver.sense) == (3, "p.top_k", "max")


def test_a_parameter_may_be_called_name():
    registry = PluginRegistry(entry_points=())

    def factory(name: str) -> imle.Solver:
        return imle.FunctionSolver(lambda theta: theta, sense="max")

    registry.register(factory)
    assert registry.create("factory", name="x").name == "local.factory"


def test_a_missing_library_is_named_with_the_extra_before_anything_is_imported(install):
    registry = installed(install, spec_source(requires=("no-such-lib>=2",), extra="p"), solver="1 / 0")
    message = r"p\.top_k needs no-such-lib>=2 \(not installed\)\. Install with: pip install 'imle-core\[p\]'"
    with pytest.raises(MissingDependencyError, match=message):
        registry.create("p.top_k")


def test_a_library_in_a_wrong_version_is_named_with_the_version_installed(install):
    install("some-lib", version="1.5")
    registry = installed(install, spec_source(requires=("some-lib>=2", "other-lib")))
    with pytest.raises(MissingDependencyError) as caught:
        registry.create("p.top_k")
    assert str(caught.value) == (
        "p.top_k needs some-lib>=2 (installed: 1.5), other-lib (not installed). "
        "Install with: pip install 'some-lib>=2' 'other-lib'"
    )


@pytest.mark.parametrize("requirement", ["some-lib>=1.4", "some-lib", "some-lib<2; python_version > '3'"])
def test_a_library_that_is_there_in_the_right_version_is_accepted(install, requirement):
    install("some-lib", version="1.5rc1")
    assert installed(install, spec_source(requires=(requirement,))).create("p.top_k").k == 1


def test_a_requirement_of_another_platform_is_ignored(install):
    requirement = "no-such-lib; python_version < '3'"
    assert installed(install, spec_source(requires=(requirement,))).create("p.top_k").k == 1


def test_a_conflict_counts_only_once_the_other_library_is_imported(install):
    install("clash-lib", version="1.5", clash_lib="")
    registry = installed(install, spec_source(conflicts=("clash-lib>=1.5",)))
    assert registry.create("p.top_k").k == 1
    import clash_lib  # noqa: F401

    with pytest.raises(MissingDependencyError, match=r"cannot be in one process with clash-lib 1\.5"):
        registry.create("p.top_k")


def test_parameters_are_checked_before_the_factory_is_imported(install):
    top = """
    from dataclasses import dataclass
    from imle_core import parameter

    @dataclass(frozen=True, kw_only=True)
    class Parameters:
        k: int = parameter(help="How many.", ge=1)
    """
    spec = spec_source().replace("summary=", "parameters=Parameters, summary=")
    registry = installed(install, spec, solver="1 / 0", top=top)
    with pytest.raises(SolverParameterError, match=r"p\.top_k: parameter 'k' must be >= 1; got 0"):
        registry.create("p.top_k", k=0)
    with pytest.raises(
        PluginLoadError, match=r"importing its factory 'fake_solver:TopK' failed: ZeroDivision"
    ):
        registry.create("p.top_k", k=1)


def test_a_factory_that_does_not_exist_is_named(install):
    with pytest.raises(PluginLoadError, match="'fake_solver:TopKK' failed: AttributeError") as caught:
        installed(install, spec_source(factory="fake_solver:TopKK")).create("p.top_k")
    assert isinstance(caught.value.__cause__, AttributeError)


def test_a_factory_that_cannot_be_called_is_named(install):
    with pytest.raises(
        PluginLoadError, match="'fake_solver:TopK' is neither a class nor a function; it is 3"
    ):
        installed(install, spec_source(), solver="TopK = 3").create("p.top_k")


def test_defaults_of_the_schema_reach_the_factory(install):
    top = """
    from dataclasses import dataclass
    from imle_core import parameter

    @dataclass(frozen=True, kw_only=True)
    class Parameters:
        k: int = parameter(7, help="How many.")
    """
    spec = spec_source().replace("summary=", "parameters=Parameters, summary=")
    assert installed(install, spec, top=top).create("p.top_k").k == 7


def test_what_is_no_solver_is_refused():
    registry = PluginRegistry(entry_points=())
    registry.register(SolverSpec(name="odd", factory=lambda: 3, summary="Not a solver."))
    with pytest.raises(
        RegistrationError, match=r"local\.odd: its factory returned int, not an imle_core.Solver"
    ):
        registry.create("odd")


def test_a_solver_without_a_sense_is_refused():
    class Senseless(imle.Solver):
        def solve(self, theta):
            return theta

    registry = PluginRegistry(entry_points=())
    registry.register(Senseless)
    with pytest.raises(RegistrationError, match=r"local\.senseless: .*sense 'max' or 'min'; it has None"):
        registry.create("senseless")


def test_a_solver_of_another_sense_than_described_is_refused(install):
    with pytest.raises(RegistrationError, match=r"described with sense 'min', but the solver has 'max'"):
        installed(install, spec_source(sense="min")).create("p.top_k")


def test_an_error_of_the_factory_itself_is_left_alone(install):
    registry = installed(install, spec_source(), solver="def TopK(): raise OSError('disk')")
    with pytest.raises(OSError, match="disk"):
        registry.create("p.top_k")


def test_a_refusal_of_the_constructor_begins_with_the_qualified_name_once(install):
    solver = """
    from imle_core.errors import SolverParameterError

    class Refusal(SolverParameterError): ...

    def TopK(k: int = 1, named: bool = False):
        raise Refusal(f"{'p.top_k: ' * named}k = {k} is too many.")
    """
    registry = installed(install, spec_source(), solver=solver)
    for named in (False, True):
        with pytest.raises(SolverParameterError) as caught:
            registry.create("top_k", k=9, named=named)
        assert str(caught.value) == "p.top_k: k = 9 is too many."
        assert type(caught.value).__name__ == "Refusal"

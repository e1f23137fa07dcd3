"""From what a user types to one solver, or to a message that helps."""

import pytest

from imle_core.errors import AmbiguousSolverError, PluginLoadError, SolverNotFoundError
from imle_core.registry import PluginRegistry

from .conftest import plugin_source, spec_source


@pytest.fixture
def registry(install, good) -> PluginRegistry:
    source = plugin_source(spec_source("top_k"), spec_source("matching", aliases=("assignment",)))
    install("other-dist", {"other": "other_plugin"}, other_plugin=source)
    install("bad-dist", {"bad": "bad_plugin"}, bad_plugin="import no_such_library")
    return PluginRegistry(env={"IMLE_LOAD_PLUGINS": "good,other,bad"})


@pytest.mark.parametrize("name", ["other.matching", "matching", "other.assignment", "assignment"])
def test_a_solver_is_found_by_its_qualified_name_its_bare_name_and_its_aliases(registry, name):
    assert registry.find(name).name == "other.matching"


def test_a_bare_name_of_two_plugins_is_an_error_that_lists_the_full_names(registry):
    with pytest.raises(AmbiguousSolverError, match=r"'top_k' is ambiguous.*'good\.top_k', 'other\.top_k'"):
        registry.find("top_k")


def test_an_unknown_name_gets_the_closest_match_the_installed_ones_and_the_broken_plugins(registry):
    with pytest.raises(SolverNotFoundError) as caught:
        registry.find("other.matchin")
    assert str(caught.value) == (
        "no solver named 'other.matchin'. Did you mean 'other.matching'? "
        "Installed: good.top_k, other.matching, other.top_k. "
        "Failed to load: bad (ModuleNotFoundError: No module named 'no_such_library'). "
        f"Disabled: {_others(registry)}."
    )


def _others(registry: PluginRegistry) -> str:
    return ", ".join(f"{p.name} (IMLE_LOAD_PLUGINS)" for p in registry.plugins() if p.status == "disabled")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("matchin", "'matching'"),
        ("asignment", "'assignment'"),
        ("othr.matching", "'other.matching'"),
        ("good.matching", "'other.matching'"),
        ("a_very_different_plugin.matching", "'other.matching'"),
    ],
)
def test_a_misspelt_name_is_corrected(registry, name, suggestion):
    with pytest.raises(SolverNotFoundError, match=f"Did you mean {suggestion}"):
        registry.find(name)


def test_a_name_of_a_broken_plugin_raises_its_error(registry):
    with pytest.raises(PluginLoadError, match=r"plugin 'bad'.*no_such_library") as caught:
        registry.find("bad.anything")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_name_of_a_disabled_plugin_names_the_variable(good):
    registry = PluginRegistry(env={"IMLE_DISABLED_PLUGINS": "good"})
    with pytest.raises(SolverNotFoundError, match=r"Disabled: good \(IMLE_DISABLED_PLUGINS\)"):
        registry.find("good.top_k")


def test_an_uninstalled_plugin_that_an_extra_brings_gets_the_command():
    with pytest.raises(SolverNotFoundError, match=r"pip install 'imle-core\[networkx\]'"):
        PluginRegistry(entry_points=()).find("networkx.shortest_path")


def test_a_qualified_name_loads_its_own_plugin_alone(registry):
    registry.find("other.matching")
    status = {plugin.name: plugin.status for plugin in registry.plugins()}
    assert (status["other"], status["good"], status["bad"]) == ("loaded", "found", "found")


def test_listing_plugins_loads_none(registry):
    assert {plugin.status for plugin in registry.plugins()} == {"found", "disabled"}


def test_all_solvers_are_listed_sorted_and_by_qualified_name(registry):
    specs = registry.specs()
    assert [spec.name for spec in specs] == ["good.top_k", "other.matching", "other.top_k"]
    assert specs[1].namespace == "other"


def test_the_listing_shows_itself_as_a_table(registry):
    assert repr(registry.specs()).splitlines()[1] == "other.matching  max/min  The k best of n."
    assert (
        "<td>other.matching</td><td>max/min</td><td>The k best of n.</td>" in registry.specs()._repr_html_()
    )
    assert repr(PluginRegistry(entry_points=()).specs()) == "no solvers"


@pytest.mark.parametrize("name", [None, 3, len, ("networkx", "shortest_path")])
def test_what_is_no_string_is_refused_with_what_a_name_is(registry, name):
    message = r"the name of a solver is a string such as 'networkx\.shortest_path'.*; got .*\."
    with pytest.raises(TypeError, match=message):
        registry.create(name)

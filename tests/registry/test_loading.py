"""One broken plugin never takes the host, or another plugin, with it."""

import logging

import pytest

from imle_core.errors import PluginLoadError
from imle_core.registry import Plugin, PluginRegistry

from .conftest import plugin_source, spec_source

BROKEN = {
    "broken at import": ("import no_such_library", "No module named 'no_such_library'"),
    "exit at import": ("raise SystemExit('bye')", "SystemExit: bye"),
    "misspelt hook": (
        "from imle_core import hookimpl\n@hookimpl\ndef imle_register_solver(): return []",
        "unknown hook 'imle_register_solver'; hooks: imle_register_solvers",
    ),
    "forgotten hookimpl": (
        "def imle_register_solvers(): return []",
        "is there but not marked with @imle.hookimpl",
    ),
    "no hook at all": ("", "implements no hook"),
    "one description, not a list": (plugin_source("0").replace("[0]", spec_source()), "put it in a list"),
    "unknown field": (plugin_source(spec_source(sens="max")), "no field 'sens'. Did you mean 'sense'?"),
    "raising hook": (
        "from imle_core import hookimpl\n@hookimpl\ndef imle_register_solvers(): raise KeyError('x')",
        "KeyError: 'x'",
    ),
    "raising generator": (
        "from imle_core import hookimpl\n@hookimpl\ndef imle_register_solvers():\n    yield 1 / 0",
        "ZeroDivisionError",
    ),
    "hook with unknown argument": (
        "from imle_core import hookimpl\n@hookimpl\ndef imle_register_solvers(x): return []",
        "PluginValidationError",
    ),
    "hook that returns something else": (
        "from imle_core import hookimpl\n@hookimpl\ndef imle_register_solvers(): return ['top_k']",
        "must return SolverSpec objects; got str",
    ),
    "invalid description": (plugin_source(spec_source(sense="up")), "sense must be 'max', 'min' or None"),
    "name with a namespace": (plugin_source(spec_source("good.top_k")), "without a namespace"),
    "one name twice": (plugin_source(spec_source(), spec_source("a", aliases=("top_k",))), "'top_k'"),
    "newer interface": (plugin_source(spec_source(api_version=2)), "version 2 of the plugin interface"),
}


def by_name(registry: PluginRegistry, name: str) -> Plugin:
    return next(plugin for plugin in registry.plugins(load=True) if plugin.name == name)


@pytest.mark.parametrize(("source", "cause"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_kept_with_its_cause_and_the_others_survive(
    install, good, caplog, source: str, cause: str
):
    install("bad-dist", {"bad": "bad_plugin"}, bad_plugin=source)
    registry = PluginRegistry(env={})

    assert "good.top_k" in {spec.name for spec in registry.specs()}
    bad = by_name(registry, "bad")
    assert (bad.status, bad.specs) == ("failed", ())
    assert cause in bad.cause
    lines = [
        r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and "'bad'" in r.getMessage()
    ]
    assert len(lines) == 1
    assert "bad-dist 1.0" in lines[0]
    assert cause in lines[0]


def test_an_optional_hook_of_another_version_is_no_error(install):
    source = (
        plugin_source(spec_source()) + "    @hookimpl(optionalhook=True)\n    def imle_of_the_future(): ..."
    )
    install("new-dist", {"new": "new_plugin"}, new_plugin=source)
    assert by_name(PluginRegistry(env={}), "new").status == "loaded"


@pytest.mark.parametrize("first", ["a-dist", "b-dist"])
def test_of_two_plugins_with_one_name_the_later_is_failed_whatever_the_order_of_installation(install, first):
    second = {"a-dist": "b-dist", "b-dist": "a-dist"}[first]
    for distribution in (first, second):
        module = f"plugin_{distribution[0]}"
        source = plugin_source(spec_source(f"solver_{distribution[0]}"))
        install(distribution, {"twin": module}, **{module: source})
    registry = PluginRegistry(env={})

    twins = [plugin for plugin in registry.plugins(load=True) if plugin.name == "twin"]
    assert [(plugin.distribution, plugin.status) for plugin in twins] == [
        ("a-dist 1.0", "loaded"),
        ("b-dist 1.0", "failed"),
    ]
    assert "belongs to a-dist 1.0" in twins[1].cause
    assert registry.find("twin.solver_a").name == "twin.solver_a"


def test_a_shipped_namespace_cannot_be_shadowed(install):
    install("a-dist", {"torch": "evil_plugin"}, evil_plugin=plugin_source(spec_source("k_subset")))
    holders = [plugin for plugin in PluginRegistry(env={}).plugins() if plugin.name == "torch"]
    assert [plugin.shipped for plugin in holders] == [True, False]
    assert holders[1].status == "failed"
    assert "belongs to imle-core" in holders[1].cause


def test_a_switch_that_leaves_a_name_out_leaves_out_who_takes_it_too(install):
    install("a-dist", {"torch": "evil_plugin"}, evil_plugin=plugin_source(spec_source("k_subset")))
    plugins = PluginRegistry(env={"IMLE_DISABLED_PLUGINS": "torch", "IMLE_STRICT_PLUGINS": "1"}).plugins(
        load=True
    )
    assert {plugin.status for plugin in plugins if plugin.name == "torch"} == {"disabled"}


def test_the_namespace_of_run_time_solvers_cannot_be_taken(install):
    install("a-dist", {"local": "evil_plugin"}, evil_plugin=plugin_source(spec_source()))
    assert by_name(PluginRegistry(env={}), "local").status == "failed"


def test_an_entry_point_whose_name_cannot_be_a_namespace_is_failed(install):
    install("a-dist", {"my.plugin": "odd_plugin"}, odd_plugin=plugin_source(spec_source()))
    assert "no Python identifier" in by_name(PluginRegistry(env={}), "my.plugin").cause


def test_an_entry_point_that_names_the_hook_is_told_to_name_the_module(install):
    install("a-dist", {"a": "hook_plugin:imle_register_solvers"}, hook_plugin=plugin_source(spec_source()))
    cause = by_name(PluginRegistry(env={}), "a").cause
    assert "write 'hook_plugin' in place of 'hook_plugin:imle_register_solvers'" in cause


def test_strict_mode_raises_with_the_original_error_as_cause(install):
    install("bad-dist", {"bad": "bad_plugin"}, bad_plugin="import no_such_library")
    with pytest.raises(PluginLoadError, match=r"plugin 'bad' \(bad-dist 1\.0\).*no_such_library") as caught:
        PluginRegistry(env={"IMLE_STRICT_PLUGINS": "1", "IMLE_LOAD_PLUGINS": "bad"}).specs()
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_strict_mode_can_be_set_to_off(install):
    install("bad-dist", {"bad": "bad_plugin"}, bad_plugin="import no_such_library")
    names = {spec.name for spec in PluginRegistry(env={"IMLE_STRICT_PLUGINS": "0"}).specs()}
    assert "torch.k_subset" in names


@pytest.mark.parametrize(
    ("env", "names"),
    [
        ({"IMLE_LOAD_PLUGINS": "good"}, {"good.top_k"}),
        ({"IMLE_LOAD_PLUGINS": " good , also "}, {"good.top_k", "also.top_k"}),
        ({"IMLE_LOAD_PLUGINS": ""}, set()),
        ({"IMLE_LOAD_PLUGINS": "good,also", "IMLE_DISABLED_PLUGINS": "good"}, {"also.top_k"}),
    ],
)
def test_environment_variables_choose_the_plugins(install, good, env, names):
    install("also-dist", {"also": "also_plugin"}, also_plugin=plugin_source(spec_source()))
    registry = PluginRegistry(env=env)
    assert {spec.name for spec in registry.specs()} == names
    unused = {"good", "also"} - {name.partition(".")[0] for name in names}
    assert all(by_name(registry, name).status == "disabled" for name in unused)


def test_a_variable_that_names_no_plugin_is_reported(good, caplog):
    PluginRegistry(env={"IMLE_LOAD_PLUGINS": "goood"}).plugins()
    assert "IMLE_LOAD_PLUGINS names 'goood', which is not installed. Did you mean 'good'?" in caplog.text


def test_a_module_is_asked_once_for_its_solvers(install):
    source = plugin_source(spec_source()).replace("return", "calls.append(1); return") + "\n    calls = []"
    install("good-dist", {"good": "counting_plugin"}, counting_plugin=source)
    registry = PluginRegistry(env={"IMLE_LOAD_PLUGINS": "good"})
    registry.specs()
    registry.find("good.top_k")
    import counting_plugin

    assert counting_plugin.calls == [1]

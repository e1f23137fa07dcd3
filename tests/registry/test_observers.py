"""Plugins that take note of backward passes."""

import logging

import pytest
import torch
from toys import TopK

import imle_core as imle
from imle_core.registry import PluginRegistry, use_registry

OBSERVER = """
    from imle_core import hookimpl

    seen = []

    @hookimpl
    def imle_after_backward(report):
        seen.append(report)
"""
BROKEN = """
    from imle_core import hookimpl

    calls = []

    @hookimpl
    def imle_after_backward(report):
        calls.append(report)
        raise RuntimeError("the disk is full")
"""
FAILED = """
    from imle_core import hookimpl

    seen = []

    @hookimpl
    def imle_register_solvers():
        raise KeyError("x")

    @hookimpl
    def imle_after_backward(report):
        seen.append(report)
"""
WITHOUT_ARGUMENTS = """
    from imle_core import hookimpl

    calls = []

    @hookimpl
    def imle_after_backward():
        calls.append(None)
"""
MISSPELT_ARGUMENT = """
    from imle_core import hookimpl

    @hookimpl
    def imle_after_backward(raport):
        pass
"""


def passes(number, **env):
    """Make so many backward passes under a registry of the plugins that are installed now."""
    layer = imle.SolverLayer(TopK())
    with use_registry(PluginRegistry(env=env)) as registry:
        for _ in range(number):
            (layer(torch.rand(3, 5, requires_grad=True)) * torch.randn(5)).sum().backward()
    return layer, registry


def test_observer_gets_the_report_of_each_backward_pass_once(install):
    install("observer-dist", {"observer": "observing"}, observing=OBSERVER)
    layer, registry = passes(3)
    import observing

    assert [report.step for report in observing.seen] == [1, 2, 3]
    assert observing.seen[-1] is layer.last_report
    assert {plugin.name: plugin.status for plugin in registry.plugins()}["observer"] == "loaded"


def test_disabled_observer_gets_nothing(install):
    install("observer-dist", {"observer": "observing"}, observing=OBSERVER)
    passes(1, IMLE_DISABLED_PLUGINS="observer")
    import observing

    assert observing.seen == []


def test_observer_that_raises_is_logged_once_and_takes_neither_the_training_nor_others_down(install, caplog):
    install("a-dist", {"broken": "broken_observer"}, broken_observer=BROKEN)
    install("b-dist", {"observer": "observing"}, observing=OBSERVER)
    with caplog.at_level(logging.WARNING, logger="imle_core.registry"):
        passes(3)
    import broken_observer
    import observing

    assert len(broken_observer.calls) == 1
    assert len(observing.seen) == 3
    assert caplog.text.count("imle plugin 'broken': imle_after_backward failed, and is left out") == 1
    assert "the disk is full" in caplog.text


def test_observer_that_raises_ends_the_training_in_strict_mode(install):
    install("a-dist", {"broken": "broken_observer"}, broken_observer=BROKEN)
    with pytest.raises(RuntimeError, match="the disk is full"):
        passes(1, IMLE_STRICT_PLUGINS="1")


def test_observer_may_leave_out_the_argument(install):
    install("c-dist", {"counter": "counting"}, counting=WITHOUT_ARGUMENTS)
    passes(2)
    import counting

    assert len(counting.calls) == 2


def test_observer_with_a_misspelt_argument_is_a_failed_plugin_with_its_cause(install):
    install("d-dist", {"misspelt": "misspelling"}, misspelling=MISSPELT_ARGUMENT)
    _, registry = passes(1)
    plugin = {plugin.name: plugin for plugin in registry.plugins()}["misspelt"]
    assert plugin.status == "failed"
    assert "raport" in plugin.cause


def test_plugin_that_failed_to_load_observes_nothing(install):
    install("e-dist", {"failed": "failing"}, failing=FAILED)
    passes(1)
    import failing

    assert failing.seen == []

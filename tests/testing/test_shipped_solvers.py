"""No solver of ours fails a check, and each is tested by the file that an author would write."""

from pathlib import Path

import pytest
import toys

import imle_core as imle
from imle_core.registry import default_registry
from imle_core.testing import Example, check_solver, solver_checks

TESTS = Path(__file__).parents[1]
SHIPPED = [plugin.name for plugin in default_registry().plugins() if plugin.shipped]


@pytest.mark.parametrize("plugin", SHIPPED)
def test_every_shipped_plugin_has_a_conformance_test_of_all_its_solvers(plugin):
    file = TESTS / plugin / "test_conformance.py"
    assert file.exists(), f"tests/{plugin}/test_conformance.py is missing"
    assert f'@parametrize_with_checks("{plugin}.*")' in file.read_text()


@pytest.mark.parametrize("plugin", SHIPPED)
def test_every_exact_shipped_solver_has_examples_with_a_set_that_can_be_enumerated(plugin):
    exact = [spec.name for spec in imle.solvers() if spec.namespace == plugin and spec.exact]
    assert len(exact) >= 2
    for name in exact:  # some examples have a set that is infinite, or too large
        outcomes = [each.result().outcome for each in solver_checks(name, checks=["check_optimality"])]
        assert "passed" in outcomes, name


@pytest.mark.parametrize(
    "solver", [toys.TopK(), toys.CheapestK(), toys.OneOfN(), toys.Box(), toys.Window()], ids=lambda s: s.name
)
def test_the_toys_of_the_tests_fail_nothing(solver):
    assert check_solver(solver, instances=(0, 2, 3) if solver.name == "Window" else ()).passed


def test_one_of_n_with_its_set_given_is_shown_to_be_optimal():
    import numpy as np

    report = check_solver(
        toys.OneOfN(), examples=[Example(event_shape=(4,), support=np.eye(4))], checks=["check_optimality"]
    )
    assert [result.outcome for result in report.results] == ["passed"]

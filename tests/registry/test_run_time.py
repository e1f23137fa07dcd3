"""Registering a solver from a notebook."""

import pytest

import imle_core as imle
from imle_core.errors import AmbiguousSolverError, RegistrationError, SolverParameterError
from imle_core.registry import PluginRegistry, SolverSpec, default_registry, use_registry


class TopK(imle.Solver):
    """The k best of n.

    More words.
    """

    sense = "max"
    output = "binary"

    def __init__(self, k: int) -> None:
        self.k = k

    def solve(self, theta):
        return theta


@pytest.fixture
def registry():
    with use_registry(PluginRegistry(entry_points=())) as registry:
        yield registry


def test_a_class_is_registered_under_its_name_in_snake_case_and_described_by_its_attributes(registry):
    imle.register(TopK)
    (spec,) = imle.solvers()
    assert (spec.name, spec.summary, spec.sense, spec.output) == (
        "local.top_k",
        "The k best of n.",
        "max",
        "binary",
    )
    assert imle.solver("top_k", k=2).k == 2
    assert imle.solver("local.top_k", k=2).name == "local.top_k"


def test_a_factory_function_is_registered_under_a_given_name(registry):
    imle.register(lambda k=1: TopK(k), "mine.best")
    assert imle.solver("mine.best", k=4).k == 4
    assert imle.solver("best").name == "mine.best"


def test_a_description_is_registered(registry):
    imle.register(SolverSpec(name="top", factory=TopK, summary="The k best of n.", aliases=("best",)))
    assert imle.solver("best", k=1).name == "local.top"


def test_register_is_a_decorator(registry):
    @imle.register
    class Cheapest(TopK):
        sense = "min"

    assert Cheapest(k=1).sense == "min"
    assert imle.solvers()[0].name == "local.cheapest"
    assert imle.solvers()[0].summary == "Registered at run time."


def test_registering_a_name_again_replaces_it(registry):
    imle.register(TopK, "best")
    imle.register(lambda: TopK(9), "best")
    assert len(imle.solvers()) == 1
    assert imle.solver("best").k == 9


def test_a_bare_name_of_two_namespaces_is_ambiguous(registry):
    imle.register(TopK, "best")
    imle.register(TopK, "mine.best")
    with pytest.raises(AmbiguousSolverError, match=r"'local\.best', 'mine\.best'"):
        imle.solver("best", k=1)


@pytest.mark.parametrize("env", [{}, {"IMLE_DISABLED_PLUGINS": "torch"}], ids=["enabled", "disabled"])
def test_the_namespace_of_a_shipped_plugin_cannot_be_used(env):
    with pytest.raises(
        RegistrationError, match=r"'torch' belongs to the plugin of imle-core.*'local\.k_subset'"
    ):
        PluginRegistry(env=env).register(TopK, "torch.k_subset")


@pytest.mark.parametrize("name", ["", "top k", "a.b.c", "1k", "lambda-1"])
def test_a_name_that_is_none_is_refused(registry, name):
    with pytest.raises(RegistrationError, match="name"):
        imle.register(TopK, name)


def test_a_lambda_needs_a_name(registry):
    with pytest.raises(RegistrationError, match="give one"):
        imle.register(lambda: TopK(1))


def test_an_instance_is_refused(registry):
    with pytest.raises(RegistrationError, match="takes a Solver class"):
        imle.register(TopK(1))


def test_a_class_that_is_no_solver_is_refused_with_what_to_do(registry):
    with pytest.raises(RegistrationError, match=r"'object' is no solver; derive it from imle_core\.Solver"):
        imle.register(object)


def test_a_factory_with_arbitrary_keywords_is_refused(registry):
    def factory(**options):
        return TopK(**options)

    with pytest.raises(RegistrationError, match="'options' is variadic keyword"):
        imle.register(factory)


def test_the_default_registry_is_put_back():
    before = default_registry()
    with use_registry(PluginRegistry(entry_points=())) as other:
        assert default_registry() is other
    assert default_registry() is before


def test_a_bare_function_that_solves_is_refused_with_what_to_do(registry):
    with pytest.raises(RegistrationError, match=r"'best' takes 'theta'.*imle_core\.differentiable\(sense="):

        @imle.register
        def best(theta):
            return theta

    assert not imle.solvers()


def test_a_factory_or_a_class_may_have_a_theta_of_its_own(registry):
    class Angle(TopK):
        def __init__(self, theta: float) -> None:
            super().__init__(k=1)
            self.theta = theta

    imle.register(Angle)
    imle.register(lambda theta=0.5: Angle(theta), "turned")
    assert imle.solver("angle", theta=1.0).theta == 1.0
    assert imle.solver("turned").theta == 0.5


def test_a_bare_function_of_another_word_is_suspected_where_its_array_is_missing(registry):
    imle.register(lambda scores: scores, "best")
    with pytest.raises(
        SolverParameterError, match=r"missing parameter 'scores'.*imle_core\.differentiable\(sense="
    ):
        imle.solver("best")


def test_a_class_or_a_typed_factory_whose_parameter_is_missing_is_no_suspect(registry):
    def best(k: int) -> imle.Solver:
        return TopK(k)

    imle.register(TopK)
    imle.register(best)
    for name in ("top_k", "best"):
        with pytest.raises(SolverParameterError) as caught:
            imle.solver(name)
        assert str(caught.value) == f"local.{name}: missing parameter 'k' (int)."

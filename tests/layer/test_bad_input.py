"""Bad input gets a typed error that says what was asked, what was found, and what to do."""

import re

import numpy as np
import pytest
import torch
from toys import CheapestK, Identity, TopK, Window

import imle_core as imle
from imle_core import errors


class Five(TopK):
    """k of 5; a declared shape."""

    event_shape = (5,)


class Costs(CheapestK):
    """A set whose costs must not be negative."""

    negative = "error"


def raises(error, message):
    return pytest.raises(error, match=re.escape(message))


def each_way(solver):
    """A direct call with an array and with a tensor, a layer in eval, in training, and without noise."""
    return {
        "array": lambda theta: solver.solve(theta.numpy()),
        "tensor": solver.solve,
        "eval": imle.SolverLayer(solver).eval(),
        "train": imle.SolverLayer(solver, imle.IMLE(samples=3)),
        "blackbox": imle.SolverLayer(solver, imle.BlackBox()),
    }


WAYS = ["array", "tensor", "eval", "train", "blackbox"]
each = pytest.mark.parametrize("way", WAYS)


@each
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_non_finite_theta_is_counted_and_located(way, value):
    theta = torch.zeros(6, 5)
    theta[4, 2] = theta[5, 0] = theta[5, 1] = float(value)
    message = f"Five: theta has 3 non-finite values, first at row 4, index (2,): {value}"
    with raises(errors.InvalidThetaError, message):
        each_way(Five())[way](theta)


@each
def test_wrong_trailing_shape(way):
    with raises(ValueError, "Five: theta has shape (8, 6), but the solver takes rows of shape (5,)."):
        each_way(Five())[way](torch.zeros(8, 6))


@each
def test_zero_dimensional_theta(way):
    with raises(
        errors.InvalidThetaError, "Five: theta has shape (), but the solver takes rows of shape (5,)."
    ):
        each_way(Five())[way](torch.tensor(1.0))


@each
def test_no_batch_axis_where_one_is_needed(way):
    solver = imle.FunctionSolver(lambda theta: theta, sense="max")
    with raises(errors.InvalidThetaError, "theta (5,) has no batch axis; the solver declares no event_shape"):
        each_way(solver)[way](torch.zeros(5))


@pytest.mark.parametrize("shape", [(5,), (2, 3, 5)])
def test_a_direct_call_takes_one_batch_axis(shape):
    with raises(
        errors.InvalidThetaError, f"theta {shape} has {len(shape) - 1} batch axes; `solve` takes (N, *event)."
    ):
        Five().solve(torch.zeros(shape))


@each
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_theta_that_is_not_floating(way, dtype):
    name = str(dtype).removeprefix("torch.")
    with raises(ValueError, f"Five: theta is {name}; use a floating dtype."):
        each_way(Five())[way](torch.zeros(3, 5, dtype=dtype))


def test_a_list_of_numbers_is_taken_and_a_list_of_objects_is_not():
    assert Five(1).solve([[0.0, 1.0, 0.0, 0.0, 0.0]]).tolist() == [[0, 1, 0, 0, 0]]
    with raises(errors.InvalidThetaError, "Five: theta is object; use a floating dtype."):
        Five().solve(np.array([[None] * 5]))


def test_read_only_and_non_contiguous_arrays_are_taken():
    theta = np.arange(15.0).reshape(5, 3).T
    theta.flags.writeable = False
    assert (Five(1).solve(theta) == Five(1).solve(np.ascontiguousarray(theta))).all()


@each
def test_empty_batch(way):
    z = each_way(Five())[way](torch.zeros(0, 5))
    assert z.shape == (0, 5)


@each
def test_negative_costs_are_refused_where_the_solver_says_so(way):
    theta = torch.ones(4, 5)
    theta[3, 1] = -0.5
    with raises(
        errors.InvalidThetaError,
        "Costs: theta has 1 negative costs, first at row 3, index (1,): -0.5. Make the costs",
    ):
        each_way(Costs())[way](theta)


def test_perturbed_costs_below_zero_are_clipped_and_the_solver_never_sees_them():
    seen = []

    class Recorder(Costs):
        def solve(self, theta):
            seen.append(theta.min())
            return super().solve(theta)

    theta = torch.full((20, 5), 0.1, requires_grad=True)
    layer = imle.SolverLayer(Recorder(), imle.IMLE(samples=5, tau=5.0))
    (layer(theta) * torch.randn(5)).sum().backward()
    assert len(seen) == 2
    assert min(seen) == 0
    clip = Recorder()
    clip.negative = "clip"
    clip.solve(-torch.ones(2, 5))
    assert seen[-1] == 0


@pytest.mark.parametrize(
    ("returned", "output", "message"),
    [
        (
            lambda t: t[0],
            "real",
            "Broken: solve returned shape (5,), expected (4, 5): one structure for each row of theta.",
        ),
        (lambda t: t[:2], "real", "Broken: solve returned shape (2, 5), expected (4, 5)"),
        (
            lambda t: t * np.nan,
            "real",
            "Broken: row 0: solve returned a value that is not finite: nan at index (0,).",
        ),
        (lambda t: t * 0 + np.inf, "binary", "Broken: row 0: solve returned a value that is not finite: inf"),
        (
            lambda t: t * 0 + 0.5,
            "binary",
            "solve returned a fractional value, but its output is binary: 0.5 at index (0,).",
        ),
        (
            lambda t: t * 0 + 0.5,
            "integer",
            "solve returned a fractional value, but its output is integer: 0.5",
        ),
        (
            lambda t: t * 0 + 2,
            "binary",
            "solve returned a value other than 0 and 1, but its output is binary: 2.0",
        ),
        (lambda t: t * 0 - 1, "binary", "a value other than 0 and 1, but its output is binary: -1.0"),
        (
            lambda t: None,
            "real",
            "Broken: solve returned NoneType; expected a NumPy array or a torch tensor.",
        ),
        (
            lambda t: t.tolist(),
            "real",
            "Broken: solve returned list; expected a NumPy array or a torch tensor.",
        ),
        (
            lambda t: t.astype(str),
            "real",
            "Broken: solve returned dtype <U32; expected floating, integer or bool",
        ),
        (lambda t: t * 1j, "real", "Broken: solve returned dtype complex"),
    ],
)
@each
def test_what_a_solver_returns_is_verified(returned, output, message, way):
    class Broken(imle.Solver):
        sense = "max"
        event_shape = (5,)

        def solve(self, theta):
            return returned(theta)

    Broken.output = output
    solver = Broken()
    theta = torch.ones(4, 5)
    if way == "train":  # three samples a row in one batch
        message = message.replace("(2, 5), expected (4, 5)", "(2, 5), expected (12, 5)")
        message = message.replace("expected (4, 5): one", "expected (12, 5): one")
    with raises(errors.InvalidSolutionError, message):
        each_way(solver)[way](theta)


def test_row_of_a_wrong_solution_is_that_of_the_batch_and_not_of_the_sample():
    class Broken(TopK):
        def solve(self, theta):
            z = super().solve(theta)
            z[13, 2] = 0.5
            return z

    with raises(errors.InvalidSolutionError, "Broken: row 3: solve returned a fractional value"):
        imle.SolverLayer(Broken(), imle.IMLE(samples=2))(torch.zeros(10, 5))


def test_integers_and_booleans_are_taken_as_states():
    for convert in (np.int64, np.uint8, np.bool_):

        class Other(TopK):
            def solve(self, theta, convert=convert):
                return super().solve(theta).astype(convert)

        z = imle.SolverLayer(Other(2)).eval()(torch.rand(3, 5))
        assert z.dtype == torch.float32
        assert z.sum() == 6


def test_infeasible_states_are_found_by_full_validation():
    class Broken(TopK):
        def solve(self, theta):
            z = super().solve(theta)
            z[1] = 0
            return z

    theta = torch.rand(3, 5)
    assert Broken().solve(theta).sum() == 4
    with raises(errors.InvalidSolutionError, "Broken: row 1: solve returned a state that is not feasible."):
        Broken().solve(theta, validate="full")
    with raises(errors.InvalidSolutionError, "Broken: row 1: solve returned a state that is not feasible."):
        imle.SolverLayer(Broken(), imle.BlackBox(), validate="full")(theta)
    with raises(NotImplementedError, "Identity has no `is_feasible`, so validate='full' is not available."):
        Identity().solve(theta, validate="full")
    with raises(ValueError, "validate must be one of 'basic', 'full'; got 'all'."):
        imle.SolverLayer(TopK(), validate="all")
    with raises(ValueError, "validate must be one of 'basic', 'full'; got 'all'."):
        TopK().solve(theta, validate="all")


@each
def test_exception_in_a_solver_is_raised_again_with_the_row_and_its_cause(way):
    class Fragile(TopK):
        event_shape = (5,)

        def solve(self, theta):
            if (theta[:, 0] > 0.99e3).any():
                raise ZeroDivisionError("boom")
            return super().solve(theta)

    Fragile.scale_invariant = False
    theta = torch.zeros(6, 5)
    theta[4, 0] = 1e6
    with raises(errors.SolverError, "Fragile: row 4: solve raised ZeroDivisionError: boom") as caught:
        each_way(Fragile())[way](theta)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.row == 4


def test_typed_errors_of_a_plugin_pass_unchanged_but_for_solver_and_row():
    class Blocked(TopK):
        def solve(self, theta):
            raise errors.InfeasibleError("no structure", row=7)

    with raises(errors.InfeasibleError, "Blocked: row 7: no structure"):
        Blocked().solve(torch.zeros(8, 5))
    with raises(errors.InfeasibleError, "Blocked: row 2: no structure"):
        imle.SolverLayer(Blocked(), imle.IMLE(samples=2))(torch.zeros(5, 5))


def test_row_of_an_error_in_the_backward_pass_counts_rows_that_were_skipped():
    class Moody(TopK):
        calls = 0

        def solve(self, theta):
            self.calls += 1
            if self.calls == 2:
                raise errors.InfeasibleError("no structure", row=1)
            return super().solve(theta)

    theta = torch.rand(5, 4, requires_grad=True)
    w = torch.zeros(5, 4)
    w[2], w[4] = 1.0, 1.0
    loss = (imle.SolverLayer(Moody(), imle.BlackBox())(theta) * w * torch.rand(4)).sum()
    with raises(errors.InfeasibleError, "Moody: row 4: no structure"):
        loss.backward()


def test_array_code_given_tensors_or_the_reverse_is_told_how_to_ask():
    @imle.differentiable(sense="max")
    def solver(theta):
        return theta.topk(2)

    with raises(errors.SolverError, "annotate its parameter `theta: torch.Tensor` to be given tensors"):
        solver(torch.rand(2, 5))


def test_keyboard_interrupt_passes():
    class Slow(TopK):
        def solve(self, theta):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imle.SolverLayer(Slow())(torch.zeros(2, 5))


def test_instances_that_do_not_fit():
    layer = imle.SolverLayer(Window(), imle.BlackBox())
    theta = torch.zeros(3, 5)
    with raises(
        errors.InvalidInstanceError, "Window: 2 instances for 3 rows; give one instance for each row."
    ):
        layer(theta, instances=[1, 2])
    with raises(errors.InvalidInstanceError, "Window: 2 instances for 3 rows"):
        Window().solve(theta, instances=[1, 2])
    with raises(errors.InvalidInstanceError, "Window: row 2: low must be in [0, 5); got 9."):
        layer(theta, instances=[1, 2, 9])
    with raises(errors.InvalidInstanceError, "Window: instance number 50 is not known here"):
        layer(theta, instances=torch.tensor([0, 0, 50]))
    with raises(
        errors.InvalidInstanceError,
        "Window: instances must be a sequence with one instance for each row; got int",
    ):
        layer(theta, instances=3)
    with raises(ValueError, "because the solver has no `prepare` method; got the instance 1."):
        imle.SolverLayer(TopK())(theta, instances=[1, 2, 3])


@pytest.mark.parametrize("estimator", ["imle", imle.IMLE()])
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"reducton": "none"}, "Did you mean 'reduction', a keyword of the layer?"),
        ({"samples": 4}, "'samples' is an option of the estimator: imle.IMLE(samples=4)."),
    ],
)
def test_a_keyword_that_is_not_the_solvers_is_told_whose_it_may_be(estimator, keywords, message):
    with pytest.raises(errors.SolverParameterError, match="unknown parameter") as caught:
        imle.SolverLayer("torch.k_subset", estimator, k=2, **keywords)
    assert str(caught.value).endswith(message)


def test_a_solver_without_a_sense_and_things_that_are_no_solver():
    class NoSense(imle.Solver):
        def solve(self, theta):
            return theta

    with raises(errors.SolverParameterError, "NoSense declares sense = None; set it to one of 'max', 'min'."):
        imle.SolverLayer(NoSense())
    with raises(errors.SolverParameterError, "NoSense declares sense = None"):
        NoSense().solve(torch.zeros(1, 2))
    with raises(TypeError, "solver must be an imle_core.Solver or the name of one; got <function"):
        imle.SolverLayer(lambda t: t)
    with raises(TypeError, "SolverLayer: unknown keywords k. Options of a solver go with its name"):
        imle.SolverLayer(TopK(), k=3)
    with raises(ValueError, "reduction must be one of 'mean', 'none'; got 'sum'."):
        imle.SolverLayer(TopK(), reduction="sum")
    with raises(TypeError, "Can't instantiate abstract class"):
        type("Nothing", (imle.Solver,), {})()
    with raises(TypeError, "differentiable takes a function; got 3."):
        imle.differentiable(3, sense="max")


def test_what_is_no_tensor_of_a_known_kind():
    layer = imle.SolverLayer(Five())
    for theta, kind in ((np.zeros((2, 5)), "ndarray"), ([[0.0] * 5], "list"), (None, "NoneType")):
        with raises(errors.InvalidThetaError, f"Five: a layer takes a torch.Tensor; got {kind}."):
            layer(theta)
    with raises(
        errors.InvalidThetaError, "Five: theta is float8_e4m3fn; use float16, bfloat16, float32 or float64."
    ):
        layer(torch.zeros(2, 5).to(torch.float8_e4m3fn))
    with raises(errors.InvalidThetaError, "Five: theta is torch.sparse_coo; use theta.to_dense()."):
        layer(torch.zeros(2, 5).to_sparse())
    with raises(errors.InvalidThetaError, "Five: theta is no array of numbers"):
        Five().solve([[1.0], [1.0, 2.0]])


def test_arrays_that_torch_cannot_take_as_they_are():
    theta = np.random.default_rng(0).normal(size=(3, 5))
    expected = Five().solve(theta)
    for other in (
        theta[:, ::-1][:, ::-1],
        theta.astype(">f8"),
        theta.astype(np.longdouble),
        np.asfortranarray(theta),
    ):
        assert (Five().solve(other) == expected).all()
    for convert in (lambda z: z[:, ::-1][:, ::-1], lambda z: z.astype(">f4"), np.asfortranarray):

        class Returns(Five):
            def solve(self, theta, convert=convert):
                return convert(super().solve(theta))

        assert (Returns().solve(theta) == expected).all()


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("negative", "raise"), ("output", "bin"), ("sense", "maximum"), ("event_shape", 3)],
)
def test_a_misspelt_declaration_is_refused_wherever_the_solver_is_used(attribute, value):
    solver = TopK()
    setattr(solver, attribute, value)
    with raises(errors.SolverParameterError, f"TopK declares {attribute} = {value!r}; set it to"):
        solver.solve(torch.zeros(1, 5))
    with raises(errors.SolverParameterError, f"TopK declares {attribute} = {value!r}; set it to"):
        imle.SolverLayer(solver)


def test_a_generator_that_is_none():
    with raises(TypeError, "generator must be a torch.Generator or None; got 3."):
        imle.SolverLayer(TopK(), generator=3)
    layer = imle.SolverLayer(TopK())
    with raises(TypeError, "generator must be a torch.Generator or None; got 3."):
        layer.generator = 3


def test_instances_that_cannot_be_known_again():
    layer = imle.SolverLayer(Window())
    with raises(
        errors.InvalidInstanceError,
        "Window: row 0: an instance must be hashable, or a dict with hashable values",
    ):
        layer.prepare([[0]])
    with raises(errors.InvalidInstanceError, "Window: row 0: an instance must be hashable"):
        layer.prepare([{"low": [0]}])
    theta = torch.zeros(1, 5)
    layer.prepare([1, 2])
    with raises(errors.InvalidInstanceError, "instance number -1 is not known here"):
        layer(theta, instances=torch.tensor([-1]))
    with raises(errors.InvalidInstanceError, "numbers of instances are integers; got torch.float32"):
        layer(theta, instances=torch.tensor([1.0]))


def test_non_finite_theta_is_counted_once_however_many_samples():
    theta = torch.zeros(2, 5)
    theta[1, 3] = float("nan")
    for estimator in (imle.IMLE(samples=4), imle.IMLE(samples=4, noise=None)):
        with raises(
            errors.InvalidThetaError, "Five: theta has 1 non-finite values, first at row 1, index (3,)"
        ):
            imle.SolverLayer(Five(), estimator)(theta)


def test_a_scribbling_solver_that_raises_is_replayed_on_fresh_rows():
    class Scribbler(imle.Solver):
        sense = "max"

        def solve(self, theta):
            bad = (theta == 7).any()
            theta[...] = 0
            if bad:
                raise ZeroDivisionError("seven")
            return theta

    with raises(errors.SolverError, "Scribbler: row 2: solve raised ZeroDivisionError: seven"):
        Scribbler().solve(np.array([[1.0], [2.0], [7.0]]))


def test_capabilities_that_are_missing_are_named():
    with raises(errors.MissingCapabilityError, "TopK has no `decode`"):
        TopK().decode(np.zeros(5))
    with raises(NotImplementedError, "TopK has no `encode`"):
        TopK().encode([1])


def test_errors_survive_pickling():
    import pickle

    error = errors.InfeasibleError("no path", row=3)
    error.solver = "networkx.shortest_path"
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "networkx.shortest_path: row 3: no path"
    assert isinstance(again, errors.InfeasibleError)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.PluginLoadError, ImportError),
        (errors.MissingDependencyError, ImportError),
        (errors.SolverNotFoundError, LookupError),
        (errors.AmbiguousSolverError, LookupError),
        (errors.SolverParameterError, TypeError),
        (errors.SolverParameterError, ValueError),
        (errors.InvalidThetaError, ValueError),
        (errors.SolverError, RuntimeError),
    ],
)
def test_errors_are_caught_by_the_built_in_that_one_would_expect(error, builtin):
    assert issubclass(error, builtin)
    assert issubclass(error, errors.ImleError)


@pytest.mark.parametrize("estimator", ["imle", "blackbox"])
@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_an_infinite_cost_is_shown_with_the_sign_that_the_user_gave_it(estimator, value):
    costs = torch.rand(3, 5)
    costs[1, 2] = value
    with pytest.raises(imle.errors.InvalidThetaError, match=rf"first at row 1, index \(2,\): {value}$"):
        imle.SolverLayer(CheapestK(2), estimator)(costs)

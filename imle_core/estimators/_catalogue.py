"""The estimators by name, described without importing them, which would import torch.

What :func:`resolve` makes of a name and what ``imle estimators`` prints are both read from here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One option of an estimator.

    Attributes:
        name: The keyword.
        default: Its default, as Python text.
        values: What it may be, in words.
        help: What it does.
    """

    name: str
    default: str
    values: str
    help: str


@dataclass(frozen=True, kw_only=True)
class EstimatorEntry:
    """An estimator as the catalogue describes it.

    Attributes:
        name: What stands for it in ``SolverLayer(solver, "name")``, with its defaults.
        target: The class or function that makes it, in :mod:`imle_core.estimators` and in :mod:`imle_core`.
        summary: One line: what it is.
        when: One line: when to choose it.
        forward: Solver calls of a forward pass in training, for each row; S is the number of samples.
        backward: Solver calls of a backward pass, for each row.
        options: Its keyword parameters.
        reference: Where it is described.
    """

    name: str
    target: str
    summary: str
    when: str
    forward: str
    backward: str
    options: tuple[Option, ...]
    reference: str


_SAMPLES = Option("samples", "1", ">= 1", "Perturbed points S for each row.")
_NOISE = Option("noise", "Gumbel()", "a noise, or None", "Distribution of the perturbation.")
_TAU = Option("tau", "1.0", ">= 0", "Temperature: factor of the noise, in units of theta.")
_LAM = Option("lam", "1.0", "> 0", "Step to the target parameters; larger: less variance, more bias.")
_STEP = Option(
    "step", "'relative'", "'relative', 'absolute'", "Step in units of theta, or lam itself as published."
)
_DRAWS = Option(
    "draws", "'independent'", "'independent', 'antithetic', 'sobol'", "How the samples of a row are coupled."
)
_NO_NOISE = Option("noise", "None", "a noise, or None", "Distribution of the perturbation.")
_TARGET = Option(
    "target", "'pid'", "'pid', 'cost'", "Target parameters: moved by a step, or a linear cost's best."
)


def _difference(default: str) -> Option:
    return Option("difference", repr(default), "'forward', 'central'", "Central: less bias, S more calls.")


CATALOGUE = {
    entry.name: entry
    for entry in (
        EstimatorEntry(
            name="imle",
            target="IMLE",
            summary="Implicit MLE: perturb, and compare with the solution at a target that the loss prefers.",
            when="By default: any solver, a differentiable loss, two solves for a row and step.",
            forward="S",
            backward="S (central difference: 2S)",
            options=(_SAMPLES, _NOISE, _DRAWS, _TAU, _LAM, _STEP, _difference("forward"), _TARGET),
            reference="Niepert, Minervini and Franceschi (2021), Implicit MLE, Algorithm 1",
        ),
        EstimatorEntry(
            name="aimle",
            target="AIMLE",
            summary="Adaptive I-MLE: a controller keeps the step where gradients are neither zero nor everywhere.",
            when="Where a third solve is affordable, and where the step is not to be tuned.",
            forward="S",
            backward="2S (forward difference: S)",
            options=(
                _SAMPLES,
                _NOISE,
                _DRAWS,
                _TAU,
                Option("target_norm", "1.0", "> 0", "Non-zero entries of the gradient per sample to aim at."),
                _difference("central"),
            ),
            reference="Minervini, Franceschi and Niepert (2023), Adaptive perturbation-based gradient estimation",
        ),
        EstimatorEntry(
            name="blackbox",
            target="BlackBox",
            summary="Differentiation of black-box solvers: I-MLE without noise, the cheapest.",
            when="For the cheapest step with no randomness, on problems without ties.",
            forward="1",
            backward="1",
            options=(_LAM, _STEP),
            reference="Vlastelica et al. (2020), Differentiation of blackbox combinatorial solvers, Algorithm 1",
        ),
        EstimatorEntry(
            name="perturbed",
            target="Perturbed",
            summary="Perturbed optimiser: the gradient of the expected state, from many samples and no further solve.",
            when="For the gradient of the expected state itself, and for costs that must keep their sign.",
            forward="S",
            backward="0",
            options=(
                Option("samples", "100", ">= 1, 2 with a baseline", "Perturbed points S for each row."),
                Option("noise", "Normal()", "a noise with a score", "Distribution of the perturbation."),
                _DRAWS,
                Option("sigma", "1.0", "> 0", "Factor of the noise; larger: less variance, more smoothing."),
                Option("baseline", "'loo'", "'loo', 'none'", "Leave-one-out: less variance, no bias."),
                Option("multiplicative", "False", "bool", "Noise multiplies theta, which keeps its signs."),
            ),
            reference="Berthet et al. (2020), Learning with differentiable perturbed optimizers, proposition 3.1",
        ),
        EstimatorEntry(
            name="straight_through",
            target="StraightThrough",
            summary="Straight-through: the loss gradient itself, as if the solver were the identity.",
            when="For a quick start, where a further solve is not affordable.",
            forward="S",
            backward="0",
            options=(_SAMPLES, _NO_NOISE, _DRAWS, _TAU),
            reference="Bengio, Leonard and Courville (2013), Estimating or propagating gradients, section 4",
        ),
        EstimatorEntry(
            name="identity",
            target="Identity",
            summary="Identity with projection: straight-through, without the directions that the solver cannot see.",
            when="Where no further solve is affordable and all structures have the same number of ones.",
            forward="S",
            backward="0",
            options=(
                _SAMPLES,
                _NO_NOISE,
                _DRAWS,
                _TAU,
                Option(
                    "projection",
                    "'std'",
                    "'none', 'mean', 'norm', 'std'",
                    "What theta is freed of, row by row.",
                ),
            ),
            reference="Sahoo et al. (2023), Backpropagation through combinatorial algorithms, section 3",
        ),
        EstimatorEntry(
            name="score_function",
            target="ScoreFunction",
            summary="Score function (REINFORCE): from the values of the loss, which need not be differentiable.",
            when="Where the loss is not differentiable, and samples are cheap.",
            forward="S",
            backward="0",
            options=(
                Option("samples", "4", ">= 1, 2 with a baseline", "Samples S for each row."),
                Option(
                    "noise", "Normal()", "a noise with a score, or None", "None: exact samples of the family."
                ),
                _DRAWS,
                _TAU,
                Option("baseline", "'loo'", "'loo', 'none'", "Leave-one-out: less variance, no bias."),
            ),
            reference="Williams (1992), Simple statistical gradient-following algorithms",
        ),
        EstimatorEntry(
            name="exact",
            target="Exact",
            summary="Exact marginals, of solvers with exact inference: no noise, no variance of its own.",
            when="Wherever the set has exact inference and it is fast enough.",
            forward="0",
            backward="0",
            options=(
                Option("samples", "1", ">= 1", "Exact samples S for each row."),
                Option("tau", "1.0", "> 0", "Temperature of the family, in units of theta."),
                Option("output", "'sample'", "'sample', 'marginals'", "What the forward pass returns."),
            ),
            reference="Ahmed et al. (2023), SIMPLE: a gradient estimator for k-subset sampling",
        ),
        EstimatorEntry(
            name="sparsemap",
            target="SparseMAP",
            summary="SparseMAP: a sparse mixture of structures, nearest to theta, by the solver alone.",
            when="For soft answers of few structures, at some solves more in the forward pass.",
            forward="as many as it takes, at least 2",
            backward="0",
            options=(
                Option("tau", "1.0", "> 0", "Temperature; larger: more structures in the mixture."),
                Option("iterations", "100", ">= 1", "Rounds of solves at most."),
                Option("tolerance", "1e-09", "> 0", "Relative duality gap at which a row is done."),
            ),
            reference="Niculae, Martins, Blondel and Cardie (2018), SparseMAP, sections 2 and 3",
        ),
    )
}
"""Every estimator by its name."""

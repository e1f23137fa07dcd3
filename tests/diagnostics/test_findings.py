"""Each rule speaks from its threshold on, and not before."""

import numpy as np
import pytest
import torch

import imle_core as imle
from imle_core.diagnostics import Memory, findings, watch
from imle_core.diagnostics._reading import read_run


def titles(records):
    return [(finding.level, finding.title) for finding in findings(records)]


def run_of(report, count=200, **columns):
    """A run in which a figure has one value, or one for each step."""
    return [
        report(
            step,
            **{name: column[step - 1] if np.ndim(column) else column for name, column in columns.items()},
        )
        for step in range(1, count + 1)
    ]


def test_nothing_is_said_of_a_run_in_order(report):
    assert findings(run_of(report)) == []


@pytest.mark.parametrize(
    ("share", "level"),
    [(0.49, None), (0.5, "warning"), (0.89, "warning"), (0.9, "problem"), (1.0, "problem")],
)
def test_zero_rows(report, share, level):
    found = titles(run_of(report, zero_rows=share))
    text = f"{round(100 * share)} % of rows had a zero gradient in the last 100 reports"
    assert found == ([(level, text)] if level else [])


def test_zero_rows_long_ago_are_forgotten(report):
    assert findings(run_of(report, zero_rows=[1.0] * 100 + [0.1] * 100)) == []
    assert findings(run_of(report, zero_rows=[1.0] * 101 + [0.4] * 99)) == []
    assert findings(run_of(report, zero_rows=[0.0] * 100 + [0.9] * 100)) != []


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        (
            {"solves": 22, "avoided/zero gradient": 18},
            "90 % of rows had no gradient of the loss to begin with",
        ),
        ({"solves": 38, "avoided/zero gradient": 2}, "Raise tau or lam"),
        # central: twice as many solves backward
        ({"solves": 24, "avoided/zero gradient": 36}, "90 % of rows had no gradient of the loss"),
        # without noise, the two samples are one point forward
        (
            {"solves": 12, "avoided/zero gradient": 18, "avoided/equal points": 10},
            "90 % of rows had no gradient",
        ),
        ({"estimator": "AIMLE(samples=2)"}, "Raise target_norm"),
    ],
)
def test_advice_on_zero_rows_depends_on_their_cause(report, changed, advice):
    (finding,) = findings(run_of(report, zero_rows=0.92, **changed))
    assert advice in finding.advice


@pytest.mark.parametrize(
    ("share", "level"),
    [(0.0, "note"), (0.05, "note"), (0.06, None), (0.94, None), (0.95, "warning"), (1.0, "warning")],
)
def test_agreement(report, share, level):
    assert [finding.level for finding in findings(run_of(report, agreement=share))] == (
        [level] if level else []
    )


def test_an_estimator_without_a_step_has_no_agreement_to_speak_of(report):
    assert findings(run_of(report, agreement=None, lam=None)) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite(report, value):
    norms = [2.0] * 200
    norms[17] = value
    assert titles(run_of(report, gradient_norm=norms)) == [
        ("problem", "gradient not finite in 0.5 % of reports, first at step 18")
    ]


@pytest.mark.parametrize(("count", "level"), [(0, None), (1, "warning"), (75, "warning"), (76, "problem")])
def test_timeouts(report, count, level):
    """200 reports of 38 solves: 1 % are 76."""
    found = findings(run_of(report, timeouts=[1] * count + [0] * (200 - count)))
    assert [finding.level for finding in found] == ([level] if level else [])
    if level:
        assert found[0].title.startswith(f"{count} time-outs, ")


@pytest.mark.parametrize(
    ("factor", "level"), [(99.0, None), (101.0, "warning"), (1 / 99, None), (1 / 101, "note"), (0.0, None)]
)
def test_a_gradient_norm_that_changed_greatly(report, factor, level):
    norms = [2.0] * 100 + [2.0 * factor] * 100
    assert [finding.level for finding in findings(run_of(report, gradient_norm=norms))] == (
        [level] if level else []
    )


WITHOUT_NOISE = "IMLE(samples=1, noise=None, draws='independent', tau=1.0, lam=1.0, step='relative')"


def shrinking(report, growth, **changed):
    """A run without noise in which theta shrinks: the norm grows as lam falls, and nothing else changes."""
    size = np.array([1.0] * 100 + [1 / growth] * 100)
    columns = {
        "gradient_norm": list(2.0 / size),
        "lam": list(0.5 * size),
        "estimator": WITHOUT_NOISE,
        **changed,
    }
    return run_of(report, **columns)


@pytest.mark.parametrize(("growth", "level"), [(9.0, None), (11.0, "warning"), (1e12, "warning")])
def test_theta_that_shrinks_without_noise(report, growth, level):
    found = findings(shrinking(report, growth))
    assert [finding.level for finding in found] == ([level] if level else [])
    if level:
        assert "theta may be shrinking" in found[0].title
        assert "nothing holds the scale of theta" in found[0].advice


@pytest.mark.parametrize(
    "changed",
    [
        {"estimator": "IMLE(samples=2, noise=Gumbel())"},
        {"lam": 0.5},
        {"lam": None},
        {"zero_rows": [0.1] * 100 + [0.3] * 100},
        {"agreement": [0.4] * 100 + [0.6] * 100},
    ],
    ids=["noise", "lam stays", "no lam", "zero rows change", "agreement changes"],
)
def test_a_norm_that_grows_for_another_reason_is_not_of_theta_that_shrinks(report, changed):
    assert findings(shrinking(report, 50.0, **changed)) == []
    (other,) = findings(shrinking(report, 200.0, **changed))
    assert other.title == "gradient norm grew 200-fold, from 2 to 4e+02"


def test_theta_of_a_real_training_shrinks_without_noise_and_is_found():
    def train(estimator):
        torch.manual_seed(0)
        theta = torch.nn.Parameter(10 * torch.randn(16, 10))
        layer, memory = imle.SolverLayer("torch.k_subset", estimator, k=3), Memory()
        optimiser = torch.optim.AdamW([theta], lr=0.01, weight_decay=2.0)
        with watch(layer, memory):
            for _ in range(600):
                optimiser.zero_grad()
                (layer(theta) * torch.randn(10)).sum().backward()
                optimiser.step()
        return [finding.title for finding in findings(memory)]

    assert any("theta may be shrinking" in title for title in train(imle.IMLE(noise=None)))
    assert not any("theta may be shrinking" in title for title in train(imle.IMLE()))


@pytest.mark.parametrize("ends", [(5e-324, 1.7e308), (1.7e308, 5e-324)])
def test_a_norm_that_changes_over_the_whole_range_is_told_shortly(report, ends):
    first, last = ends
    (found,) = findings(run_of(report, gradient_norm=[first] * 100 + [last] * 100))
    assert len(found.title) < 80


def test_a_short_run_has_no_first_and_last_reports_to_compare(report):
    assert findings(run_of(report, count=199, gradient_norm=list(np.geomspace(1, 1e6, 199)))) == []


@pytest.mark.parametrize(("seconds", "level"), [(0.69, None), (0.71, "note")])
def test_the_solver_takes_most_of_the_time(report, seconds, level):
    """A step takes a second, of which 0.03 are noise and forward pass."""
    found = findings(run_of(report, **{"seconds/backward": seconds - 0.03}))
    assert [finding.level for finding in found] == ([level] if level else [])


def test_the_solvers_share_is_that_of_all_layers_and_of_all_steps_where_records_are_thinned(report):
    every = [report(step, layer=name) for step in range(1, 101) for name in "ab"]
    thinned = [record for record in every if record["step"] % 10 == 1]
    assert read_run(every).solver_share == pytest.approx(0.12)
    assert read_run(thinned).solver_share == pytest.approx(0.12, rel=0.1)
    assert read_run(every[:1]).solver_share is None


def test_a_layer_that_is_used_in_half_of_the_steps_counts_half(report):
    often = [report(step) for step in range(1, 101)]
    seldom = [report(step, layer="b", time=1000.0 + 2 * step) for step in range(1, 51)]
    records = sorted(often + seldom, key=lambda record: record["time"])
    assert read_run(records).solver_share == pytest.approx(0.06 + 0.03)


def test_a_logged_value_that_is_not_finite(report, value):
    assert titles([*run_of(report), value(200, loss=0.5), value(200, loss=float("nan"))]) == [
        ("problem", "loss not finite in 1 of 2 records, first at step 200")
    ]


def test_findings_name_their_layer_and_the_worst_come_first(report):
    records = run_of(report, agreement=0.0) + [
        report(step, layer="b", zero_rows=1.0) for step in range(1, 201)
    ]
    records.sort(key=lambda record: record["step"])
    found = findings(records)
    assert [(finding.layer, finding.level) for finding in found] == [("b", "problem"), ("planner", "note")]
    assert all(finding.rule and finding.advice for finding in found)


def test_a_share_is_never_rounded_to_none_or_all(report):
    assert titles(run_of(report, zero_rows=0.999))[0][1].startswith("99 % of rows")
    assert "0.01 % of solves" in titles(run_of(report, timeouts=[1] + [0] * 199))[0][1]

"""The page of a run: self-contained, well-formed, true to the records."""

import json
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from imle_core.diagnostics import JSONLines, Memory, write_html
from imle_core.diagnostics._html._chart import line_chart, stack_chart
from imle_core.diagnostics._html._scale import fit, nice_step, step_ticks
from imle_core.diagnostics._html._series import Span, stretches, thin
from imle_core.diagnostics._html._text import duration, moment, percent, short
from imle_core.diagnostics._median import median
from imle_core.errors import RecordError

VOID = {"meta", "link"}


class Page(HTMLParser):
    """What a page holds; fails where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def points(self):
        return [json.loads(svg["data-points"]) for svg in self.of("svg")]


@pytest.fixture
def page(tmp_path):
    def page(records, **options):
        return Page(write_html(records, tmp_path / "run.html", **options).read_text(encoding="utf-8"))

    return page


def test_a_page_is_well_formed_and_has_a_chart_for_each_figure(page, report, value):
    records = [report(step) for step in range(1, 30)] + [value(29, loss=0.5, accuracy=0.9)]
    shown = page(records)
    titles = re.findall(
        r"loss|accuracy|gradient norm|zero rows|agreement|lam|solves|time", " ".join(shown.text)
    )
    assert len(shown.of("svg")) == len(shown.of("figure")) == 8
    assert len(set(titles)) == 8


def test_nothing_is_loaded_from_anywhere(page, report):
    shown = page([report(1), report(2)])
    for _, attributes in shown.elements:
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith(("#", "data:,"))
    (policy,) = [meta for meta in shown.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy["content"]


def test_every_text_is_escaped(page, report, value):
    evil = """</script><script>alert("x")</script><img src=x onerror='a'>&amp;"""
    records = [
        report(
            1,
            layer=evil,
            solver=evil,
            estimator=evil,
            zero_rows=1.0,
            **{f"avoided/{evil}": 1, f"seconds/{evil}": 1},
        ),
        report(1, layer="b"),
        value(1, **{evil: float("nan")}),
    ]
    shown = page(records, title=evil)
    assert len(shown.of("script")) == 1
    assert shown.of("img") == []
    assert "".join(shown.text).count(evil) >= 8


def test_a_page_reads_without_its_script(page, report, value):
    records = [report(step, gradient_norm=0.0123) for step in range(1, 30)] + [value(29, loss=0.625)]
    text = " ".join(page(records).text)
    for shown in ("0.0123", "0.625", "60 ms", "29", "Nothing stands out"):
        assert shown in text
    assert all(svg["aria-label"] for svg in page(records).of("svg"))


def test_findings_are_on_the_page_with_their_rules(page, report):
    text = " ".join(page([report(step, zero_rows=0.95) for step in range(1, 20)]).text)
    assert "95 % of rows had a zero gradient in the last 19 reports" in text
    assert "Rule: A warning from 50 % of rows on" in text


@pytest.mark.parametrize("layers", [1, 6, 12])
def test_a_long_run_of_many_layers_stays_below_500_kb(tmp_path, report, value, layers):
    g = np.random.default_rng(0)
    records = [
        report(
            step,
            layer=f"layer.{i}",
            gradient_norm=g.random(),
            zero_rows=g.random(),
            lam=g.random(),
            agreement=g.random(),
        )
        for step in range(1, 2000)
        for i in range(layers)
    ]
    assert write_html(records, tmp_path / "run.html").stat().st_size < 500_000


def test_a_table_of_layers_leads_to_their_sections(page, report):
    shown = page([report(1, layer=name) for name in ("a", "b")])
    anchors = {attributes["id"] for _, attributes in shown.elements if "id" in attributes}
    assert [link["href"] for link in shown.of("a")] == ["#layer-0", "#layer-1"]
    assert anchors == {"layer-0", "layer-1"}
    assert page([report(1)]).of("table") == []


def test_an_estimator_without_a_step_has_no_charts_of_it(page, report):
    assert len(page([report(1, lam=None, agreement=None)]).of("svg")) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"gradient_norm": float("nan")},
        {"gradient_norm": float("inf"), "lam": float("inf")},
        {"gradient_norm": 0.0, "zero_rows": 1.0, "lam": None, "agreement": None},
        {"gradient_norm": 1e308, "lam": 5e-324},
        {"seconds/noise": 0.0, "seconds/forward": 0.0, "seconds/backward": 0.0, "solves": 0, "rows": 0},
        {"time": 2.0**53},
        {"time": -(2.0**53)},
        {"gradient_norm": 1.7e308, "lam": 1.7e308},
        {"solves": 2**53, "rows": 2**53, "samples": 2**53, "seconds/forward": 2.0**53},
        {"timeouts": 3, "solves": 0},
        {"timeouts": 3, "solves": 1e-300},
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [1, 3])
def test_extreme_figures_are_drawn_inside_their_charts(tmp_path, report, count, changed):
    records = [report(step, **changed) for step in range(1, count + 1)]
    text = write_html(records, tmp_path / "run.html").read_text()
    drawn = re.findall(r'd="([^"]*)"', text)
    assert drawn
    assert not re.search("nan|inf", " ".join(drawn))
    for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", " ".join(path for path in drawn if "l-3.5" not in path)):
        assert 0 <= float(x) <= 360
        assert 0 <= float(y) <= 170


@pytest.mark.parametrize("count", [2, 400])
@pytest.mark.parametrize(
    "numbers",
    [
        (-1.7e308, 1.7e308),
        (1.7e308, 1.7e308),
        (5e-324, 1.7e308),
        (5e-324, 5e-324),
        (-1.7e308, 0.0, 1.7e308, float("nan"), float("-inf")),
    ],
)
def test_numbers_of_the_whole_range_are_drawn_inside_their_charts(tmp_path, report, value, count, numbers):
    records = []
    for step in range(1, count + 1):
        number = numbers[step % len(numbers)]
        records += [report(step, gradient_norm=number, lam=number), value(step, loss=number)]
    text = write_html(records, tmp_path / "run.html").read_text()
    assert not re.search("nan|inf", " ".join(re.findall(r' (?:d|x|y|cx|cy)="([^"]*)"', text)))
    drawn = re.findall(r' d="([^"]*)"', text)
    assert drawn
    for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", " ".join(path for path in drawn if "l-3.5" not in path)):
        assert 0 <= float(x) <= 360
        assert 0 <= float(y) <= 170


def test_a_median_is_that_of_the_numbers_where_their_sum_overflows():
    assert median(np.array([1.7e308, 1.7e308])) == 1.7e308
    assert median(np.array([-1.7e308, 1.0, 1.7e308, 1.7e308])) == pytest.approx(0.85e308)
    assert median(np.array([5e-324])) == 5e-324


def test_a_title_comes_from_the_file_or_is_given(tmp_path, page, report):
    file = JSONLines(tmp_path / "first try.jsonl")
    file.write(report(1))
    file.close()
    assert "Training run: first try" in page(file.path).text
    assert "Mine" in page(file.path, title="Mine").text
    assert "Training run" in page([report(1)]).text


def test_memory_is_written_as_it_is(page, report):
    memory = Memory()
    memory.write(report(1))
    assert page(memory).of("svg")


def test_notes_on_the_reading_are_on_the_page(tmp_path, page, report):
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps(report(1)) + "\n" + '{"time"')
    assert "The last line (2) is unfinished and was left out." in page(path).text


@pytest.mark.parametrize("out", ["run.jsonl", "run", "html"])
def test_a_page_replaces_nothing_but_pages(tmp_path, report, out):
    with pytest.raises(RecordError, match=r"does not end in \.html"):
        write_html([report(1)], tmp_path / out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_a_page_never_replaces_its_records(tmp_path, report, link):
    records, out = tmp_path / "run.html", tmp_path / "run.html"
    file = JSONLines(records)
    file.write(report(1))
    file.close()
    if link:
        out = tmp_path / "page.html"
        getattr(out, link)(records)
    before = records.read_text()
    for given in (records, str(records), f"{tmp_path}/new/../run.html"):
        (tmp_path / "new").mkdir(exist_ok=True)
        with pytest.raises(RecordError, match="is the file of the records, which the page would replace"):
            write_html(given, out)
    assert records.read_text() == before


def test_a_file_name_that_is_no_text_is_shown(tmp_path, report):
    path = tmp_path / os.fsdecode(b"run\xff.jsonl")
    try:
        path.write_text(json.dumps(report(1)) + "\n")
    except OSError:
        pytest.skip("this file system has no such names")
    assert r"run\udcff" in write_html(path, tmp_path / "run.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_an_error_that_names_it(tmp_path, report):
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match="cannot be written"):
        write_html([report(1)], tmp_path / "file" / "run.html")


def test_thinning_keeps_the_extremes_and_counts_what_is_not_finite():
    steps, values = np.arange(1.0, 10_001.0), np.zeros(10_000)
    values[[17, 5000]] = 7.0, -3.0
    values[[100, 9999]] = np.nan, np.inf
    series = thin(steps, values, Span(1, 10_000), 50)
    assert len(series.mid) == 50
    assert (np.nanmax(series.high), np.nanmin(series.low)) == (7.0, -3.0)
    assert (series.mid == 0).all()
    assert series.bad.sum() == 2
    assert (series.first[0], series.last[-1]) == (1, 10_000)
    assert (series.first[1:] == series.last[:-1] + 1).all()


def test_few_values_are_not_thinned():
    steps, values = np.array([1.0, 2.0, 9.0]), np.array([3.0, np.nan, 1.0])
    series = thin(steps, values, Span(1, 9), 50)
    np.testing.assert_array_equal(series.mid, values)
    np.testing.assert_array_equal(series.centre, steps)


def test_a_line_has_a_gap_where_a_figure_is_missing_and_a_mark_where_it_is_not_finite():
    steps = np.arange(1.0, 8.0)
    series = thin(steps, np.array([1, 2, np.nan, 4, np.nan, 6, 7]), Span(1, 7), 50)
    drawn = line_chart(series, Span(1, 7), label="lam")
    marked = line_chart(series, Span(1, 7), label="norm", mark_bad=True)
    assert (
        drawn.svg.count('class="line"'),
        drawn.svg.count('class="dot"'),
        drawn.svg.count('class="bad"'),
    ) == (2, 1, 0)
    assert marked.svg.count('class="bad"') == 2
    assert "not finite, 2 times" in marked.remark
    assert [slice(0, 2), slice(3, 4), slice(5, 7)] == stretches(np.isfinite(series.mid))


def test_a_first_pass_that_is_far_slower_is_cut_and_says_so(page, report):
    shown = page([report(step, **{"seconds/forward": 3.0 if step == 1 else 0.02}) for step in range(1, 101)])
    assert "highest is 3,040 at step 1" in " ".join(shown.text)
    (areas,) = [svg for svg in shown.of("svg") if svg["aria-label"].startswith("time in ms")]
    assert dict(json.loads(areas["data-points"])["rows"])["forward"][0] == "3,000"


def test_a_value_beyond_the_cut_is_drawn_at_the_upper_end():
    values = np.ones(100)
    values[50] = 30.0
    chart = line_chart(thin(np.arange(1.0, 101.0), values, Span(1, 100), 160), Span(1, 100), label="loss")
    (line,) = re.findall(r'class="line" d="M([^"]*)"', chart.svg)
    heights = [float(y) for y in line.split(" ")[1::2]]
    assert min(heights) == heights[50] == 10
    assert "cut at 1.5; the highest is 30 at step 51" in chart.remark


def test_what_the_pointer_shows_is_the_value_and_its_range():
    series = thin(np.arange(1.0, 101.0), np.tile([1.0, 2.0, 4.0, 2.0, 2.0], 20), Span(1, 100), 20)
    chart = line_chart(series, Span(1, 100), label="loss")
    ((name, values),) = Page(chart.svg).points[0]["rows"]
    assert (name, values[0]) == ("loss", "2 (1 to 4)")
    assert Page(chart.svg).points[0]["step"][0] == "1 to 5"


def test_areas_are_stacked_on_each_other_and_add_up():
    steps, span = np.arange(1.0, 4.0), Span(1, 3)
    parts = {
        "a": thin(steps, np.array([1.0, 1.0, 2.0]), span, 9),
        "b": thin(steps, np.array([3.0, 0.0, 2.0]), span, 9),
    }
    chart = stack_chart(parts, span, label="solves")
    assert dict(Page(chart.svg).points[0]["rows"])["together"] == ["4", "1", "4"]
    below, above = re.findall(r'class="area s\d" d="M([^"]*)z"', chart.svg)
    assert below.split("L")[0].split(" ")[1::2] == above.split("L")[1].split(" ")[1::2][::-1]


@pytest.mark.parametrize(
    ("values", "ends", "log", "cut"),
    [
        ([0.2, 0.9], (0.0, 1.0), False, False),
        ([98.0, 100.0], (98.0, 100.0), False, False),
        ([-1.0, 1.0], (-1.0, 1.0), False, False),
        ([0.002, 5.0] * 50, (0.001, 10.0), True, False),
        ([0.0, 0.002, 5.0] * 50, (0.001, 10.0), True, False),
        ([1.0] * 100 + [30.0], (0.0, 1.5), False, True),
        ([0.0, 0.0], (0.0, 1.0), False, False),
        ([7.0, 7.0], (0.0, 10.0), False, False),
        ([np.nan], (0.0, 1.0), False, False),
    ],
)
def test_a_scale_fits_its_values(values, ends, log, cut):
    scale = fit(np.array(values))
    assert (scale.low, scale.high) == pytest.approx(ends)
    assert (scale.log, scale.cut) == (log, cut)
    assert 2 <= len(scale.ticks) <= 6
    assert scale.at(np.array([scale.low, scale.high])) == pytest.approx([0, 1])


def test_steps_are_labelled_with_round_numbers():
    assert step_ticks(1, 100_000) == (20_000, 40_000, 60_000, 80_000, 100_000)
    assert step_ticks(1, 3) == (1, 2, 3)
    assert step_ticks(7, 7) == (7,)
    assert nice_step(1.0, 3) == 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (short(0.0), "0"),
        (short(0.012345), "0.0123"),
        (short(1234.0), "1,234"),
        (short(0.5), "0.5"),
        (short(100_000.0), "100k"),
        (short(6.15e6), "6.15M"),
        (short(-3e-7), "−3e−7"),
        (short(float("nan")), "NaN"),
        (short(float("-inf")), "−∞"),
        (percent(0.92), "92 %"),
        (percent(0.0004), "0.04 %"),
        (percent(0.9999), "99.9 %"),
        (percent(1.0), "100 %"),
        (duration(31.42), "31.4 s"),
        (duration(2100.4), "35 min 0 s"),
        (duration(7500), "2 h 5 min"),
        (duration(200_000), "2 d 7 h"),
        (moment(0.0), "1 January 1970, 00:00 UTC"),
    ],
)
def test_numbers_are_written_for_people(text, expected):
    assert text == expected

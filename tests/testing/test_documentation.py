"""Every check is in the documentation, in its level, with its own words."""

import re
from pathlib import Path

import pytest

import imle_core.testing as kit

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "conformance.md").read_text()


@pytest.mark.parametrize("check", kit.all_checks(), ids=lambda check: check.name)
def test_a_check_is_in_the_table_of_its_level(check):
    section = PAGE.partition(f"### {check.level.capitalize()}\n")[2].partition("\n###")[0]
    assert f"| `{check.name}` | {check.summary} |" in section


def test_the_documentation_lists_no_other_check():
    listed = re.findall(r"^\| `(check_\w+)` \|", PAGE, re.MULTILINE)
    assert listed == [check.name for check in kit.all_checks()]


@pytest.mark.parametrize("name", [name for name in vars(kit) if name[0] != "_" and name != "LEVELS"])
def test_public_names_are_in_the_api_reference(name):
    assert re.search(rf":: imle_core\.testing\.{name}$", (DOCS / "api.md").read_text(), re.MULTILINE)

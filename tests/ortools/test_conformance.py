from imle_core.testing import parametrize_with_checks


@parametrize_with_checks("ortools.*")
def test_conformance(check):
    check()

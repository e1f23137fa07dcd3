from imle_core.testing import parametrize_with_checks


@parametrize_with_checks("pulp.*")
def test_conformance(check):
    check()

from modulo.runtime.fixed_paths import fixed_methods
from modulo.runtime.path_methods import PATH_METHODS

LETTERS = "/collections/7/dead-letters"


def test_a_fixed_path_has_its_own_methods_only():
    assert fixed_methods(f"/api{LETTERS}/retry") == PATH_METHODS["/collections/{collection_id}/dead-letters/retry"]
    assert fixed_methods(f"{LETTERS}/retry") == ("POST",)


def test_paths_that_no_other_matches_are_left_alone():
    for path in (
        "/api/collections",
        f"/api{LETTERS}/7",
        f"/api{LETTERS}/retry/retry",
        "/api/search",
        "/v1/models/retry",
    ):
        assert fixed_methods(path) is None

from uuid import uuid4

import pytest

from modulo.domain.files.user_file import UserFileRef, numbered


@pytest.mark.parametrize(
    ("name", "number", "made"),
    [
        ("notes.txt", 1, "notes.txt"),
        ("notes.txt", 2, "notes (2).txt"),
        ("archive.tar.gz", 3, "archive.tar (3).gz"),
        ("README", 2, "README (2)"),
        (".env", 2, ".env (2)"),
    ],
)
def test_the_number_stands_before_the_extension(name, number, made):
    assert numbered(name, number) == made


def test_a_key_names_its_file():
    ref = UserFileRef(uuid4(), uuid4(), uuid4())
    assert UserFileRef.of_key(ref.key) == ref


@pytest.mark.parametrize(
    "key",
    [
        "",
        "content",
        "tenants/a/users/b/files/c/content",
        "tenants/{0}/users/{0}/files/{0}/other",
        "tenants/{0}/users/{0}/files/{0}/content/",
        "tenants/{1}/users/{0}/files/{0}/content",
    ],
)
def test_no_other_key_does(key):
    one = uuid4()
    assert UserFileRef.of_key(key.format(one, str(one).upper() + "0")) is None
    assert UserFileRef.of_key(key.format(one, "{" + str(one) + "}")) is None

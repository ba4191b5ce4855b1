from modulo.runtime.worker import function


def test_what_is_up_to_date_stays_as_it_is(services, database):
    ((revision,),) = database("SELECT version_num FROM alembic_version")
    assert function("migrate").handler({}, None) == {"Revision": revision}
    assert database("SELECT version_num FROM alembic_version") == [(revision,)]

from modulo.runtime.worker import function


def test_in_memory_there_is_nothing_to_migrate(services):
    assert function("migrate").handler({}, None) == {"migrated": True}

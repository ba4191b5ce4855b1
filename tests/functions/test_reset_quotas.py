from datetime import timedelta
from uuid import UUID

from modulo.domain.tenancy.quota import Reservation
from modulo.runtime.worker import function


def test_a_reset_happens_once_a_period(services, clock):
    handler = function("reset_quotas").handler
    assert handler({}, None) == {"period": "2026-03-14", "opened": True}
    assert handler({}, None) == {"period": "2026-03-14", "opened": False}
    clock.advance(timedelta(days=3))
    assert handler({}, None) == {"period": "2026-03-17", "opened": True}


def test_usage_starts_anew_with_the_period_even_when_no_reset_comes(api, services, clock):
    from modulo.runtime.auth import authenticate

    principal = authenticate(api.headers["authorization"].partition(" ")[2], services=services)
    collection, reservation = UUID(api.create_collection()), Reservation(clock.now().date(), 10, 100)
    assert services.grants.live_documents(principal, [collection], [], reservation=reservation).reserved
    services.usage.settle_tokens(principal, period=clock.now().date(), reserved=10, used=7)
    assert api("GET", "/usage").json["tokens_used"] == 7
    clock.advance(timedelta(days=1))
    usage = api("GET", "/usage").json
    assert (usage["tokens_used"], usage["period"], usage["resets_at"]) == (0, "2026-03-15", "2026-03-16T00:00:00Z")

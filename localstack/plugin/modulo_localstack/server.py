"""LocalStack's server, bound only to the configured address."""

from localstack import config
from localstack.aws.serving.twisted import TLSMultiplexerFactory
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.gateway import Gateway
from rolo.serving.twisted import TwistedGateway
from twisted.internet import endpoints, reactor, ssl


class LoopbackServer(TwistedRuntimeServer):
    """Binds only the configured addresses; its parent ignores them and binds every IPv4 address."""

    def register(
        self, gateway: Gateway, listen: list[config.HostAndPort], ssl_creds: tuple[str, str] | None = None
    ) -> None:
        """Serve the gateway over HTTP and TLS on the addresses in `listen`."""
        site = TwistedGateway(gateway)
        if ssl_creds:
            certificate, key = ssl_creds
            context = ssl.DefaultOpenSSLContextFactory(key, certificate)
            context.getContext().use_certificate_chain_file(certificate)
            site = TLSMultiplexerFactory(context, False, site)
        for place in listen:
            kind = endpoints.TCP6ServerEndpoint if config.is_ipv6_address(place.host) else endpoints.TCP4ServerEndpoint
            kind(reactor, place.port, interface=place.host).listen(site)

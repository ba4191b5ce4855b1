"""API Gateway's side of a WebSocket."""

import json
from uuid import uuid4

from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests.doubles.memory_queue import MemoryQueue


class Gateway:
    """API Gateway with a connection: what is said on it goes to `watch_files`, and `push_events` tells."""

    def __init__(self, services, clock):
        self.services, self.clock = services, clock
        services.pushes = MemoryQueue(clock=lambda: clock.now().timestamp())
        self.connection = f"connection-{uuid4()}"
        self.heard = 0

    def happens(self, kind, said=""):
        event = {
            "requestContext": {
                "routeKey": "$default",
                "eventType": kind,
                "messageDirection": "IN",
                "stage": "api",
                "connectedAt": self.clock.now().timestamp() * 1000,
                "requestTimeEpoch": self.clock.now().timestamp() * 1000,
                "identity": {"sourceIp": "127.0.0.1"},
                "requestId": str(uuid4()),
                "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
                "connectionId": self.connection,
                "apiId": "abc123",
            },
            "body": said,
            "isBase64Encoded": False,
        }
        assert function("watch_files").handler(event, None) == {"statusCode": 200}

    def say(self, said):
        self.happens("MESSAGE", said)
        return self.told()

    def told(self):
        """What is told from now on, once everything queued is delivered."""
        handler = function("push_events").handler
        while deliveries := self.services.pushes.receive(limit=10, wait_seconds=0):
            for delivery in deliveries:
                if handler({"Records": [record_of(delivery)]}, None) == {"batchItemFailures": []}:
                    self.services.pushes.delete(delivery.receipt)
        said = self.services.sockets.said[self.connection]
        messages, self.heard = said[self.heard :], len(said)
        return [json.loads(message) for message in messages]

    @property
    def closed(self):
        return self.connection in self.services.sockets.closed

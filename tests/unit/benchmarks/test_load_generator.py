"""The load that benchmarks put on a server."""

import asyncio

from benchmarks.load_generator import load, request


async def loaded(answers, **options):
    """The load of a server that gives these answers in turn, None closing the connection; what it was sent."""
    asked = []

    async def serve(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
                asked.append(head + await reader.readexactly(int(length[0].split()[1]) if length else 0))
                answer = answers[(len(asked) - 1) % len(answers)]
                if answer is None:
                    break
                for part in answer:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await load("127.0.0.1", port, **options), asked


def test_answers_are_counted_however_they_arrive():
    answers = [
        [b"HTTP/1.1 200 OK\r\nConte", b"nt-Length: 5\r\n\r\n12", b"345"],
        [b"HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"0\r\n\r\n"],
        [b"HTTP/1.1 204 None\r\nx: y\r\n\r\n"],
    ]
    sent = [request("POST", "/a", headers={"x-api-key": "k"}, body={"q": 1}), request("GET", "/b", headers={})]
    found, asked = asyncio.run(loaded(answers, requests=sent, connections=1, total=8))
    assert asked == sent * 4
    assert found.statuses == {200: 4, 429: 2, 204: 2}
    assert (found.errors, len(found.latencies)) == (2, 8)
    assert 0 < found.percentile(0.5) <= found.percentile(0.99) <= found.percentile(1)
    assert found.rate > 0
    assert found.answers == []


def test_answers_are_kept_with_their_latencies():
    answers = [[b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{", b"}\r\n"], None]
    requests = [request("GET", "/", headers={})]
    found, _ = asyncio.run(loaded(answers, requests=requests, connections=1, total=4, keep=True))
    assert found.answers == [(200, b"{}\r\n")] * 2
    assert (len(found.latencies), found.statuses[0]) == (2, 2)


def test_a_lost_answer_is_an_error_and_the_rest_goes_on():
    answers = [None, [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]]
    found, _ = asyncio.run(loaded(answers, requests=[request("GET", "/", headers={})], connections=3, total=10))
    assert found.statuses == {0: 5, 200: 5}
    assert found.errors == 5

"""The server keeps its limits, whatever clients do, and ends when it is told to."""

import asyncio
import contextlib
import gzip
import http.client
import json
import logging
import socket
import ssl
import threading
import time
from urllib.parse import urlencode

import numpy as np
import pytest
from certificates import Authority
from processes import HANGS_SECONDS, wait_until

from workbench.errors import SettingsError, TimedOutError
from workbench.samples import Samples
from workbench.serving import Access, Bounds, Server, listen
from workbench.serving.encoding import encoded
from workbench.serving.exchange import Request, Response
from workbench.serving.listening import read_token, tls_context
from workbench.sources.snapshot import SnapshotSource, from_samples
from workbench.sources.stop import Stop
from workbench.store import MemoryStore

TIMES = np.arange(0, 3_600_001, 1_000, dtype=np.int64)
STORE = from_samples(
    Samples.from_series(
        ({"__name__": "up", "i": str(i)}, TIMES, np.random.default_rng(i).random(len(TIMES)))
        for i in range(50)
    )
).store
TOKEN = "a-token-that-nobody-guesses"


class Gate(SnapshotSource):
    """A source whose queries wait until the gate is opened."""

    def __init__(self):
        super().__init__(STORE, "gate")
        self.opened = threading.Event()
        self.inside = 0
        self.most_inside = 0
        self._lock = threading.Lock()

    def query(self, expression, at_ms):
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.opened.wait(HANGS_SECONDS)
        with self._lock:
            self.inside -= 1
        return super().query(expression, at_ms)


class Broken(SnapshotSource):
    """A source with a mistake in it."""

    def query(self, *_):
        msg = "a detail that is nobody's business"
        raise ZeroDivisionError(msg)


@contextlib.contextmanager
def serving(source=None, *, access=None, tls=None, log=None, servers=None, **bounds):
    """Run a server in a thread of its own; give its port, and itself to a list."""
    listening = listen("127.0.0.1:0", guarded=False)
    started = threading.Event()
    told = {}

    async def run():
        told["loop"], told["ended"] = asyncio.get_running_loop(), asyncio.Event()
        server = Server(
            source or SnapshotSource(STORE, "s"),
            access=access or Access(),
            bounds=Bounds(**bounds),
            tls=tls,
            log=log,
        )
        if servers is not None:
            servers.append(server)
        started.set()
        await server.run(listening, told["ended"])

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    started.wait()
    try:
        yield listening.port
    finally:
        told["loop"].call_soon_threadsafe(told["ended"].set)
        thread.join(HANGS_SECONDS)
        assert not thread.is_alive()


def ask(port, target, method="GET", body=None, headers=None):
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS_SECONDS)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def ask_later(port, target, count):
    """Ask several times at once; the statuses appear in the list as the answers come."""
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(ask(port, target)[0])) for _ in range(count)
    ]
    for each in threads:
        each.start()
    return threads, statuses


# ---------------------------------------------------------------- answers


def test_answers_are_packed_where_that_is_asked_for_and_worth_it():
    target = "/api/v1/query_range?query=up&start=0&end=3600&step=60"
    with serving() as port:
        _, headers, plain = ask(port, target)
        assert headers["Content-Encoding"] is None
        _, headers, packed = ask(port, target, headers={"Accept-Encoding": "gzip, deflate"})
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed) == plain
        assert len(packed) < len(plain)
        _, headers, _ = ask(port, "/api/v1/labels", headers={"Accept-Encoding": "gzip"})
        assert headers["Content-Encoding"] is None


def test_many_questions_on_one_connection():
    with serving() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS_SECONDS)
        for number in range(20):
            connection.request("GET", f"/api/v1/query?query={number}&time=0")
            found = json.loads(connection.getresponse().read())
            assert found["data"]["result"] == [0, str(number)]
        connection.request("HEAD", "/api/v1/labels")
        assert connection.getresponse().read() == b""
        connection.close()


def test_a_mistake_in_a_source_shows_no_detail(caplog):
    with serving(Broken(STORE, "b")) as port, caplog.at_level(logging.CRITICAL, "workbench"):
        status, _, body = ask(port, "/api/v1/query?query=up")
        assert status == 500
        assert json.loads(body)["errorType"] == "internal"
        assert b"business" not in body


def test_a_line_is_told_of_each_answer_without_any_header():
    lines = []
    with serving(access=Access(TOKEN), log=lines.append) as port:
        ask(port, "/api/v1/query?query=up", headers={"Authorization": f"Bearer {TOKEN}"})
        wait_until(lambda: lines, "a line is told")
    assert (lines[0].path, lines[0].query, lines[0].status) == ("/api/v1/query", "up", 200)
    assert TOKEN not in repr(lines)
    assert TOKEN not in repr(Access(TOKEN))


# ---------------------------------------------------------------- limits


def test_so_many_questions_at_once_and_so_many_in_the_queue():
    source = Gate()
    servers = []
    with serving(source, servers=servers, concurrency=2, waiting=3) as port:
        threads, statuses = ask_later(port, "/api/v1/query?query=1&time=0", 5)
        wait_until(lambda: source.inside == 2, "two are under way")
        wait_until(lambda: servers[0]._waiting == 3, "three wait")
        status, headers, body = ask(port, "/api/v1/query?query=1&time=0")
        assert (status, headers["Retry-After"]) == (503, "1")
        assert json.loads(body)["errorType"] == "unavailable"
        assert ask(port, "/-/healthy")[0] == 200
        source.opened.set()
        for each in threads:
            each.join()
    assert statuses == [200] * 5
    assert source.most_inside == 2


def test_a_question_that_takes_too_long_is_given_up_but_keeps_its_place():
    source = Gate()
    with serving(source, concurrency=1, waiting=1) as port:
        status, _, body = ask(port, "/api/v1/query?query=1&timeout=200ms")
        assert (status, json.loads(body)["errorType"]) == (503, "timeout")
        status, _, body = ask(port, "/api/v1/query?query=1&timeout=0.1")
        assert (status, json.loads(body)["errorType"]) == (503, "timeout")
        assert b"in query queue" in body
        assert source.most_inside == 1
        source.opened.set()
        assert ask(port, "/api/v1/query?query=1&timeout=3m")[0] == 200


def test_a_request_that_is_too_large_is_refused():
    with serving(body_bytes=1_000, header_bytes=4_000) as port:
        assert ask(port, "/api/v1/query", "POST", b"x" * 1_001)[0] == 413
        assert ask(port, "/api/v1/query", "POST", b"x" * 1_000)[0] == 400
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            ask(port, "/", headers={"X": "y" * 5_000})
        assert ask(port, "/-/ready")[0] == 200


def test_slow_clients_take_no_place_and_are_cut_off():
    with serving(concurrency=1, client_seconds=2.0) as port:
        slow = [socket.create_connection(("127.0.0.1", port), HANGS_SECONDS) for _ in range(20)]
        for each in slow:
            each.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        assert ask(port, "/api/v1/query?query=1")[0] == 200
        assert [each.recv(1) for each in slow] == [b""] * 20
        for each in slow:
            each.close()


def test_a_client_that_does_not_take_its_answer_is_cut_off():
    lines = []
    with serving(client_seconds=0.5, log=lines.append) as port:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", port))
        query = "label_replace(up,%22a%22,%22$1%22,%22i%22,%22(.*)%22)%20or%20up"
        target = f"/api/v1/query_range?query={query}&start=0&end=3600&step=1"
        slow.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_until(lambda: lines, "a line is told")
        assert lines[0].size > 8_000_000
        taken = 0
        with contextlib.suppress(ConnectionError):
            while piece := slow.recv(1 << 16):
                taken += len(piece)
        slow.close()
        assert taken < lines[0].size


def is_ready(port):
    with contextlib.suppress(http.client.HTTPException, ConnectionError):
        return ask(port, "/-/ready")[0] == 200
    return False


def test_more_connections_than_allowed_are_closed():
    with serving(connections=3) as port:
        held = [socket.create_connection(("127.0.0.1", port), HANGS_SECONDS) for _ in range(3)]
        with socket.create_connection(("127.0.0.1", port), HANGS_SECONDS) as one_more:
            assert one_more.recv(1) == b""
        for each in held:
            each.close()
        wait_until(lambda: is_ready(port), "a place is free again")


def test_what_is_under_way_is_finished_at_the_end():
    source = Gate()
    with serving(source) as port:
        threads, statuses = ask_later(port, "/api/v1/query?query=1&time=0", 1)
        wait_until(lambda: source.inside == 1, "one is under way")
        threading.Timer(0.3, source.opened.set).start()
    threads[0].join()
    assert statuses == [200]


# ---------------------------------------------------------------- questions that are given up

LONG = np.arange(100_000, dtype=np.int64) * 1_000
HEAVY = SnapshotSource(
    MemoryStore(
        Samples.from_series(
            ({"__name__": "m", "i": str(i)}, LONG, np.sin(LONG + i)) for i in range(20)
        )
    ),
    "heavy",
    max_samples=10**9,
    timeout_seconds=10**6,
)
HEAVY_QUERIES = [
    "quantile_over_time(0.9, m[6h])",
    "mad_over_time(m[1h])",
    "max_over_time(quantile_over_time(0.9, m[2h])[6h:1m])",
    "sum(double_exponential_smoothing(m[6h], 0.5, 0.5))",
    "sort(m " + "+ on (i) m " * 900 + ")",
]
"""Each of them would take many seconds at the least."""
LONGEST_SECONDS = 5.0
"""Within which a place is free again: a twentieth of it on a quiet machine."""


def heavy_target(expression, **more):
    fields = {"query": expression, "start": 30_000, "end": 99_000, "step": 10, **more}
    return f"/api/v1/query_range?{urlencode(fields)}"


def seconds_until_the_next_is_answered(port):
    """Of the processor: other processes take none of them."""
    begun = time.process_time()
    status, _, body = ask(port, "/api/v1/query?query=1%2B1&time=0")
    assert (status, json.loads(body)["data"]["result"]) == (200, [0, "2"])
    return time.process_time() - begun


@pytest.mark.parametrize("expression", HEAVY_QUERIES)
def test_a_client_that_goes_away_gives_its_place_back(expression):
    """With one place only: the next question is answered as soon as the engine has stopped."""
    with serving(HEAVY, concurrency=1) as port:
        client = socket.create_connection(("127.0.0.1", port), HANGS_SECONDS)
        client.sendall(
            f"GET {heavy_target(expression)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        client.settimeout(0.7)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.close()
        assert seconds_until_the_next_is_answered(port) < LONGEST_SECONDS


@pytest.mark.parametrize("expression", HEAVY_QUERIES[:3])
def test_a_question_whose_time_is_up_gives_its_place_back(expression):
    """``timeout`` is honoured as Prometheus does it, and the engine stops then."""
    with serving(HEAVY, concurrency=1) as port:
        begun, used = time.monotonic(), time.process_time()
        status, _, body = ask(port, heavy_target(expression, timeout="300ms"))
        assert time.monotonic() - begun >= 0.3
        assert time.process_time() - used < LONGEST_SECONDS
        answer = json.loads(body)
        assert (status, answer["status"], answer["errorType"]) == (503, "error", "timeout")
        assert answer["error"].startswith("query timed out in expression evaluation")
        assert seconds_until_the_next_is_answered(port) < LONGEST_SECONDS


def test_the_servers_own_limit_of_time_holds_where_a_request_asks_for_more():
    with serving(HEAVY, concurrency=1, query_seconds=0.3) as port:
        target = heavy_target(HEAVY_QUERIES[0], timeout="1h")
        status, _, body = ask(port, target)
        assert (status, json.loads(body)["errorType"]) == (503, "timeout")


@pytest.mark.parametrize("timeout", ["soon", "NaN", "5 minutes"])
def test_a_timeout_that_is_none_is_refused(timeout):
    with serving() as port:
        status, _, body = ask(
            port, f"/api/v1/query?{urlencode({'query': '1', 'timeout': timeout})}"
        )
        assert (status, json.loads(body)["errorType"]) == (400, "bad_data")
        assert b"timeout" in body


def test_nothing_is_gzipped_or_written_for_nobody():
    """Long answers are given up between two of their pieces too."""
    stop = Stop()
    request = Request("GET", "/", {"accept-encoding": "gzip"})
    answer = Response(200, bytes(10_000))
    frame = HEAVY.query("m", 50_000_000).data
    with stop.obeyed():
        assert len(answer.packed_for(request).body) < 10_000
        assert encoded(frame)[0]
        stop.call()
        for work in (lambda: answer.packed_for(request), lambda: encoded(frame)):
            with pytest.raises(TimedOutError, match="was stopped"):
                work()


# ---------------------------------------------------------------- access


def test_the_token_is_wanted_for_all_but_probes():
    with serving(access=Access(TOKEN)) as port:
        for path in ("/", "/api/v1/labels", "/api/v1/nothing"):
            status, headers, _ = ask(port, path)
            assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
            for wrong in (f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xff"):
                assert ask(port, path, headers={"Authorization": wrong})[0] == 401
            right = {"Authorization": f"bearer {TOKEN}"}
            assert ask(port, path, headers=right)[0] in (200, 404)
        assert ask(port, "/-/healthy")[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:9090", 200),
        ("127.0.0.1", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:80", 403),
        ("localhost.evil.example", 403),
        ("192.168.0.1", 403),
    ],
)
def test_only_names_of_this_machine_are_answered_to(host, status):
    """Else a web page whose name is turned to 127.0.0.1 could read everything."""
    with serving() as port:
        assert ask(port, "/api/v1/labels", headers={"Host": host})[0] == status


def test_pages_of_other_origins_read_only_where_they_are_let():
    origin = {"Origin": "https://grafana.example"}
    with serving() as port:
        assert ask(port, "/api/v1/labels", headers=origin)[1]["Access-Control-Allow-Origin"] is None
    with serving(access=Access(TOKEN, origins=("https://grafana.example",))) as port:
        status, headers, _ = ask(port, "/api/v1/query", "OPTIONS", headers=origin)
        assert status == 204
        assert headers["Access-Control-Allow-Origin"] == "https://grafana.example"
        assert "Authorization" in headers["Access-Control-Allow-Headers"]
        _, headers, _ = ask(port, "/", "OPTIONS", headers={"Origin": "https://evil.example"})
        assert headers["Access-Control-Allow-Origin"] is None


def test_tls(tmp_path):
    authority = Authority(tmp_path)
    pair = authority.sign("server")
    with serving(tls=tls_context(pair.certificate, pair.key)) as port:
        trusted = ssl.create_default_context(cafile=authority.own.certificate)
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=HANGS_SECONDS, context=trusted
        )
        connection.request("GET", "/api/v1/query?query=1&time=0")
        assert connection.getresponse().status == 200
        connection.close()
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            ask(port, "/-/ready")


@pytest.mark.parametrize("address", ["0.0.0.0:0", ":0", "[::]:0"])
def test_the_world_is_listened_to_only_with_a_guard(address):
    with pytest.raises(SettingsError, match="--token-file"):
        listen(address, guarded=False)


def test_addresses_that_are_none_are_refused():
    for wrong in ("9090", "localhost", "a b:1", "127.0.0.1:99999", "127.0.0.1:x", "::1:9090"):
        with pytest.raises(SettingsError):
            listen(wrong, guarded=True)
    taken = listen("127.0.0.1:0", guarded=False)
    with pytest.raises(SettingsError, match="cannot be listened on"):
        listen(f"127.0.0.1:{taken.port}", guarded=False)
    for each in taken.sockets:
        each.close()


def test_a_token_is_long_enough_and_never_shown(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_SERVE_TOKEN", raising=False)
    assert read_token(None) == ""
    monkeypatch.setenv("WORKBENCH_SERVE_TOKEN", TOKEN)
    assert read_token(None) == TOKEN
    path = tmp_path / "token"
    path.write_text("short-secret\n")
    with pytest.raises(SettingsError) as refused:
        read_token(path)
    assert "short-secret" not in str(refused.value)
    path.write_text(f"{TOKEN}\n")
    assert read_token(path) == TOKEN
    with pytest.raises(SettingsError, match="cannot be read"):
        read_token(tmp_path / "nothing")


def test_half_of_a_certificate_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="one is missing"):
        tls_context(tmp_path / "x", None)
    (tmp_path / "x").write_text("no certificate")
    with pytest.raises(SettingsError, match="no certificate with its key"):
        tls_context(tmp_path / "x", tmp_path / "x")
    assert tls_context(None, None) is None

"""Values of each kind as they are met in the wild, what must not be taken for them, and masks."""

from __future__ import annotations

import base64
import random
import string
import time
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.cardinality.masking import is_sensitive, mask
from workbench.cardinality.shapes import GROWING, PERSONAL, SECRET, Shape, classify, shape_of

EXAMPLES: dict[str, list[str]] = {
    "word": [
        "kube-state-metrics-v2",
        "node01-rack12-row3",
        "c5d.18xlarge",
        "nvidia-a100-80gb",
        "Standard_D8s_v3",
        "TLS_AES_128_GCM_SHA256",
        "gpt-4o-mini-2024-07-18",
        "claude-3-5-sonnet-20241022",
        "llama-3.1-70b-instruct",
        "Qwen2.5-7B-Instruct-GPTQ-Int4",
        "0000:00:1f.2",
        "e2e-tests-k8s-node1",
        "ORD-2024-00123",
        "grid",
        "us-east-1",
        "GET",
        "true",
        "production",
        "eu-west-1a",
        "deadbeef",
        "facade",
        "order_created",
        "OrderServiceV2Handler",
        "payment.captured",
        "java.lang.OutOfMemoryError",
        "sda1",
        "eth0",
        "nvme0n1",
        "go_gc",
        "svc-db-pool-0",
        "postgres-0",
        "team-11",
        "p99",
        "x86_64",
        "linux/amd64",
        "kube-system",
        "ext4",
        "C",
        "node-exporter",
        "com.example.OrderService.handle",
        "tmpfs",
        "mount-tmpfs",
        "ip-10-42-0-0",
        "a",
        "scrape-pool-default",
        "Zürich",
        "http2",
        "2xx",
        "s3",
        "prod-eu-west-1",
        "e2e-tests",
        "RouteGuide/ListFeatures",
        "grpc.health.v1.Health",
        "kubernetes-pods",
        "TLSv1.3",
        "sha256",
        "utf-8",
        "base64",
        "__unknown__",
        "0:0:1",
        "AES_256_GCM",
        "text/html; charset=utf-8",
        "application/json",
        "Mozilla Firefox",
        "cgroup2",
        "ens192",
        "cpu0",
        "system.slice",
        "docker.service",
        "abc",
        "cafe",
        "0x",
        "high-priority-queue-consumer-2",
        "MyVeryLongCamelCaseClassNameNumber2",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "ubuntu-22-04-lts-amd64",
    ],
    "number": [
        "102400",
        "409600",
        "10",
        "0",
        "200",
        "0.005",
        "+Inf",
        "1e10",
        "-1",
        "1048576",
        "1000000",
        "2.5",
        "65535",
        "1.5",
        "5e-05",
        "1073741824",
        "100000",
        "536870912",
        "99999",
        "50%",
    ],
    "version": [
        "v1.2.3",
        "1.2.3",
        "v2.31.4",
        "1.0.0-rc.1",
        "go1.21.3",
        "v1",
        "2.42.0+ds",
        "5.10.0-21-amd64",
        "1.25.3-gke.100",
        "v0.17.1-alpha",
    ],
    "route": [
        "/metrics",
        "/api/v1/users",
        "/",
        "/users/{id}",
        "/users/:id/orders",
        "/api/v1/orders/{order_id}",
        "/debug/pprof/*",
        "/var/lib/docker",
        "/dev/sda1",
        "/healthz",
        "GET /api/users",
        "/boot/efi",
        "/static/js/main.js",
        "/<path>",
        "/v2/search",
        "/api/v1/query_range",
    ],
    "host name": [
        "api.example.com",
        "ip-10-42-0-0.eu-west-1.compute.internal",
        "kubernetes.default.svc",
        "node1.lan",
    ],
    "host and port": [
        "localhost:9090",
        "10.0.0.1:8080",
        "node-1:9100",
        "[::1]:9090",
        "db.example.com:5432",
    ],
    "IP address": [
        "10.0.0.1",
        "192.168.178.20",
        "::1",
        "fe80::1%eth0",
        "2001:db8::ff00:42:8329",
        "10.0.0.0/8",
    ],
    "Kubernetes pod name": [
        "checkout-api-7d9f8b6c5d-x2x9z",
        "coredns-5d78c9869d-bk4l8",
        "node-exporter-x7k2p",
        "backup-28391234-k2xqz",
    ],
    "UUID": ["3f2b8c1e-5d6a-4e7f-8a9b-0c1d2e3f4a5b", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"],
    "hexadecimal id": [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
        "0x7ffee4b8",
        "507f1f77bcf86cd799439011",
        "a1b2c3d",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
    "hardware address": ["00:1b:44:11:3a:b7", "02-fc-00-00-00-01"],
    "git commit": ["9fceb02d0ae598e95dc970b74767f19372d61af8"],
    "random id": [
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "V1StGXR8Z5jdHi6B",
        "cus_NffrFeUfNV2Hib9",
        "i-0abc123def4567890",
        "dQw4w9WgXcQ1x",
    ],
    "numeric id": ["123456789", "8675309", "48291057", "4111111111111112"],
    "epoch time": [
        "1700000000",
        "1700000000123",
        "1609459200",
        "1700000000.123",
        "1700000000123456789",
    ],
    "date or time": [
        "2024-01-31",
        "2024-01-31T10:11:12Z",
        "2024-01-31 10:11:12.123",
        "20240131T101112Z",
        "2024-01-31T10:11:12+02:00",
    ],
    "raw path": [
        "/users/123",
        "/users/3f2b8c1e-5d6a-4e7f-8a9b-0c1d2e3f4a5b/orders",
        "/search?q=shoes",
        "/u/alice@example.com",
        "/api/v1/orders/9f86d081884c7d65",
        "GET /api/users/42",
        "/files/q3Zk9TfP1xLw8Rb2",
        "/static/main.8a7b6c5d.js",
        "/orders/ORD-20231",
    ],
    "URL": ["https://example.com/a", "s3://bucket/key", "postgres://db:5432/x"],
    "SQL": [
        "SELECT * FROM users WHERE id = 1",
        "insert into t values (1)",
        "UPDATE users SET a=1",
        "DELETE FROM t WHERE x",
        "CREATE TABLE x (a int)",
        "select a from b where c",
    ],
    "sentence": [
        "connection refused by peer",
        'Get "http://x": context deadline exceeded',
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "user 42 not found",
        "update failed: timeout",
    ],
    "e-mail address": [
        "alice@example.com",
        "bob.smith+tag@mail.corp.example.org",
        "team-1@example.com",
    ],
    "phone number": ["+49 170 1234567", "+14155552671", "(415) 555-2671", "415-555-2671"],
    "payment card number": [
        "4111111111111111",
        "5500 0000 0000 0004",
        "3782-822463-10005",
        "4242-4242-4242-4242",
    ],
    "bank account number": ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"],
    "token or key": [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "sk-proj-AbCdEf0123456789AbCdEf",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "Bearer abcdef0123456789",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ8pLk0vTn",
        "xoxb-123456789012-abcdefGHIJ",
        "password=hunter2!",
        "-----BEGIN RSA PRIVATE KEY-----\nMII",
        "glpat-aBcD1234eFgH5678iJkL",
    ],
}


HOSTILE = [
    "a", "a ", "/", "a@", "1", "1-", "a.", "eyJ", "://", "-", ":", " ", "aB3", "select ", "%40", "'",
    "token", "token=", "a-b2", "AB12 ", "bearer ", "\n", "-----BEGIN ", "sk-", "{", "é", "\x00", "+1 ", "0x",
]  # fmt: skip


@pytest.mark.parametrize(("shape", "value"), [(s, v) for s, vs in EXAMPLES.items() for v in vs])
def test_examples(shape: str, value: str) -> None:
    """Each example has the shape under which it is listed, and is masked where that must be."""
    assert shape_of(value).value == shape
    hidden = shape_of(value) in PERSONAL | SECRET
    assert is_sensitive(value) == (hidden or "@" in value.partition(".")[0])


def drawn(kind: str, dice: random.Random) -> str:
    """A random value of a kind."""
    if kind == "uuid":
        return str(uuid.UUID(int=dice.getrandbits(128)))
    if kind == "base64":
        return base64.b64encode(dice.randbytes(30)).decode()
    if kind == "hex":
        return dice.randbytes(16).hex()
    letters = string.ascii_letters + string.digits
    return "".join(dice.choices(letters, k=16))


@pytest.mark.parametrize(
    ("kind", "shapes", "least"),
    [
        ("uuid", {Shape.UUID}, 1.0),
        ("hex", {Shape.HEX_ID}, 1.0),
        ("base64", {Shape.TOKEN}, 0.9),
        ("alphanumeric", {Shape.OPAQUE_ID}, 0.8),
    ],
)
def test_random_values_are_found(kind: str, shapes: set[Shape], least: float) -> None:
    """Of values drawn by lot nearly all are known as such: a label is judged by most of them."""
    dice = random.Random(5)
    assert classify([drawn(kind, dice) for _ in range(1_000)]).share(shapes) >= least


def test_shares_of_a_label() -> None:
    """Shares are parts of the distinct values, largest first, and plain data."""
    shapes = classify(["GET", "PUT", "/users/1"])
    assert shapes.main is Shape.WORD
    assert shapes.share(GROWING) == pytest.approx(1 / 3)
    assert shapes.to_dict() == {
        "distinct": 3,
        "examined": 3,
        "shares": {"word": 2 / 3, "raw path": 1 / 3},
    }
    assert classify(["x"]).constant
    assert classify([]).main is None


def test_of_very_many_values_a_sample_is_looked_at_and_said() -> None:
    """Two thousand, evenly spread: values in groups keep their shares."""
    values = ["10.0.0.1"] * 30_000 + ["GET"] * 10_000
    shapes = classify(values)
    assert (shapes.distinct, shapes.examined) == (40_000, 2_000)
    assert shapes.share([Shape.IP]) == pytest.approx(0.75, abs=0.01)


def test_many_small_numbers_count_something() -> None:
    """Sixty codes are codes; two thousand numbers, with or without a word, are ids."""
    assert classify([str(n) for n in range(400, 460)]).main is Shape.NUMBER
    assert classify([str(n) for n in range(2_000)]).main is Shape.NUMERIC_ID
    assert classify([f"customer-{n}" for n in range(2_000)]).main is Shape.NUMERIC_ID
    assert classify([f"customer-{n}" for n in range(200)]).main is Shape.WORD
    assert classify([str(n / 8 + 0.05) for n in range(2_000)]).main is Shape.NUMBER


def test_long_numbers_with_a_fitting_digit_by_chance_are_no_cards() -> None:
    """One in ten numbers passes the check; a label of order numbers holds no cards."""
    dice = random.Random(1)
    orders = [str(dice.randrange(3 * 10**15, 6 * 10**15)) for _ in range(500)]
    assert any(shape_of(order) is Shape.CARD for order in orders)
    assert classify(orders).share(PERSONAL) == 0


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_takes_no_time(piece: str) -> None:
    """Neither the shape nor the mask of a huge value costs more than its beginning does."""
    text = piece * (1_000_000 // len(piece))
    begun = time.thread_time()
    shape_of(text)
    shown = mask(text)
    assert time.thread_time() - begun < 0.5
    assert len(shown) < 5_000
    assert "characters" in shown


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from(HOSTILE), max_size=12).map("".join))
def test_any_text_has_a_shape_and_a_mask(text: str) -> None:
    """Nothing raises; and what counts as personal or secret is never shown as it is."""
    hidden = shape_of(text) in PERSONAL | SECRET
    assert not hidden or mask(text) != text


SECRETS = [v for s in ("token or key", "e-mail address", "phone number", "payment card number", "bank account number") for v in EXAMPLES[s]]  # fmt: skip


@given(st.sampled_from(SECRETS), st.sampled_from(["", "user ", "for=", "(", '"']), st.sampled_from(["", " failed", ")", '"', ","]))  # fmt: skip
def test_secrets_are_masked_inside_of_other_text(secret: str, before: str, after: str) -> None:
    """Half of a secret never stands in what is shown, and the rest of the text stays."""
    shown = mask(before + secret + after)
    assert shown != before + secret + after
    hidden = secret.removeprefix("password=").removeprefix("Bearer ")
    for i in range(0, len(hidden) - len(hidden) // 2, 3):
        assert hidden[i : i + len(hidden) // 2 + 1] not in shown
    assert shown.startswith(before) or before == "for="


def test_masks_keep_the_shape_and_nothing_to_find_it_by() -> None:
    """What each kind looks like."""
    assert mask("alice.b@example.com") == "a…@e….com"
    assert mask("al@me.de") == "…@….de"
    assert mask("/users/bob.jones%40example.com/orders") == "/users/b…@e….com/orders"
    assert mask("4111 1111 1111 1111") == "[card number, 19 characters]"
    assert mask("Bearer abcdefgh01234567") == "Bearer …[16 characters]"
    assert mask("postgres://bob:hunter2@db:5432/x") == "postgres://…[12 characters]@db:5432/x"
    assert mask("/cb?access_token=Zx81-aa&x=1") == "/cb?access_token=…[7 characters]&x=1"
    assert mask("x" * 5_000) == "x" * 4_096 + "… (5,000 characters)"
    assert "alice" not in mask("y " * 2_044 + "alice@example.com and more" * 20)

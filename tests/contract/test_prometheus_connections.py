"""Logins, certificates and the environment, on a real Prometheus behind `--web.config.file`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from certificates import Authority
from stand_in import Reply, StandIn

from workbench.errors import RefusedError, SettingsError, SourceError, UnreachableError
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource

PASSWORD = "s3cret: pässword"
HASH = "$2b$04$abcdefghijklmnopqrstuuFlOyBI8jBbXozrggSeR8xAGmNTDYf4e"
"""bcrypt of PASSWORD at the lowest cost."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that no system trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[str]:
    """A Prometheus behind TLS and basic authentication."""
    mine = authority.sign("server")
    web = f"tls_server_config: {{cert_file: {mine.certificate}, key_file: {mine.key}}}\nbasic_auth_users: {{me: '{HASH}'}}\n"
    with servers.prometheus(
        tmp_path_factory.mktemp("guarded"), web_config=web, scheme="https"
    ) as server:
        yield server.url


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The right password in a file that ends in a line break, as files do."""
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return path


def ask(**settings: Any) -> int:
    """Ask once without retries: how many series the answer has."""
    with PrometheusSource(SourceSettings(retries=0, **settings)) as source:
        return len(source.query("vector(1)", 0).data)


# ---------------------------------------------------------------- login


def test_basic_auth_over_tls_with_our_own_authority(
    guarded: str, authority: Authority, password: Path
) -> None:
    assert (
        ask(url=guarded, username="me", password_file=password, ca_file=authority.own.certificate)
        == 1
    )


def test_the_password_may_come_from_the_environment(
    guarded: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROM_PASSWORD", PASSWORD)
    assert (
        ask(
            url=guarded,
            username="me",
            password_env="PROM_PASSWORD",
            ca_file=authority.own.certificate,
        )
        == 1
    )


def test_a_wrong_password_is_refused_and_not_shown(
    guarded: str, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "wrong").write_text("not-the-password")
    with pytest.raises(RefusedError, match=r"refuses our login.*401") as caught:
        ask(
            url=guarded,
            username="me",
            password_file=tmp_path / "wrong",
            ca_file=authority.own.certificate,
        )
    assert "not-the-password" not in str(caught.value)


def test_no_login_is_told_apart_from_a_wrong_one(guarded: str, authority: Authority) -> None:
    with pytest.raises(RefusedError, match="wants a login"):
        ask(url=guarded, ca_file=authority.own.certificate)


def test_netrc_does_not_replace_our_login(
    guarded: str,
    authority: Authority,
    password: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`requests` would take the netrc entry of the host in place of what we were told."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password wrong\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert (
        ask(url=guarded, username="me", password_file=password, ca_file=authority.own.certificate)
        == 1
    )


def test_netrc_does_not_replace_a_bearer_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password wrong\n")
    (tmp_path / "token").write_text("first\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with StandIn() as server:
        server.script(
            "/api/v1/query",
            Reply(b'{"status":"success","data":{"resultType":"vector","result":[]}}'),
        )
        with PrometheusSource(
            SourceSettings(url=server.url, bearer_token_file=tmp_path / "token")
        ) as source:
            source.query("up", 0)
            assert server.seen[-1].headers["Authorization"] == "Bearer first"
            (tmp_path / "token").write_text("rotated\n")
            source.query("up", 0)
            assert server.seen[-1].headers["Authorization"] == "Bearer rotated"


def test_extra_headers_are_sent_and_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TENANT", "team-7")
    with StandIn() as server:
        server.script(
            "/api/v1/query",
            Reply(b'{"status":"success","data":{"resultType":"vector","result":[]}}'),
        )
        server.script("/api/v1/labels", Reply(b'{"status":"success","data":["job"]}'))
        headers = {"X-Scope-OrgID": "$TENANT", "X-Plain": "plain $TENANT"}
        with PrometheusSource(SourceSettings(url=server.url, headers=headers)) as source:
            source.query("up", 0)
            source.label_names([], 0, 1)
        assert {each.headers["X-Scope-OrgID"] for each in server.seen} == {"team-7"}
        assert {each.headers["X-Plain"] for each in server.seen} == {"plain $TENANT"}


def test_a_secret_that_the_server_echoes_is_struck_out(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("tok-12345")
    with StandIn() as server:
        server.script(
            "/api/v1/query",
            Reply(
                b'{"status":"error","errorType":"internal","error":"bad token tok-12345"}',
                status=500,
            ),
        )
        with pytest.raises(Exception, match=r"bad token \*\*\*") as caught:
            ask(url=server.url, bearer_token_file=tmp_path / "token")
        assert "tok-12345" not in repr(caught.value)


def test_a_secret_header_that_the_server_echoes_is_struck_out() -> None:
    """The other name of a token is an API key in a header."""
    with StandIn() as server:
        server.script("/api/v1/query", Reply(b"bad key key-12345 of team-7", 418, "text/plain"))
        with pytest.raises(SourceError, match=r"bad key \*\*\* of team-7"):
            ask(url=server.url, headers={"X-Api-Key": "key-12345", "X-Scope-OrgID": "team-7"})


def test_a_login_in_the_url_is_used_and_never_shown() -> None:
    with StandIn() as server:
        server.script("/api/v1/query", Reply(status=403))
        with pytest.raises(RefusedError) as caught:
            ask(url=f"http://me:geh%40eim@{server.address}")
        assert server.seen[-1].headers["Authorization"] == "Basic bWU6Z2VoQGVpbQ=="
        assert "geh" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"username": "me"}, "without a password"),
        ({"password_env": "X"}, "without a user"),
        ({"username": "me", "password_env": "X", "bearer_token_env": "Y"}, "both a bearer token"),
        (
            {"password_env": "X", "password_file": "p", "username": "me"},
            "both as file and as environment",
        ),
        ({"ca_file": "/no/such/file"}, "ca_file /no/such/file"),
        ({"cert_file": "/no/such/file"}, "cert_file /no/such/file"),
        ({"key_file": "/no/such/file"}, "without cert_file"),
        ({"headers": {"X": "$NOT_SET_ANYWHERE"}}, "NOT_SET_ANYWHERE"),
        ({"headers": {"X": "a\nEvil: b"}}, "the header X holds a line break"),
        ({"headers": {"X Y": "a"}}, "not a header's name"),
        ({"url": "http://h/?token=geheim"}, "query or fragment"),
        ({"url": "http://h:port/"}, "cannot be read"),
        ({"url": "http:///x"}, "not an HTTP URL"),
    ],
)
def test_settings_that_cannot_work_say_so_at_once(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        PrometheusSource(SourceSettings(**{"url": "http://127.0.0.1:1", **settings}))
    assert "geheim" not in str(caught.value)
    assert "Evil" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"line\nbreak"])
def test_a_token_file_that_cannot_be_used_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="bearer token"):
        ask(url="http://127.0.0.1:1", bearer_token_file=path)


# ---------------------------------------------------------------- certificates


def test_an_unknown_authority_is_refused_with_the_mend(guarded: str) -> None:
    with pytest.raises(UnreachableError, match=r"certificate.*not good.*ca_file"):
        ask(url=guarded)


def test_requests_ca_bundle_is_not_read(
    guarded: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the environment trusts is not what we were told to trust."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.own.certificate))
    with pytest.raises(UnreachableError, match="not good"):
        ask(url=guarded)


def test_requests_ca_bundle_does_not_replace_ours(
    guarded: str,
    authority: Authority,
    password: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    other = Authority(tmp_path, "other")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.own.certificate))
    assert (
        ask(url=guarded, username="me", password_file=password, ca_file=authority.own.certificate)
        == 1
    )


def test_proxies_of_the_environment_are_not_used(
    prometheus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask(url=prometheus) == 1


def test_verification_can_be_skipped(guarded: str, password: Path) -> None:
    """Without a warning for each request, which would be an error here."""
    assert ask(url=guarded, username="me", password_file=password, insecure_skip_verify=True) == 1


def test_an_expired_certificate_says_what_to_do(tmp_path: Path, authority: Authority) -> None:
    old = authority.sign("expired", days=-1)
    web = f"tls_server_config: {{cert_file: {old.certificate}, key_file: {old.key}}}\n"
    with (
        servers.prometheus(tmp_path, web_config=web, scheme="https") as server,
        pytest.raises(UnreachableError, match=r"expired.*renewed"),
    ):
        ask(url=server.url, ca_file=authority.own.certificate)


def test_a_certificate_for_another_host_says_so(tmp_path: Path, authority: Authority) -> None:
    other = authority.sign("elsewhere", subject="DNS:elsewhere.example")
    web = f"tls_server_config: {{cert_file: {other.certificate}, key_file: {other.key}}}\n"
    with (
        servers.prometheus(tmp_path, web_config=web, scheme="https") as server,
        pytest.raises(UnreachableError, match="certificate was made for"),
    ):
        ask(url=server.url, ca_file=authority.own.certificate)


def test_mutual_tls(tmp_path: Path, authority: Authority) -> None:
    """With our client certificate we are let in; without, or with a stranger's, we are refused."""
    server_side, client_side = (
        authority.sign("mtls"),
        authority.sign("client", subject="DNS:client"),
    )
    stranger = Authority(tmp_path, "stranger").sign("impostor", subject="DNS:client")
    web = (
        f"tls_server_config: {{cert_file: {server_side.certificate}, key_file: {server_side.key}, "
        f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: {authority.own.certificate}}}\n"
    )
    with servers.prometheus(tmp_path / "server", web_config=web, scheme="https") as server:
        known: dict[str, Any] = {"url": server.url, "ca_file": authority.own.certificate}
        assert ask(**known, cert_file=client_side.certificate, key_file=client_side.key) == 1
        with pytest.raises(SourceError, match="client certificate"):
            ask(**known)
        with pytest.raises(SourceError, match="client certificate"):
            ask(**known, cert_file=stranger.certificate, key_file=stranger.key)


def test_a_key_with_a_passphrase_is_refused_before_anyone_is_asked_for_it(
    tmp_path: Path, authority: Authority
) -> None:
    """OpenSSL would else ask on the terminal, and a notebook would hang."""
    mine = authority.sign("protected")
    locked = tmp_path / "locked.key"
    openssl = servers.needs("openssl")
    command = [
        openssl,
        "pkey",
        "-in",
        mine.key,
        "-aes256",
        "-passout",
        "pass:geheim",
        "-out",
        locked,
    ]
    subprocess.run(command, check=True)
    with pytest.raises(SettingsError, match="passphrase"):
        ask(url="https://127.0.0.1:1", cert_file=mine.certificate, key_file=locked)


# ---------------------------------------------------------------- wrong addresses


def test_http_to_a_tls_port_and_back(guarded: str, prometheus: str) -> None:
    with pytest.raises(SourceError, match=r"write https://"):
        ask(url=guarded.replace("https", "http"))
    with pytest.raises(SourceError, match="write http://"):
        ask(url=prometheus.replace("http", "https"))


def test_a_port_without_listener_is_unreachable() -> None:
    with pytest.raises(
        UnreachableError, match=r"nothing listens at http://127\.0\.0\.1:.*connection refused"
    ):
        ask(url=f"http://127.0.0.1:{servers.free_port()}")


def test_an_unknown_host_is_unreachable() -> None:
    with pytest.raises(
        UnreachableError, match=r"the host of http://no-such-host\.invalid:9090 is not known"
    ):
        ask(url="http://no-such-host.invalid:9090")


def test_a_dead_proxy_is_named_without_its_password() -> None:
    with pytest.raises(UnreachableError, match="proxy") as caught:
        ask(url="http://127.0.0.1:9", proxy=f"http://me:geheim@127.0.0.1:{servers.free_port()}")
    assert "geheim" not in str(caught.value)


def test_the_proxy_is_used() -> None:
    """A proxy is asked for the whole URL."""
    with StandIn() as proxy:
        proxy.script(
            "http://prometheus.example:9090/api/v1/query",
            Reply(b'{"status":"success","data":{"resultType":"vector","result":[]}}'),
        )
        proxy.script(
            "http://prometheus.example:9090/api/v1/status/buildinfo",
            Reply(b'{"status":"success","data":{"version":"3.1.0","goVersion":"go"}}'),
        )
        assert ask(url="http://prometheus.example:9090", proxy=proxy.url) == 0
        assert proxy.seen[0].path.startswith("http://prometheus.example:9090/")
        assert proxy.seen[0].headers["Accept-Encoding"] == "gzip"


def test_a_wrong_path_names_the_usual_ones(prometheus: str) -> None:
    with pytest.raises(SourceError, match=r"no Prometheus API stands at .*/wrong/api/v1"):
        ask(url=f"{prometheus}/wrong")


def test_a_node_exporter_is_no_prometheus(node_exporter: str) -> None:
    with pytest.raises(SourceError, match=r"HTML page|no Prometheus API"):
        ask(url=node_exporter)

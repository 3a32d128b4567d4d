"""A source for any server that answers the Prometheus HTTP API.

From the wire up: `login` and `interrupt` serve `transport`, which asks and tries again; `failures`
and `refusals` turn what goes wrong into the errors of the workbench; `spans` and `decode` turn
bodies into arrays; `ranges` cuts what is too long for one question; `identity` finds out what
the server is; `metadata` asks what exists; `source` puts them together.
"""

from workbench.sources.prometheus.source import PrometheusSource

__all__ = ["PrometheusSource"]

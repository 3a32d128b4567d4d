"""A source answered over the Prometheus HTTP API, so that every tool of that world can read it.

`exchange` says what a request and an answer are, `parameters` reads what was asked as Prometheus
does, `queries`, `catalogue` and `status` ask the source, `encoding` writes the data, `failures`
puts every refusal into Prometheus' shape, `routing` joins them into one pure function from request
to answer. `access` decides who may ask; `server` and `listening` alone know of sockets.
"""

from workbench.serving.access import Access
from workbench.serving.exchange import Request, Response
from workbench.serving.listening import Listening, listen
from workbench.serving.routing import Api
from workbench.serving.server import Bounds, Server

__all__ = ["Access", "Api", "Bounds", "Listening", "Request", "Response", "Server", "listen"]

"""What Python's expressions say of the values of a label."""

from __future__ import annotations

import re
from typing import Final

from workbench.codescan.rules import HTTP_METHODS, STATUS_CODES, Rule, RuleTable
from workbench.inventory import Bound

__all__ = ["MENDS", "PASSING", "ROUTES", "RULES"]

_REQUEST: Final = (
    r"(?:(?:^|[.#_])(?:request|req|flask_request)(?:<[^>]*>)?|<(?:\w+\.)?(?:Http)?Request>)"
)
_RESPONSE: Final = r"(?:(?:^|[._])(?:response|resp|res|rsp)(?:<[^>]*>)?|<(?:\w+\.)?\w*Response>)"

RULES: Final = RuleTable(
    (
        Rule(
            r"\.url_rule(?:\.rule|\.endpoint)?$|\[route\]\.path(?:_format)?$"
            r"|\.resolver_match\.(?:route|view_name|url_name|func\.__name__)$"
            rf"|{_REQUEST}\.endpoint$|\.match_info\.route\.resource\.canonical$"
            r"|(?:^|\.)route\.path(?:_format)?$|\.matched_route\.(?:name|pattern)$",
            "route template",
            "the template or name of a route: as many values as there are routes",
            Bound.UNKNOWN,
        ),
        Rule(
            rf"{_REQUEST}\.method$|scope(?:<[^>]*>)?\[method\]$|environ(?:<[^>]*>)?\[REQUEST_METHOD\]$",
            "http method",
            "the method of a request, of which 9 are in use",
            Bound.BOUNDED,
            HTTP_METHODS,
        ),
        Rule(
            rf"(?:^|\.)status_code(?:<[^>]*>)?$|{_RESPONSE}\.(?:status|code|status_int)$"
            r"|\.get_status\(\)$|HTTPStatus\.\w+(?:\.value)?$",
            "status code",
            "a status code, of which about 60 are registered",
            Bound.BOUNDED,
            STATUS_CODES,
        ),
        Rule(
            r"(?:^type\(\)|\.__class__)\.__(?:qual)?name__$|^type\(\)$",
            "variable",
            "the name of a class: as many values as the code has classes for it",
            Bound.UNKNOWN,
        ),
        Rule(
            rf"{_REQUEST}\.(?:args|GET|POST|query_params|form|values|json|data|query|cookies|params)\b"
            r"|\.get_(?:query_)?arguments?\(\)$|\.query_string$|\.rel_url\.query\b",
            "user input",
            "a parameter that clients choose",
        ),
        Rule(
            rf"{_REQUEST}\.(?:headers|META|user_agent)\b|environ(?:<[^>]*>)?(?:\[HTTP_|\.get\(\))",
            "user input",
            "a header that clients choose",
        ),
        Rule(
            r"\.(?:view_args|path_params|match_info|path_kwargs)(?:\[|\.get\(\))",
            "user input",
            "a part of the path that clients choose",
        ),
        Rule(
            rf"{_REQUEST}\.(?:path|full_path|path_info|url|base_url|uri|raw_path|rel_url|path_qs)"
            r"(?:\.(?:path|path_qs|raw_path))?$"
            rf"|{_REQUEST}\.(?:get_full_path|build_absolute_uri|get_raw_uri)\(\)$"
            r"|scope(?:<[^>]*>)?\[(?:path|raw_path)\]$|\[PATH_INFO\]$|\[REQUEST_URI\]$",
            "request path",
            "the path that a client asked for: it grows with traffic",
        ),
        Rule(
            rf"{_REQUEST}\.(?:host|get_host\(\)|url\.hostname|url\.netloc)$",
            "user input",
            "the Host header, which clients choose",
        ),
        Rule(
            rf"{_REQUEST}\.(?:remote_addr|remote|remote_ip|client\.host|client)$|\[REMOTE_ADDR\]$",
            "address",
            "the address of a peer",
        ),
        Rule(
            r"(?:^|[.#])uuid[1-7]\(\)(?:\.hex)?$|secrets\.token_\w+\(\)$|ObjectId\(\)$",
            "identifier",
            "a new id each time",
        ),
        Rule(
            r"<Exception>(?:\.(?:args(?:\[\])?|message|msg|reason|strerror|detail))?$"
            r"|traceback\.format_exc\(\)$",
            "error text",
            "the text of an error, which may hold ids, addresses and times",
        ),
        Rule(
            r"(?:^|[.#])time\.(?:time|time_ns|monotonic|ctime|strftime)\(\)$|\.(?:utcnow|now|today)\(\)"
            r"|\.isoformat\(\)$|\.timestamp\(\)$",
            "time",
            "a point in time",
        ),
        Rule(
            r"(?i:(?:^|\.)(?:sql|raw_sql|statement|sql_query|query_text)(?:<[^>]*>)?$)",
            "query",
            "the text of a query",
        ),
    )
)

PASSING: Final = re.compile(
    r"^(?:str|int|repr|format|escape)\(\)$"
    r"|\.(?:lower|upper|strip|rstrip|lstrip|title|capitalize|decode|encode|casefold|replace)\(\)$"
)

MENDS: Final = {
    "request path": "give the route's template: Flask's request.url_rule.rule, FastAPI's and "
    "Starlette's request.scope[\"route\"].path, Django's request.resolver_match.route, aiohttp's "
    "request.match_info.route.resource.canonical",
    "error text": "give type(e).__name__, or a class of error from a closed list; log the text",
    "user input": "map it with a dict of known values: KNOWN.get(value, 'other')",
}

ROUTES: Final = re.compile(
    rb"@\w+(?:\.\w+)*\.(?:route|get|post|put|patch|delete|head|options|websocket)\(\s*"
    rb"r?[\"'](/[^\"'\n]*)[\"']|\b(?:re_)?path\(\s*r?[\"']([^\"'\n]*)[\"']"
)

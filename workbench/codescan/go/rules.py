"""What Go's expressions say of the values of a label."""

from __future__ import annotations

import re
from typing import Final

from workbench.codescan.rules import (
    GRPC_CODES,
    HTTP_METHODS,
    STATUS_CODES,
    Rule,
    RuleTable,
)
from workbench.inventory import Bound

__all__ = ["MENDS", "PASSING", "ROUTES", "RULES"]

_REQUEST: Final = (
    r"(?:<\*?(?:http\.Request|fasthttp\.RequestCtx|restful\.Request)>"
    r"|(?:^|\.)(?:r|rq|req|request|Request(?:\(\))?)(?:<[^>]*>)?)"
)
"""The end of an expression that is a request: by its type, or by the names that are usual."""

RULES: Final = RuleTable(
    (
        Rule(
            rf"{_REQUEST}\.Pattern$|\.(?:FullPath|RoutePattern|GetPathTemplate|SelectedRoutePath)\(\)$"
            r"|\.(?:Route\(\)\.Path|RoutePath)$|(?:^|\.)c(?:<echo\.Context>)?\.Path\(\)$"
            r"|<echo\.Context>\.Path\(\)$",
            "route template",
            "the template of a route: as many values as there are routes",
            Bound.UNKNOWN,
        ),
        Rule(
            rf"{_REQUEST}\.Method$|<\*?(?:gin|echo|fiber)\.(?:Context|Ctx)>\.Method\(\)$"
            r"|\.Request\(?\)?\.Method$",
            "http method",
            "the method of a request, of which 9 are in use",
            Bound.BOUNDED,
            HTTP_METHODS,
        ),
        Rule(
            r"^strconv\.FormatBool\(\)$",
            "boolean",
            "a boolean",
            Bound.BOUNDED,
            2,
            ("false", "true"),
        ),
        Rule(
            r"(?:^|[.>])(?:Status|StatusCode|GetStatusCode)(?:\(\))?$"
            r"|(?i:(?:^|\.)(?:http_?)?status_?code(?:<u?int\d*>)?$)"
            r"|(?:^|\.)status<u?int\d*>$|net/http\.StatusText\(\)$"
            r"|\.Writer\.Status\(\)$|^net/http\.Status[A-Z]\w+$",
            "status code",
            "a status code, of which about 60 are registered",
            Bound.BOUNDED,
            STATUS_CODES,
        ),
        Rule(
            r"grpc/status\.Code\(\)|grpc/codes\.\w+\.String\(\)|<codes\.Code>",
            "status code",
            "a gRPC code, of which there are 17",
            Bound.BOUNDED,
            GRPC_CODES,
        ),
        Rule(
            r"\.URL\.(?:RawQuery|Query\(\)\.(?:Get|Encode)\(\)|Query\(\)\[\w*\])"
            r"|\.(?:FormValue|PostFormValue|DefaultQuery|QueryParam|GetQuery|PostForm|QueryArgs)\(\)"
            r"|\.Form\.Get\(\)|\.Form\[\w*\]"
            r"|<\*?(?:gin\.Context|fiber\.Ctx|echo\.Context)>\.Query\(\)|(?:^|\.)c\.Query\(\)",
            "user input",
            "a parameter that clients choose",
        ),
        Rule(
            r"\.Header(?:\(\))?\.(?:Get|Values)\(\)|\.Header\[|\.(?:GetHeader|UserAgent|Referer)\(\)$"
            r"|metadata\.MD>?\.Get\(\)",
            "user input",
            "a header that clients choose",
        ),
        Rule(
            r"(?:^|/)mux\.Vars\(\)(?:\[|$)|chi(?:/v\d+)?\.URLParam\w*\(\)|\.PathValue\(\)"
            r"|\.PathParameter\(\)|httprouter\.Params>?\.ByName\(\)|\.ByName\(\)"
            r"|(?:<\*?(?:gin\.Context|fiber\.Ctx|echo\.Context)>|(?:^|\.)c)\.Params?\(\)",
            "user input",
            "a part of the path that clients choose",
        ),
        Rule(
            rf"\.URL\.(?:Path|RawPath|Opaque|String\(\)|RequestURI\(\)|EscapedPath\(\))"
            rf"|\.RequestURI(?:\(\))?$|{_REQUEST}\.URL$|net/url\.(?:Path|Query)Escape\(\)",
            "request path",
            "the path that a client asked for: it grows with traffic",
        ),
        Rule(
            rf"{_REQUEST}\.(?:Host|URL\.Host|URL\.Hostname\(\))$",
            "user input",
            "the Host header, which clients choose",
        ),
        Rule(
            r"\.RemoteAddr(?:\(\)(?:\.String\(\))?)?$|\.(?:ClientIP|RealIP|RemoteIP)\(\)$"
            r"|<net\.(?:IP|Addr)>(?:\.String\(\))?$",
            "address",
            "the address of a peer",
        ),
        Rule(
            r"google/uuid\.\w+\(\)|uuid\.New\w*\(\)|xid\.New\(\)|ksuid\.New\(\)|ulid\.\w+\(\)",
            "identifier",
            "a new id each time",
        ),
        Rule(
            r"(?:^|\.)(?:err|\w+Err|lastError)(?:<\w*>)?\.Error\(\)$|\.Err\(\)\.Error\(\)$"
            r"|<error>(?:\.Error\(\))?$|\.Error\(\)\.Error\(\)$",
            "error text",
            "the text of an error, which may hold ids, addresses and times",
        ),
        Rule(
            r"^time\.Now\(\)|<time\.Time>\.(?:Format|String|Unix\w*)\(\)"
            r"|\.(?:UnixNano|UnixMilli|Unix)\(\)$",
            "time",
            "a point in time",
        ),
        Rule(
            r"(?i:(?:^|\.)(?:sql|stmt|statement|rawsql|sqlquery|querytext)(?:<string>)?$)",
            "query",
            "the text of a query",
        ),
    )
)

PASSING: Final = re.compile(
    r"^(?:strings\.(?:ToLower|ToUpper|Trim\w*|Title|Replace|ReplaceAll|ToValidUTF8|Clone)\(\)"
    r"|strconv\.(?:Itoa|FormatInt|FormatUint|Quote)\(\)|fmt\.Sprint\(\)"
    r"|(?:string|int|int64|uint64|float64)\(\)"
    r"|path(?:/filepath)?\.(?:Clean|Base|Dir|Ext)\(\)|net\.SplitHostPort\(\))$|\.String\(\)$"
)

MENDS: Final = {
    "request path": "give the route's template: r.Pattern (net/http since Go 1.23), gin's "
    "c.FullPath(), chi.RouteContext(r.Context()).RoutePattern(), or mux's "
    "mux.CurrentRoute(r).GetPathTemplate()",
    "error text": "give a class of error: a switch with errors.Is / errors.As over the few that "
    "matter, and 'other'; log err",
    "user input": "map it to a closed list with a switch, and everything else to 'other'",
    "identifier": "leave the label out: log it, or attach it as an exemplar "
    "(ObserveWithExemplar, AddWithExemplar)",
    "address": "leave the label out: log it, or give a zone or peer group from a closed list",
}

ROUTES: Final = re.compile(
    rb"\.(?:HandleFunc|Handle|Get|Post|Put|Patch|Delete|Head|Options|GET|POST|PUT|PATCH|DELETE|HEAD"
    rb"|OPTIONS|Any|Route)\(\s*\"((?:[A-Z]+ )?/[^\"\n]*)\""
)

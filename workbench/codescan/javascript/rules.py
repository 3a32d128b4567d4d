"""What the expressions of JavaScript and TypeScript say of the values of a label."""

from __future__ import annotations

import re
from typing import Final

from workbench.codescan.rules import GRPC_CODES, HTTP_METHODS, STATUS_CODES, Rule, RuleTable
from workbench.inventory import Bound

__all__ = ["MENDS", "PASSING", "ROUTES", "RULES"]

_REQUEST: Final = (
    r"(?:<(?:\w+\.)*(?:\w*Request|IncomingMessage|APIGatewayProxyEvent)(?:<[^>]*>*)?>"
    r"|(?:^|\.)(?:req|request|httpRequest|rawRequest|nextReq|originalRequest|getRequest\(\))"
    r"(?:<[^>]*>*)?(?:\.raw|\.req)?)"
)
"""The end of an expression that is a request: by its type, or by the names that are usual."""

_CONTEXT: Final = (
    r"(?:(?:^|\.)(?:ctx|c|context)(?:<[^>]*>*)?(?:\.req|\.request)?|<(?:Koa\.)?\w*Context>)"
)
_RESPONSE: Final = (
    r"(?:<(?:\w+\.)*(?:\w*Response|ServerResponse|FastifyReply)(?:<[^>]*>*)?>"
    r"|(?:^|\.)(?:res|resp|response|reply|getResponse\(\))(?:<[^>]*>*)?(?:\.raw)?)"
)
_THROWN: Final = (
    r"(?:<\w*Error>|(?:^|\.)(?:err|error|e|ex|exception|reason)(?:<(?:any|unknown|\w*Error)>)?)"
)

RULES: Final = RuleTable(
    (
        Rule(
            r"\.route\.path$|\._matchedRoute(?:Name)?$|\.routeOptions\.url$|\.routerPath$"
            rf"|\.baseUrl$|\.routePath$|\.matchedRoute$|{_CONTEXT}\.routePath\(?\)?$"
            r"|\.matched\[\]\.path$|\.route\.settings\.path$|(?:^|\.)req(?:uest)?\.route$",
            "route template",
            "the template of a route: as many values as there are routes",
            Bound.UNKNOWN,
        ),
        Rule(
            rf"(?:{_REQUEST}|{_CONTEXT})\.(?:method|httpMethod)$|\.httpMethod$",
            "http method",
            "the method of a request, of which 9 are in use",
            Bound.BOUNDED,
            HTTP_METHODS,
        ),
        Rule(
            r"(?:^|\.)statusCode(?:<(?:number|string)>)?$"
            rf"|{_RESPONSE}\.status$|(?:^|\.)ctx(?:<[^>]*>*)?(?:\.response)?\.status$"
            r"|\.getStatus\(\)$|(?:^|\.)HttpStatus\.\w+$",
            "status code",
            "a status code, of which about 60 are registered",
            Bound.BOUNDED,
            STATUS_CODES,
        ),
        Rule(
            r"@grpc/grpc-js\.status\.\w+|(?:^|\.)grpc\.status\.\w+",
            "status code",
            "a gRPC code, of which there are 17",
            Bound.BOUNDED,
            GRPC_CODES,
        ),
        Rule(
            r"^Boolean\(\)$|\.(?:startsWith|endsWith|includes|has|test|hasOwnProperty)\(\)$"
            r"|^(?:Array\.isArray|Number\.is\w+)\(\)$",
            "boolean",
            "a boolean",
            Bound.BOUNDED,
            2,
            ("false", "true"),
        ),
        Rule(
            rf"{_THROWN}\.(?:name|code|type|errno|constructor\.name|status)$|\.constructor\.name$",
            "variable",
            "the name of a class or a code: as many values as there are kinds of it",
            Bound.UNKNOWN,
        ),
        Rule(
            rf"(?:{_REQUEST}|{_CONTEXT})\.(?:query|body|cookies|searchParams|querystring|search"
            r"|nextUrl\.search)(?:\(\)|\b)|\.searchParams\.get\(\)$|\.queryStringParameters\b",
            "user input",
            "a parameter that clients choose",
        ),
        Rule(
            rf"(?:{_REQUEST}|{_CONTEXT})\.(?:headers|header\(\)|get\(\)|rawHeaders)"
            r"|\.headers\.get\(\)$",
            "user input",
            "a header that clients choose",
        ),
        Rule(
            rf"(?:{_REQUEST}|{_CONTEXT})\.(?:params|param\(\))|\.pathParameters\b",
            "user input",
            "a part of the path that clients choose",
        ),
        Rule(
            rf"{_REQUEST}\.(?:path|url|originalUrl|nextUrl(?:\.pathname|\.href)?|rawUrl"
            r"|pathname|_parsedUrl\.pathname|url\.pathname|parsedUrl\.pathname)$"
            rf"|{_CONTEXT}\.(?:path|url|originalUrl|href)$|\.rawPath$|(?:^|\.)window\.location\.\w+$"
            r"|(?:^|\.)location\.(?:pathname|href)$|(?:^|[.#])(?:parse|URL)\(\)\.pathname$"
            r"|(?:^|\.)parseurl\(\)\.pathname$",
            "request path",
            "the path that a client asked for: it grows with traffic",
        ),
        Rule(
            rf"(?:{_REQUEST}|{_CONTEXT})\.(?:hostname|host|origin|subdomains)$",
            "user input",
            "the Host header, which clients choose",
        ),
        Rule(
            rf"(?:{_REQUEST}|{_CONTEXT})\.(?:ips?)$|\.remoteAddress$|\.sourceIp$"
            r"|\.handshake\.address$",
            "address",
            "the address of a peer",
        ),
        Rule(
            r"(?:^|[.#])(?:randomUUID|uuid(?:v[1-7])?|nanoid|cuid|ulid|createId)\(\)$"
            r"|^uuid\.\w+\(\)$|(?:^|\.)randomBytes\(\)|^Math\.random\(\)|(?:^|\.)ObjectId\(\)",
            "identifier",
            "a new id each time",
        ),
        Rule(
            rf"{_THROWN}\.(?:message|stack|toString\(\)|reason|sqlMessage|body)(?:\.\w+\(\))*$"
            r"|<\w*Error>$|(?:^|\.)error\.response\.data\b|^inspect\(\)$",
            "error text",
            "the text of an error, which may hold ids, addresses and times",
        ),
        Rule(
            r"^(?:Date\.now|performance\.now|process\.hrtime(?:\.bigint)?|Date)\(\)"
            r"|<Date>(?:\.\w+\(\))?$|\.(?:toISOString|getTime)\(\)$|^(?:moment|dayjs)\(\)",
            "time",
            "a point in time",
        ),
        Rule(
            r"(?i:(?:^|\.)(?:sql|raw_?sql|sql_?query|query_?text)(?:<string>)?$)",
            "query",
            "the text of a query",
        ),
    )
)

PASSING: Final = re.compile(
    r"^(?:String|Number|parseInt|encodeURIComponent|decodeURIComponent|encodeURI|decodeURI"
    r"|JSON\.stringify)\(\)$"
    r"|\.(?:toString|toLowerCase|toUpperCase|trim|trimStart|trimEnd|normalize|toFixed|valueOf)\(\)$"
)

MENDS: Final = {
    "request path": "give the route's template: Express' req.route.path (with req.baseUrl), "
    "Fastify's request.routeOptions.url, Koa's ctx._matchedRoute; 'unmatched' where there is none",
    "error text": "give err.name or err.code, mapped to a closed list; log err.message",
    "user input": "map it with an object of known values: KNOWN[value] ?? 'other'",
    "identifier": "leave the label out: log it, or give it as exemplarLabels "
    "(enableExemplars: true)",
}

ROUTES: Final = re.compile(
    rb"\b\w*(?:[aA]pp|[rR]outer|[rR]outes?|[sS]erver|fastify|api)\.(?:get|post|put|patch|delete"
    rb"|head|options|all)\(\s*[\"'`](/[^\"'`\n]*)[\"'`]"
    rb"|@(?:Get|Post|Put|Patch|Delete|All)\(\s*(?:[\"'`]([^\"'`\n]*)[\"'`])?\s*\)"
    rb"|\burl:\s*[\"'`](/[^\"'`\n]*)[\"'`]\s*,\s*(?:method|schema|handler)"
)

"""What Java's expressions say of the values of a label."""

from __future__ import annotations

import re
from typing import Final

from workbench.codescan.rules import GRPC_CODES, HTTP_METHODS, STATUS_CODES, Rule, RuleTable
from workbench.inventory import Bound

__all__ = ["MENDS", "PASSING", "ROUTES", "RULES"]

_REQUEST: Final = (
    r"(?:<(?:\w+\.)*(?:\w*Request|HttpExchange|ServerWebExchange|ContainerRequestContext"
    r"|RoutingContext|HttpServerRequest|HttpMethod|UriInfo|ServerCall)(?:<[^>]*>)?>"
    r"|(?:^|\.)(?:r|rq|req|request|httpRequest|servletRequest|httpServletRequest|exchange"
    r"|requestContext|getRequest\(\)|request\(\))(?:<[^>]*>)?)"
)
"""The end of an expression that is a request: by its type, or by the names that are usual."""

_RESPONSE: Final = (
    r"(?:<(?:\w+\.)*(?:\w*Response|\w*ResponseContext|ResponseEntity(?:<[^>]*>*)?)(?:<[^>]*>)?>"
    r"|(?:^|\.)(?:res|resp|response|httpResponse|servletResponse|getResponse\(\)|response\(\))"
    r"(?:<[^>]*>)?)"
)
_CAUGHT: Final = r"<(?:\w+\.)*\w*(?:Exception|Error|Throwable)>"
_THROWN: Final = (
    rf"(?:{_CAUGHT}"
    r"|(?:^|\.)(?:e|ex|err|exc|exception|throwable|cause|error|getCause\(\)|getException\(\)"
    r"|cause\(\)))"
)

RULES: Final = RuleTable(
    (
        Rule(
            r"PATTERN_ATTRIBUTE$|\.currentRoute\(\)\.getPath\(\)$|\.getMatchedTemplates\(\)"
            r"|\.(?:endpointHandlerPath|matchedPath|getMatchedPattern|routePath)\(\)$"
            r"|\.getBestMatchingPattern\(\)|<PathPattern>\.getPatternString\(\)$",
            "route template",
            "the template of a route: as many values as there are routes",
            Bound.UNKNOWN,
        ),
        Rule(
            rf"{_REQUEST}\.(?:getMethod|method|getMethodValue|getHttpMethod|requestMethod)\(\)"
            r"(?:\.(?:name|toString|asString)\(\))?$"
            r"|\.getRequestMethod\(\)$|<(?:\w+\.)?HttpMethod>(?:\.(?:name|toString)\(\))?$",
            "http method",
            "the method of a request, of which 9 are in use",
            Bound.BOUNDED,
            HTTP_METHODS,
        ),
        Rule(
            r"<(?:io\.grpc\.)?Status>\.getCode\(\)|<(?:\w+\.)?Status\.Code>"
            r"|io\.grpc\.Status\.\w+\.getCode\(\)",
            "status code",
            "a gRPC code, of which there are 17",
            Bound.BOUNDED,
            GRPC_CODES,
        ),
        Rule(
            rf"{_RESPONSE}\.(?:getStatus|status|getStatusLine\(\)\.getStatusCode|code)\(\)"
            r"(?:\.(?:value|code|getCode|name|toString)\(\))?$"
            r"|\.(?:getStatusCode|getStatusCodeValue|getRawStatusCode|statusCode|getResponseCode)\(\)"
            r"(?:\.(?:value|code|toString)\(\))?$"
            r"|\.getStatusInfo\(\)\.getStatusCode\(\)$"
            r"|<(?:\w+\.)?(?:HttpStatus|HttpStatusCode|HttpResponseStatus)>(?:\.\w+\(\))?$"
            r"|(?:^|\.)HttpStatus\.[A-Z_]+(?:\.\w+\(\))?$"
            r"|(?:^|\.)(?:statusCode|httpStatus|responseCode|status)<(?:int|Integer)>$",
            "status code",
            "a status code, of which about 60 are registered",
            Bound.BOUNDED,
            STATUS_CODES,
        ),
        Rule(
            r"(?:^|\.)(?:is|has|can|should)[A-Z]\w*\(\)$|(?:^|\.)Boolean\.toString\(\)$"
            r"|\.(?:equals|equalsIgnoreCase|contains|containsKey|startsWith|endsWith|matches)\(\)$",
            "boolean",
            "a boolean",
            Bound.BOUNDED,
            2,
            ("false", "true"),
        ),
        Rule(
            r"\.getClass\(\)\.(?:getSimpleName|getName|getCanonicalName|getTypeName)\(\)$"
            r"|<Class(?:<[^>]*>)?>\.(?:getSimpleName|getName|getCanonicalName)\(\)$",
            "variable",
            "the name of a class: as many values as the code has classes for it",
            Bound.UNKNOWN,
        ),
        Rule(
            r"\.(?:getParameter|getParameterValues|getQueryString|getQueryParameters|getQueryParams"
            r"|queryParams?|queryParamMap|formParam|getQueryParameter|getFormParameter)\(\)"
            r"|<@(?:RequestParam|QueryParam|FormParam|QueryValue|RequestBody|Argument|RestQuery"
            r"|MatrixVariable|CookieValue|CookieParam) [^>]*>",
            "user input",
            "a parameter that clients choose",
        ),
        Rule(
            rf"{_REQUEST}\.(?:getHeader|getHeaders|header|headers|getHeaderString|userAgent"
            r"|getHttpHeaders|getCookies|getCookie|cookie)\(\)"
            r"|<(?:\w+\.)?HttpHeaders>\.(?:getFirst|get|getRequestHeader|getHeaderString)\(\)"
            r"|<@(?:RequestHeader|HeaderParam|RestHeader|Header) [^>]*>",
            "user input",
            "a header that clients choose",
        ),
        Rule(
            r"\.(?:pathParams?|getPathParameters?|getPathParam|pathVariable)\(\)"
            r"|<@(?:PathVariable|PathParam|RestPath) [^>]*>",
            "user input",
            "a part of the path that clients choose",
        ),
        Rule(
            r"\.(?:getRequestURI|getRequestURL|getRequestUri|getPathInfo|getServletPath"
            r"|getPathTranslated|pathInfo|getRequestPath|getAbsolutePath(?=\(\)\.getPath))\(\)"
            rf"|{_REQUEST}\.(?:getPath|path|uri|url|absoluteURI|getURI|getUri|getRawPath|getTarget)"
            r"\(\)|\.(?:getURI|getUri|uri|getUriInfo)\(\)\.(?:getPath|getRawPath|toString|path)\(\)"
            r"|<(?:java\.net\.)?URI>\.(?:getPath|getRawPath|toString)\(\)$",
            "request path",
            "the path that a client asked for: it grows with traffic",
        ),
        Rule(
            rf"{_REQUEST}\.(?:getServerName|host|getHost|getAuthority|authority)\(\)$",
            "user input",
            "the Host header, which clients choose",
        ),
        Rule(
            r"\.(?:getRemoteAddr|getRemoteHost|getRemoteAddress|remoteAddress|getClientIp"
            r"|getRemoteSocketAddress)\(\)(?:\.\w+\(\))*$",
            "address",
            "the address of a peer",
        ),
        Rule(
            r"(?:^|\.)UUID\.\w+\(\)|<(?:java\.util\.)?UUID>|\.randomUUID\(\)|NanoIdUtils\.\w+\(\)"
            r"|\.getRequestedSessionId\(\)$|\.getSession\(\)\.getId\(\)$|ObjectId\(\)",
            "identifier",
            "a new id each time",
        ),
        Rule(
            r"\.getRemoteUser\(\)$|\.getUserPrincipal\(\)\.getName\(\)$"
            r"|<(?:\w+\.)?(?:Principal|Authentication)>\.getName\(\)$"
            r"|\.getAuthentication\(\)\.getName\(\)$",
            "identifier",
            "the name of a user: it grows with users",
        ),
        Rule(
            rf"{_THROWN}\.(?:getMessage|getLocalizedMessage|toString|getReason|getDetailMessage)\(\)"
            rf"(?:\.\w+\(\))*$|{_CAUGHT}$"
            r"|ExceptionUtils\.get\w+\(\)$|\.(?:getStackTrace|getStackTraceAsString)\(\)",
            "error text",
            "the text of an error, which may hold ids, addresses and times",
        ),
        Rule(
            r"(?:^|\.)(?:Instant|LocalDateTime|LocalDate|LocalTime|ZonedDateTime|OffsetDateTime"
            r"|Clock)\.(?:now|systemUTC)\(\)|System\.(?:currentTimeMillis|nanoTime)\(\)"
            r"|<(?:Instant|LocalDateTime|ZonedDateTime|OffsetDateTime|Date|Timestamp)>"
            r"|(?:^|\.)(?:java\.util\.)?Date\(\)|\.(?:millis|instant)\(\)$|\.toEpochMilli\(\)$",
            "time",
            "a point in time",
        ),
        Rule(
            r"(?i:(?:^|\.)(?:sql|rawsql|sqlquery|sqlstatement|querytext|getsql\(\))(?:<String>)?$)",
            "query",
            "the text of a query",
        ),
    )
)

PASSING: Final = re.compile(
    r"(?:^|\.)(?:String\.valueOf|Integer\.toString|Long\.toString|String|Objects\.toString"
    r"|Objects\.requireNonNull|StringUtils\.(?:lowerCase|upperCase|trim|defaultString|capitalize)"
    r"|Strings\.nullToEmpty)\(\)$"
    r"|\.(?:toString|name|toLowerCase|toUpperCase|trim|strip|intern|asString|stripLeading"
    r"|stripTrailing)\(\)$"
)

MENDS: Final = {
    "request path": "give the route's template: in Spring request.getAttribute("
    "HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE), in JAX-RS "
    "ExtendedUriInfo.getMatchedTemplates(), in Vert.x routingContext.currentRoute().getPath()",
    "error text": "give e.getClass().getSimpleName(), or a class of error from an enum; log the "
    "message",
    "user input": 'map it to an enum or a Set of known values, and everything else to "other"; '
    "Micrometer can hold it back with MeterFilter.maximumAllowableTags",
    "identifier": "leave the label out: log it, or attach it as an exemplar "
    "(incWithExemplar, observeWithExemplar), or as a high-cardinality key of an Observation",
}

ROUTES: Final = re.compile(
    rb"@(?:Request|Get|Post|Put|Patch|Delete)Mapping\(\s*(?:(?:value|path)\s*=\s*)?\{?\s*"
    rb"\"([^\"\n]*)\"|@Path\(\s*\"([^\"\n]*)\"|@(?:Get|Post|Put|Delete|Patch)\(\s*\"([^\"\n]*)\""
    rb"|\.(?:get|post|put|patch|delete|route)\(\s*\"(/[^\"\n]*)\"\s*[,)]"
)

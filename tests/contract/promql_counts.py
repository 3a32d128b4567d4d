"""How much of PromQL the engine has: held by test_promql_suite.py, printed in docs/promql.md."""

HOLDS = {
    # file: passed, set apart as not supported
    "aggregators.test": (160, 0),
    "at_modifier.test": (78, 0),
    "collision.test": (2, 0),
    "duration_expression.test": (59, 0),
    "extended_vectors.test": (169, 0),
    "fill-modifier.test": (46, 0),
    "functions.test": (431, 0),
    "histograms.test": (185, 0),
    "info.test": (53, 0),
    "limit.test": (37, 0),
    "literals.test": (25, 0),
    "name_label_dropping.test": (30, 0),
    "native_histograms.test": (522, 0),
    "operators.test": (214, 0),
    "range_queries.test": (18, 0),
    "selectors.test": (31, 0),
    "staleness.test": (17, 0),
    "start_timestamps.test": (26, 0),
    "subquery.test": (34, 0),
    "trig_functions.test": (19, 0),
    "type_and_unit.test": (58, 0),
}
"""Cases of Prometheus' own suite, file by file."""

REFUSED = [
    ("m anchored", "anchored on a selector without a range"),
    ('m{a="1" or a="2"}', "'or' between matchers"),
    (
        'label_replace(m, "b", "$10", "a", "(((((((((((.)))))))))))")',
        "the group $10 of '(((((((((((.)))))))))))', the tenth or later",
    ),
]
"""Queries that are refused, and the name under which."""

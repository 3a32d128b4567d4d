"""An observability workbench: ask in PromQL, judge, draw, report."""

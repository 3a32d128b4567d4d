"""Which metrics and labels rules, alerts and dashboards use, with proof."""

"""Sources: what answers PromQL. A live server, or a snapshot on disk or in memory."""

"""The series of a Prometheus' database, from the index files of its blocks; no server is asked.

`blocks` reads a folder: a block, or several as a server keeps them. Of each, `index` opens the file
and reads its symbols, `entries` the series, by the numbers of `varints` and under the checksums of
`checksums`. Samples are in other files, which are not touched.
"""

from workbench.sources.tsdb.blocks import holds_blocks, is_block, read_block, read_blocks

__all__ = ["holds_blocks", "is_block", "read_block", "read_blocks"]

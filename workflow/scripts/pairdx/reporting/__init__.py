"""Tables and figures of a run: tables in, tables and figures out; no result file is read."""

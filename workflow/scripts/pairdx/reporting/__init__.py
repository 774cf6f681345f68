"""The paper's tables and figures: tables in, tables and figures out; no result file is read."""

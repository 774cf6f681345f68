"""Results of systems: tables and figures, from accuracy to cost and explanations."""

"""From the tables of runs to endpoints, statistics and claims: tables in, tables out."""

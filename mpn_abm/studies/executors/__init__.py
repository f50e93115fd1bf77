"""Who carries out the shards of a study: processes of this machine, a Dask cluster, or SLURM."""

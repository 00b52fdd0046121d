"""Everything a person can do, over HTTP; the page, the demo and tests use nothing else."""

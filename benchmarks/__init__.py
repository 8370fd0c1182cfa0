"""A made-up province and the harness that runs the same work through panhuo and its peers. See docs/benchmarks/."""

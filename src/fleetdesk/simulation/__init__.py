"""A city whose truth is known: demo data, counterfactuals, what-if."""

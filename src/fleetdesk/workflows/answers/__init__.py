"""How each analysis of the catalog is answered: one module for each, by its name."""

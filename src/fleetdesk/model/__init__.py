"""The field's vocabulary; standard library only, so that everything may import it."""

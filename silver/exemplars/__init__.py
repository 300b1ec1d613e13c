"""Which training examples stand behind each example? Heads over frozen embeddings, what they name, and metrics of that."""

"""Why did the model say that, and can we trust the explanation? Attributions, metrics and controls; knows no backbone and no table."""

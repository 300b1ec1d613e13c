"""Which words speak for the label that is trained? Raw priors of a language model and of a twin, and what training makes of them."""

"""What do priors say, and what do they do to the training they steer? What gold's tables of texts are made from."""

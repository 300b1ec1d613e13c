"""How does a frozen causal language model score labels for attribution priors (METHODS 5 and 9)?"""

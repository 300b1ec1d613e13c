"""How do adapters come into a dataset: trained from recipes, brought in from folders, judged and registered?"""

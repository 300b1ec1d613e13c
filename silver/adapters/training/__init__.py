"""Which recipes still lack their adapter, and how is one trained?"""

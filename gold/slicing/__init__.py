"""By which columns of the source's own can the data be sliced?"""

"""What else does the source say of its examples?"""

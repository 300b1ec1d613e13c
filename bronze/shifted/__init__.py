"""What of the user's own data is shifted, and how do adapters come to be tried on it?"""

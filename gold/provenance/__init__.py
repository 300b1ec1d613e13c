"""What are provenance networks worth: against kNN and the plain classifier, and in each of their applications?"""

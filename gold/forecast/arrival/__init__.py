"""What is foretold of an adapter that has just come?"""

"""What does the bare backbone make of each example?"""

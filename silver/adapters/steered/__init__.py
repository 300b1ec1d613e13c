"""What are adapters trained on that an attribution prior steers?"""

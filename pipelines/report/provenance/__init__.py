"""Which training examples stand behind an answer or a generated picture, and how do they stand on the page?"""

"""What does a lake say on one page, for a person without Spark, network or patience?"""

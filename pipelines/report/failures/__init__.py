"""What does a failure look like: the clean input with what the adapter looked at, beside the form that it got wrong?"""

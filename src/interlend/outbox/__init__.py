"""What happened (events) and who must still be told (errands), and the worker that tells them."""

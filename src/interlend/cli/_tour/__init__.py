"""The steps of the workflow played one after the other, by people at their pages, on data that is thrown away."""

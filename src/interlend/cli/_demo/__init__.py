"""The demo: where its data lie (`folder`), what has happened there already (`scenes`), a way through it (`route`)."""

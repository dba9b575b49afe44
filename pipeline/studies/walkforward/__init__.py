"""Walk-forward: the same pipeline again and again, each time refit and tested on the stretch of days that follows."""

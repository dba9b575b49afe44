"""What a run left: its results as typed values, and its folder."""

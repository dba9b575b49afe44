"""What each step of the pipeline does that TFX does not bring."""

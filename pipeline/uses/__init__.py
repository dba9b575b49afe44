"""What is done with a finished run: predict, audit, backtest, publish."""

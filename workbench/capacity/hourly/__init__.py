"""The next hours of any gauge or rate, with intervals and a backtest."""

"""The sources of daily prices, one file each; `registry` finds them."""

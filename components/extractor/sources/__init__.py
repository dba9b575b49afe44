"""The sources of daily prices, one file each; `registry` names them all."""

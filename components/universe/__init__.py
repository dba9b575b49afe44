"""Who was there on a day: spells of membership, what delisted shares were worth last, whether a store holds the dead.

A share that fell and was delisted is in no list of today's shares. A store made from such a list makes every rule that
buys what has fallen look good, and no check of a run's examples can see what is not there.
"""

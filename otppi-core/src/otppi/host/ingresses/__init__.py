"""The ingresses of the plugins: which run, on which thread, with which settings, and who of them answers nobody.

Not here: the protocols, which the plugins bring, what they have in common (`kit/broker/`), and the commands
(`host/gateway/`).
"""

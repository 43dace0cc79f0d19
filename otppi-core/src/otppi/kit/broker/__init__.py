"""What the ingresses on all message brokers have in common: deliveries, verdicts, answers that wait, parking.

Not here: the protocol of a broker, which its plugin brings, and opening a connection (`kit/net/`).
"""

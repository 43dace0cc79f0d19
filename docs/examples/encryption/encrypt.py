"""Encrypts an envelope to the key of a gateway, or of each gateway of a fleet (package jwcrypto).

python encrypt.py KEYS.json… < ENVELOPE.json > ENVELOPE.jwe
"""

import json
import sys
from pathlib import Path

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

envelope = sys.stdin.buffer.read()
keys = [JWK(**json.loads(Path(name).read_text())["keys"][0]) for name in sys.argv[1:]]

if len(keys) == 1:
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": keys[0]["kid"]}
    sealed = JWE(envelope, protected=header, recipient=keys[0]).serialize(compact=True)
else:  # whichever gateway takes it from the queue can open it
    token = JWE(envelope, protected={"enc": "A256GCM"})
    for key in keys:
        token.add_recipient(key, header={"alg": "ECDH-ES+A256KW", "kid": key["kid"]})
    sealed = token.serialize()
sys.stdout.write(f"{sealed}\n")

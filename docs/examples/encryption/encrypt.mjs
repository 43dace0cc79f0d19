// Encrypts an envelope to the key of a gateway, with what Node.js 16 or newer brings: ECDH-ES with A256GCM.
// node encrypt.mjs KEYS.json < ENVELOPE.json > ENVELOPE.jwe
import { createCipheriv, createHash, createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const number = (value) => { const octets = Buffer.alloc(4); octets.writeUInt32BE(value); return octets; };

// RFC 7518 4.6.2: what both sides agree on is hashed once; that gives the 256 bits of A256GCM.
function deriveKey(secret, algorithm, bits) {
  const parts = [number(1), secret, number(algorithm.length), Buffer.from(algorithm), number(0), number(0), number(bits)];
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

export function encrypt(envelope, jwk) {
  const ephemeral = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { kty, crv, x, y } = ephemeral.publicKey.export({ format: "jwk" });
  const header = { alg: "ECDH-ES", enc: "A256GCM", kid: jwk.kid, epk: { kty, crv, x, y } };
  const recipient = createPublicKey({ key: jwk, format: "jwk" });
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient });
  const protectedHeader = Buffer.from(JSON.stringify(header)).toString("base64url");
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", deriveKey(secret, header.enc, 256), iv);
  cipher.setAAD(Buffer.from(protectedHeader, "ascii"));
  const ciphertext = Buffer.concat([cipher.update(envelope), cipher.final()]);
  const [iv64, ciphertext64, tag64] = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString("base64url"));
  return `${protectedHeader}..${iv64}.${ciphertext64}.${tag64}`; // with ECDH-ES there is no encrypted key
}

const { keys } = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(encrypt(readFileSync(0), keys[0]));

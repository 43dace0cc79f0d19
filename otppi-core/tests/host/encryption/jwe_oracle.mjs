// Makes JWEs with Node's own cryptography, as a second implementation: stdin {"jwk", "text", "wanted": [[alg, enc]…]},
// stdout a list of them in compact form. Written from RFC 7516 and RFC 7518, not from ours.
import { createCipheriv, createHash, createHmac, createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const uint32 = (value) => Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
const prefixed = (octets) => Buffer.concat([uint32(octets.length), octets]);
const encode = (octets) => Buffer.from(octets).toString("base64url");
const KEY_BITS = { A128GCM: 128, A256GCM: 256, "A128CBC-HS256": 256, "A256CBC-HS512": 512 };

function concatKdf(secret, algorithm, bits, apu, apv) {
  const info = Buffer.concat([prefixed(Buffer.from(algorithm)), prefixed(apu), prefixed(apv), uint32(bits)]);
  const rounds = [];
  for (let round = 1; rounds.length * 256 < bits; round++)
    rounds.push(createHash("sha256").update(Buffer.concat([uint32(round), secret, info])).digest());
  return Buffer.concat(rounds).subarray(0, bits / 8);
}

function wrap(kek, cek) {
  const cipher = createCipheriv(`id-aes${kek.length * 8}-wrap`, kek, Buffer.alloc(8, 0xa6));
  return Buffer.concat([cipher.update(cek), cipher.final()]);
}

function seal(enc, cek, aad, text) {
  if (enc.endsWith("GCM")) {
    const iv = randomBytes(12);
    const cipher = createCipheriv(`aes-${cek.length * 8}-gcm`, cek, iv);
    cipher.setAAD(aad);
    const ciphertext = Buffer.concat([cipher.update(text), cipher.final()]);
    return [iv, ciphertext, cipher.getAuthTag()];
  }
  const half = cek.length / 2;
  const iv = randomBytes(16);
  const cipher = createCipheriv(`aes-${half * 8}-cbc`, cek.subarray(half), iv);
  const ciphertext = Buffer.concat([cipher.update(text), cipher.final()]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(aad.length * 8));
  const mac = createHmac(enc.endsWith("HS256") ? "sha256" : "sha512", cek.subarray(0, half));
  return [iv, ciphertext, mac.update(Buffer.concat([aad, iv, ciphertext, length])).digest().subarray(0, half)];
}

function make(jwk, text, alg, enc) {
  const ephemeral = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: createPublicKey({ key: jwk, format: "jwk" }) });
  const [apu, apv] = [Buffer.from("sender"), Buffer.from("gateway")];
  const epk = ephemeral.publicKey.export({ format: "jwk" });
  const header = { epk, alg, apu: encode(apu), enc, apv: encode(apv), kid: jwk.kid };
  const protectedHeader = encode(JSON.stringify(header));
  let cek, encryptedKey = Buffer.alloc(0);
  if (alg === "ECDH-ES") {
    cek = concatKdf(secret, enc, KEY_BITS[enc], apu, apv);
  } else {
    cek = randomBytes(KEY_BITS[enc] / 8);
    encryptedKey = wrap(concatKdf(secret, alg, alg === "ECDH-ES+A128KW" ? 128 : 256, apu, apv), cek);
  }
  const parts = seal(enc, cek, Buffer.from(protectedHeader), Buffer.from(text));
  return [protectedHeader, ...[encryptedKey, ...parts].map(encode)].join(".");
}

const { jwk, text, wanted } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(wanted.map(([alg, enc]) => make(jwk, text, alg, enc))));

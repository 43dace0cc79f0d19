<?php
// Encrypts an envelope to the key of a gateway, with the openssl extension of PHP 7.3 or newer: ECDH-ES with A256GCM.
// php encrypt.php KEYS.json < ENVELOPE.json > ENVELOPE.jwe

function base64url(string $octets): string
{
    return rtrim(strtr(base64_encode($octets), '+/', '-_'), '=');
}

function octets(string $base64url): string
{
    return base64_decode(strtr($base64url, '-_', '+/'));
}

/** The public key as PEM: what RFC 5480 puts before the point of a key on P-256, and the point. */
function pem(array $jwk): string
{
    $before = hex2bin('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
    $der = $before . octets($jwk['x']) . octets($jwk['y']);
    return "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($der), 64, "\n") . "-----END PUBLIC KEY-----\n";
}

function encrypt(string $envelope, array $jwk): string
{
    $ephemeral = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);
    $point = openssl_pkey_get_details($ephemeral)['ec'];
    [$x, $y] = array_map(fn ($one) => base64url(str_pad($one, 32, "\0", STR_PAD_LEFT)), [$point['x'], $point['y']]);
    $header = ['alg' => 'ECDH-ES', 'enc' => 'A256GCM', 'kid' => $jwk['kid'],
               'epk' => ['kty' => 'EC', 'crv' => 'P-256', 'x' => $x, 'y' => $y]];
    $protected = base64url(json_encode($header));
    // RFC 7518 4.6.2: what both sides agree on is hashed once; that gives the 256 bits of A256GCM.
    $secret = openssl_pkey_derive(pem($jwk), $ephemeral, 32);
    if ($secret === false) {
        throw new RuntimeException('the key cannot be used: ' . openssl_error_string());
    }
    $input = pack('N', 1) . $secret . pack('N', 7) . 'A256GCM' . pack('NNN', 0, 0, 256);
    $key = hash('sha256', $input, true);
    $iv = random_bytes(12);
    $ciphertext = openssl_encrypt($envelope, 'aes-256-gcm', $key, OPENSSL_RAW_DATA, $iv, $tag, $protected);
    return implode('.', [$protected, '', base64url($iv), base64url($ciphertext), base64url($tag)]);
}

$keys = json_decode(file_get_contents($argv[1]), true, 512, JSON_THROW_ON_ERROR)['keys'];
echo encrypt(stream_get_contents(STDIN), $keys[0]), "\n";

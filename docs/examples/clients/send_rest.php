<?php
// Sends an SMS through OTP-Pi's REST API, and says what became of it. PHP 8 or newer, no extension.
//
//   printf 'OTP Anda adalah 1234' | php send_rest.php 08126666666 [ID]
//
// Environment: OTPPI_URL, OTPPI_USER, OTPPI_PASSWORD. The text is read from standard input: arguments can be read by
// others. Ends with 0: sent. 1: not sent, for good. 2: wrong use. 3: not known; only the same ID may be sent again.
// 4: not sent, try later.

const PATIENCE = 60;

/** Asks the gateway; gives HTTP status (0: no answer), the answer, and the seconds after which to try again. */
function ask(string $method, string $path, ?array $body = null): array
{
    $context = stream_context_create(['http' => [
        'method' => $method,
        'header' => [
            'Authorization: Basic ' . base64_encode(getenv('OTPPI_USER') . ':' . getenv('OTPPI_PASSWORD')),
            'Content-Type: application/json',
        ],
        'content' => $body === null ? '' : json_encode($body, JSON_THROW_ON_ERROR),
        'ignore_errors' => true, // an answer that says no is an answer
        'timeout' => 20, // the gateway waits 15 s for the operator before it answers
    ]]);
    $stream = @fopen((getenv('OTPPI_URL') ?: 'http://127.0.0.1:8899') . $path, 'r', false, $context);
    if ($stream === false) {
        return [0, [], 2];
    }
    $headers = stream_get_meta_data($stream)['wrapper_data'];
    $answer = json_decode((string) stream_get_contents($stream), true);
    fclose($stream);
    $status = (int) (explode(' ', $headers[0])[1] ?? 0);
    $after = 5;
    foreach ($headers as $header) {
        if (preg_match('/^Retry-After:\s*(\d+)/i', $header, $found)) {
            $after = (int) $found[1];
        }
    }
    return is_array($answer) ? [$status, $answer, $after] : [0, [], 2];
}

/** Sends a message; gives how it ended. */
function send(string $receiver, string $text, string $id): array
{
    $data = ['id' => $id, 'receiver' => $receiver, 'message' => $text, 'expiration' => time() + 300];
    $deadline = time() + PATIENCE;
    $known = null;
    do {
        // No answer: it may have been taken in all the same. The same id again is never sent twice.
        [$status, $answer, $after] = $known === null
            ? ask('POST', '/api/message', ['command' => 'send-sms', 'data' => $data])
            : ask('GET', '/api/messages/' . $known);
        $state = $answer['data']['state'] ?? null;
        if (in_array($status, [200, 202], true) && in_array($state, ['queued', 'sending'], true)) {
            $known = $answer['data']['message_id'];
            $after = 1;
        } elseif (($answer['response_code'] ?? '') === '1201' && $state === 'failed') {
            $after = 0; // the one before was not sent after all
        } elseif ($status !== 0 && $status !== 503) {
            break;
        }
        sleep(max(0, min($after, $deadline - time())));
    } while (time() < $deadline);
    return [$status, $answer, $after];
}

if ($argc < 2 || $argc > 3 || !getenv('OTPPI_USER') || !getenv('OTPPI_PASSWORD')) {
    fwrite(STDERR, "usage: OTPPI_USER=... OTPPI_PASSWORD=... php $argv[0] RECEIVER [ID] < TEXT\n");
    exit(2);
}
[$status, $answer, $after] = send($argv[1], stream_get_contents(STDIN), $argv[2] ?? bin2hex(random_bytes(16)));
$data = $answer['data'] ?? [];
$state = $data['state'] ?? 'refused';
if ($status === 0) {
    fwrite(STDERR, "no answer\n");
    exit(3);
}
if ($status === 429 || $status === 503) {
    fwrite(STDERR, "not sent: {$answer['response_text']}; again in $after s\n");
    exit(4);
}
echo $state, ' ', $answer['response_code'] ?? '', ' ', $data['message_id'] ?? '', "\n";
if (in_array($state, ['sent', 'delivered'], true)) {
    exit(0);
}
if (in_array($state, ['queued', 'sending', 'unconfirmed', 'lost'], true)) {
    exit(3);
}
$reasons = array_map(fn ($flaw) => "{$flaw['field']}: {$flaw['reason']}", $data['errors'] ?? []);
fwrite(STDERR, ($data['cause'] ?? implode('; ', $reasons) ?: $answer['response_text']) . "\n");
exit(1);

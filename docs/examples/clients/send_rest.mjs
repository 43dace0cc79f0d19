// Sends an SMS through OTP-Pi's REST API, and says what became of it. Node.js 18 or newer, no packages.
//
//   printf 'OTP Anda adalah 1234' | node send_rest.mjs 08126666666 [ID]
//
// Environment: OTPPI_URL, OTPPI_USER, OTPPI_PASSWORD. The text is read from standard input: arguments can be read by
// others. Ends with 0: sent. 1: not sent, for good. 2: wrong use. 3: not known; only the same ID may be sent again.
// 4: not sent, try later.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 60_000;
const { OTPPI_URL = 'http://127.0.0.1:8899', OTPPI_USER, OTPPI_PASSWORD } = process.env;

/** Asks the gateway; gives HTTP status (0: no answer), the answer, and the seconds after which to try again. */
async function ask(method, path, body) {
  const credentials = Buffer.from(`${OTPPI_USER}:${OTPPI_PASSWORD}`).toString('base64');
  try {
    const response = await fetch(OTPPI_URL + path, {
      method,
      headers: { Authorization: `Basic ${credentials}`, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(20_000), // the gateway waits 15 s for the operator before it answers
    });
    return [response.status, await response.json(), Number(response.headers.get('Retry-After') ?? 5)];
  } catch {
    return [0, {}, 2];
  }
}

/** Sends a message; gives how it ended. */
async function send(receiver, message, id) {
  const data = { id, receiver, message, expiration: Math.floor(Date.now() / 1000) + 300 };
  const deadline = Date.now() + PATIENCE;
  let status, answer, after, known;
  do {
    // No answer: it may have been taken in all the same. The same id again is never sent twice.
    [status, answer, after] = known
      ? await ask('GET', `/api/messages/${known}`)
      : await ask('POST', '/api/message', { command: 'send-sms', data });
    const state = answer.data?.state;
    if ([200, 202].includes(status) && ['queued', 'sending'].includes(state)) {
      known = answer.data.message_id;
      after = 1;
    } else if (answer.response_code === '1201' && state === 'failed') {
      after = 0; // the one before was not sent after all
    } else if (status !== 0 && status !== 503) {
      break;
    }
    await sleep(Math.max(0, Math.min(after * 1000, deadline - Date.now())));
  } while (Date.now() < deadline);
  return { status, answer, after };
}

async function main([receiver, id = randomUUID(), ...rest]) {
  if (!receiver || rest.length || !OTPPI_USER || !OTPPI_PASSWORD) {
    console.error('usage: OTPPI_USER=... OTPPI_PASSWORD=... node send_rest.mjs RECEIVER [ID] < TEXT');
    return 2;
  }
  let text = '';
  for await (const piece of process.stdin.setEncoding('utf8')) text += piece;
  const { status, answer, after } = await send(receiver, text, id);
  const { state = 'refused', message_id: message = '', cause, errors = [] } = answer.data ?? {};
  if (status === 0) {
    console.error('no answer');
    return 3;
  }
  if (status === 429 || status === 503) {
    console.error(`not sent: ${answer.response_text}; again in ${after} s`);
    return 4;
  }
  console.log(state, answer.response_code, message);
  if (['sent', 'delivered'].includes(state)) return 0;
  if (['queued', 'sending', 'unconfirmed', 'lost'].includes(state)) return 3;
  console.error(cause ?? (errors.map(({ field, reason }) => `${field}: ${reason}`).join('; ') || answer.response_text));
  return 1;
}

process.exitCode = await main(process.argv.slice(2));

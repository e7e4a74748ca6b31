/** A webhook receiver: a real HTTP server that checks signatures, answers as configured, and keeps accepted messages. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WebhookMessage {
  readonly id: string;
  // oxlint-disable-next-line no-explicit-any -- tests look into bodies of every shape
  readonly body: any;
  readonly raw: string;
  readonly isSigned: boolean;
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly secret: string;
  /** Every request, in order. */
  readonly attempts: WebhookMessage[];
  /** The requests that were answered 200. */
  readonly accepted: WebhookMessage[];
  /** How many requests are answered 500 before the first 200. */
  failures: number;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const key = Buffer.from('a key of thirty-two bytes, for us');
  const attempts: WebhookMessage[] = [];
  const accepted: WebhookMessage[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const raw = Buffer.concat(parts).toString();
      const header = (name: string): string => String(request.headers[name] ?? '');
      const [id, timestamp] = [header('webhook-id'), header('webhook-timestamp')];
      const wanted = Buffer.from(`v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${raw}`).digest('base64')}`);
      const given = Buffer.from(header('webhook-signature'));
      const isRecent = Math.abs(Date.now() / 1_000 - Number(timestamp)) < 300;
      const isSigned = isRecent && given.length === wanted.length && timingSafeEqual(given, wanted);
      const message = { id, body: JSON.parse(raw) as unknown, raw, isSigned };
      attempts.push(message);
      if (receiver.failures > 0) {
        receiver.failures--;
        response.writeHead(500).end('not now');
        return;
      }
      accepted.push(message);
      response.writeHead(200).end('ok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    secret: `whsec_${key.toString('base64')}`,
    attempts,
    accepted,
    failures: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

/** The headers of a webhook, as Standard Webhooks has them: https://github.com/standard-webhooks/standard-webhooks */
import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

function keyOf(secret: string): Buffer {
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret);
}

/** `at` is epoch milliseconds. The receiver refuses an old timestamp, and knows a repeated message by its id. */
export function webhookHeaders(secret: string, id: string, body: string, at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

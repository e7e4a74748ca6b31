/** An image URL for a vendor that accepts only bytes: fetched, but never from forbidden addresses. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { startGateway } from './gateway.ts';

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

it.each([
  ['is fetched from a range that the operator allows', '127.0.0.0/8', 200],
  ['is refused from anywhere private otherwise, though providers may be there', '', 400],
])('%s', async (_what, allow, status) => {
  let fetched = 0;
  let asked = '';
  await using owned = new AsyncDisposableStack();
  const server = createServer((request, response) => {
    if (request.url === '/picture.png') {
      fetched++;
      response.writeHead(200, { 'content-type': 'image/png' }).end(png);
      return;
    }
    buffer(request).then(
      (body) => {
        asked = body.toString();
        const answer = { candidates: [{ content: { role: 'model', parts: [{ text: 'a dot' }] }, finishReason: 'STOP' }] };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owned.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gateway = owned.use(await startGateway(allow === '' ? {} : { PAILOU_FETCH_ALLOW: allow }));
  await gateway.as('admin', 'POST', '/api/providers', { name: 'g', spec: { kind: 'gemini', options: { api_key: 'k', base_url: base } } });
  await gateway.as('admin', 'POST', '/api/models', { name: 'eyes', spec: { deployments: [{ provider: 'g', model: 'gemini-3-pro' }] } });
  const content = [
    { type: 'text', text: 'What is it?' },
    { type: 'image_url', image_url: { url: `${base}/picture.png` } },
  ];
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'eyes', messages: [{ role: 'user', content }] });
  expect(answer.status, answer.text).toBe(status);
  expect(fetched).toBe(status === 200 ? 1 : 0);
  expect(asked.includes(png.toString('base64'))).toBe(status === 200);
  expect(answer.json.error?.param ?? null).toBe(status === 200 ? null : 'messages[0].content[1].image_url.url');
});

/** Ctrl+C in the midst of an answer of `pailou chat`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { node, runEnv, startGateway } from './gateway.ts';
import { chunks, startVendor } from './vendor.ts';

it('ends the line and the call, with exit code 130', async () => {
  await using vendor = await startVendor();
  const cancelled = Promise.withResolvers<void>();
  vendor.behave((_request, response) => {
    response.on('close', () => cancelled.resolve());
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunks(['one', ' two']).slice(0, 2).join(''));
  });
  await using gateway = await startGateway();
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'v',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'slow', spec: { deployments: [{ provider: 'v', model: 'm' }] } });
  const cli = join(import.meta.dirname, '../../src/cli.ts');
  const env = { ...runEnv, PAILOU_URL: gateway.url, PAILOU_TOKEN: await gateway.token('developer') };
  const child = spawn(node, [cli, 'chat', 'slow', 'Hello'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const part of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += String(part);
    if (printed.includes('one')) break;
  }
  child.stdout.on('data', (part) => (printed += String(part)));
  const ended = once(child, 'close');
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(printed).toMatch(/^one.*\n$/);
  await cancelled.promise;
});

/** What a request refers to after its connection is done with it. */
import { once } from 'node:events';
import Fastify, { type FastifyRequest } from 'fastify';
import { expect, it } from 'vitest';
import { addAdmission } from '../../src/api/admission.ts';
import { RawBody } from '../../src/models/raw-body.ts';
import type { HeldSnapshot, Snapshot } from '../../src/types/snapshot.ts';

it('a finished call refers to its body no longer, and every other route still may', async () => {
  const app = Fastify();
  const snapshot = { revision: 1 } as Snapshot;
  const held: HeldSnapshot = { snapshot, release() {} };
  addAdmission(app, {
    credentials: { admit: () => Promise.reject(new Error('these routes are public')), requireUnblocked() {} },
    config: { hold: () => held, current: () => snapshot },
    prepareTenant: null,
    viewAs: null,
  });
  const seen: FastifyRequest[] = [];
  app.addHook('preHandler', (request, reply, done) => {
    request.jsonSource = new RawBody(Buffer.from('{}'), { members: new Map(), bodyStart: 1 });
    seen.push(request);
    done();
  });
  for (const [path, keys] of [['/call', true] as const, ['/write', false] as const])
    app.post(path, { config: { access: 'public', keys, writes: 'none' } }, async () => 'ok');
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  for (const path of ['/call', '/write']) {
    const answer = await fetch(`${address}${path}`, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
    expect(await answer.text()).toBe('ok');
    const { raw } = seen.at(-1) as FastifyRequest;
    if (!raw.closed) await once(raw, 'close');
  }
  await app.close();
  expect(seen.map(({ body, jsonSource }) => [body, jsonSource])).toEqual([
    [undefined, null],
    [{ a: 1 }, null],
  ]);
});

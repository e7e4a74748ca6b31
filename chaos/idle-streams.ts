/** As many idle streams as descriptors allow, 10,000 at most, beside a load of short calls; then the node is stopped. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { residentKilobytes, startServer } from '../bench/processes.ts';
import { bookedBy, codeOf, codesOf, type EndedCall, endOf, missingOf, type Scenario, seenOf, startScene, underLoad } from './scene.ts';

const wanted = 10_000;
/** A stream takes one descriptor at each side of the node; the rest of the node needs fewer than these. */
const ofTheNode = 300;

const descriptors = (): number => Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })) || Number.POSITIVE_INFINITY;

interface IdleStream {
  readonly begun: Promise<void>;
  readonly ended: Promise<Pick<EndedCall, 'end' | 'code'>>;
}

function openStream(pool: Pool, token: string): IdleStream {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Pick<EndedCall, 'end' | 'code'>>();
  let text = '';
  let status = 0;
  const body = JSON.stringify({ model: 'bench-hold', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  pool.dispatch(
    { path: '/v1/chat/completions', method: 'POST', headers, body },
    {
      onRequestStart: () => {},
      onResponseStart: (_controller, code) => void (status = code),
      onResponseData(_controller, part) {
        text += part.toString();
        begun.resolve();
      },
      onResponseEnd() {
        begun.resolve();
        ended.resolve({ end: endOf(status, text), code: codeOf(text) });
      },
      onResponseError() {
        begun.resolve();
        ended.resolve({ end: 'broken', code: undefined });
      },
    },
  );
  return { begun: begun.promise, ended: ended.promise };
}

export const idleStreams: Scenario = {
  fault: 'idle streams, then a stop with a grace of two seconds',
  async run(owned) {
    const count = Math.min(wanted, Math.floor((descriptors() - ofTheNode) / 2));
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-chaos-idle-'));
    owned.defer(() => rm(dataDir, { recursive: true, force: true }));
    const env = { PAILOU_DATA_DIR: dataDir, PAILOU_GRACE_SECONDS: '2' };
    const scene = await startScene(owned, [env]);
    const [node] = scene.nodes;
    if (node === undefined) throw new Error('there is no node');
    const upstream = await startServer('mock-upstream');
    owned.defer(() => upstream.stop());
    const options = { base_url: `${upstream.url}/v1` };
    await node.gateway.as('admin', 'POST', '/api/providers', { name: 'hold', spec: { kind: 'openai-compatible', options } });
    const deployments = [{ provider: 'hold', model: 'bench-hold' }];
    await node.gateway.as('admin', 'POST', '/api/models', { name: 'bench-hold', spec: { deployments } });

    const pool = new Pool(node.gateway.url, { connections: count, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
    owned.defer(() => pool.destroy());
    const token = await scene.identity.token('developer');
    const idle: IdleStream[] = [];
    const calls = await underLoad(scene, 'm', async () => {
      while (idle.length < count) {
        const some = Array.from({ length: Math.min(250, count - idle.length) }, () => openStream(pool, token));
        idle.push(...some);
        await Promise.all(some.map(({ begun }) => begun));
      }
      await sleep(3_000);
    });
    const megabytes = Math.round(residentKilobytes(node.pid) / 1_024);
    await node.gateway[Symbol.asyncDispose]();
    const ended = await Promise.all(idle.map(async (stream) => ({ ...(await stream.ended), run: null, attempts: null, at: 0 })));
    const { gateway } = await scene.start(env);
    const missing = await missingOf(gateway, scene.vendor);
    const missingIdle = count - (await bookedBy(gateway, 'hold'));
    const lost = missing === 0 && missingIdle === 0 ? 'nothing' : `${missing} and ${missingIdle} attempts`;
    return {
      seen: seenOf([...calls, ...ended]),
      codes: codesOf(ended),
      lost: `${lost}; ${count} idle streams, ${megabytes} MB in the node`,
      isExplained: missing === 0 && missingIdle === 0 && ended.every(({ end }) => end === 'explicit'),
    };
  },
};

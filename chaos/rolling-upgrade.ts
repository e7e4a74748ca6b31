/** Two nodes of an earlier version behind a TCP balancer are replaced one after the other, under open streams and a load of short calls. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startBalancer } from '../test/whole/balancer.ts';
import { checkOut, earlierCommit } from '../test/whole/earlier-version.ts';
import { chunks } from '../test/whole/vendor.ts';
import {
  callOnce,
  type EndedCall,
  missingOf,
  type Node,
  quickAnswer,
  type Scenario,
  type Seen,
  seenOf,
  startScene,
  underLoad,
} from './scene.ts';
import { startPostgres, startRedis } from './servers.ts';

const secondsOfStream = 10;

export interface Roll {
  readonly seen: Seen;
  readonly streams: Seen;
  /** Attempts of the vendor that the ledger has not. */
  readonly missing: number;
  /** How many of 80 calls at once passed a limit of 50 in a minute over all nodes. */
  readonly allowed: number;
  /** The longest time from the answer to a change until every node served it. */
  readonly liveMs: number;
}

export interface RollOptions {
  readonly postgres: string;
  readonly redis: string;
  readonly streams: number;
  /** The program of the nodes that are replaced. Default: this version. */
  readonly program?: string;
}

/** One word a second. */
async function drip(response: { write(part: string): unknown; end(part: string): unknown; destroyed: boolean }): Promise<void> {
  const parts = chunks(Array.from({ length: secondsOfStream }, (_, index) => (index === secondsOfStream - 1 ? 'five' : 'word ')));
  const rest = parts.splice(secondsOfStream);
  for (const part of parts) {
    if (response.destroyed) return;
    response.write(part);
    await sleep(1_000);
  }
  response.end(rest.join(''));
}

async function liveEverywhere(nodes: readonly Node[], change: (index: number) => Promise<string>, times: number): Promise<number> {
  let longest = 0;
  for (let index = 0; index < times; index++) {
    const name = await change(index);
    const began = performance.now();
    for (const { gateway } of nodes) while ((await gateway.as('admin', 'GET', `/v1/models/${name}`)).status !== 200) await sleep(5);
    longest = Math.max(longest, performance.now() - began);
  }
  return longest;
}

export async function rollOver(owned: AsyncDisposableStack, { postgres, redis, streams, program }: RollOptions): Promise<Roll> {
  const env = {
    PAILOU_DATABASE_URL: postgres,
    PAILOU_REDIS_URL: redis,
    PAILOU_DRAIN_SECONDS: '2',
    PAILOU_GRACE_SECONDS: '60',
    // A node that counts alone on a busy machine is another fault. An earlier version does not know this setting.
    ...(program === undefined ? { PAILOU_REDIS_TIMEOUT_MS: '10000' } : {}),
  };
  const scene = await startScene(owned, [env, env], program);
  const { nodes, vendor } = scene;
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('there are not two nodes');
  vendor.behave((request, response) => {
    if (request.body.model !== 'drip') return quickAnswer(request, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    return drip(response);
  });
  const urls = nodes.map(({ gateway }) => gateway.url);
  const balancer = owned.use(await startBalancer(urls));
  scene.url = balancer.url;
  const make = async (path: string, name: string, spec: object): Promise<string> => {
    const { status, text } = await first.gateway.as('admin', 'POST', path, { name, spec });
    if (status !== 201) throw new Error(text);
    return name;
  };
  const deployments = [{ provider: 'v', model: 'drip' }];
  await make('/api/models', 'drip', { deployments });
  const liveMs = await liveEverywhere(nodes, (index) => make('/api/models', `new-${index}`, { deployments }), 10);

  await make('/api/limits', 'few', { subject_type: 'user', subject: 'developer', requests_per_minute: 50 });
  const bearer = await scene.identity.token('developer');
  await liveEverywhere(nodes, () => make('/api/models', 'after-the-limit', { deployments }), 1);
  const limited = await Promise.all(Array.from({ length: 80 }, () => callOnce(scene.url, bearer, 'm')));

  const token = await scene.identity.token('admin');
  const opened: Promise<EndedCall>[] = [];
  const calls = await underLoad(
    scene,
    'm',
    async () => {
      const open = async (): Promise<void> => {
        for (let count = 0; count < streams / 2; count++) {
          opened.push(callOnce(scene.url, token, 'drip'));
          if (count % 50 === 49) await sleep(100);
        }
      };
      for (const [index, node] of nodes.entries()) {
        await open();
        const next = await scene.start(env);
        urls[index] = next.gateway.url;
        await balancer.serve([...urls, node.gateway.url]);
        // It drains, and leaves when its streams have ended.
        await node.gateway[Symbol.asyncDispose]();
        await balancer.serve(urls);
      }
      await Promise.all(opened);
    },
    { lanes: 5 },
  );
  const ended = await Promise.all(opened);
  const last = await scene.start(env);
  return {
    seen: seenOf([...calls, ...ended]),
    streams: seenOf(ended),
    missing: await missingOf(last.gateway, vendor),
    allowed: limited.filter(({ end }) => end === 'whole').length,
    liveMs,
  };
}

export const rollingUpgrade: Scenario = {
  fault: 'a rolling upgrade of two nodes behind a TCP balancer, under 500 streams',
  async run(owned) {
    const postgres = await startPostgres();
    const redis = await startRedis();
    if (postgres !== null) owned.use(postgres);
    if (redis !== null) owned.use(redis);
    if (postgres === null || redis === null) return 'not tried: PostgreSQL or Redis is not installed';
    const commit = earlierCommit();
    const earlier = commit === null ? undefined : owned.use(checkOut(commit));
    const { seen, streams, missing, allowed, liveMs } = await rollOver(owned, {
      postgres: postgres.url,
      redis: redis.url,
      streams: 500,
      ...(earlier === undefined ? {} : { program: earlier.program }),
    });
    const from = commit === null ? 'this version (no history of git here)' : `the version ${commit.slice(0, 8)}`;
    const lost = missing === 0 ? 'nothing' : `${missing} attempts`;
    return {
      seen,
      lost: `${lost}; from ${from}; ${streams.whole} of 500 streams whole; changes live on both nodes within ${Math.round(liveMs)} ms; of 80 calls at once ${allowed} passed a limit of 50`,
      isExplained: missing === 0 && streams.broken === 0 && allowed === 50 && liveMs < 1_000,
    };
  },
};

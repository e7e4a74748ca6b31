/** PostgreSQL and Redis stopped, frozen and slow, while calls run and a balancer asks for readiness. */
import { setTimeout as sleep } from 'node:timers/promises';
import { losingNothing, type Scenario, startScene, underLoad } from './scene.ts';
import { type Server, startPostgres, startRedis } from './servers.ts';

const faultMs = 5_000;
/** A balancer waits no longer for the answer to its probe, and then takes the node out. */
const probePatienceMs = 5_000;

type Fault = (server: Server) => Promise<void>;

const faults: Readonly<Record<string, Fault>> = {
  'is stopped, and started again': async (server) => {
    await server.stop();
    await sleep(faultMs);
    await server.start();
  },
  'is frozen (SIGSTOP)': async (server) => {
    server.freeze();
    await sleep(faultMs);
    server.thaw();
  },
  'is slow (200 ms for each packet)': async ({ proxy }) => {
    proxy.delay(200);
    await sleep(faultMs);
    proxy.delay(0);
  },
};

const servers = {
  PostgreSQL: { start: startPostgres, variable: 'PAILOU_DATABASE_URL' },
  Redis: { start: startRedis, variable: 'PAILOU_REDIS_URL' },
} as const;

/** Asks `/readyz` in turn until `during` has ended. Returns how many answers said that calls may come, and the longest wait. */
async function probing(url: string, during: () => Promise<void>): Promise<{ ready: number; others: number; longestMs: number }> {
  const seen = { ready: 0, others: 0, longestMs: 0 };
  const over = new AbortController();
  const probe = (async () => {
    while (!over.signal.aborted) {
      const at = performance.now();
      const isReady = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(probePatienceMs) }).then(
        ({ status }) => status === 200,
        () => false,
      );
      seen[isReady ? 'ready' : 'others']++;
      seen.longestMs = Math.max(seen.longestMs, Math.round(performance.now() - at));
      await sleep(100);
    }
  })();
  try {
    await during();
  } finally {
    over.abort();
    await probe;
  }
  return seen;
}

export const databaseFaults: readonly Scenario[] = Object.entries(servers).flatMap(([name, { start, variable }]) =>
  Object.entries(faults).map(([what, fault]) => ({
    fault: `${name} ${what}`,
    async run(owned) {
      const server = await start();
      if (server === null) return `not tried: ${name} is not installed`;
      owned.use(server);
      const scene = await startScene(owned, [{ [variable]: server.url }]);
      // A limit that is counted for each call, in Redis where there is one.
      const spec = { subject_type: 'user', subject: 'admin', requests_per_minute: 1_000_000 };
      await scene.nodes[0]?.gateway.as('admin', 'POST', '/api/limits', { name: 'many', spec });
      let probes = { ready: 0, others: 0, longestMs: 0 };
      const ended = await underLoad(scene, 'm', async () => {
        probes = await probing(scene.url, () => fault(server));
      });
      const outcome = await losingNothing(scene, ended);
      return {
        ...outcome,
        lost: `${outcome.lost}; ready in ${probes.ready} of ${probes.ready + probes.others} probes, within ${probes.longestMs} ms`,
        isExplained: outcome.isExplained && probes.others === 0,
      };
    },
  })),
);

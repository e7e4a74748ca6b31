/** PostgreSQL and Redis stopped, frozen and slow, while calls run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { losingNothing, type Scenario, startScene, underLoad } from './scene.ts';
import { type Server, startPostgres, startRedis } from './servers.ts';

const faultMs = 5_000;

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
      return losingNothing(scene, await underLoad(scene, 'm', () => fault(server)));
    },
  })),
);

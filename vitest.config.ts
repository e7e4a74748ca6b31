/** How the tests run: real servers and files in separate processes, two for each core. */
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { findLeftOut } from './test/left-out.ts';
import { SummaryReporter } from './test/reporter.ts';

/** Half of the time of a worker is waiting: for servers, programs and limits of time. */
const perCore = 2;
/** With the gateways and browsers that it starts. */
const bytesOfWorker = 1.5 * 2 ** 30;
const maxWorkers = Math.max(2, Math.min(perCore * availableParallelism(), 8, Math.floor(totalmem() / bytesOfWorker)));

/** Empty where the packages of `test/package.json` are installed. */
const leftOut = findLeftOut();

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    // A copy without the history of git has no earlier version to start.
    exclude: [
      '**/node_modules/**',
      ...(process.env['PAILOU_TEST_WITHOUT_HISTORY'] === '1' ? ['test/whole/earlier-version.test.ts'] : []),
      ...leftOut.keys(),
    ],
    globalSetup: './test/storage/template-databases.ts',
    pool: 'forks',
    maxWorkers,
    // Files of one worker share what they load: else half of all time goes into loading the same again.
    isolate: false,
    // Node runs the TypeScript itself, as it does in a checkout that serves. Nothing here needs a module of Vite's.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // A safety net, not a measure: a busy machine may take long.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 120_000, interval: 50 } },
    // For the gateways and commands that tests start as processes.
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'pailou-test-compile-cache') },
    silent: 'passed-only',
    reporters: ['default', new SummaryReporter(leftOut)],
  },
});

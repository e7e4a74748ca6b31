/** How the tests run: real servers and files in separate processes, at most three at a time. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/reporter.ts';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    globalSetup: './test/storage/template-databases.ts',
    pool: 'forks',
    maxWorkers: 3,
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
    reporters: ['default', new SummaryReporter()],
  },
});

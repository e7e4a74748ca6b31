/** How the tests run: real servers and files in separate processes, at most three at a time. */
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/reporter.ts';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 3,
    // Files of one worker share what they load: else half of all time goes into loading the same again.
    isolate: false,
    // A safety net, not a measure: a busy machine may take long.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    silent: 'passed-only',
    reporters: ['default', new SummaryReporter()],
  },
});

/** The tests beside real identity services, which `real-services/run` starts. */
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../test/reporter.ts';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['real-services/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default', new SummaryReporter()],
  },
});

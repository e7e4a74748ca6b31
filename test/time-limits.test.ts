/** A limit of time in a test is a safety net for a busy machine, never a measure. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const leastMs = 120_000;
/** The last argument of a test, and the option of a test or of a wait. */
const limits = [/^\s*\}, ([\d_]{4,})\);$/gm, /^\s*\},\n\s*([\d_]{4,}),\n\s*\);$/gm, /\{ timeout: ([\d_]+)/g];

/** Each limit below the least, with its line. */
function shortLimits(text: string): readonly string[] {
  return limits.flatMap((limit) =>
    [...text.matchAll(limit)]
      // Browsers are asked for quiet, which need not come.
      .filter(({ index }) => !text.slice(text.lastIndexOf('\n', index), index).includes("'networkidle'"))
      .filter(([, value = '']) => Number(value.replaceAll('_', '')) < leastMs)
      .map(({ index, 1: value = '' }) => `line ${text.slice(0, index).split('\n').length}: ${value} ms`),
  );
}

it('no test has a limit of time that a busy machine can exceed', () => {
  const files = globSync('**/*.ts', {
    cwd: import.meta.dirname,
    exclude: (path) => path.includes('node_modules') || path === 'time-limits.test.ts',
  });
  expect(files.length).toBeGreaterThan(400);
  const found = files.flatMap((file) =>
    shortLimits(readFileSync(new URL(file, import.meta.url), 'utf8')).map((limit) => `test/${file}, ${limit}`),
  );
  expect(found).toEqual([]);
});

it('a short limit is found wherever it stands', () => {
  const text = [
    "it('a', async () => {",
    '}, 60_000);',
    'it.skipIf(no)(',
    "  'b',",
    '  async () => {',
    '  },',
    '  60_000,',
    ');',
    'await expect.poll(read, { timeout: 2_000 }).toBe(1);',
    '}, 180_000);',
  ].join('\n');
  expect(shortLimits(text)).toEqual(['line 2: 60_000 ms', 'line 6: 60_000 ms', 'line 9: 2_000 ms']);
});

/** Progress of countable work on a terminal. */
import { expect, it } from 'vitest';
import { createProgress } from '../../../src/admin/commands/progress.ts';

const written = (isTTY: boolean, env: Record<string, string>): string => {
  let text = '';
  const progress = createProgress('Pruning', 'steps', { isTTY, write: (part) => (text += part) }, env);
  progress.show(1, 4);
  progress.show(4, 4);
  progress.end();
  return text;
};

it('shows a bar and the count on a terminal, and removes its line', () => {
  const text = written(true, {});
  expect(text).toContain('1 of 4 steps');
  expect(text).toContain('\x1b[32m██████\x1b[0m░');
  expect(text).toContain('4 of 4 steps');
  expect(text.endsWith('\r\x1b[K')).toBe(true);
});

it('has no colours with NO_COLOR', () => {
  expect(written(true, { NO_COLOR: '1' })).not.toContain('\x1b[32m');
});

it.each([
  ['a pipe', false, {}],
  ['a terminal without control', true, { TERM: 'dumb' }],
] as const)('writes nothing to %s', (_what, isTTY, env) => {
  expect(written(isTTY, env)).toBe('');
});

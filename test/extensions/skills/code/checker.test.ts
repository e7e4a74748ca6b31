/** Files that crash or block parsers: none affects the gateway or the check of another file. */
import { expect, it } from 'vitest';
import { checkSyntax } from '../../../../src/extensions/skills/code/checker/checker.ts';
import { withoutComments } from '../../../../src/extensions/skills/code/jsonc.ts';

const { signal } = new AbortController();
const verdicts = async (...files: [string, string][]) =>
  (
    await checkSyntax(
      files.map(([path, content]) => ({ path, content })),
      { signal },
    )
  ).map(({ verdict }) => verdict);

it('files too deeply nested for the parser are not judged, and the next ones are', async () => {
  const deep = `export const a = ${'['.repeat(5_000)}${']'.repeat(5_000)};`;
  expect(await verdicts(['deep.ts', deep])).toEqual(['unknown']);
  expect(await verdicts(['ok.ts', 'export const a: number = 1;'], ['bad.ts', 'const = 1;'], ['x.hs', 'main'])).toEqual([
    'right',
    'wrong',
    'unknown',
  ]);
});

it('comments in settings are read in linear time', async () => {
  const banner = `{\n  "a": {},\n  ${'/'.repeat(100_000)}\n  ${'/**/'.repeat(20_000)}\n  "b": ["//", "/*",],\n}`;
  expect(await verdicts(['tsconfig.json', banner], ['b.json', '\uFEFF{}'])).toEqual(['right', 'right']);
  expect(JSON.parse(withoutComments(banner))).toEqual({ a: {}, b: ['//', '/*'] });
  expect(withoutComments('{"a":1,/* x */\n}')).toBe('{"a":1        \n}');
});

it('unusual but valid files have no error', async () => {
  expect(await verdicts(['a.cjs', 'if (process.env.A) return;\nmodule.exports = 1;\n'])).toEqual(['doubtful']);
  expect(await verdicts(['templates/deployment.yaml', 'a: {{ .Values.a }}\n{{- if .Values.b }}\nb: 1\n{{- end }}\n'])).toEqual(['unknown']);
  expect(await verdicts(['deno.json', '{ // tasks\n "a": 1, }'])).toEqual(['right']);
});

it('a cancelled check does not block other checks', async () => {
  const gone = new Error('gone');
  await expect(checkSyntax([{ path: 'a.ts', content: '' }], { signal: AbortSignal.abort(gone) })).rejects.toBe(gone);
});

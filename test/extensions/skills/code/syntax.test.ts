/** Syntax checks of generated files: for each language a valid modern file and a broken one. */
import { describe, expect, it } from 'vitest';
import { syntaxOf } from '../../../../src/extensions/skills/code/syntax.ts';
import codeGeneration from '../../../../src/extensions/skills/code-generation.ts';
import type { Json } from '../../../../src/types/json.ts';
import type { Plugin } from '../../../../src/types/plugin.ts';
import { makeSkill, play } from '../scripted-run.ts';

const python = `import asyncio
type Point[T] = tuple[T, T]
class Box[T]:
    def get(self, x: T, /, *, y: int = 1) -> T: return x
def f(command, **kw):
    match command.split():
        case ["go", ("north" | "south") as d]:
            return d
        case {"a": 1, **rest} if (n := len(rest)) > 1:
            return n
        case _:
            pass
    return f"{kw["a"]} and {', '.join([f"{y!r:>{10}}" for y in range(3)])}"
async def g():
    async with asyncio.timeout(1) as t:
        await asyncio.sleep(1)
    try:
        pass
    except* ValueError as e:
        raise RuntimeError() from e
`;
const go = `package main
type Number interface { ~int | ~float64 }
type Pair[K comparable, V any] struct { Key K; Val V }
func Map[T, U any](xs []T, f func(T) U) (out []U) {
	for _, x := range xs { out = append(out, f(x)) }
	for i := range 10 { println(i) }
	for range 3 { println() }
	return out
}
func (p *Pair[K, V]) Get() V { return p.Val }
`;
const rust = `fn get(x: Option<u32>) -> Result<u32, Box<dyn std::error::Error>> {
    let Some(v) = x else { return Err("no".into()); };
    let n = if let Some(n @ 1..=5) = x && v > 2 { n } else { 0 };
    let c = async move |a: u32| a + 1;
    Ok(vec![1, 2].iter().map(|y| y * 2).sum::<u32>() + n)
}
struct P<T, const N: usize>([T; N]);
`;
const c = `#include <stdio.h>
typedef struct node { int v; struct node *next; } node_t;
int main(int argc, char **argv) {
  node_t n = { .v = 1, .next = NULL };
  int a[] = { [0] = 1, [2] = 3 };
  int (*fp)(int, int) = &g;
  return n.v + a[0] + (int){1};
}
`;
const php = `<?php
declare(strict_types=1);
enum Suit: string implements HasLabel {
  case Hearts = 'H';
  public function label(): string { return match($this) { self::Hearts => 'x', default => throw new \\Exception('n') }; }
}
final readonly class P { public function __construct(private int $a, public ?string $b = null) {} }
$o = $x?->y ?? strlen(...);
`;
const css = `@layer base;
.card { color: var(--main, red); & .title:hover { width: calc(100% - 2 * var(--gap)); } @media (width >= 600px) { padding: 1em } }
@container card (min-width: 400px) { a:is(.x, #y):has(> img) { inset: 0 } }
`;
const module = `import data from './a.json' with { type: 'json' };
class A { static #p = 1; static { this.#p = 2; } get x() { return #p in this; } }
export const x = 1_000n ** 2n, re = /[\\p{L}--[a-z]]/v;
a ||= b?.[0]?.(1);
f(a < b, c > (d));
`;
const jsx = 'export const App = ({ a, ...rest }) => <><div className="x" {...rest}>{a?.b ?? <B.C x={1} />} text &amp; more</div></>;\n';

describe('a file in current syntax is valid', () => {
  it.each([
    ['a.py', python],
    ['a.go', go],
    ['a.rs', rust],
    ['a.c', c],
    ['a.php', php],
    ['a.css', css],
    ['a.js', module],
    ['a.mjs', module],
    ['a.js', jsx],
    ['a.jsx', jsx],
    ['a.cjs', "const { a } = require('a');\nmodule.exports = { a };\n"],
    ['a.tsx', 'const F = ({ a }: { a: string }): Node => <p>{a as string}</p>;\n'],
    ['a.ts', 'export const a = <T,>(x: T): T => x satisfies T;\n'],
    ['a.ts', 'enum A { B }\nnamespace C { export const d = 1; }\n'],
    ['tsconfig.json', '{\n  // strict\n  "a": ["//", /* two */ 2,],\n}'],
    ['app/jsconfig.json', '{ "a": 1, }'],
    ['tsconfig.build.json', '{ "a": 1, }'],
    ['settings.jsonc', '{ "a": 1, // one\n}'],
    ['.eslintrc.json', '{ /* rules */ }'],
    ['.devcontainer/devcontainer.json', '{ "name": "x", }'],
    ['a.yaml', 'a: [1, 2]\n'],
  ])('%s', (path, content) => {
    expect(syntaxOf({ path, content })).toEqual({ verdict: 'right' });
  });
});

describe('the error of an invalid file names the position', () => {
  it.each([
    ['a.py', 'x = 1\ndef f(:\n  pass\n', 'line 2, column 7'],
    ['a.go', 'package main\nfunc main( {\n}\n', 'line 2, column'],
    ['a.rs', 'fn main() {\n  let x = ;\n}\n', 'line 2, column 11'],
    ['a.c', 'int main() {\n  int x = ;\n}\n', 'line 2, column 11'],
    ['a.php', '<?php\nfunction f( { }\n', 'line 2, column'],
    ['a.css', 'a { color: red;\n b { } } }\n', 'line 2, column'],
    ['a.jsx', 'const a = <div><b></b>;\n', 'line 2, column 1'],
    ['a.tsx', 'const a = <div />;\nconst = 1;\n', 'line 2, column'],
  ])('%s, as a warning of a parser that may be outdated', (path, content, place) => {
    expect(syntaxOf({ path, content })).toEqual({ verdict: 'doubtful', fault: expect.stringContaining(place) as string });
  });

  it.each([
    ['a.js', 'const = 1;\n', 'line 1, column 7'],
    ['a.ts', 'let a = 1;\nconst = 1;\n', 'line 2, column 7'],
    ['a.js', 'let a: number = 1;\n', 'TypeScript in a file of JavaScript'],
    ['a.mjs', 'interface A { b: string }\nexport const c = 1;\n', 'TypeScript in a file of JavaScript'],
    ['a.json', '{"a": 1,}', 'JSON'],
    ['tsconfig.json', '{"a": }', 'JSON'],
    ['package.json', '{ // no\n }', 'JSON'],
    ['a.yml', 'a: [1\n', ''],
  ])('%s, for certain', (path, content, words) => {
    expect(syntaxOf({ path, content })).toEqual({ verdict: 'wrong', fault: expect.stringContaining(words) as string });
  });

  it('of a language without a bundled parser is not judged', () => {
    expect(syntaxOf({ path: 'a.hs', content: 'main = (' })).toEqual({ verdict: 'unknown' });
    // The bundled grammars do not cover the current versions of these languages.
    expect(syntaxOf({ path: 'A.java', content: 'class A {' })).toEqual({ verdict: 'unknown' });
  });
});

describe('code-generation', () => {
  const said = (...files: { path: string; content: string }[]): Json => ({ files, explanation: 'e' });
  const broken = { path: 'a.py', content: 'x = (\n' };
  const make = (options: object = {}) => makeSkill(codeGeneration as unknown as Plugin<'skill', never>, options);

  it('reports a doubtful file to the model, and accepts it unchecked when the model repeats it', async () => {
    const good = { path: 'b.py', content: 'y = 1\n' };
    const { output, asked } = await play(await make(), { task: 'x' }, () => said(broken, good));
    expect(asked).toHaveLength(2);
    expect(JSON.stringify(asked[1]?.body)).toContain('a.py seems to have a syntax error');
    expect(output).toEqual({ files: [broken, good], explanation: 'e', checked: ['b.py'] });
  });

  it('returns a doubtful answer after all repairs, but never an invalid one', async () => {
    const changing = await play(await make({ repairs: 2 }), { task: 'x' }, ({ turn }) => said({ path: 'a.py', content: `x = (${turn}\n` }));
    expect(changing.asked).toHaveLength(3);
    expect(changing.output).toMatchObject({ files: [{ content: 'x = (3\n' }], checked: [] });
    const never = play(await make({ repairs: 0 }), { task: 'x' }, () => said(broken, { path: 'a.ts', content: 'const = 1' }));
    await expect(never).rejects.toMatchObject({ code: 'output_invalid' });
  });

  it.each([
    [['a.txt', 'A.txt'], 'same file on a file system that ignores case'],
    [['b', 'b/c'], 'b cannot be a file'],
    [['B', 'b/c'], 'B cannot be a file'],
    [['.git/config'], 'must not lead into .git'],
    [['a/.GIT/hooks/x'], 'must not lead into .git'],
    [['a', 'a'], 'occurs twice'],
  ])('refuses the paths %j', async (paths, words) => {
    const files = paths.map((path) => ({ path, content: '' }));
    await expect(play(await make({ repairs: 0 }), { task: 'x' }, () => said(...files))).rejects.toThrow(words);
  });
});

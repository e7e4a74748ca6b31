/** Test files whose packages are not installed are left out, and only those. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findImports, projectRoot, type SourceFile } from './architecture/source-tree.ts';
import { findNeeds, isAskedFor } from './left-out.ts';

const file = (path: string, text: string): SourceFile => ({ path, text, lines: 1, imports: findImports(path, text) });

it('leaves out a file that needs a missing package, by itself, through another file or as a program', () => {
  const files = [
    file('test/a.test.ts', "import Client from '@vendor/sdk';"),
    file('test/b.test.ts', "import { get } from './parts/b.ts';"),
    file('test/parts/b.ts', "import { read } from './c.ts';"),
    file('test/parts/c.ts', "import type { Part } from 'reader/parts';"),
    file('test/d.test.ts', "spawn(join(root, 'test/node_modules/server/dist/index.js'));"),
    file('test/e.test.ts', "import { other } from 'reader-of-others';\nimport Client from '@vendor/other';"),
    file('test/f.test.ts', "import { get } from './e.ts';"),
  ];
  expect(Object.fromEntries(findNeeds(files, ['@vendor/sdk', 'reader', 'server']))).toEqual({
    'test/a.test.ts': '@vendor/sdk',
    'test/b.test.ts': 'reader',
    'test/d.test.ts': 'server',
    'test/parts/b.ts': 'reader',
    'test/parts/c.ts': 'reader',
  });
});

it('comes to an end where files import each other', () => {
  const files = [file('test/a.ts', "import './b.ts';\nimport 'sdk';"), file('test/b.ts', "import './a.ts';")];
  expect([...findNeeds(files, ['sdk']).keys()]).toEqual(['test/a.ts', 'test/b.ts']);
});

it('names only those left-out files that a run was asked for', () => {
  const path = 'test/whole/mcp-gate.test.ts';
  const asked = [
    [],
    ['test/whole/mcp-gate.test.ts'],
    ['MCP-gate'],
    ['test/whole/'],
    ['mcp-gate.test.ts:12'],
    [join(projectRoot, path)],
    ['x', 'gate'],
  ];
  expect(asked.map((patterns) => isAskedFor(path, patterns))).toEqual(asked.map(() => true));
  const others = [['test/whole/keys.test.ts'], ['test/api/', 'mcp-nodes'], [join(projectRoot, 'test/api')]];
  expect(others.map((patterns) => isAskedFor(path, patterns))).toEqual(others.map(() => false));
});

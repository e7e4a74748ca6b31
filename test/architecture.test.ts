/** Checks the rules of the architecture. Each message gives the reason of its rule. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCycle, findImports, listFiles, projectRoot, readSources } from './architecture/source-tree.ts';
import { findRiddles } from './architecture/plain-words.ts';
import type { Import, SourceFile } from './architecture/source-tree.ts';

const sources = readSources('src');
const everything = [
  ...sources,
  ...['test', 'bench', 'conformance', 'examples', 'scripts'].filter((folder) => existsSync(join(projectRoot, folder))).flatMap(readSources),
];
const edges = sources.flatMap((file) => file.imports.map((entry) => ({ file, entry })));

/** The folders in which the loader looks: a file directly in them, or `plugin.ts` one floor below, is a plugin. */
const pluginFolders = [
  'src/dispatch/strategies',
  'src/extensions/mcp/transports',
  'src/extensions/skills',
  'src/models/vendor-formats',
  'src/providers',
];
const isPlugin = (path: string): boolean =>
  pluginFolders.some((folder) => path.startsWith(`${folder}/`) && /^[^/]+(\/plugin)?\.ts$/.test(path.slice(folder.length + 1)));
const folderOf = (path: string): string | null => /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
const packageOf = (specifier: string): string => /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[0] ?? specifier;
const at = (file: SourceFile, entry: Import): string => `${file.path}:${entry.line} imports ${entry.specifier}`;

/** The ground: contracts, and small folders without state or I/O that every layer and every plugin may import. */
const ground = /^src\/(schema|scheduling|streaming|text|types)\//;
const isGround = (path: string | null): boolean => path !== null && ground.test(path);

/** Only these folders or root files may import the package, for the given reason. */
const packageOwners = [
  {
    name: 'fastify',
    owners: /^src\/(admin\/|api\/|main\.ts|cli\.ts)/,
    why: 'Below the faces nothing may know the web framework: it must work under any.',
  },
  {
    name: 'undici',
    owners: /^src\/outbound\//,
    why: 'outbound/ is the one door outward: what goes around it goes around the guard against private addresses.',
  },
  { name: 'kysely', owners: /^src\/storage\//, why: 'Only storage/ speaks to the database; the others see its functions.' },
  { name: 'pg', owners: /^src\/storage\//, why: 'Only storage/ speaks to the database; the others see its functions.' },
  { name: 'node:sqlite', owners: /^src\/storage\//, why: 'Only storage/ speaks to the database; the others see its functions.' },
  ...['api', 'sdk-trace', 'resources', 'exporter-trace-otlp-http', 'exporter-trace-otlp-proto'].map((name) => ({
    name: `@opentelemetry/${name}`,
    owners: /^src\/telemetry\/traces\//,
    why: 'The packages are loaded only where traces are exported; the rest sees our own contract.',
  })),
  {
    name: 'oidc-provider',
    owners: /^src\/auth\/development\//,
    why: 'The development identity service must not leak into production code.',
  },
];

describe('the scanner of imports', () => {
  it('finds every form of import', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "import {\n  c,\n  type D,\n} from '../c/d.ts';",
      "import 'side-effect';",
      "export { e } from './e.ts';",
      "export * from './f.ts';",
      "const g = await import('./g.ts');",
      "type H = import('./h.ts').H;",
      "new Worker(new URL('./i-worker.ts', import.meta.url));",
      "// import x from './in-a-comment.ts';",
    ].join('\n');
    expect(findImports('src/x/y.ts', text).map(({ specifier }) => specifier)).toEqual(
      ['./a.ts', './b.ts', '../c/d.ts', 'side-effect', './e.ts', './f.ts', './g.ts', './h.ts', './i-worker.ts'], // prettier-ignore
    );
    expect(findImports('src/x/y.ts', text)[2]?.target).toBe('src/c/d.ts');
  });

  it('sees the whole of src/ and not an empty or half-read tree', () => {
    expect(sources.length).toBeGreaterThan(60);
    expect(edges.length).toBeGreaterThan(sources.length * 2);
    // Counted in another way: each line that ends a static import. If the two differ, the scanner is blind somewhere.
    const endings = sources.flatMap((file) =>
      file.text.split('\n').filter((line) => /^(import|export|\}).* from '[^']+';$|^import '[^']+';$/.test(line)),
    );
    const statics = edges.filter(({ file, entry }) => !/\b(import|URL)\(/.test(file.text.split('\n')[entry.line - 1] ?? ''));
    expect(statics.length).toBe(endings.length);
  });

  it('resolves every relative import to a file that exists', () => {
    const missing = everything.flatMap((file) =>
      file.imports.filter(({ target }) => target !== null && !existsSync(join(projectRoot, target))).map((entry) => at(file, entry)),
    );
    expect(missing.filter((line) => !line.startsWith('test/'))).toEqual([]);
  });

  it('finds a cycle where there is one', () => {
    const file = (path: string, target: string): SourceFile => ({
      path,
      text: '',
      lines: 1,
      imports: [{ specifier: target, target, line: 1, form: 'import' }],
    });
    expect(findCycle([file('a', 'b'), file('b', 'c'), file('c', 'b')])).toEqual(['b', 'c', 'b']);
  });
});

describe('the layers', () => {
  it('let imports point to the own folder or one later in the alphabet', () => {
    const upward = edges.filter(({ file, entry }) => {
      const from = folderOf(file.path);
      if (from === null || entry.target === null) return false;
      const to = folderOf(entry.target);
      return to === null || to < from;
    });
    expect(
      upward.map(({ file, entry }) => at(file, entry)),
      'Imports point down the alphabet, so that the listing of src/ is the architecture diagram. Move the shared thing down (often to types/) or pass it in from main.ts.',
    ).toEqual([]);
  });

  it('have no cycle, not even of types', () => {
    expect(findCycle(sources), 'Files in a cycle can only be understood together. Move what both need into a third file.').toBeNull();
  });

  it('keep packages with the folder that owns them', () => {
    const broken = packageOwners.flatMap(({ name, owners, why }) =>
      edges
        .filter(({ file, entry }) => packageOf(entry.specifier) === name && !owners.test(file.path))
        .map(({ file, entry }) => `${at(file, entry)}: ${why}`),
    );
    expect(broken).toEqual([]);
  });

  it('keep contracts free of I/O, state and time', () => {
    const outside = edges
      .filter(({ file, entry }) => file.path.startsWith('src/types/') && entry.target === null && packageOf(entry.specifier) !== 'zod')
      .map(({ file, entry }) => at(file, entry));
    const active = sources
      .filter(({ path, text }) => path.startsWith('src/types/') && /\basync\b|\bsetTimeout\(|\bDate\.now\(|^(let|var) /m.test(text))
      .map(({ path }) => path);
    expect(
      [...outside, ...active],
      'types/ holds contracts: types, schemas, tables and pure functions over them. What acts, waits or remembers gets a room of its own.',
    ).toEqual([]);
  });

  it('keep HTTP out of what a call does', () => {
    const http = edges.filter(
      ({ file, entry }) =>
        file.path.startsWith('src/application/') && /^(node:http2?|node:https|fastify)$/.test(packageOf(entry.specifier)),
    );
    expect(
      http.map(({ file, entry }) => at(file, entry)),
      'application/ is driven by routes and by tests alike; requests, replies and headers stay in api/.',
    ).toEqual([]);
  });

  it('import through the third parent folder only from the ground', () => {
    const far = edges.filter(({ entry }) => entry.specifier.startsWith('../../../') && !isGround(entry.target));
    expect(
      far.map(({ file, entry }) => at(file, entry)),
      'A path with ../../.. says that the file lies too deep, or that it reaches across the house. Only the ground (types/ and the small rooms beside it) is near to all.',
    ).toEqual([]);
  });

  it('let no file in src/ import tests, benches and examples', () => {
    const outside = edges.filter(({ entry }) => entry.form === 'import' && entry.target !== null && !entry.target.startsWith('src/'));
    expect(
      outside.map(({ file, entry }) => at(file, entry)),
      'Product code must stand without its tests and tools.',
    ).toEqual([]);
  });
});

describe('plugins', () => {
  const plugins = sources.filter(({ path }) => isPlugin(path));

  it('are there, where the loader looks', () => {
    expect(plugins.map(({ path }) => path)).toEqual(expect.arrayContaining(['src/providers/demo/plugin.ts']));
  });

  it('import only the ground, their own folder and packages', () => {
    const broken = plugins.flatMap((file) => {
      const own = file.path.slice(0, file.path.lastIndexOf('/') + 1);
      return file.imports
        .filter(({ target }) => target !== null && !isGround(target) && !target.startsWith(own))
        .map((entry) => at(file, entry));
    });
    expect(
      broken,
      'A plugin is written against the contracts alone; what it needs of the house comes through PluginServices. So a third party can write one.',
    ).toEqual([]);
  });

  it('have no importer', () => {
    const importers = edges.filter(({ entry }) => entry.target !== null && isPlugin(entry.target));
    expect(
      importers.map(({ file, entry }) => at(file, entry)),
      'The loader finds plugins by their folder. An import would make the core know one of them by name; move shared code into a file of its own.',
    ).toEqual([]);
  });

  it('alone have a default export', () => {
    const withDefault = sources.filter(({ text }) => /^export default\b/m.test(text));
    expect(
      withDefault.map(({ path }) => path).sort(),
      'A default export is how the loader knows a plugin; elsewhere a name says what a thing is.',
    ).toEqual(plugins.map(({ path }) => path).sort());
  });
});

describe('the files', () => {
  it('stay under 400 lines', () => {
    const long = everything.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path}: ${lines} lines`);
    expect(long, 'A file is one idea. More than 400 lines are several: find the seam and split.').toEqual([]);
  });

  it('are mostly of a size that one can read at once', () => {
    const large = sources.filter(({ lines }) => lines > 150).map(({ path, lines }) => `${path}: ${lines}`);
    expect(large.length, `Most files should have 40 to 150 lines. Larger now: ${large.join(', ')}`).toBeLessThanOrEqual(
      Math.floor(sources.length / 5),
    );
  });

  it('are named in kebab-case', () => {
    const folders = ['src', 'test', 'bench', 'conformance', 'examples', 'scripts', 'docs'].filter((folder) =>
      existsSync(join(projectRoot, folder)),
    );
    const names = folders.flatMap(listFiles).filter((path) => !path.includes('/fixtures/'));
    const odd = names.filter(
      (path) => !path.split('/').every((part) => /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(part) || part === 'SKILL.md'),
    );
    expect(odd, 'One way to write a name, on every file system: small letters, digits and hyphens.').toEqual([]);
  });

  it('lie in folders named for what they hold', () => {
    const vague = everything
      .filter(({ path }) => /(^|\/)(utils?|helpers?|common|misc|shared|lib)(\/|\.ts$)/.test(path))
      .map(({ path }) => path);
    expect(vague, 'A folder called utils collects what nobody could name. Name the idea, put it where it is used.').toEqual([]);
  });

  it('say in their first line what they are for', () => {
    const silent = sources.filter(({ text }) => !/^(#![^\n]*\n)?(\/\*\*|\/\/ )/.test(text)).map(({ path }) => path);
    expect(silent, 'A reader decides by the first line whether this is the file. One sentence is enough.').toEqual([]);
  });

  it('leave only the composition root outside a layer', () => {
    const root = readdirSync(join(projectRoot, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
    expect(
      root.length,
      `Files directly in src/ belong to no layer and see everything; keep them few: ${root.join(', ')}`,
    ).toBeLessThanOrEqual(5);
  });
});

describe('the comments', () => {
  /** Folders whose comments keep to the rules; a folder that is here never leaves. */
  const plain = [
    'admin',
    'api',
    'application',
    'auth',
    'cache',
    'config',
    'dispatch',
    'extensions/mcp',
    'extensions/skills',
    'extensions/tool-loop',
    'models',
    'outbound',
    'plugins',
    'providers',
    'quota',
    'scheduling',
    'schema',
    'storage',
    'streaming',
    'telemetry',
    'text',
    'types',
  ];
  const isPlain = (path: string): boolean =>
    !path.startsWith('src/') || path === 'src/main.ts' || plain.some((folder) => path.startsWith(`src/${folder}/`));

  it('are short sentences that name their subject', () => {
    const here = 'test/architecture.test.ts'; // Its samples of bad comments are strings.
    const riddles = [...everything, ...readSources('faults')].filter(({ path }) => isPlain(path) && path !== here).flatMap(findRiddles);
    expect(
      riddles.map(({ at: place, fault, sentence }) => `${place}: ${fault}: ${sentence}`),
      'A comment is plain technical English: subject first, one idea a sentence, at most 25 words. Say the caller, the client, the vendor; not whoever, somebody, told.',
    ).toEqual([]);
  });

  it('are read, and a riddle is found', () => {
    const text =
      "/** Whoever comes later waits. */\n// It is told to `x`.\nconst a = 'nobody';\n/**\n * One.\n * " + 'word '.repeat(26) + '\n */';
    expect(findRiddles({ path: 'a.ts', text }).map(({ at: place, fault }) => `${place} ${fault}`)).toEqual([
      'a.ts:1 the word "Whoever"',
      'a.ts:2 the word "told"',
      'a.ts:4 26 words in one sentence',
    ]);
  });
});

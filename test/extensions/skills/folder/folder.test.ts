/** Skill folders: the rules of the open format, unchanged files, and hostile zips. */
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { folderOf, skillOfFolder } from '../../../../src/extensions/skills/folder/folder.ts';
import { parseSkillMd, writeSkillMd } from '../../../../src/extensions/skills/folder/skill-md.ts';
import { readZip, writeZip } from '../../../../src/extensions/skills/folder/zip.ts';
import packagePlugin from '../../../../src/extensions/skills/package.ts';
import type { Plugin } from '../../../../src/types/plugin.ts';
import { makeSkill, play } from '../scripted-run.ts';

const md = '---\r\nname: invoice-check\r\ndescription: "Checks: invoices"\r\nmetadata:\r\n  version: "1.0"\r\n---\r\n# Do\r\nthis\t\r\n';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const files = { 'SKILL.md': bytes(md), 'scripts/run.sh': bytes('#!/bin/sh\nrm -rf /\n'), 'assets/a.bin': new Uint8Array([0, 255, 10, 13]) };
type Input = Record<string, Uint8Array | [Uint8Array, object]>;
const zip = (input: Input): Buffer => Buffer.from(zipSync(input as never));

describe('SKILL.md', () => {
  it('is read by the rules of the format, including line ends', () => {
    expect(parseSkillMd(md, 'invoice-check')).toEqual({
      name: 'invoice-check',
      description: 'Checks: invoices',
      metadata: { version: '1.0' },
      allowedTools: [],
      body: '# Do\r\nthis\t\r\n',
    });
    const written = {
      name: 'a',
      description: 'x: "y"\nz # no comment',
      license: '1.0',
      metadata: { k: 'true', n: '7' },
      allowedTools: ['Read', 'Bash(git:*)'],
      body: 'B\n---\n',
    };
    expect(parseSkillMd(writeSkillMd(written), 'a')).toEqual(written);
  });

  it.each([
    ['no head', 'head'],
    ['---\nname: a\n', 'head'],
    ['---\n- a\n---\n', 'head'],
    ['---\nname: a\nname: b\n---\n', 'head'],
    ['---\na: &x 1\nname: *x\n---\n', 'head'],
    ['---\ndescription: d\n---\n', 'name'],
    ['---\nname: A_b\ndescription: d\n---\n', 'name'],
    ['---\nname: a--b\ndescription: d\n---\n', 'name'],
    [`---\nname: ${'a'.repeat(65)}\ndescription: d\n---\n`, 'name'],
    ['---\nname: other\ndescription: d\n---\n', 'name'],
    ['---\nname: a\n---\n', 'description'],
    [`---\nname: a\ndescription: ${'d'.repeat(1_025)}\n---\n`, 'description'],
    ['---\nname: a\ndescription: d\nmodel: x\n---\n', 'model'],
    ['---\nname: a\ndescription: d\nmetadata:\n  k: [1]\n---\n', 'metadata'],
    ['---\nname: a\ndescription: d\nmetadata: [a, b]\n---\n', 'metadata'],
    ['---\nname: a\ndescription: d\nmetadata: words\n---\n', 'metadata'],
    [`---\nname: a\ndescription: ${'😀'.repeat(1_025)}\n---\n`, 'description'],
  ])('%j is refused with its field name', (text, field) => {
    expect(() => parseSkillMd(text, 'a')).toThrow(expect.objectContaining({ param: `SKILL.md.${field}` }) as Error);
  });
});

describe('SKILL.md with many fields', () => {
  const headed = (lines: string): string => `---\nname: a\ndescription: d\n${lines}\n---\n`;
  const list = (count: number, write: (index: number) => string, between: string): string =>
    Array.from({ length: count }, (_, index) => write(index)).join(between);

  it('accepts some hundreds under metadata', () => {
    const read = parseSkillMd(headed(`metadata:\n${list(400, (index) => `  k${index}: v`, '\n')}`), 'a');
    expect(Object.keys(read.metadata)).toHaveLength(400);
  });

  it.each([
    ['fields', list(9_000, (index) => `k${index}:`, '\n')],
    ['metadata', `metadata:\n${list(8_000, (index) => ` k${index}:`, '\n')}`],
    ['metadata in braces', `metadata: {${list(9_000, (index) => `k${index}:`, ',')}}`],
    ['many lists', `metadata: [${list(80, () => `{${list(100, (index) => `k${index}:`, ',')}}`, ',')}]`],
  ])('refuses thousands of %s without comparing each with each', (_what, lines) => {
    expect(() => parseSkillMd(headed(lines), 'a')).toThrow(/^SKILL\.md: head has too many fields; up to 400 fit under metadata\.$/);
  });

  it('detects a duplicate field among them', () => {
    expect(() => parseSkillMd(headed(`metadata:\n${list(300, (index) => `  k${index}: v`, '\n')}\n  k0: w`), 'a')).toThrow(
      /Map keys must be unique/,
    );
  });
});

describe('SKILL.md in other valid forms', () => {
  it('may have empty metadata, and its length is counted in characters', () => {
    expect(parseSkillMd('---\nname: a\ndescription: d\nmetadata:\n---\n', 'a').metadata).toEqual({});
    expect(parseSkillMd(`---\nname: a\ndescription: ${'😀'.repeat(1_024)}\n---\n`, 'a').description).toHaveLength(2_048);
  });
});

describe('a folder', () => {
  it('that macOS or Windows packed contains only the files of its author', async () => {
    const litter = [
      '__MACOSX/._a',
      '__MACOSX/a/._SKILL.md',
      'a/.DS_Store',
      '.DS_Store',
      'a/Thumbs.db',
      'a/sub/desktop.ini',
      'a/._SKILL.md',
    ];
    const given = zip({ ...Object.fromEntries(litter.map((path) => [path, bytes('x')])), 'a/SKILL.md': bytes(md), 'a/b.txt': bytes('b') });
    const { files: found, rootFolder } = await readZip(given);
    expect([rootFolder, found.map(({ path }) => path)]).toEqual(['a', ['SKILL.md', 'b.txt']]);
  });

  it('is exported byte for byte, and its zip is deterministic', async () => {
    const read = await readZip(zip(Object.fromEntries(Object.entries(files).map(([path, own]) => [`invoice-check/${path}`, own]))));
    expect(read.rootFolder).toBe('invoice-check');
    const { name, spec } = skillOfFolder(read.files, read.rootFolder, 'small');
    expect([name, spec['description'], spec['model'], spec['kind']]).toEqual(['invoice-check', 'Checks: invoices', 'small', 'package']);
    const out = folderOf(name, spec);
    const first = await writeZip(name, out);
    expect((await writeZip(name, out.toReversed())).equals(first)).toBe(true);
    const again = await readZip(first);
    for (const [path, own] of Object.entries(files))
      expect(again.files.find((file) => file.path === path)?.bytes.equals(Buffer.from(own)), path).toBe(true);
    expect(again.files).toHaveLength(3);
  });

  it('of another kind contains its row, and is imported as the same', () => {
    const spec = {
      kind: 'prompt',
      version: '2.1.0',
      live: '2.0.0',
      description: 'Says: hi',
      model: 'small',
      options: { instructions: 'Hi {{name}}' },
      tags: ['x'],
    };
    const { live: _live, ...kept } = spec;
    const out = folderOf('hello', spec);
    expect(out[0]?.bytes.toString()).toContain('\nHi {{name}}\n');
    expect(skillOfFolder(out, 'hello', null)).toEqual({ name: 'hello', spec: { ...kept, live: null } });
    expect(folderOf('hello', skillOfFolder(out, 'hello', null).spec)).toEqual(out);
  });

  const exported = () =>
    folderOf('hello', { kind: 'prompt', description: 'Says hi', model: 'small', options: { instructions: 'Hi {{name}}', repairs: 1 } });
  const edited = (change: (text: string) => string) =>
    exported().map((file) => (file.path === 'SKILL.md' ? { ...file, bytes: Buffer.from(change(file.bytes.toString())) } : file));

  it.each<[string, (text: string) => string, object]>([
    ['an edited description', (text) => text.replace('Says hi', 'Says hello'), { description: 'Says hello' }],
    [
      'an edited body',
      (text) => text.replace('Hi {{name}}', 'Hello {{name}}!'),
      { options: { instructions: 'Hello {{name}}!', repairs: 1 } },
    ],
    ['other line ends', (text) => text.replaceAll('\n', '\r\n'), { options: { instructions: 'Hi {{name}}', repairs: 1 } }],
  ])('of another kind: %s counts, and nothing else changes', (_name, change, wanted) => {
    const { spec } = skillOfFolder(edited(change), 'hello', null);
    expect(spec).toEqual({ ...skillOfFolder(exported(), 'hello', null).spec, ...wanted });
  });

  it('of a kind without instructions gets none from its default text', () => {
    const row = { kind: 'classify', description: 'd', model: 'small', options: { several: true } };
    expect(skillOfFolder(folderOf('hello', row), 'hello', null).spec['options']).toEqual({ several: true });
  });

  it('of another kind refuses files that its row could not keep', () => {
    const more = [...exported(), { path: 'prices.txt', bytes: Buffer.from('x') }];
    expect(() => skillOfFolder(more, 'hello', null)).toThrow(/"prices.txt".*no place for.*remove pailou.kind from the metadata/);
  });

  it('is disclosed progressively: its files only when the model requests them, and never executed', async () => {
    const given = Object.entries(files).map(([path, own]) => ({ path, base64: Buffer.from(own).toString('base64') }));
    const skill = await makeSkill(packagePlugin as unknown as Plugin<'skill', never>, { files: given });
    const { text, asked } = await play(skill, { text: 'check it' }, () => 'checked');
    expect(text).toBe('checked');
    const first = JSON.stringify(asked[0]?.body);
    expect(first).toContain('# Do');
    expect(first).toContain('scripts/run.sh');
    expect(first).not.toContain('rm -rf');
    expect(skill.files?.()).toHaveLength(3);
    const twice = [...given, given[1]];
    await expect(makeSkill(packagePlugin as unknown as Plugin<'skill', never>, { files: twice })).rejects.toMatchObject({
      param: 'spec.options.files',
      message: expect.stringContaining('twice') as string,
    });
    await expect(makeSkill(packagePlugin as unknown as Plugin<'skill', never>, { files: given.slice(1) })).rejects.toMatchObject({
      param: 'spec.options.files',
    });
  });
});

describe('a hostile zip', () => {
  const entry = { 'SKILL.md': bytes(md) };
  const link = (1 << 31) | (0o120777 << 16);
  const patched = (input: Buffer, change: (copy: Buffer) => void): Buffer => {
    const copy = Buffer.from(input);
    change(copy);
    return copy;
  };
  it.each<[string, Buffer, RegExp]>([
    ['leads out of the folder', zip({ ...entry, '../evil': bytes('x') }), /relative path|leads out/],
    ['leads out from within', zip({ ...entry, 'a/../../evil': bytes('x') }), /relative path|leads out/],
    ['is absolute', zip({ ...entry, '/etc/passwd': bytes('x') }), /absolute path/],
    ['is absolute as on Windows', zip({ ...entry, 'C:/x': bytes('x') }), /absolute path/],
    ['has backslashes', zip({ ...entry, '..\\evil': bytes('x') }), /invalid characters|characters/],
    ['is a link', zip({ ...entry, link: [bytes('/etc/passwd'), { os: 3, attrs: link }] }), /link/],
    ['is a bomb', zip({ ...entry, 'big.txt': new Uint8Array(200 * 1024 * 1024) }), /larger than/],
    [
      'has too many files',
      zip({ ...entry, ...Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`f${index}`, bytes('')])) }),
      /more than 512/,
    ],
    ['has one name twice', zip({ ...entry, 'A.txt': bytes('1'), 'a.txt': bytes('2') }), /same name on a file system that ignores case/],
    ['has a file beside a folder of its name', zip({ ...entry, a: bytes('1'), 'A/b': bytes('2') }), /as a file and as a folder/],
    [
      'has names that are one on some systems',
      zip({ ...entry, 'straße.txt': bytes('1'), 'STRASSE.txt': bytes('2') }),
      /same name on a file system that ignores case/,
    ],
    ['has a folder in two spellings', zip({ ...entry, 'a/b': bytes('1'), 'A/c': bytes('2') }), /folders "A" and "a"/],
    ['is none', Buffer.from('not a zip at all, not at all, not a zip'), /cannot be read as a zip/],
    ['is cut', zip(entry).subarray(0, 120), /cannot be read as a zip/],
    [
      'lies about sizes',
      patched(zip({ 'SKILL.md': [bytes(md), { level: 9 }] }), (copy) => copy.writeUInt32LE(3, copy.lastIndexOf('PK\u0001\u0002') + 24)),
      /zip|larger than it says/,
    ],
    ['is protected', patched(zip(entry), (copy) => copy.writeUInt16LE(1, copy.lastIndexOf('PK\u0001\u0002') + 8)), /password|encrypted/],
    ['has control characters', zip({ ...entry, 'a\nb': bytes('x') }), /characters/],
  ])('because it %s is refused with a reason', async (_why, given, words) => {
    await expect(readZip(given)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringMatching(words) as string });
  });

  it('because it has no SKILL.md, or one that is not text, is refused too', async () => {
    expect(() => skillOfFolder([{ path: 'a', bytes: Buffer.from('') }], null, 'm')).toThrow('no SKILL.md');
    expect(() => skillOfFolder([{ path: 'SKILL.md', bytes: Buffer.from([0xff, 0xfe, 0x00]) }], null, 'm')).toThrow('no UTF-8');
  });
});

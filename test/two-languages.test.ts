/** Holds each page that exists in English and Chinese to the same structure, commands, settings and links. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFiles, projectRoot } from './architecture/source-tree.ts';

const pages: readonly (readonly [english: string, chinese: string])[] = [
  ['README.md', 'README.zh-CN.md'],
  ...['quickstart', 'access', 'providers', 'skills', 'mcp', 'clients', 'deployment', 'operations', 'console', 'scaling'].map(
    (name) => [`docs/${name}.md`, `docs/zh/${name}.md`] as const,
  ),
];

interface Section {
  readonly title: string;
  readonly level: number;
  /** The text without code blocks. */
  readonly prose: string;
  /** Language and content, without comments: those are translated. */
  readonly blocks: readonly string[];
}

/** A comment of a shell, of YAML or of TypeScript; lines with `# →` show output and stay. */
const withoutComments = (code: string): string => code.replaceAll(/(^|[ \t]+)(#(?! →)|\/\/) .*$/gm, '').replaceAll(/\n{2,}/g, '\n');

function sectionsOf(page: string): Section[] {
  const sections: { title: string; level: number; prose: string; blocks: string[] }[] = [{ title: '', level: 0, prose: '', blocks: [] }];
  const text = readFileSync(join(projectRoot, page), 'utf8');
  for (const part of text.split(/(^ *```[^]*?^ *```$)/m)) {
    const block = /^ *```(\w+)\n([^]*?)^ *```$/m.exec(part);
    const last = (): (typeof sections)[number] => sections.at(-1) ?? { title: '', level: 0, prose: '', blocks: [] };
    if (block !== null) {
      // A diagram is translated, because its labels are words.
      last().blocks.push(block[1] === 'mermaid' ? 'mermaid' : `${block[1]}\n${withoutComments(block[2] ?? '')}`);
      continue;
    }
    for (const line of part.split('\n')) {
      const heading = /^(#+) (.*)$/.exec(line);
      if (heading === null) last().prose += `${line}\n`;
      else sections.push({ title: heading[2] ?? '', level: heading[1]?.length ?? 0, prose: '', blocks: [] });
    }
  }
  return sections;
}

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

/** Inline code without placeholders in words, such as `<token>`. */
const codeIn = (prose: string): string[] => sorted([...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? ''));

const settingsIn = (prose: string): string[] => sorted([...prose.matchAll(/\bPAILOU_[A-Z_]*[A-Z]\b/g)].map(([setting]) => setting));

/** The rows of each table: the cells that hold a mark such as A, ✓ or -, and how many cells there are. */
const tablesIn = (prose: string): string[][] =>
  [...prose.matchAll(/(?:^\|.*\|$\n?)+/gm)].map(([table]) =>
    table
      .trim()
      .split('\n')
      .map((row) => {
        const cells = row
          .replaceAll(/\\\||`[^`]*`/g, '')
          .split('|')
          .slice(1, -1);
        return `${cells.length}: ${cells.map((cell) => (/^([A-Z]|[✓✗–-])$/.test(cell.trim()) ? cell.trim() : '')).join('|')}`;
      }),
  );

const listItemsIn = (prose: string): number => [...prose.matchAll(/^ *(?:[-*]|\d+\.) /gm)].length;

const englishOf = (path: string): string => (path === 'README.zh-CN.md' ? 'README.md' : path.replace(/^docs\/zh\//, 'docs/'));

/** Targets of links; a Chinese page counts as its English twin, an anchor as the position of its heading. */
function linksIn(page: string, prose: string): string[] {
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
  return sorted(
    targets.flatMap((target) => {
      if (/^https?:/.test(target)) return [target];
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      const twin = englishOf(file);
      const own = englishOf(page);
      if (twin === own && anchor === undefined) return [];
      if (anchor === undefined) return [twin];
      const position = sectionsOf(file).findIndex(({ title }) => slugOf(title) === anchor);
      expect(position, `${page} links to ${target}: there is no such heading`).toBeGreaterThan(-1);
      return [`${twin}#${position}`];
    }),
  );
}

const slugOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

describe.each(pages)('%s and %s', (english, chinese) => {
  const [one, other] = [sectionsOf(english), sectionsOf(chinese)];
  const both = one.map((section, index) => ({ section, twin: other[index] ?? { title: '', level: 0, prose: '', blocks: [] } }));

  it('have the same headings', () => {
    const outline = (sections: readonly Section[]): number[] => sections.map(({ level }) => level);
    expect(outline(other), `${chinese} has another structure than ${english}: ${other.map(({ title }) => title).join(' / ')}`).toEqual(
      outline(one),
    );
    expect(one.length).toBeGreaterThan(3);
  });

  it('have the same code, commands and settings in each section', () => {
    for (const { section, twin } of both) {
      expect(twin.blocks, `the blocks under "${section.title}" and "${twin.title}"`).toEqual(section.blocks);
      expect(codeIn(twin.prose), `the inline code under "${section.title}" and "${twin.title}"`).toEqual(codeIn(section.prose));
      expect(settingsIn(twin.prose), `the settings under "${section.title}" and "${twin.title}"`).toEqual(settingsIn(section.prose));
    }
  });

  it('have the same tables, lists and links in each section', () => {
    for (const { section, twin } of both) {
      expect(tablesIn(twin.prose), `the tables under "${section.title}" and "${twin.title}"`).toEqual(tablesIn(section.prose));
      expect(listItemsIn(twin.prose), `the lists under "${section.title}" and "${twin.title}"`).toBe(listItemsIn(section.prose));
      expect(linksIn(chinese, twin.prose), `the links under "${section.title}" and "${twin.title}"`).toEqual(
        linksIn(english, section.prose),
      );
    }
  });

  it('is Chinese with Chinese punctuation', () => {
    const prose = other
      .map((section) => `${section.title}\n${section.prose}`)
      .join('\n')
      .replaceAll(/`[^`]*`|\]\([^)]*\)/g, '');
    expect(
      [...prose.matchAll(/.{0,10}\p{Script=Han}[,;:!?].{0,10}/gu)].map(([found]) => found),
      'half-width punctuation',
    ).toEqual([]);
    expect(
      [...prose.matchAll(/.{0,10}(?:\p{Script=Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Script=Han}).{0,10}/gu)].map(([found]) => found),
      'no space between Chinese and Latin',
    ).toEqual([]);
    expect(
      [...prose.matchAll(/[^\n|]{0,10}\p{Script=Han}\n *\p{Script=Han}.{0,10}/gu)].map(([found]) => found),
      'a line break in a sentence is shown as a space',
    ).toEqual([]);
    const sentences = prose.split('\n').filter((line) => line.trim().length > 40 && !/^[|<-]/.test(line));
    expect(
      sentences.filter((line) => !/\p{Script=Han}/u.test(line)),
      'left in English',
    ).toEqual([]);
  });
});

it('every page in docs/zh is held to its English twin', () => {
  const chinese = pages.map(([, page]) => page);
  expect(listFiles('docs/zh').filter((page) => page.endsWith('.md') && !chinese.includes(page))).toEqual([]);
});

/** The built-in skills on scripted models: their requests, accepted answers and refusals. */
import { describe, expect, it } from 'vitest';
import classify from '../../../src/extensions/skills/classify.ts';
import codeGeneration from '../../../src/extensions/skills/code-generation.ts';
import docSummary from '../../../src/extensions/skills/doc-summary.ts';
import translate from '../../../src/extensions/skills/translate.ts';
import type { Json } from '../../../src/types/json.ts';
import type { Plugin } from '../../../src/types/plugin.ts';
import { endlessPdf, makePdf } from './document-builders.ts';
import { makeSkill, play } from './scripted-run.ts';

const make = (plugin: unknown, options: object = {}) => makeSkill(plugin as Plugin<'skill', never>, options);

describe('doc-summary', () => {
  it('gives every part the focus, and only the last one the form of the summary', async () => {
    const skill = await make(docSummary, { piece_chars: 1_000 });
    const text = `# A\n${'word '.repeat(180)}\n# B\n${'word '.repeat(180)}`;
    const { asked } = await play(skill, { text, instructions: 'Only dates', language: 'French' }, () => ({ summary: 's', key_points: [] }));
    const systems = asked.map(({ body }) => (body['messages'] as { content: string }[])[0]?.content ?? '');
    expect(systems.length).toBeGreaterThan(2);
    expect(systems.every((system) => system.includes('Only dates'))).toBe(true);
    expect(systems.filter((system) => system.includes('Write in French'))).toEqual([systems.at(-1)]);
  });

  const pages = Array.from({ length: 40 }, (_, index) => `Page ${index + 1} says ${'something '.repeat(60)}`);
  const document = { base64: makePdf(pages).toString('base64') };
  const numbersIn = (text: string): number[] => [...text.matchAll(/\[(\d+)[:,\]]/g)].map(([, number]) => Number(number));

  it('refuses a file that takes longer to read than its row allows', async () => {
    const skill = await make(docSummary, { read_seconds: 1 });
    const endless = { base64: endlessPdf().toString('base64') };
    await expect(play(skill, { document: endless }, () => ({}))).rejects.toThrow('input.document took longer than 1 s to read');
  });

  it('reads all parts, merges until one summary is left, and cites pages that it has read', async () => {
    const skill = await make(docSummary, { piece_chars: 4_000 });
    const { output, asked, steps } = await play(skill, { document, length: 'short', language: 'Chinese' }, ({ user }) => ({
      summary: `of ${numbersIn(user).length}`,
      key_points: [{ text: 'first', sections: [numbersIn(user)[0] ?? 0] }],
    }));
    expect(output.sections).toBe(40);
    expect(output.key_points).toEqual([{ text: 'first', sources: ['page 1'] }]);
    const reads = asked.filter(({ body }) => JSON.stringify(body['messages']).includes('summarise a document'));
    expect(new Set(reads.flatMap(({ body }) => numbersIn(JSON.stringify(body['messages']))))).toEqual(
      new Set(Array.from({ length: 40 }, (_, index) => index + 1)),
    );
    expect(JSON.stringify(asked.at(-1)?.body)).toContain('Write in Chinese.');
    expect(JSON.stringify(asked.at(-1)?.body)).toContain('at most 3 sentences');
    expect(steps.some((step) => step.startsWith('parts joined'))).toBe(true);
  });

  it('cites the lines of a long text without headings', async () => {
    const skill = await make(docSummary);
    const text = Array.from({ length: 300 }, (_, index) => `Entry ${index + 1} of the log: nothing happened.`).join('\n');
    const { output } = await play(skill, { text }, ({ user }) => {
      const at = user.indexOf('Entry 250 ');
      const number = Number([...user.slice(0, at).matchAll(/^\[(\d+): lines/gm)].at(-1)?.[1]);
      return { summary: 's', key_points: [{ text: 'p', sections: [number] }] };
    });
    const [, first, last] = /^lines (\d+)–(\d+)$/.exec(output.key_points[0].sources[0]) ?? [];
    expect(Number(first)).toBeLessThanOrEqual(250);
    expect(Number(last)).toBeGreaterThanOrEqual(250);
    expect(Number(last) - Number(first)).toBeLessThan(100);
    const short = await play(skill, { text: 'Hello.' }, () => ({ summary: 's', key_points: [{ text: 'p', sections: [1] }] }));
    expect(short.output).toMatchObject({ sections: 1, key_points: [{ sources: ['beginning'] }] });
  });

  it('cites pages by number, even after empty ones', async () => {
    const skill = await make(docSummary);
    const given = { base64: makePdf(['one', '', 'three', 'four']).toString('base64') };
    const { output, asked } = await play(skill, { document: given }, ({ turn }) => ({
      summary: 's',
      key_points: [{ text: 'p', sections: [turn === 1 ? 2 : 3] }],
    }));
    expect(JSON.stringify(asked[1]?.body['messages'])).toContain('there is no section 2');
    expect(output).toMatchObject({ key_points: [{ sources: ['page 3'] }], sections: 3 });
  });

  it('accepts no source that does not exist', async () => {
    const skill = await make(docSummary);
    const { asked, output } = await play(skill, { text: '# One\nwords' }, ({ turn }) => ({
      summary: 's',
      key_points: [{ text: 'p', sections: [turn === 1 ? 9 : 1] }],
    }));
    expect(JSON.stringify(asked[1]?.body['messages'])).toContain('there is no section 9');
    expect(output.key_points).toEqual([{ text: 'p', sources: ['One'] }]);
  });
});

describe('code-generation', () => {
  const said = (...files: { path: string; content: string }[]): Json => ({ files, explanation: 'e' });

  it('returns files with valid syntax, and repairs the others', async () => {
    const skill = await make(codeGeneration);
    const right = [
      { path: 'src/a.ts', content: 'export const a: number = 1;\n' },
      { path: 'b.json', content: '{"b":1}' },
      { path: 'c.py', content: 'whatever(' },
    ];
    const { output, asked } = await play(skill, { task: 'add' }, ({ turn }) =>
      turn === 1 ? said({ path: 'a.ts', content: 'const = ;' }) : said(...right),
    );
    expect(JSON.stringify(asked[1]?.body['messages'])).toContain('a.ts has a syntax error');
    expect(output).toEqual({ files: right, explanation: 'e', checked: ['src/a.ts', 'b.json'] });
  });

  it.each(['../a.ts', '/etc/passwd', 'a/../../b', 'C:\\x', 'a\u0000b', './a'])('refuses the path %j', async (path) => {
    await expect(play(await make(codeGeneration), { task: 'x' }, () => said({ path, content: '' }))).rejects.toMatchObject({
      code: 'output_invalid',
    });
  });

  it('removes a code fence from a file, except from Markdown', async () => {
    const skill = await make(codeGeneration, { repairs: 0 });
    const fence = '```';
    const content = `${fence}python\nprint(1)\n${fence}`;
    const two = `${content}\n${content}`;
    const files = [{ path: 'a.py', content }, { path: 'a.md', content }, { path: 'a.txt', content: two }]; // prettier-ignore
    const { output } = await play(skill, { task: 'x' }, () => said(...files));
    expect(output.files.map((file: { content: string }) => file.content)).toEqual(['print(1)', content, two]);
    expect(output.checked).toEqual(['a.py']);
  });

  it('executes nothing of the checked code', async () => {
    const skill = await make(codeGeneration);
    const key = 'pailouRan';
    await play(skill, { task: 'x' }, () => said({ path: 'a.js', content: `globalThis.${key} = 1; process.exit(1)` }));
    expect(globalThis).not.toHaveProperty(key);
  });
});

describe('translate', () => {
  it('refuses a glossary that would be searched at length for every chunk', async () => {
    const terms = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`term ${index}`, 'x']));
    const skill = await make(translate);
    await expect(play(skill, { text: 'Hello', glossary: terms(5_001) }, () => 'x')).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'input.glossary',
    });
    expect((await play(skill, { text: 'Hello', glossary: terms(5_000) }, () => 'Hallo')).text).toBe('Hallo');
    await expect(make(translate, { glossary: terms(5_001) })).rejects.toThrow('must not hold more than 5000 terms');
  });

  it('tracks code blocks, retries empty answers, and accepts no part as the whole', async () => {
    const text = `# One\n\n\`\`\`js\n${'let a = 1;\n'.repeat(80)}\`\`\`\n\n${'word '.repeat(200)}`;
    const skill = await make(translate, { piece_chars: 500 });
    const seen = await play(skill, { text, to: 'German' }, ({ user, turn }) => (turn === 1 ? ' ' : user));
    expect(seen.text).toBe(text);
    const within = seen.asked.map(({ body }) => JSON.stringify(body['messages']).includes('within a block of code'));
    expect(within).toContain(true);
    expect(within[0]).toBe(false);
    await expect(play(skill, { text: 'x' }, () => '')).rejects.toMatchObject({ code: 'output_invalid' });
    await expect(play(skill, { text: ' \n ' }, () => 'x')).rejects.toMatchObject({ param: 'input.text' });
    await expect(play(skill, { text: 'One. Two.' }, () => 'Eins. Zw', { reason: 'length' })).rejects.toMatchObject({
      code: 'output_truncated',
      expose: { best_attempt: 'Eins. Zw' },
    });
  });

  it('removes a code fence around a translation whose source had none', async () => {
    const fence = '```';
    const answer = `${fence}markdown\n# Hello\n\nWorld\n${fence}`;
    expect((await play(await make(translate), { text: '# Hallo\n\nWelt\n' }, () => answer)).text).toBe('# Hello\n\nWorld\n');
    const code = `${fence}\nHallo\n${fence}`;
    expect((await play(await make(translate), { text: code }, () => answer)).text).toBe(answer);
  });

  it('reads files too', async () => {
    const document = { base64: makePdf(['Hello page']).toString('base64') };
    expect((await play(await make(translate), { document, to: 'German' }, ({ user }) => user.toUpperCase())).text).toBe('HELLO PAGE');
  });

  it('keeps every space between chunks, and gives each chunk only its own terms', async () => {
    const text = `  First paragraph about Suzhou.\n\n\n${'Second sentence. '.repeat(60)}\n- item\n`;
    const skill = await make(translate, { piece_chars: 500, glossary: { Suzhou: '苏州', Beijing: '北京' } });
    const { text: out, asked } = await play(skill, { text, to: 'Chinese' }, ({ user }) => user.toUpperCase());
    expect(out).toBe(text.toUpperCase());
    expect(JSON.stringify(asked[0]?.body['messages'])).toContain('Suzhou = 苏州');
    expect(JSON.stringify(asked)).not.toContain('北京');
    expect(asked.length).toBeGreaterThan(2);
  });
});

describe('classify', () => {
  it('accepts labels as plain names, and reads the start of files', async () => {
    const skill = await make(classify, { labels: ['good', { name: 'bad', description: 'not good' }], most_chars: 100 });
    const document = { base64: makePdf([`Fine ${'word '.repeat(100)}`]).toString('base64') };
    const { asked, output } = await play(skill, { document }, () => ({ labels: ['good'], confidence: 1, reason: 'r' }));
    expect(output.labels).toEqual(['good']);
    const [system, user] = (asked[0]?.body['messages'] ?? []) as { content: string }[];
    expect(system?.content).toContain('- good\n- bad: not good');
    expect(user?.content.length).toBeLessThan(110);
  });

  it.each<[Json, Json]>([
    [
      { labels: ['BUG '], confidence: 0.9, reason: 'r' },
      { labels: ['Bug'], confidence: 0.9, reason: 'r' },
    ],
    [
      { label: 'Bug', confidence: '0.9', reason: 'r' },
      { labels: ['Bug'], confidence: 0.9, reason: 'r' },
    ],
    [
      { labels: 'bug', confidence: 95, reason: 'r' },
      { labels: ['Bug'], confidence: 0.95, reason: 'r' },
    ],
    [
      { labels: ['Bug'], confidence: '1 %', reason: 'r' },
      { labels: ['Bug'], confidence: 0.01, reason: 'r' },
    ],
    [
      { labels: ['Wish'], confidence: 1, reason: 'r' },
      { labels: ['Wish'], confidence: 1, reason: 'r' },
    ],
  ])('accepts %j as its label', async (said, output) => {
    const skill = await make(classify, { labels: ['Bug', 'Wish', 'wish'], repairs: 0 });
    expect((await play(skill, { text: 'x' }, () => said)).output).toEqual(output);
  });

  it('distinguishes labels that differ only in case', async () => {
    const skill = await make(classify, { labels: ['Wish', 'wish'], repairs: 0 });
    const said = { labels: ['WISH'], confidence: 1, reason: 'r' };
    await expect(play(skill, { text: 'x' }, () => said)).rejects.toThrow('labels[0] must be one of "Wish", "wish"');
  });

  it('returns only given labels', async () => {
    const skill = await make(classify, { labels: [{ name: 'bug' }, { name: 'wish' }] });
    const { output, asked } = await play(skill, { text: 'It crashes.' }, ({ turn }) => ({
      labels: [turn === 1 ? 'crash' : 'bug'],
      confidence: 0.9,
      reason: 'r',
    }));
    expect(output).toEqual({ labels: ['bug'], confidence: 0.9, reason: 'r' });
    expect(asked).toHaveLength(2);
    const own = await play(skill, { text: 'x', labels: ['a', { name: 'b', description: 'B!' }], several: true }, () => ({
      labels: ['b', 'a'],
      confidence: 1,
      reason: '',
    }));
    expect(own.output.labels).toEqual(['b', 'a']);
    await expect(play(await make(classify), { text: 'x' }, () => '')).rejects.toMatchObject({ param: 'input.labels' });
  });
});

describe('labels', () => {
  it.each<[(string | object)[], string]>([
    [[], 'Too small'],
    [['bug', { name: 'bug' }], '"bug" occurs twice'],
  ])('of the row that are empty or duplicates are refused: %j', (labels, message) => {
    const { error } = classify.options.safeParse({ labels });
    expect(error?.issues[0]).toMatchObject({ path: ['labels'], message: expect.stringContaining(message) as string });
  });

  it('of the input that are duplicates are refused', async () => {
    await expect(play(await make(classify), { text: 'x', labels: ['a', 'a'] }, () => '')).rejects.toThrow('input.labels names "a" twice.');
  });
});

it('a text with a file, or neither, gives a clear error', async () => {
  const skill = await make(docSummary);
  const both = { text: 'x', document: { base64: 'eA==' } };
  await expect(play(skill, {}, () => ({}))).rejects.toThrow('input.text is missing: give a text there, or a file as input.document.');
  await expect(play(skill, { txt: 'x' }, () => ({}))).rejects.toThrow('a file as input.document ("txt" is not a field here).');
  await expect(play(skill, both, () => ({}))).rejects.toThrow(
    'input.text is there beside input.document: give one of the two, a text or a file (wishes beside a file go into input.instructions).',
  );
  await expect(play(await make(translate), both, () => ({}))).rejects.toThrow('(words beside a file are not read by this skill).');
});

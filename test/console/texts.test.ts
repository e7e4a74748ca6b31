/** The texts of the console: both languages have the same keys, each key is used, and each error code of the gateway has a sentence. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fillText } from '../../console/src/i18n/fill-text.ts';
import { sentenceTable } from '../../src/admin/audit-sentences/read-sentences.ts';
import { words } from '../../src/admin/audit-sentences/words.ts';
import { advices } from '../../src/outbound/unreachable.ts';
import { errorTable } from '../../src/types/errors.ts';
import { listFiles, projectRoot } from '../architecture/source-tree.ts';

type Texts = Readonly<Record<string, string>>;

const files = listFiles('console/src');
const english = files.filter((path) => path.endsWith('texts.en.json'));
const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const textsOf = (path: string): Texts => JSON.parse(read(path)) as Texts;
const placeholders = (text: string): string[] => (text.match(/\{[a-z]+\}/gi) ?? []).toSorted();

/** The sources that may use the texts: those of the folder; the texts of a layer may be used by the layers above. */
function usersOf(path: string): string {
  const folder = dirname(path);
  const base = folder === 'console/src/components' || folder.startsWith('console/src/components/') ? 'console/src' : folder;
  return files
    .filter((each) => each.startsWith(`${base}/`) && /\.tsx?$/.test(each))
    .map(read)
    .join('\n');
}

function isUsed(key: string, sources: string): boolean {
  if (sources.includes(`'${key}'`)) return true;
  const dot = key.indexOf('.');
  // A family of keys is read by its prefix: t(`theme.${choice}`).
  return dot > 0 && sources.includes('`' + key.slice(0, dot) + '.${');
}

describe.each(english)('%s', (path) => {
  const chinesePath = path.replace('.en.json', '.zh.json');

  it('has the same keys, with the same values to fill in, in Chinese', () => {
    expect(existsSync(join(projectRoot, chinesePath))).toBe(true);
    const [en, zh] = [textsOf(path), textsOf(chinesePath)];
    expect(Object.keys(zh)).toEqual(Object.keys(en));
    for (const [key, text] of Object.entries(en)) expect(placeholders(zh[key] ?? ''), key).toEqual(placeholders(text));
  });

  it('holds Chinese in the Chinese file and none in the English one', () => {
    const chinese = /[\u4e00-\u9fff]/;
    expect(Object.entries(textsOf(path)).filter(([, text]) => chinese.test(text))).toEqual([]);
    const withoutWords = Object.entries(textsOf(chinesePath)).filter(
      ([, text]) => !chinese.test(text) && /[a-z]{4}/.test(text.replace(/\{\w+\}/g, '')),
    );
    expect(withoutWords).toEqual([]);
  });

  it('has no key that nothing uses', () => {
    // These are read by the code of the answer; tests below compare them with the tables of the gateway.
    if (/(?:error|reason|sentence)-texts\.en\.json$/.test(path)) return;
    const sources = usersOf(path);
    expect(Object.keys(textsOf(path)).filter((key) => !isUsed(key, sources))).toEqual([]);
  });
});

it('has a sentence in both languages for each reason why an address cannot be reached', () => {
  // A test of a draft also names the status 404.
  const reasons = [...Object.keys(advices), 'not_found'].map((reason) => `reason.${reason}`);
  expect(Object.keys(textsOf('console/src/components/reason-texts.en.json')).toSorted()).toEqual(reasons.toSorted());
});

it('has a text in both languages for each sentence of the audit and each of its words, in English that of the gateway', () => {
  const own = { refused_by: '{code}: ', verbatim: '{text}' };
  const sentences = Object.entries({ ...sentenceTable, ...own }).map(([code, text]) => [code, text.replace('{then}', '')]);
  const said = [...new Set(Object.values(words).flat())].map((word) => [`word.${word}`, word]);
  const ofConsole = textsOf('console/src/pages/audit/sentence-texts.en.json');
  expect(ofConsole).toEqual(Object.fromEntries([...sentences, ...said]));
});

it('has a sentence in both languages for each error code of the gateway', () => {
  const own = ['unreachable', 'not_json', 'unknown'];
  for (const language of ['en', 'zh']) {
    const keys = Object.keys(textsOf(`console/src/components/error-texts.${language}.json`));
    expect(keys.toSorted()).toEqual([...Object.keys(errorTable), ...own].toSorted());
  }
});

it('fills in the words that go with a number, also where it is written with separators, and leaves an unknown name', () => {
  const text = '{count} {count|model is|models are} added';
  const filled = [1, '1', 0, 2, '1,234', '21'].map((count) => fillText(text, { count }));
  expect(filled).toEqual([
    '1 model is added',
    '1 model is added',
    '0 models are added',
    '2 models are added',
    '1,234 models are added',
    '21 models are added',
  ]);
  expect(fillText(text, {})).toBe(text);
});

it('writes no plural beside a number that may be one', () => {
  const counted = /\{(?:count|runs|days|changes|unchanged|entries|tools|resources|prompts|amount)\} [a-z]+s\b/;
  expect(english.flatMap((path) => Object.values(textsOf(path)).filter((text) => counted.test(text)))).toEqual([]);
});

/** The codes of audit details: every sentence that the gateway writes into the audit has one, and is read back with its parameters. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, it } from 'vitest';
import { readSentences, sentenceTable } from '../../src/admin/audit-sentences/read-sentences.ts';
import { words } from '../../src/admin/audit-sentences/words.ts';
import { listFiles, projectRoot } from '../architecture/source-tree.ts';

interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value;

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const each of value) yield* nodesOf(each);
  else if (isNode(value)) {
    yield value;
    for (const [field, child] of Object.entries(value)) if (field !== 'parent') yield* nodesOf(child);
  }
}

const nameOf = (node: unknown): string => {
  if (!isNode(node)) return '';
  if (node.type === 'Identifier') return node['name'] as string;
  return node.type === 'MemberExpression' ? nameOf(node['property']) : '';
};

/** What stands for a value that only a running gateway knows. */
const samples: Readonly<Record<string, string>> = {
  'only.kind': 'model',
  'reasons.type': words.because[0],
  code: 'token_invalid',
  action: 'use',
  act: 'create',
  title: 'model',
  kind: 'tool',
  param: 'team',
  subject_type: 'user',
  before: 'closed',
  state: 'open',
  by: 'calls',
  reason: 'Sample.',
};

/** The possible texts of an expression; empty when its text is not in the file. */
function textsOf(expression: unknown, variables: ReadonlyMap<string, readonly unknown[]>): string[] {
  if (!isNode(expression)) return [];
  switch (expression.type) {
    case 'Literal':
      return typeof expression['value'] === 'string' ? [expression['value']] : [];
    case 'ConditionalExpression':
      return [...textsOf(expression['consequent'], variables), ...textsOf(expression['alternate'], variables)];
    case 'Identifier':
      return (variables.get(nameOf(expression)) ?? []).flatMap((each) => textsOf(each, variables));
    case 'CallExpression':
      return nameOf(expression['callee']) === 'slice' ? textsOf((expression['callee'] as Node)['object'], variables) : [];
    case 'TemplateLiteral': {
      const quasis = (expression['quasis'] as Node[]).map((each) => (each['value'] as { cooked: string }).cooked);
      let texts = [quasis[0] ?? ''];
      for (const [index, value] of (expression['expressions'] as Node[]).entries()) {
        const sample = samples[`${nameOf(value['object'])}.${nameOf(value)}`] ?? samples[nameOf(value)];
        const found = sample === undefined ? textsOf(value, variables) : [sample];
        const values = found.length > 0 ? found : ['sample'];
        texts = texts.flatMap((text) => values.map((each) => text + each + (quasis[index + 1] ?? '')));
      }
      return texts;
    }
    default:
      return [];
  }
}

const refused = ['permission_denied', 'token_invalid', 'token_expired', 'sign_in_failed'];
const propertyOf = (object: unknown, name: string): unknown =>
  isNode(object) && object.type === 'ObjectExpression'
    ? (object['properties'] as Node[]).find((each) => nameOf(each['key']) === name)?.['value']
    : undefined;

/** The expressions of a file that become details of the audit. */
function* detailsIn(file: string, program: unknown): Generator<unknown> {
  for (const node of nodesOf(program)) {
    const args = (node['arguments'] ?? []) as readonly unknown[];
    const callee = nameOf(node['callee']);
    const [first] = args;
    // A caller who connects an account is signed in, and only a denial of such a caller is audited.
    const isConnecting = /(?:user|mcp)-accounts\.ts$/.test(file);
    if (
      !isConnecting &&
      node.type === 'NewExpression' &&
      callee === 'GatewayError' &&
      isNode(first) &&
      refused.includes(first['value'] as string)
    )
      yield args[1];
    if (node.type === 'CallExpression') {
      if (callee === 'change') yield args[2];
      if (callee === 'sendChangedRow') yield args[5];
      if (file === 'src/config/service.ts' && callee === 'write') yield args[1];
      if (callee === 'append' || callee === 'book') yield propertyOf(first, 'detail');
      if (callee === 'apply' || callee === 'change') for (const each of args) yield propertyOf(each, 'summary');
      const isThrower = file.startsWith('src/auth/') && !/discovery|issuer-(?:settings|spec)|issuers|shared-secret|device/.test(file);
      if (isThrower && ['invalid', 'failed', 'refused'].includes(callee)) yield first;
      if (isThrower && callee === 'denied') yield args.at(-1);
    }
    if (file.startsWith('src/auth/decide') && node.type === 'ObjectExpression') {
      const allowed = propertyOf(node, 'allowed');
      if (isNode(allowed) && allowed['value'] === false) yield propertyOf(node, 'reason');
    }
  }
}

/** Parts of a sentence that is written in two. */
const isWhole = (text: string): boolean => text.includes(' ') && !text.startsWith(' ');

function detailsOf(file: string): string[] {
  const { program, errors } = parseSync(file, readFileSync(join(projectRoot, file), 'utf8'));
  expect(errors, file).toEqual([]);
  const variables = new Map<string, unknown[]>();
  for (const node of nodesOf(program)) {
    if (node.type !== 'VariableDeclarator') continue;
    const name = nameOf(node['id']);
    variables.set(name, [...(variables.get(name) ?? []), node['init']]);
  }
  return [...detailsIn(file, program)].flatMap((each) => textsOf(each, variables)).filter(isWhole);
}

const isUnread = (detail: string): boolean => {
  const found = readSentences('refused', detail);
  return found.length === 0 || found[0]?.code === 'verbatim';
};

describe('the sentences of the audit', () => {
  it('are all in the table, wherever the gateway writes one', () => {
    const details = listFiles('src')
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => detailsOf(file).map((detail) => ({ file, detail })));
    expect(details.length).toBeGreaterThan(150);
    expect(
      details.filter(({ detail }) => isUnread(detail)),
      'A new sentence goes into a table of src/admin/audit-sentences/, and in both languages into sentence-texts of the audit page.',
    ).toEqual([]);
    const codes = new Set(details.flatMap(({ detail }) => readSentences('denied', detail).map(({ code }) => code)));
    // Those of which this test reads too little, and those that only earlier versions wrote.
    const unseen = [
      'row_chosen',
      'row_transferred',
      'row_created',
      'row_deleted',
      'values_sealed',
      'key_for_others',
      'name_reserved',
      'prefix_reserved',
      'tag_reserved',
    ];
    expect(Object.keys(sentenceTable).filter((code) => !codes.has(code))).toEqual(unseen);
  });

  it.each(Object.entries(sentenceTable))('%s is read back with its parameters', (code, sentence) => {
    const names = [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const choices = (name: string): readonly string[] =>
      Object.hasOwn(words, name) ? words[name as keyof typeof words] : ['model/a-b', 'gpt 4 "x"', '模型'];
    const most = Math.max(1, ...names.map((name) => choices(name).length));
    for (let turn = 0; turn < most; turn++) {
      const params = Object.fromEntries(names.map((name) => [name, choices(name)[turn % choices(name).length] ?? '']));
      const text = sentence.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
      const [found, reason] = readSentences('denied', text);
      const { then, ...own } = params;
      expect(found, text).toEqual({ code, params: own });
      expect(reason).toEqual(then === undefined ? undefined : { code: 'verbatim', params: { text: then } });
    }
  });

  it('follow their error code and their own reason, and leave the words of people alone', () => {
    expect(readSentences('refused', 'token_expired: The token has expired. Fetch a new one.')).toEqual([
      { code: 'refused_by', params: { code: 'token_expired' } },
      { code: 'token_expired', params: {} },
    ]);
    expect(
      readSentences('denied', 'You may not use model/gpt: You have no grant to use it. Ask its owner or an administrator for one.'),
    ).toEqual([
      { code: 'may_not', params: { action: 'use', capability: 'model/gpt' } },
      { code: 'no_grant', params: { action: 'use' } },
    ]);
    expect(readSentences('refused', 'token_invalid: Something else.')[1]).toEqual({
      code: 'verbatim',
      params: { text: 'Something else.' },
    });
    expect(readSentences('block', 'Only administrators may do this.')).toEqual([]);
    expect(readSentences('create', 'a sentence of another version')).toEqual([]);
    expect(readSentences('create', null)).toEqual([]);
  });

  it('are read in proportion to the length of a detail', () => {
    const hostile = `You may not use ${'a: You may not use '.repeat(100)}`.slice(0, 2_000);
    expect(readSentences('denied', hostile).length).toBeLessThan(150);
    expect(readSentences('denied', 'x'.repeat(2_001))).toEqual([]);
  });
});

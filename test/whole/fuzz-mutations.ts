/** Chance that can be had again: a seed, and what it makes of tokens and bodies. */

export interface Random {
  /** From 0 to below `limit`. */
  readonly below: (limit: number) => number;
  readonly of: <T>(choices: readonly T[]) => T;
}

/** The seed of this run: a new one each time, unless PAILOU_FUZZ_SEED asks for an old one. */
export const seed = Number(process.env['PAILOU_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Mulberry32. */
export function randomFrom(start: number): Random {
  let state = start | 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return { below, of: (choices) => choices[below(choices.length)] as (typeof choices)[number] };
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const strange = ['.', '..', '=', '+', '/', '%00', ',', ';', '"', "'", '\u00e9', '~', '\\', '{}', '${x}', "' or 1=1--", '../'];

function splice(text: string, at: number, gone: number, put: string): string {
  return text.slice(0, at) + put + text.slice(at + gone);
}

function randomText({ below }: Random, length: number): string {
  return Array.from({ length }, () => letters[below(64)]).join('');
}

function changeJson(segment: string, change: (value: Record<string, unknown>) => void): string {
  try {
    const value = JSON.parse(Buffer.from(segment, 'base64url').toString()) as Record<string, unknown>;
    change(value);
    return Buffer.from(JSON.stringify(value)).toString('base64url');
  } catch {
    return `${segment}A`;
  }
}

const words: readonly unknown[] = [
  'admin',
  ['admin'],
  '*',
  'llm:*:*',
  '',
  null,
  true,
  0,
  -1,
  9e15,
  [],
  {},
  'none',
  'HS256',
  'RS256',
  'ES256',
  'EdDSA',
  'k1',
  '../k1',
  '__proto__',
  'https://evil.example',
  ['https://gate.example'],
  9_999_999_999,
  '9999999999',
  { $ne: null },
];
const claims = [
  'sub',
  'roles',
  'scope',
  'tenant_id',
  'exp',
  'nbf',
  'iat',
  'aud',
  'iss',
  'jti',
  'permissions',
  'authorities',
  'nonce',
  'azp',
];
const headers = ['alg', 'kid', 'typ', 'crit', 'jwk', 'jku', 'x5c', 'b64', 'zip'];

/** Another text than `token`, mostly very much like it. `others` are good ones too. */
export function mutateToken(fromSeed: Random, token: string, others: readonly string[]): string {
  const { below, of } = fromSeed;
  const segments = token.split('.');
  const at = below(token.length);
  const part = below(segments.length);
  const withPart = (change: (segment: string) => string): string =>
    segments.map((segment, index) => (index === part ? change(segment) : segment)).join('.');
  const ways: readonly (() => string)[] = [
    () => splice(token, at, 1, letters[below(64)] ?? ''),
    () => splice(token, token.length - 1 - below(3), 1, letters[below(64)] ?? ''),
    () => splice(token, at, 1 + below(4), ''),
    () => splice(token, at, 0, of(strange)),
    () => token.slice(0, at),
    () => token + of([...strange, randomText(fromSeed, 1 + below(20)), '.', `.${token}`]),
    () => splice(token, at, 2, `${token[at + 1] ?? ''}${token[at] ?? ''}`),
    () => withPart(() => of(others).split('.')[part] ?? ''),
    () => withPart(() => randomText(fromSeed, below(120))),
    () => withPart((segment) => changeJson(segment, (value) => void (value[of(part === 0 ? headers : claims)] = of(words)))),
    () => withPart((segment) => changeJson(segment, (value) => delete value[of(part === 0 ? headers : claims)])),
    () => withPart((segment) => segment.replaceAll('-', '+').replaceAll('_', '/')),
    () => withPart((segment) => `${segment}${'='.repeat(1 + below(3))}`),
    () =>
      withPart((segment) => {
        const bytes = Buffer.from(segment, 'base64url');
        if (bytes.length > 0) bytes[below(bytes.length)] = below(256);
        return bytes.toString('base64url');
      }),
    () => randomText(fromSeed, below(200)),
    () => token.toLowerCase(),
    () => [segments[1], segments[0], segments[2]].join('.'),
  ];
  const mutated = of(ways)();
  return below(5) === 0 && mutated !== '' ? mutateToken(fromSeed, mutated, others) : mutated;
}

const oddities: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e21,
  -0,
  2 ** 53,
  '',
  ' ',
  'x',
  '***',
  '__proto__',
  "'; drop table llm_model_config; --",
  '%_%',
  '\u0000',
  '\ud800',
  '\u202e\u200b',
  '=HYPERLINK("x")',
  'line\r\nbreak',
  '{{input}}',
  '${x}',
  '../../etc/passwd',
  'model/*',
  '*',
  '#',
  'http://169.254.169.254/',
  'file:///etc/passwd',
  'javascript:1',
  'x'.repeat(5_000),
  [],
  {},
  [[]],
  [null],
  { $sealed: 'x' },
  { constructor: { prototype: { x: 1 } } },
  { toString: 'x' },
  Array.from({ length: 500 }, () => 1),
  '2026-99-99T00:00:00Z',
  '1e999',
];
const fields = [
  'tenant',
  'tenant_id',
  'owner',
  'id',
  'roles',
  'created_by',
  'revision',
  'enabled',
  '__proto__',
  'constructor',
  'name',
  'spec',
  'x',
];

/** A copy with something else at one place of it. */
function changeWithin(fromSeed: Random, value: unknown): unknown {
  const { below, of } = fromSeed;
  if (typeof value !== 'object' || value === null || below(6) === 0) {
    if (typeof value === 'string' && below(2) === 0) return splice(value, below(value.length + 1), below(2), of(strange));
    return structuredClone(of(oddities));
  }
  if (Array.isArray(value)) {
    const copy = [...(value as unknown[])];
    const choice = copy.length === 0 ? 0 : below(5);
    if (choice === 0) copy.push(of(oddities));
    else if (choice === 1) copy.splice(below(copy.length), 1);
    else {
      const at = below(copy.length);
      copy[at] = changeWithin(fromSeed, copy[at]);
    }
    return copy;
  }
  const entries = Object.entries(value);
  const choice = below(8);
  if (entries.length === 0 || choice === 0) entries.push([of(fields), of(oddities)]);
  else if (choice === 1) entries.splice(below(entries.length), 1);
  else {
    const entry = of(entries);
    entry[1] = changeWithin(fromSeed, entry[1]);
  }
  return Object.fromEntries(entries);
}

/** The text of a body that is not `body`, or no longer JSON. */
export function mutateBody(fromSeed: Random, body: unknown): string {
  const { below, of } = fromSeed;
  let changed = body;
  for (let left = 1 + below(3); left > 0; left--) changed = changeWithin(fromSeed, changed);
  const text = JSON.stringify(changed) ?? 'null';
  const at = below(text.length);
  switch (below(12)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return splice(text, at, 1, of(['"', '{', '[', ',', ':', '\\', '\u0000', '1', 'e', '\\u0000', '\\ud800']));
    case 2:
      return text.replace('{', `{${JSON.stringify(of(fields))}:${JSON.stringify(of(oddities))},`);
    case 3:
      return text.replace('{', '{"__proto__":{"polluted":true},');
    default:
      return text;
  }
}

/** So many at once. */
export async function inParallel(count: number, width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

/** The file of OAuth2 services: each error names the field and the remedy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { issuersFromSettings } from '../../src/auth/issuers.ts';
import { readSettings } from '../../src/config/settings.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-issuers-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = join(folder, 'oauth.yaml');
  await writeFile(file, text);
  return issuersFromSettings(readSettings({ PAILOU_OAUTH_SERVICES: file }).oauth);
}

it('describes several services; secrets may be in files of their own', async () => {
  await writeFile(join(folder, 'secret'), 'of the client\n');
  const [first, second] = await read(`
issuers:
  - issuer: https://sso.company.cn
    audiences: [pailou]
    role_map: { "7": admin }
  - issuer: ry
    preset: ruoyi
    base_url: http://10.0.0.5:8080/
    insecure_any_audience: true
    client: { id: pailou, secret_file: ${join(folder, 'secret')} }
`);
  expect(first).toMatchObject({ issuer: 'https://sso.company.cn', tokens: 'jwt', mapping: { roleMap: { '7': 'admin', ADMIN: 'admin' } } });
  expect(second).toMatchObject({
    issuer: 'ry',
    tokens: 'opaque',
    lookups: [{ url: 'http://10.0.0.5:8080/getInfo' }],
    client: { secret: 'of the client' },
  });
});

const one = 'issuers:\n  - issuer: https://sso.company.cn\n    audiences: [pailou]\n';
it.each([
  ['nothing', '', /: must be an object/],
  ['no issuer', 'issuers: []', /^PAILOU_OAUTH_SERVICES: \S+: issuers: /],
  ['what is not YAML', 'issuers: [', /^PAILOU_OAUTH_SERVICES: .* is neither YAML nor JSON/],
  ['an unknown field', `${one}    lookup: userinfo\n`, /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.lookup: is not a field here/],
  ['an unknown preset', `${one}    preset: keyclock\n`, /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.preset: .*did you mean keycloak/],
  ['a poisonous name', `${one}    role_map: { __proto__: { admin: admin } }\n`, /not allowed/],
  ['no audience', 'issuers:\n  - issuer: https://sso.company.cn\n', /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.audiences: /],
  [
    'a name without an address',
    'issuers:\n  - issuer: sso\n    audiences: [pailou]\n',
    /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.base_url: /,
  ],
  ['the same one twice', `${one}${one.slice('issuers:\n'.length)}`, /"https:\/\/sso\.company\.cn" is listed twice/],
  [
    'opaque tokens and nobody to ask',
    `${one}    tokens: opaque\n    lookups: []\n`,
    /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.lookups: /,
  ],
  [
    'opaque tokens of two',
    `${one}    preset: ruoyi\n  - issuer: https://b.cn\n    preset: ruoyi\n    audiences: [x]\n`,
    /only one of them may have opaque tokens/,
  ],
  [
    'a question that needs a client',
    `${one}    lookups: [{ kind: introspection }]\n`,
    /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.client: /,
  ],
  [
    'both secret and file',
    `${one}    client: { id: a, secret: b, secret_file: c }\n`,
    /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.client: write either secret or secret_file/,
  ],
  [
    'a secret file that is away',
    `${one}    client: { id: a, secret_file: /nowhere/x }\n`,
    /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.client\.secret_file: .*cannot be read/,
  ],
  ['tokens without issuer and keys by discovery', `${one}    issuer_claim: absent\n`, /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.keys: /],
  [
    'a file address',
    `${one}    lookups: [{ kind: http, url: "file:///etc/passwd" }]\n`,
    /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.lookups\[0\]\.url: must be http/,
  ],
  [
    'a query for everybody',
    `${one}    lookups: [{ kind: sql, url: "postgres://x/y", queries: { roles: "select code from r" } }]\n`,
    /^PAILOU_OAUTH_SERVICES: \S+: issuers\[0\]\.lookups\[0\]\.queries\.roles: .*:subject or :username/,
  ],
  ['another database', `${one}    lookups: [{ kind: sql, url: "oracle://x/y", queries: {} }]\n`, /only PostgreSQL .* and MySQL/],
])('refuses %s', async (_name, text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});

it('excludes the variables for a single service', () => {
  expect(() => readSettings({ PAILOU_OAUTH_SERVICES: 'x', PAILOU_OAUTH_ISSUER: 'https://a.cn', PAILOU_OAUTH_AUDIENCE: 'a' })).toThrow(
    /PAILOU_OAUTH_SERVICES.*leave out PAILOU_OAUTH_ISSUER, PAILOU_OAUTH_AUDIENCE/,
  );
});

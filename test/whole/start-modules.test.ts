/** What a start loads. Modules cost time and memory on every node, so those of unused features are loaded on first use. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { audience, makeKey, startOauthService } from '../auth/oauth-service.ts';
import { startGateway, startProcess } from './gateway.ts';

/** Each serves one feature that a fresh gateway does not use. */
const unused = [
  '@fastify/ajv-compiler',
  '@fastify/busboy',
  '@fastify/fast-json-stringify-compiler',
  '@fastify/static',
  '@fastify/swagger',
  '@fastify/swagger-ui',
  '@lezer/common',
  '@modelcontextprotocol/client',
  '@modelcontextprotocol/node',
  '@modelcontextprotocol/server',
  '@redis/client',
  '@smithy/eventstream-codec',
  'ajv',
  'fflate',
  'htmlparser2',
  'mammoth',
  'minisearch',
  'mysql2',
  // Node's `fetch`, which every import of `node:http` loads.
  'node:internal/deps/undici/undici',
  'oidc-provider',
  'openid-client',
  'pg',
  're2js',
  // Everything that undici has; the start loads parts of it.
  'undici/index.js',
  'unpdf',
  'yaml',
  'yauzl',
];

it('a production gateway that is ready has loaded no package of a feature that is not used', async () => {
  await using service = await startOauthService([await makeKey('k1')]);
  let list = '';
  {
    await using gateway = await startGateway(
      {
        PAILOU_MODE: 'production',
        PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
        PAILOU_OAUTH_ISSUER: service.issuer,
        PAILOU_OAUTH_PRESET: 'generic',
        PAILOU_OAUTH_AUDIENCE: audience,
        NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'loaded-packages.ts')).href}`,
      },
      (env) => startProcess({ ...env, LOADED_PACKAGES: join(env['PAILOU_DATA_DIR'] ?? '', 'packages') }),
    );
    await gateway.gateway.stop();
    list = await readFile(join(gateway.dataDir, 'packages'), 'utf8');
  }
  const loaded = list.split('\n');
  expect(loaded).toEqual(expect.arrayContaining(['fastify', 'node:http']));
  expect(unused.filter((name) => loaded.includes(name))).toEqual([]);
});

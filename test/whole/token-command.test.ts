/** `pailou token` in development: people of several tenants, to try what one tenant shares with another. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { cli } from './files-scene.ts';
import { node, runEnv, startGateway } from './gateway.ts';

it('prints tokens of two tenants, of which one uses what the other shares', async () => {
  await using gateway = await startGateway();
  const run = (...args: string[]) => promisify(execFile)(node, [cli, 'token', ...args], { env: { ...runEnv, ...gateway.env } });
  const as = async (args: string[], method: string, path: string, body?: unknown) =>
    gateway.as(null, method, path, body, { authorization: `Bearer ${(await run(...args)).stdout.trim()}` });
  const branch = ['--role', 'admin', '--tenant', 'branch-a'];

  expect((await as(branch, 'GET', '/api/me')).json).toMatchObject({ subject: 'admin@branch-a', tenant: 'branch-a', roles: ['admin'] });
  expect((await as(['--tenant', 'branch-a'], 'GET', '/api/me')).json).toMatchObject({ tenant: 'branch-a', roles: ['developer'] });
  expect((await as(['--role', 'user', '--tenant', 'default'], 'GET', '/api/me')).json).toMatchObject({ subject: 'user' });

  const spec = { deployments: [{ provider: 'demo', model: 'echo' }], shared_with: ['branch-a'] };
  expect((await gateway.as('admin', 'POST', '/api/models', { name: 'team-chat', spec })).status).toBe(201);
  const chat = { model: 'team-chat', messages: [{ role: 'user', content: 'Hi' }] };
  expect((await as(branch, 'POST', '/v1/chat/completions', chat)).status).not.toBe(200);
  const grant = { subject_type: 'role', subject: 'admin', capability: 'model/team-chat', action: 'use' };
  expect((await as(branch, 'POST', '/api/grants', { spec: grant })).status).toBe(201);
  expect((await as(branch, 'POST', '/v1/chat/completions', chat)).status).toBe(200);

  await expect(run('--tenant', 'a b')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('--tenant is a name') });
}, 240_000);

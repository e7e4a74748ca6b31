/** The application layer without HTTP: one model call, one skill run and one tool call, on the layers as main.ts composes them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Caller, requireModel, requireServer, requireSkill } from '../../src/application/caller.ts';
import { parseChat } from '../../src/application/chat/chat-body.ts';
import { invokeModel } from '../../src/application/models/invoke-model.ts';
import { createRequiredPermissions } from '../../src/application/required-permissions.ts';
import { invokeSkill } from '../../src/application/skills/invoke-skill.ts';
import { invokeTool } from '../../src/application/tools/invoke-tool.ts';
import { readSettings } from '../../src/config/settings.ts';
import { composeLayers } from '../../src/main.ts';
import { wholeText } from '../../src/streaming/text-events.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { permissionCodes, type Principal } from '../../src/types/access.ts';
import { freePort } from '../whole/gateway.ts';

const owned = new AsyncDisposableStack();
let layers: Awaited<ReturnType<typeof composeLayers>>;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pailou-test-'));
  const settings = readSettings({ PAILOU_DATA_DIR: dataDir, PAILOU_IDENTITY_PORT: String(await freePort()) });
  layers = await composeLayers(settings, createLogger('silent'), owned);
});

afterAll(async () => {
  await owned.disposeAsync();
  await rm(dataDir, { recursive: true });
});

function callerWith(permissions: readonly (typeof permissionCodes)[number][] = permissionCodes): Caller {
  const snapshot = layers.config.current();
  const principal: Principal = {
    subject: 'developer',
    username: 'Developer',
    tenant: 'default',
    roles: ['developer'],
    permissions: new Set(permissions),
    client: null,
    issuer: layers.issuers[0]?.issuer ?? '',
    credential: 'token',
    expiresAt: Infinity,
  };
  const view = snapshot.tenant('default');
  return {
    principal,
    requestId: 'r1',
    revision: snapshot.revision,
    view,
    grants: () => view.grants,
    signal: new AbortController().signal,
    cacheControl: undefined,
    subjectToken: () => null,
    needs: createRequiredPermissions(),
    setHeaders: () => {},
  };
}

const hello = () => parseChat({ model: 'demo/echo', messages: [{ role: 'user', content: 'Hello, layers!' }] }, null);

it('a model call answers and is recorded with its usage', async () => {
  const caller = callerWith();
  const call = await invokeModel(layers.calls, caller, requireModel(caller, 'demo/echo'), hello().request, { stream: false });
  expect(await wholeText(call.events)).toContain('Hello, layers!');
  expect(call.run.usage?.outputTokens).toBeGreaterThan(0);
});

it('a skill run answers with the rights of its caller', async () => {
  const caller = callerWith();
  const call = await invokeSkill(layers.calls, caller, requireSkill(caller, 'demo-greeting'), { name: 'Ada' }, { stream: false });
  expect(await wholeText(call.events)).toContain('Ada');
});

it('a tool call reaches its server', async () => {
  const caller = callerWith();
  const server = requireServer(caller, 'demo');
  await layers.calls.catalogue.refresh(server);
  const result = await invokeTool(layers.calls, caller, server, 'calculate', { expression: '6 * 7' });
  expect(JSON.stringify(result.content)).toContain('42');
});

it('a caller without the code is refused before anything is spent', () => {
  const caller = callerWith(['llm:skill:use']);
  expect(() => requireModel(caller, 'demo/echo')).toThrow('llm:model:use');
});

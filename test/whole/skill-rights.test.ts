/** Rights of skills: those of the caller, limited by the row. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type TestGateway } from './gateway.ts';
import { calling, type SkillScene, skill, startSkillScene } from './skill-scene.ts';
import { startToolServer } from './tool-server.ts';
import { answerOk, type Vendor } from './vendor.ts';

let scene: SkillScene;
let gateway: TestGateway;
let vendor: Vendor;
let make: SkillScene['make'];
let run: SkillScene['run'];
let chat: SkillScene['chat'];
let mcp: SkillScene['mcp'];

beforeAll(async () => {
  scene = await startSkillScene();
  ({ gateway, vendor, make, run, chat, mcp } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => vendor.behave((request, response) => answerOk(request, response, 'Gardens.')));

describe('the rights', () => {
  it('of a skill are limited by its row, whatever its input contains', async () => {
    const steps = [{ id: 'a', with: { prompt: 'x', tools: '{{input.tools}}' } }];
    const spec = { kind: 'pipeline', description: 'd', model: 'scripted', options: { input_schema: { type: 'object' }, steps } };
    await make('open-handed', spec);
    await make('handed', { ...spec, tools: ['mcp/demo/calculate', 'skill/city'] });
    const [all, one] = [
      { type: 'mcp', server_label: 'demo' },
      { type: 'mcp', server_label: 'demo', allowed_tools: ['calculate'] },
    ];
    const city = { type: 'skill', name: 'city' };
    for (const [name, tools, status] of [
      ['open-handed', [one], 403],
      ['open-handed', [city], 403],
      ['handed', [all], 403],
      ['handed', [one, city], 200],
    ] as const)
      expect((await run(name, { tools })).status, `${name} ${JSON.stringify(tools)}`).toBe(status);
  });

  it.each([
    ['city', 200, 400],
    ['secret', 404, 404],
  ])('of a key for the skill city reach back to runs of %s: %d', async (name, status, afterwards) => {
    const key = (await gateway.as('developer', 'POST', '/api/keys', { capabilities: ['skill/city'] })).json.key as string;
    const asKey = (method: string, path: string) => gateway.as(null, method, path, undefined, { authorization: `Bearer ${key}` });
    if (name === 'secret') await make('secret', skill());
    const started = await run(name, { city: 'x' }, { async: true });
    const path = `/v1/runs/${started.json.id}`;
    await eventually(
      async () => (await gateway.as('developer', 'GET', path)).json,
      (runView) => runView.status === 'completed',
    );
    expect((await asKey('GET', path)).status).toBe(status);
    expect((await asKey('GET', `${path}?stream=true`)).status).toBe(status);
    expect((await asKey('DELETE', path)).status).toBe(afterwards);
  });

  it.each(['chat', 'skill'])('that were revoked while the model answers call no tool (%s)', async (way) => {
    const grant = async (capability: string) =>
      (await gateway.as('admin', 'POST', '/api/grants', { spec: { subject_type: 'user', subject: 'user', capability, action: 'use' } }))
        .json.name as string;
    const name = `thinking-${way}`;
    await using tools = await startToolServer();
    await gateway.as('admin', 'POST', '/api/mcp-servers', { name, spec: { kind: 'http', options: { url: tools.url } } });
    await eventually(
      async () => (await gateway.as('admin', 'GET', `/api/mcp-servers/${name}/items`)).json.data as unknown[],
      (items) => items.length > 0,
    );
    await make(name, skill({ tools: [`mcp/${name}`] }));
    const grants = [await grant(`mcp/${name}`), await grant('model/scripted'), await grant(`skill/${name}`)];
    const remove = async (each: string | undefined) =>
      expect((await gateway.as('admin', 'DELETE', `/api/grants/${each}`)).status).toBeLessThan(300);
    const [asked, thought] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    vendor.behave(async (request, response) => {
      asked.resolve();
      await thought.promise;
      calling(`${name}__say`, {})(request, response);
    });
    const server = { type: 'mcp', server_label: name };
    const answer =
      way === 'chat'
        ? chat({ model: 'scripted', messages: [{ role: 'user', content: 'go' }], tools: [server] }, 'user')
        : run(name, { city: 'Suzhou' }, {}, 'user');
    await asked.promise;
    await remove(grants.shift());
    thought.resolve();
    expect((await answer).text).toContain(`You may not use mcp/${name}/say`);
    expect(tools.inputs).toEqual([]);
    for (const each of grants) await remove(each);
  });

  describe('by every way', () => {
    const needs = ['skill/rich', 'model/scripted', 'mcp/desk/calculate', 'skill/inner', 'model/second'];
    const input = { city: 'x' };
    const message = { role: 'user', content: JSON.stringify(input) };
    const asRun = (more: object) => async () => {
      const { status, text } = await run('rich', input, more, 'user');
      return { status, text };
    };
    const post = (path: string, body: object) => async () => {
      const { status, text } = await gateway.as('user', 'POST', path, body);
      return { status, text };
    };
    const ways: Record<string, () => Promise<{ status: number; text: string }>> = {
      run: asRun({}),
      'streamed run': asRun({ stream: true }),
      'run in the background': asRun({ async: true }),
      'chat completions': post('/v1/chat/completions', { model: 'skill/rich', messages: [message] }),
      responses: post('/v1/responses', { model: 'skill/rich', input: message.content }),
      messages: post('/v1/messages', { model: 'skill/rich', max_tokens: 9, messages: [message] }),
      'tool of a chat': post('/v1/chat/completions', {
        model: 'scripted',
        messages: [{ role: 'user', content: 'go' }],
        tools: [{ type: 'skill', name: 'rich' }],
      }),
      'tool at /mcp': async () => {
        await using client = await mcp('user');
        const answer = await client.callTool({ name: 'skill__rich', arguments: input }).catch((error: Error) => error);
        if (!(answer instanceof Error)) return { status: answer.isError === true ? 500 : 200, text: JSON.stringify(answer) };
        return { status: /There is no/.test(answer.message) ? 404 : 403, text: answer.message };
      },
      'another skill': async () => {
        const { status, text } = await run('around', input, {}, 'user');
        return { status, text };
      },
    };
    const grants = new Map<string, string>();
    const grant = async (capability: string): Promise<void> => {
      const spec = { subject_type: 'role', subject: 'user', capability, action: 'use' };
      grants.set(capability, (await gateway.as('admin', 'POST', '/api/grants', { spec })).json.name as string);
    };

    beforeAll(async () => {
      const second = { deployments: [{ provider: 'vendor', model: 'm' }] };
      expect((await gateway.as('admin', 'POST', '/api/models', { name: 'second', spec: second })).status).toBe(201);
      // The demo's own server is granted to all roles.
      const demo = (await gateway.as('admin', 'GET', '/api/mcp-servers/demo')).json;
      expect((await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'desk', spec: demo.spec })).status).toBe(201);
      await make('inner', skill({ model: 'second' }));
      await make('rich', skill({ tools: ['mcp/desk/calculate', 'skill/inner'] }));
      await make('around', skill({ tools: ['skill/rich'] }));
      for (const capability of ['skill/around', ...needs]) await grant(capability);
    });

    afterAll(async () => {
      await Promise.all([...grants.values()].map((name) => gateway.as('admin', 'DELETE', `/api/grants/${name}`)));
    });

    it.each(Object.keys(ways))(
      '%s: works with all rights, and is refused in words for want of any one, before anything is asked',
      async (way) => {
        const call = ways[way] as (typeof ways)[string];
        const allowed = await call();
        expect(allowed.status, allowed.text).toBe(way === 'run in the background' ? 202 : 200);
        for (const capability of needs) {
          expect((await gateway.as('admin', 'DELETE', `/api/grants/${grants.get(capability)}`)).status).toBe(204);
          vendor.requests.length = 0;
          const refused = await call();
          await grant(capability);
          // Invisible items are not found; others are denied by name.
          expect([403, 404], `${capability}: ${refused.status} ${refused.text}`).toContain(refused.status);
          expect(refused.text).toContain(capability.split('/').at(-1) === 'calculate' ? 'desk/calculate' : capability.split('/')[1]);
          expect(vendor.requests.length, `${capability}: asked`).toBe(0);
        }
      },
    );
  });

  it('are the caller’s, with an error for a missing one, hidden where it may not be seen', async () => {
    await make('outer', skill({ tools: ['skill/city'] }));
    await gateway.as('admin', 'POST', '/api/mcp-servers', {
      name: 'nowhere',
      spec: { kind: 'http', options: { url: 'https://127.0.0.1:1' } },
    });
    await make('reaching', skill({ tools: ['mcp/nowhere/read'] }));
    expect((await gateway.as('admin', 'DELETE', '/api/mcp-servers/nowhere')).status).toBe(204);
    expect((await run('reaching', { city: 'x' })).status).toBe(404);
    expect((await run('city', { city: 'x' }, {}, 'viewer')).status).toBe(403);
    const grant = { subject_type: 'role', subject: 'user', capability: 'skill/outer', action: 'use' };
    expect((await gateway.as('admin', 'POST', '/api/grants', { spec: grant })).status).toBe(201);
    const denied = await run('outer', { city: 'x' }, {}, 'user');
    expect(denied.status).toBe(403);
    expect(denied.json.error).toMatchObject({ code: 'permission_denied' });
    await using client = await mcp('user');
    const names = (await client.listTools()).tools.map(({ name }) => name).filter((name) => /^skill__(city|outer|ping)$/.test(name));
    expect(names).toEqual(['skill__outer']);
    await expect(client.callTool({ name: 'skill__city', arguments: { city: 'x' } })).rejects.toThrow();
    const asTool = await chat(
      { model: 'scripted', messages: [{ role: 'user', content: 'go' }], tools: [{ type: 'skill', name: 'city' }] },
      'user',
    );
    expect(asTool.status).toBe(403);
  });
});

it.each([
  [
    'a server',
    { tools: ['mcp/demo/calculate', 'mcp/dmo/calculate'] },
    'spec.tools[1]: there is no MCP server named "dmo". Did you mean "demo"?',
  ],
  ['a skill', { tools: ['skill/ctiy'] }, 'spec.tools[0]: there is no skill named "ctiy". Did you mean "city"?'],
  ['a version', { tools: ['skill/city@9.9.9'] }, 'spec.tools[0]: there is no skill named "city@9.9.9".'],
  ['a model', { tools: ['model/demo/ekko'] }, 'spec.tools[0]: there is no model named "demo/ekko". Did you mean "demo/echo"?'],
  [
    'a judge',
    { cases: [{ name: 'one', input: {}, expect: { judge: { model: 'scripte', question: 'Well?' } } }] },
    'spec.cases[0].expect.judge.model: there is no model named "scripte". Did you mean "scripted"?',
  ],
])('unknown %s is reported when the row is saved', async (_what, more, message) => {
  const made = await gateway.as('admin', 'POST', '/api/skills', { name: 'slip', spec: skill(more) });
  expect(made.json.error, made.text).toMatchObject({
    code: 'configuration_invalid',
    message,
    param: message.slice(0, message.indexOf(':')),
  });
  expect((await gateway.as('admin', 'PUT', '/api/skills/city', { spec: skill(more) })).json.error).toMatchObject({ message });
});

it('a skill may refer to itself and to another’s draft, and remains when its references are deleted', async () => {
  await make('others', skill());
  await make('selfish', skill({ tools: ['skill/selfish', 'skill/others@draft'] }));
  expect((await gateway.as('admin', 'DELETE', '/api/skills/others')).status).toBe(204);
  expect((await gateway.as('admin', 'GET', '/api/skills/selfish')).status).toBe(200);
  // The row may be changed and disabled; only new problems are reported.
  const tools = ['skill/selfish', 'skill/others@draft'];
  const off = await gateway.as('admin', 'PUT', '/api/skills/selfish', { spec: skill({ tools, title: 'Off' }), enabled: false });
  expect(off.status, off.text).toBe(200);
  const slip = await gateway.as('admin', 'PUT', '/api/skills/selfish', { spec: skill({ tools: [...tools, 'skill/ohters'] }) });
  expect(slip.json.error).toMatchObject({ param: 'spec.tools[2]' });
});

it('a tool that needs approval is refused within a skill, where no client can be asked', async () => {
  await make('paying', skill({ tools: ['mcp/demo/calculate'] }));
  const row = (await gateway.as('admin', 'GET', '/api/mcp-servers/demo')).json;
  await gateway.as('admin', 'PUT', '/api/mcp-servers/demo', { spec: { ...row.spec, approval: 'always' } });
  vendor.behave(calling('demo__calculate', { expression: '1+1' }));
  expect((await run('paying', { city: 'x' })).json.output).toContain('needs a person');
  await gateway.as('admin', 'PUT', '/api/mcp-servers/demo', { spec: row.spec });
});

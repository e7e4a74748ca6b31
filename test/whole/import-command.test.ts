/** `pailou import`: what LiteLLM's file and new-api's database become, applied to a gateway and called. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { companyDatabases } from '../auth/external-databases.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { documentsIn, specOf, startFolder } from './import-scene.ts';
import { startVendor } from './vendor.ts';

const operator = async (gateway: TestGateway) => ({ PAILOU_URL: gateway.url, PAILOU_TOKEN: await gateway.token('admin') });

const liteLlm = (url: string): string => `
model_list:
  - model_name: team-chat
    litellm_params: { model: openai/first, api_base: "${url}", api_key: sk-it's-secret, rpm: 60, tpm: 100000, weight: 3, timeout: 30, temperature: 0.2 }
    model_info: { input_cost_per_token: 2.5e-07, output_cost_per_token: 0.000001, cache_read_input_token_cost: 1e-8 }
  - model_name: team-chat
    litellm_params: { model: openai/second, api_base: "${url}", api_key: sk-it's-secret, order: 2 }
  - model_name: spare
    litellm_params: { model: openai/third, api_base: "${url}", api_key: os.environ/SPARE_KEY }
  - model_name: claude
    litellm_params: { model: anthropic/claude-sonnet-4-5 }
  - model_name: on-azure
    litellm_params: { model: azure/gpt, api_base: https://x.openai.azure.com, api_version: "2025-01-01", api_key: os.environ/AZURE_KEY }
  - model_name: on-aws
    litellm_params: { model: bedrock/converse/anthropic.claude-v2, aws_region_name: eu-central-1, aws_access_key_id: AKIA, aws_secret_access_key: os.environ/AWS_SECRET }
  - model_name: vectors
    litellm_params: { model: text-embedding-3-small }
    model_info: { mode: embedding }
  - model_name: newest
    litellm_params: { model: openai/gpt-newest }
    model_info: { mode: responses }
  - model_name: "openai/*"
    litellm_params: { model: "openai/*" }
  - model_name: strange
    litellm_params: { model: watsonx/ibm/granite }
router_settings:
  routing_strategy: latency-based-routing
  num_retries: 2
  model_group_alias: { gpt-4: team-chat }
litellm_settings:
  fallbacks: [{ team-chat: [spare, gone] }]
  context_window_fallbacks: [{ team-chat: [claude] }]
  success_callback: [langfuse]
general_settings: { master_key: sk-1234 }
mcp_servers:
  My Wiki: { url: "https://wiki.example/mcp", transport: http, auth_type: bearer_token, auth_value: wiki-token, allowed_tools: [search] }
  files: { transport: stdio, command: npx, args: ["-y", "server"], env: { FILES_KEY: abc } }
guardrails: []
`;

it('a file of LiteLLM becomes providers, models with prices, routes and fallbacks, and MCP servers; the rest is named', async () => {
  await using folder = await startFolder();
  await writeFile(folder.at('config.yaml'), liteLlm('https://vendor.example/v1'));
  const { code, out, err } = await folder.pailou(['import', 'litellm', 'config.yaml', '--secrets', 'secrets.env']);
  expect(code).toBe(0);
  expect(out + err).not.toMatch(/it's-secret|wiki-token|abc\b/);
  const documents = documentsIn(out);
  expect(documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Provider openai',
    'Provider openai-2',
    'Provider anthropic',
    'Provider azure',
    'Provider bedrock',
    'Provider openai-3',
    'Model team-chat',
    'Model spare',
    'Model claude',
    'Model on-azure',
    'Model on-aws',
    'Model vectors',
    'Model newest',
    'Model gpt-4',
    'McpServer my-wiki',
    'McpServer files',
  ]);
  expect(specOf(documents, 'Provider', 'openai')).toEqual({
    kind: 'openai-compatible',
    options: { base_url: 'https://vendor.example/v1', api_key: '${env:IMPORTED_OPENAI_API_KEY}' },
  });
  expect(specOf(documents, 'Model', 'team-chat')).toEqual({
    operations: ['chat'],
    deployments: [
      {
        provider: 'openai',
        model: 'first',
        weight: 3,
        price: { currency: 'USD', input: '0.25', output: '1', cached_input: '0.01' },
        limits: { requests_per_minute: 60, tokens_per_minute: 100_000 },
      },
      { provider: 'openai', model: 'second', tier: 2 },
    ],
    limits: { total_ms: 30_000 },
    strategy: 'lowest-latency',
    retry: { same: 2 },
    fallbacks: [
      { on: ['overload', 'error'], model: 'spare' },
      { on: ['context_length'], model: 'claude' },
    ],
  });
  expect(specOf(documents, 'Provider', 'bedrock')).toEqual({
    kind: 'bedrock',
    options: { region: 'eu-central-1', access_key_id: 'AKIA', secret_access_key: '${env:AWS_SECRET}' },
  });
  expect(specOf(documents, 'Model', 'on-aws')).toMatchObject({ deployments: [{ model: 'anthropic.claude-v2' }] });
  expect(specOf(documents, 'Model', 'vectors')).toMatchObject({ operations: ['embeddings'] });
  expect(specOf(documents, 'Model', 'newest')).toMatchObject({ deployments: [{ model: 'gpt-newest', api: 'responses' }] });
  expect(specOf(documents, 'McpServer', 'my-wiki')).toMatchObject({ kind: 'http', allowed_tools: ['search'] });
  for (const left of [
    'openai/*: a wildcard',
    'strange: "watsonx/ibm/granite"',
    'temperature',
    'there is no model "gone"',
    'success_callback',
    'master_key',
    'guardrails',
    'PAILOU_STDIO_PROGRAMS',
  ])
    expect(err).toContain(left);
  expect(err).toContain('Set these variables before you apply: SPARE_KEY, ANTHROPIC_API_KEY, AZURE_KEY, AWS_SECRET, OPENAI_API_KEY');
  expect((await stat(folder.at('secrets.env'))).mode & 0o777).toBe(0o600);
  expect(await readFile(folder.at('secrets.env'), 'utf8')).toContain(`export IMPORTED_OPENAI_API_KEY='sk-it'\\''s-secret'`);
  await writeFile(folder.at('team.yaml'), out);
  expect(await folder.pailou(['validate', '-f', 'team.yaml'])).toMatchObject({ code: 0 });
});

it('what was imported from LiteLLM is applied in one step and answers, for the role that was named', async () => {
  await using vendor = await startVendor();
  await using gateway = await startGateway();
  await using folder = await startFolder();
  await writeFile(
    folder.at('config.yaml'),
    `model_list: [{ model_name: team/chat, litellm_params: { model: openai/first, api_base: "${vendor.url}", api_key: sk-1 } }]`,
  );
  const { out } = await folder.pailou(['import', 'litellm', 'config.yaml', '--grant', 'user']);
  await writeFile(folder.at('team.yaml'), out);
  const applied = await folder.pailou(['apply', '-f', 'team.yaml'], { ...(await operator(gateway)), IMPORTED_OPENAI_API_KEY: 'sk-1' });
  expect(applied).toMatchObject({ code: 0 });
  const answer = await gateway.as('user', 'POST', '/v1/chat/completions', {
    model: 'team/chat',
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(answer.status).toBe(200);
  expect(vendor.requests.at(-1)).toMatchObject({ headers: { authorization: 'Bearer sk-1' }, body: { model: 'first' } });
});

/** The tables of new-api, shortened to what is read. */
function newApiDatabase(path: string, url: string): void {
  const database = new DatabaseSync(path);
  database.exec(`create table channels (id integer primary key, type integer, "key" text, status integer, name text, weight integer, base_url text, other text,
    models text, "group" text, model_mapping text, priority integer);
    create table options ("key" text primary key, value text);
    create table users (id integer primary key); create table tokens (id integer primary key, "key" text);
    insert into users values (1), (2); insert into tokens values (1, 'abc')`);
  const add = database.prepare(
    'insert into channels (type, "key", status, name, weight, base_url, other, models, "group", model_mapping, priority) values (?,?,?,?,?,?,?,?,?,?,?)',
  );
  add.run(
    1,
    'sk-a\nsk-b',
    1,
    'Main channel',
    5,
    url.replace(/\/v1$/, ''),
    '',
    'gpt-x,dall-e-3',
    'default,vip',
    '{"gpt-x":"gpt-x-2026"}',
    10,
  );
  add.run(43, 'sk-deep', 2, '深度求索', 0, '', '', 'gpt-x', 'default', '', 0);
  add.run(2, 'mj', 1, 'drawings', 0, '', '', 'mj_imagine', 'default', '', 0);
  add.run(33, 'AKIA|aws-secret|us-east-1', 1, 'aws', null, null, '', 'claude', 'vip', null, null);
  const option = database.prepare('insert into options values (?, ?)');
  option.run('ModelRatio', '{"gpt-x":1.25}');
  option.run('CompletionRatio', '{"gpt-x":4}');
  option.run('CacheRatio', '{"gpt-x":0.1}');
  option.run('ModelPrice', '{"dall-e-3":0.04}');
  option.run('GroupRatio', '{"default":1,"vip":0.8}');
  database.close();
}

it('a database of new-api becomes a provider for each key, models in tiers with prices, and grants for its groups', async () => {
  await using vendor = await startVendor();
  await using gateway = await startGateway();
  await using folder = await startFolder();
  newApiDatabase(folder.at('one-api.db'), vendor.url);
  const { code, out, err } = await folder.pailou(['import', 'new-api', 'one-api.db', '--secrets', 'secrets.env']);
  expect(code).toBe(0);
  expect(out + err).not.toMatch(/sk-a|sk-b|sk-deep|aws-secret/);
  const documents = documentsIn(out);
  const price = { currency: 'USD', input: '2.5', output: '10', cached_input: '0.25' };
  expect(specOf(documents, 'Model', 'gpt-x')).toEqual({
    operations: ['chat'],
    deployments: [
      { provider: 'Main-channel', model: 'gpt-x-2026', weight: 5, tier: 0, price },
      { provider: 'Main-channel-2', model: 'gpt-x-2026', weight: 5, tier: 0, price },
      { provider: 'deepseek', model: 'gpt-x', tier: 1, enabled: false, price },
    ],
  });
  expect(specOf(documents, 'Model', 'dall-e-3')).toMatchObject({
    operations: ['images'],
    deployments: [{ price: { per_request: '0.04' } }, {}],
  });
  expect(
    documents.filter(({ kind }) => kind === 'Grant').map(({ spec }) => `${String(spec['subject'])} ${String(spec['capability'])}`),
  ).toEqual(['user model/gpt-x', 'vip model/gpt-x', 'user model/dall-e-3', 'vip model/dall-e-3', 'vip model/claude']);
  for (const left of ['Midjourney', 'users: 2 rows', 'tokens: 1 rows', 'GroupRatio', 'the roles vip']) expect(err).toContain(left);
  await writeFile(folder.at('team.yaml'), out);
  const secrets = Object.fromEntries(
    [...(await readFile(folder.at('secrets.env'), 'utf8')).matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  expect(await folder.pailou(['apply', '-f', 'team.yaml'], { ...(await operator(gateway)), ...secrets })).toMatchObject({ code: 0 });
  const answer = await gateway.as('user', 'POST', '/v1/chat/completions', { model: 'gpt-x', messages: [{ role: 'user', content: 'Hi' }] });
  expect(answer.status).toBe(200);
  expect(vendor.requests.at(-1)?.body).toMatchObject({ model: 'gpt-x-2026' });
});

describe.each(companyDatabases)('$name', ({ missing, open, name }) => {
  it.skipIf(missing)('holds a new-api that is read too', async () => {
    await using database = await open();
    await using folder = await startFolder();
    const quoted = (text: string): string => (name === 'MySQL' ? text.replaceAll('"', '`') : text);
    await database.run(
      quoted(
        'create table channels (id bigint, type bigint, "key" text, status bigint, name text, weight bigint, base_url text, other text, models text, "group" varchar(64), model_mapping text, priority bigint)',
      ),
      quoted('create table options ("key" varchar(64), value text)'),
      quoted(`insert into channels values (1, 14, 'sk-x', 1, 'Claude', 0, '', '', 'claude-a', 'default', '', 0)`),
      `insert into options values ('ModelRatio', '{"claude-a":1.5}')`,
    );
    const { code, out } = await folder.pailou(['import', 'new-api', database.url]);
    expect(code).toBe(0);
    expect(specOf(documentsIn(out), 'Provider', 'Claude')).toEqual({
      kind: 'anthropic',
      options: { api_key: '${env:IMPORTED_CLAUDE_API_KEY}' },
    });
    expect(specOf(documentsIn(out), 'Model', 'claude-a')).toMatchObject({ deployments: [{ price: { currency: 'USD', input: '3' } }] });
  });
});

it('no key is printed: not one in a header, nor in a line that cannot be read', async () => {
  await using folder = await startFolder();
  const params = 'model: openai/x, api_base: "https://x.example/v1", extra_headers: { authorization: "Bearer sk-hidden" }';
  await writeFile(folder.at('header.yaml'), `model_list: [{ model_name: a, litellm_params: { ${params} } }]`);
  const { out, err } = await folder.pailou(['import', 'litellm', 'header.yaml']);
  expect(specOf(documentsIn(out), 'Provider', 'openai')).toMatchObject({
    options: { headers: { authorization: '${env:IMPORTED_OPENAI_AUTHORIZATION}' } },
  });
  expect(out + err).not.toContain('sk-hidden');
  await writeFile(folder.at('broken.yaml'), 'model_list: [{ api_key: "sk-hidden" "x" }]');
  const broken = await folder.pailou(['import', 'litellm', 'broken.yaml']);
  expect([broken.code, broken.out]).toEqual([1, '']);
  expect(broken.err).toContain('broken.yaml: ');
  expect(broken.err).not.toContain('sk-hidden');
  for (const scheme of ['postgres', 'mysql']) {
    const { code, err: fault } = await folder.pailou(['import', 'new-api', `${scheme}://reader:sk-hidden@127.0.0.1:1/new-api`]);
    expect([code, fault]).toEqual([1, expect.stringContaining(`${scheme}://127.0.0.1:1/new-api: `)]);
    expect(fault).not.toContain('sk-hidden');
  }
});

it.each([
  [['litellm'], 2, 'Usage: pailou import'],
  [['other', 'x'], 2, 'Usage: pailou import'],
  [['litellm', 'missing.yaml'], 1, 'missing.yaml: there is no such file'],
  [['litellm', 'empty.yaml'], 1, 'empty.yaml: there is nothing to import'],
  [['litellm', 'settings.yaml'], 1, 'settings.yaml: there is nothing to import'],
  [['litellm', 'wrong.yaml'], 1, 'model_list: must be a list of models'],
  [['litellm', 'gbk.yaml'], 1, 'gbk.yaml: line 2 is not UTF-8'],
  [['new-api', 'missing.db'], 1, 'missing.db'],
  [['litellm', '.'], 1, '.: is a folder; name a file'],
  [['new-api', 'oracle://x/y'], 2, 'PostgreSQL'],
])('%j is refused in words, with exit code %i', async (args, code, words) => {
  await using folder = await startFolder();
  await writeFile(folder.at('wrong.yaml'), 'model_list: { a: 1 }');
  await writeFile(folder.at('empty.yaml'), '');
  await writeFile(folder.at('settings.yaml'), 'general_settings: {}');
  await writeFile(
    folder.at('gbk.yaml'),
    Buffer.from('model_list:\n- { model_name: \xcd\xc5, litellm_params: { model: openai/a } }\n', 'latin1'),
  );
  const refused = await folder.pailou(['import', ...args]);
  expect(refused.code).toBe(code);
  expect(refused.err).toContain(words);
  expect(refused.err).not.toContain('at async');
  expect(parse(refused.out)).toBeNull();
});

it('merge keys of a LiteLLM file count as written out, as its own reader has them', async () => {
  await using folder = await startFolder();
  const shared = 'shared: &shared { api_key: os.environ/TEAM_KEY, rpm: 70 }';
  const model = '  - { model_name: gpt, litellm_params: { <<: *shared, model: openai/gpt-4o } }';
  await writeFile(folder.at('config.yaml'), `${shared}\nmodel_list:\n${model}\n`);
  const { code, out, err } = await folder.pailou(['import', 'litellm', 'config.yaml']);
  expect([code, err.includes('<<')]).toEqual([0, false]);
  expect(out).toContain('${env:TEAM_KEY}');
  expect(out).toContain('70');
});

it('a wrong entry of a LiteLLM file, and a price that cannot be one, are named; the others are carried over and valid', async () => {
  await using folder = await startFolder();
  const prices = 'input_cost_per_token: 1e-300, output_cost_per_token: 1.3330000000000001e-07, input_cost_per_query: 1e300';
  await writeFile(
    folder.at('config.yaml'),
    `model_list:
  - { model_name: priced, litellm_params: { model: openai/gpt-4o, ${prices} } }
  - a text
  - { model_name: bare }
  - { model_name: list, litellm_params: [1] }
  - { model_name: good, litellm_params: { model: openai/gpt-4o } }
mcp_servers: { text: a text, wiki: { url: "https://wiki.example/mcp" } }
litellm_settings: { fallbacks: [ { good: priced }, { good: [priced] } ] }
`,
  );
  const { code, out, err } = await folder.pailou(['import', 'litellm', 'config.yaml']);
  expect(code).toBe(0);
  const documents = documentsIn(out);
  expect(specOf(documents, 'Model', 'priced')).toMatchObject({ deployments: [{ price: { currency: 'USD', output: '0.1333' } }] });
  expect(specOf(documents, 'Model', 'good')).toMatchObject({ fallbacks: [{ model: 'priced' }] });
  expect(specOf(documents, 'McpServer', 'wiki')).toBeDefined();
  for (const left of [
    'priced: input_cost_per_token: 1e-300',
    'priced: input_cost_per_query: 1e+300',
    'entry 2: must be a mapping',
    'entry 3: litellm_params must be a mapping',
    'entry 4: litellm_params must be a mapping',
    'mcp_servers: text',
    'fallbacks: {"good":"priced"}',
  ])
    expect(err).toContain(left);
  await writeFile(folder.at('team.yaml'), out);
  expect(await folder.pailou(['validate', '-f', 'team.yaml'], { OPENAI_API_KEY: 'x' })).toMatchObject({ code: 0 });
});

it('JSON of new-api that cannot be read is named, and its text is not printed', async () => {
  await using folder = await startFolder();
  using database = new DatabaseSync(folder.at('one-api.db'));
  database.exec(`create table channels (id integer primary key, type integer, "key" text, status integer, name text, weight integer,
    base_url text, other text, models text, "group" text, model_mapping text, priority integer);
    create table options ("key" text primary key, value text);
    insert into channels values (1, 14, 'sk-x', 1, 'Claude', 0, '', '', 'claude-a', 'default', '{not json', 0);
    insert into channels values (2, 14, 'sk-y', 1, 'Plain', 0, '', '', 'claude-a', 'default', 'null', 0);
    insert into channels values (3, 14, '', 1, 'No key', 0, '', '', 'claude-b', 'default', '', 0);
    insert into channels values (4, 4, '', 1, 'Local', 0, 'http://127.0.0.1:11434', '', 'qwen', 'default', '', 0);
    insert into options values ('CompletionRatio', '[1]'), ('ModelRatio', '{"claude-a": "1.5", "claude-b": "much"}')`);
  const { code, out, err } = await folder.pailou(['import', 'new-api', 'one-api.db']);
  expect(code).toBe(0);
  expect(err).toContain('channel "No key": it has no key');
  expect(err).not.toContain('"Local"');
  expect(err).toContain('options ModelRatio: "claude-b" is no number');
  expect(out).toMatch(/input: "?3"?\n/);
  expect(err).toContain('channel "Claude": its model_mapping is no JSON object');
  expect(err).toContain('options CompletionRatio: is no JSON object');
  expect(err).not.toMatch(/"Plain"|not json/);
});

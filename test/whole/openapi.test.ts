/** /openapi.json: valid for a public linter, complete, and true: its examples work and the answers fit. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';

// oxlint-disable-next-line no-explicit-any -- a document of every shape
type Any = any;

let gateway: TestGateway;
let document: Any;
let operations: { readonly method: string; readonly path: string; readonly operation: Any }[];

beforeAll(async () => {
  gateway = await startGateway();
  document = (await gateway.as('admin', 'GET', '/openapi.json')).json;
  operations = Object.entries<Any>(document.paths).flatMap(([path, item]) =>
    Object.entries<Any>(item).map(([method, operation]) => ({ method, path, operation })),
  );
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('the document', () => {
  it('has no error and no warning of a public linter with its recommended rules', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: '/openapi.json', config });
    expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer ?? ''}`)).toEqual([]);
  });

  it('names every operation once, and says what it is and how it fails', () => {
    expect(operations.length).toBeGreaterThan(120);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const poor = operations.filter(({ operation: { summary, responses } }) => {
      const statuses = Object.keys(responses);
      return summary === undefined || !statuses.some((each) => /^[123]/.test(each)) || !statuses.includes('400');
    });
    expect(poor.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    const open = operations.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path);
    expect(open).toEqual(expect.arrayContaining(['/livez', '/readyz']));
    expect(open.filter((path) => /^\/(api|v1)\//.test(path))).toEqual([]);
  });

  it('refers to nothing that is not in it', () => {
    const lost = new Set<string>();
    const visit = (value: Any): void => {
      if (typeof value !== 'object' || value === null) return;
      if (typeof value.$ref === 'string') {
        const target = value.$ref
          .slice(2)
          .split('/')
          .reduce((inner: Any, key: string) => inner?.[key], document);
        if (target === undefined) lost.add(value.$ref);
      }
      Object.values(value).forEach(visit);
    };
    visit(document);
    expect([...lost]).toEqual([]);
  });

  it('has the options of each kind, chosen by kind', async () => {
    const { kinds } = (await gateway.as('admin', 'GET', '/api/kinds')).json;
    for (const [path, type] of [
      ['/api/providers', 'provider'],
      ['/api/skills', 'skill'],
      ['/api/mcp-servers', 'mcp'],
    ] as const)
      for (const [at, method] of [
        [path, 'post'],
        [`${path}/{name}`, 'put'],
      ] as const) {
        const { spec } = document.paths[at][method].requestBody.content['application/json'].schema.properties;
        const names = kinds.filter((each: Any) => each.type === type).map(({ kind }: Any) => kind);
        expect(Object.keys(spec.discriminator.mapping)).toEqual(names);
        expect(spec.oneOf.length).toBe(names.length);
      }
    const { DeepseekProvider: deepseek } = document.components.schemas;
    expect(deepseek.properties.options).toMatchObject({
      required: ['api_key'],
      properties: { api_key: { writeOnly: true }, base_url: { default: 'https://api.deepseek.com' } },
    });
  });
});

describe('the examples', () => {
  /** Names that exist on a first start. */
  const named: Record<string, string> = {
    '/api/providers/{name}': '/api/providers/demo',
    '/api/models/{name}': '/api/models/demo%2Fecho',
    '/api/skills/{name}': '/api/skills/demo-greeting',
    '/api/mcp-servers/{name}': '/api/mcp-servers/demo',
    '/v1/skills/{name}/runs': '/v1/skills/demo-greeting/runs',
  };

  it('work as they stand, and the answers fit their schemas', async () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'https://pailou.example/openapi.json', components: document.components });
    const faults: string[] = [];
    let tried = 0;
    // Calls before rows: the limit of an example counts them too.
    for (const { method, path, operation } of operations.toSorted((one, other) => (one.path < other.path ? 1 : -1))) {
      const example = operation.requestBody?.content?.['application/json']?.example;
      if (example === undefined) continue;
      tried++;
      const { status, json, text } = await gateway.as('admin', method.toUpperCase(), named[path] ?? path, example);
      const schema = operation.responses[status]?.content?.['application/json']?.schema;
      if (status >= 300) faults.push(`${method} ${path}: ${status} ${text.slice(0, 300)}`);
      else if (operation.responses[status] === undefined) faults.push(`${method} ${path}: ${status} is not described`);
      if (status >= 300 || schema === undefined) continue;
      const whole = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"https://pailou.example/openapi.json#/components'));
      const validate = ajv.compile(whole);
      if (!validate(json)) faults.push(`${method} ${path}: ${ajv.errorsText(validate.errors)}`);
    }
    expect(faults).toEqual([]);
    expect(tried).toBeGreaterThan(18);
  });

  it('cover every call whose body is JSON and that a first start can answer', () => {
    const without = operations
      .filter(({ method, path }) => method === 'post' && path.startsWith('/v1/'))
      .filter(({ operation }) => operation.requestBody?.content?.['application/json']?.example === undefined)
      .map(({ path }) => path);
    expect(without.toSorted()).toEqual(['/v1/audio/speech', '/v1/audio/transcriptions', '/v1/images/generations', '/v1/rerank']);
  });
});

it('is described for the shapes of errors too', async () => {
  const ajv = new Ajv2020({ strict: false });
  const { Error: error, MessagesError: ofMessages } = document.components.schemas;
  const bad = { model: 'none', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] };
  expect(ajv.validate(error, (await gateway.as('admin', 'POST', '/v1/chat/completions', bad)).json)).toBe(true);
  expect(ajv.validate(ofMessages, (await gateway.as('admin', 'POST', '/v1/messages', bad)).json)).toBe(true);
});

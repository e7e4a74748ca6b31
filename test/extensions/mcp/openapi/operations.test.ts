/** OpenAPI operations as tools and as requests: names, schemas, styles, and addresses that input cannot leave. */
import { describe, expect, it } from 'vitest';
import { readDocument } from '../../../../src/extensions/mcp/transports/openapi/document.ts';
import { type Operation, readOperations } from '../../../../src/extensions/mcp/transports/openapi/operations.ts';
import { writeRequest } from '../../../../src/extensions/mcp/transports/openapi/http-request.ts';
import { serviceAddress } from '../../../../src/extensions/mcp/transports/openapi/service-address.ts';
import { compileSchema } from '../../../../src/schema/json-schema.ts';
import type { JsonObject } from '../../../../src/types/json.ts';

const choice = { chosen: ['*'], ownHeaders: new Set(['x-key']), ownQuery: new Set(['api_key']) };
const all = (paths: object, more: object = {}, chosen: typeof choice | object = {}) =>
  readOperations({ openapi: '3.0.3', paths, ...more } as JsonObject, { ...choice, ...chosen });
const only = (paths: object, more: object = {}): Operation => {
  const { operations, left } = all(paths, more);
  expect(left).toEqual([]);
  return [...operations.values()][0] as Operation;
};
const parameter = (name: string, place: string, schema: object, more: object = {}) => ({ name, in: place, schema, ...more });
const base = new URL('https://api.example/v1/');
const sent = (operation: Operation, input: JsonObject) => writeRequest(base, operation, input);

describe('the tools', () => {
  it('keep names, descriptions and schemas, and state their effects', () => {
    const { operations } = all({
      '/orders/{id}': {
        parameters: [parameter('id', 'path', { type: 'integer' }, { required: true, description: 'The number.' })],
        get: { operationId: 'getOrder', summary: 'One order', description: 'All of it.' },
        delete: { operationId: 'order.remove' },
        put: { requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } } },
      },
    });
    expect([...operations.keys()]).toEqual(['getOrder', 'put_orders_id', 'order.remove']);
    expect(operations.get('getOrder')?.definition).toEqual({
      name: 'getOrder',
      title: 'One order',
      description: 'One order\n\nAll of it.',
      inputSchema: {
        type: 'object',
        properties: { id: { type: 'integer', description: 'The number.' } },
        required: ['id'],
        additionalProperties: false,
      },
      annotations: { title: 'One order', readOnlyHint: true, openWorldHint: true },
    });
    expect(operations.get('order.remove')?.definition.annotations).toMatchObject({
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: true,
    });
    expect(operations.get('put_orders_id')?.definition.inputSchema).toMatchObject({ required: ['id', 'body'] });
  });

  it('are the chosen operations; by default every GET; never two with one name', () => {
    const paths = { '/a': { get: { operationId: 'x' }, post: { operationId: 'x!' } }, '/b': { post: { operationId: 'write_b' } } };
    expect([...all(paths, {}, { chosen: null }).operations.keys()]).toEqual(['x']);
    expect([...all(paths, {}, { chosen: ['write_*', 'POST /a'] }).operations.keys()]).toEqual(['x', 'write_b']);
    expect([...all(paths).operations.keys()]).toEqual(['x', 'x_2', 'write_b']);
  });

  it('have self-contained schemas, including recursive ones', () => {
    const schemas = {
      Node: { type: 'object', properties: { next: { $ref: '#/components/schemas/Node' }, tag: { $ref: '#/components/schemas/Tag' } } },
      Tag: { type: 'string', nullable: true, enum: ['a', 'b'], example: 'a', 'x-internal': true },
      Count: { type: 'integer', minimum: 0, exclusiveMinimum: true, nullable: true },
    };
    const body = {
      content: { 'application/json': { schema: { type: 'object', properties: { node: { $ref: '#/components/schemas/Node' } } } } },
    };
    const operation = only(
      { '/n': { post: { requestBody: body, parameters: [parameter('count', 'query', { $ref: '#/components/schemas/Count' })] } } },
      { components: { schemas } },
    );
    const { inputSchema } = operation.definition;
    expect(inputSchema['$defs']).toEqual({
      Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' }, tag: { $ref: '#/$defs/Tag' } } },
      Tag: { type: ['string', 'null'], enum: ['a', 'b', null] },
      Count: { type: ['integer', 'null'], exclusiveMinimum: 0 },
    });
    const schema = compileSchema(inputSchema);
    expect(schema.fault({ body: { node: { next: { next: { tag: null } } } }, count: 1 })).toBeNull();
    expect(schema.fault({ body: { node: { next: { tag: 'z' } } } })?.path).toBe('body.node.next.tag');
    expect(schema.fault({ count: 0 })?.path).toBe('count');
    expect(schema.fault({ nobody: 1 })?.path).toBe('nobody');
  });

  it('omit parameters that Pailou or HTTP sets', () => {
    const operation = only({
      '/x': {
        get: {
          parameters: ['X-Key', 'Authorization', 'Host', 'X-Trace']
            .map((name) => parameter(name, 'header', { type: 'string' }))
            .concat([parameter('api_key', 'query', { type: 'string' }), parameter('session', 'cookie', { type: 'string' })]),
        },
      },
    });
    expect(Object.keys(operation.definition.inputSchema['properties'] as object)).toEqual(['X-Trace']);
  });

  it('declare structured content only where the one success response is an object', () => {
    const answer = (schema: object) => ({ content: { 'application/json': { schema } } });
    const object = { type: 'object', properties: { id: { type: 'integer' } } };
    const output = (responses: object) => only({ '/x': { get: { responses } } }).definition.outputSchema;
    expect(output({ 200: answer(object), 404: answer({ type: 'string' }) })).toEqual(object);
    expect(output({ 200: answer({ type: 'array', items: object }) })).toBeUndefined();
    expect(output({ 200: answer(object), 201: answer(object) })).toBeUndefined();
    expect(output({ 200: answer({ ...object, nullable: true }) })).toBeUndefined();
  });

  it('that cannot be built are left out one by one, with the reason', () => {
    const { operations, left } = all(
      {
        '/ok': { get: {} },
        '/upload': { post: { requestBody: { required: true, content: { 'multipart/form-data': { schema: {} } } } } },
        '/cookie': { get: { parameters: [parameter('s', 'cookie', {}, { required: true })] } },
        '/matrix/{id}': { get: { parameters: [parameter('id', 'path', {}, { style: 'matrix' })] } },
        '/lost/{id}': { get: {} },
        '/away': { get: { parameters: [{ $ref: 'https://elsewhere.example/p.json' }] } },
        '/gone': { get: { parameters: [{ $ref: '#/components/parameters/P' }] } },
        '/round': { get: { parameters: [{ $ref: '#/components/parameters/Round' }] } },
        '/proto': { get: { parameters: [{ $ref: '#/__proto__/toString' }] } },
      },
      { components: { parameters: { Round: { $ref: '#/components/parameters/Round' } } } },
    );
    expect([...operations.keys()]).toEqual(['get_ok']);
    expect(left.map((each) => each.split(' ').slice(0, 2).join(' '))).toEqual([
      'POST /upload',
      'GET /cookie',
      'GET /matrix/{id}',
      'GET /lost/{id}',
      'GET /away',
      'GET /gone',
      'GET /round',
      'GET /proto',
    ]);
    expect(left.join('\n')).toContain('multipart/form-data');
    expect(left.join('\n')).toContain('outside of the document');
  });
});

describe('a request', () => {
  const query = (schema: object, more: object, value: unknown) => {
    const operation = only({ '/q': { get: { parameters: [parameter('f', 'query', schema, more)] } } });
    return decodeURIComponent(sent(operation, { f: value } as JsonObject).url.search);
  };
  it.each([
    ['form', true, ['a', 'b c'], '?f=a&f=b c'],
    ['form', false, ['a', 'b'], '?f=a,b'],
    ['spaceDelimited', false, ['a', 'b'], '?f=a b'],
    ['pipeDelimited', false, ['a', 'b'], '?f=a|b'],
    ['form', true, { x: 1, y: 'z' }, '?x=1&y=z'],
    ['form', false, { x: 1, y: 'z' }, '?f=x,1,y,z'],
    ['deepObject', true, { x: 1, y: { z: [1, 2] } }, '?f[x]=1&f[y][z][]=1&f[y][z][]=2'],
    ['form', true, '&a=b#?', '?f=&a=b#?'],
    ['form', false, [], ''],
  ])('writes queries in the style %s, explode %s', (style, explode, value, wanted) => {
    expect(query({}, { style, explode }, value)).toBe(wanted);
  });

  it('writes JSON where the document requires it, headers, forms and texts', () => {
    const json = only({ '/q': { get: { parameters: [{ name: 'f', in: 'query', content: { 'application/json': { schema: {} } } }] } } });
    expect(decodeURIComponent(sent(json, { f: { a: [1] } }).url.search)).toBe('?f={"a":[1]}');
    const form = only({
      '/f': {
        post: {
          parameters: [parameter('X-List', 'header', { type: 'array' })],
          requestBody: { content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } } },
        },
      },
    });
    expect(sent(form, { 'X-List': ['a', 'b'], body: { a: 'b c', d: ['e', 'f'] } })).toMatchObject({
      headers: { 'X-List': 'a,b', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'a=b+c&d=e&d=f',
    });
    const text = only({ '/t': { post: { requestBody: { content: { 'text/plain': { schema: { type: 'string' } } } } } } });
    expect(sent(text, { body: 'hello' })).toMatchObject({ body: 'hello', headers: { 'content-type': 'text/plain' } });
    expect(() => sent(form, { 'X-List': ['a\r\nX-Evil: 1'] })).toThrow(/line breaks/);
    expect(() => sent(form, { 'X-List': ['通'] })).toThrow(/Latin-1/);
  });

  it('cannot leave its address, whatever the path parameters contain', () => {
    const operation = only({ '/orders/{id}/items': { get: { parameters: [parameter('id', 'path', {}, { required: true })] } } });
    const path = (id: unknown) => sent(operation, { id } as JsonObject).url;
    for (const evil of [
      '../../admin',
      'a/b',
      'a?b=c',
      'a#b',
      '//evil.example',
      '\\..\\x',
      'a%2fb',
      '%2e%2e/x',
      ' ',
      'ü',
      '\u0000',
      '..;',
    ]) {
      const url = path(evil);
      expect(url.origin).toBe('https://api.example');
      expect(url.search + url.hash).toBe('');
      expect(url.pathname).toMatch(/^\/v1\/orders\/[^/]+\/items$/);
      expect(decodeURIComponent(url.pathname.split('/')[3] ?? '')).toBe(evil);
    }
    for (const evil of ['', '.', '..', '%2e', '%2E%2e', null, []]) expect(() => path(evil), String(evil)).toThrow();
    expect(path(['a', 'b/c']).pathname).toBe('/v1/orders/a,b%2Fc/items');
  });
});

describe('a document', () => {
  it('is read as YAML and JSON; anything else is refused with a reason', async () => {
    const yaml = 'openapi: 3.1.0\npaths:\n  /a:\n    get: {operationId: a}\n';
    expect(await readDocument(yaml)).toMatchObject({ paths: { '/a': { get: { operationId: 'a' } } } });
    const deep = `{"openapi":"3.0.0","paths":{"/a":${'{"x":'.repeat(3_000)}1${'}'.repeat(3_000)}}}`;
    const bomb = `openapi: 3.0.0\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, index) => `a${index + 1}: &a${index + 1} [${Array.from({ length: 10 }, () => `*a${index}`).join(',')}]`).join('\n')}\npaths: *a9\n`;
    for (const [text, words] of [
      ['swagger: "2.0"', /version 2/],
      ['openapi: 4.0.0\npaths: {}', /3\.0 to 3\.2/],
      ['openapi: 3.0.0', /no `paths`/],
      ['hello', /no OpenAPI document/],
      ['{"openapi": "3.0.0", ', /not valid JSON/],
      ['a: [', /neither JSON nor YAML/],
      ['openapi: 3.0.0\npaths: &p {a: *p}', /./],
      [deep, /levels deep/],
      [bomb, /./],
    ] as const)
      await expect(readDocument(text), text.slice(0, 40)).rejects.toMatchObject({
        name: 'DocumentError',
        message: expect.stringMatching(words) as string,
      });
  });

  it('gives the address of the service, unless the row does', () => {
    const document = {
      servers: [{ url: 'https://{region}.example/{base}', variables: { region: { default: 'eu' }, base: { default: 'v2' } } }],
    };
    const none = { url: undefined, document_url: undefined };
    expect(serviceAddress(document, none)).toBe('https://eu.example/v2');
    expect(serviceAddress(document, { ...none, url: 'https://own.example' })).toBe('https://own.example');
    expect(serviceAddress({ servers: [{ url: '/api' }] }, { ...none, document_url: 'https://docs.example/a/openapi.json' })).toBe(
      'https://docs.example/api',
    );
    const fetched = { ...none, document_url: 'https://docs.example/a/openapi.json' };
    for (const url of ['http://docs.example/api', 'https://docs.example:8443', '//10.0.0.5/', 'https://docs.example.evil'])
      expect(() => serviceAddress({ servers: [{ url }] }, fetched), url).toThrow(/another origin .*set `url`/);
    expect(() => serviceAddress({ servers: [{ url: '/api' }] }, none)).toThrow(/set `url`/);
    expect(() => serviceAddress({ servers: [{ url: 'https://{x}.example' }] }, none)).toThrow(/set `url`/);
  });
});

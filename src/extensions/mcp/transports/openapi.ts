/** A REST service as tools: calls the operations of its OpenAPI document with credentials that callers cannot see. */
import { z } from 'zod';
import { GatewayError } from '../../../types/errors.ts';
import { definePlugin } from '../../../types/plugin.ts';
import { headerSecret, secret } from '../../../types/secret.ts';
import { tokensFor } from './credentials/bearer-fetch.ts';
import { credentials, reachesOfCredentials } from './credentials/credential-options.ts';
import { DocumentError, readDocument } from './openapi/document.ts';
import { createRestSource } from './openapi/rest-source.ts';

const address = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address such as https://orders.internal/api' })
  .max(2_000);

const options = z
  .strictObject({
    document: z
      .union([z.string().min(1).max(5_000_000), z.record(z.string(), z.json())])
      .optional()
      .describe('The OpenAPI document (3.0 to 3.2) itself, as an object or as JSON or YAML text.')
      // The document may name the URL of the service.
      .meta({ address: true }),
    document_url: address.optional().describe('Its address; read again when the tools are synced.').meta({ address: true }),
    url: address.optional().describe('The address of the service. Default: the first of the `servers` of the document.'),
    operations: z
      .array(z.string().min(1).max(300))
      .min(1)
      .max(500)
      .optional()
      .describe('The operations that become tools: operationIds or "POST /orders"; a trailing * matches any rest. Default: every GET.'),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'letters, digits and -'), headerSecret())
      .default({})
      .describe('Sent with each call.'),
    query: z.record(z.string().min(1).max(100), secret()).default({}).describe('Added to the query of each call, such as an API key.'),
    credentials,
    max_answer_bytes: z.int().min(1_000).max(20_000_000).default(1_000_000),
  })
  .superRefine(({ document, document_url: where, url }, context) => {
    if ((document === undefined) === (where === undefined))
      context.addIssue({ code: 'custom', path: ['document'], message: 'give either document or document_url' });
    if (url !== undefined && new URL(url).search !== '')
      context.addIssue({ code: 'custom', path: ['url'], message: 'must have no query; use `query`' });
  });

export default definePlugin({
  type: 'tool-source',
  kind: 'openapi',
  title: 'REST service (OpenAPI)',
  options,
  reaches: ({ credentials: { type } }) => reachesOfCredentials(type),
  async create(given, services) {
    const { document, document_url: where, url } = given;
    if (where !== undefined) services.checkUrl(where, 'spec.options.document_url');
    if (url !== undefined) services.checkUrl(url, 'spec.options.url');
    const read =
      document === undefined
        ? null
        : await readDocument(document).catch((thrown: unknown) => {
            if (!(thrown instanceof DocumentError)) throw thrown;
            const param = 'spec.options.document';
            throw new GatewayError('configuration_invalid', `${param}: the document ${thrown.message}.`, { param, cause: thrown });
          });
    const account = new URL(url ?? where ?? 'https://unknown.invalid/');
    const { tokens, secrets, accounts } = await tokensFor(
      given.credentials,
      [...Object.values(given.headers), ...Object.values(given.query)],
      services,
      account,
    );
    const source = createRestSource({ ...given, document: read, document_url: where, url, tokens, secrets, services });
    return accounts === undefined ? source : Object.assign(source, { accounts });
  },
});

/** The configuration of an OAuth2 service, in addition to its preset. Shared by the environment and the file. */
import { z } from 'zod';
import { proxyForm, readProxy, withoutProxy } from '../types/proxy.ts';

const address = z
  .string()
  .refine(
    (text) => text.startsWith('/') || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)),
    'must be http://…, https://…, or a path such as /oauth/check_token',
  )
  .describe('An address. One that begins with a slash is relative to base_url.');
/** An address whose path or query may name the person. A token in an address would be written into logs. */
const personAddress = address.refine(
  (text) => !text.includes('{token}'),
  'must not contain {token}; send the token in a header or in form',
);
const path = z.string().min(1).max(256);
const texts = z.record(z.string().min(1), z.string());
const patterns = z.array(z.string().min(1).max(256)).max(100);
const condition = z.strictObject({ path, is: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1) });

/** A secret is written in the configuration, or in a file that only the service reads. */
const secretText = { secret: z.string().min(1).optional(), secret_file: z.string().min(1).optional() };

const keys = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('discovery') }),
  z.strictObject({ from: z.literal('jwks'), url: address }),
  z.strictObject({ from: z.literal('token_key'), url: address }),
  z.strictObject({ from: z.literal('pem'), pem: z.string().min(1).optional(), pem_file: z.string().min(1).optional() }),
  z.strictObject({ from: z.literal('secret'), ...secretText }),
]);

const lookupField = z.enum(['username', 'tenant', 'roles', 'permissions']);

const lookup = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('userinfo'), url: address.optional() }),
  z.strictObject({ kind: z.literal('introspection'), url: address.optional() }),
  z.strictObject({ kind: z.literal('check_token'), url: address.default('/oauth/check_token') }),
  z.strictObject({ kind: z.literal('keycloak_user') }),
  z.strictObject({
    kind: z.literal('http'),
    url: personAddress,
    method: z.enum(['GET', 'POST']).default('GET'),
    headers: texts.optional(),
    query: texts.default({}),
    form: texts.default({}),
    as_client: z.union([z.boolean(), z.literal('token')]).default(false),
    refused_statuses: z.array(z.int().min(400).max(499)).optional(),
    refused: z.array(condition).default([]),
    success: z.array(condition).default([]),
    result: path.nullable().default(null),
    about: path.nullable().default(null),
    list: z
      .strictObject({ field: lookupField, each: path.nullable().default(null) })
      .nullable()
      .default(null),
  }),
  z.strictObject({
    kind: z.literal('sql'),
    url: z.string().optional(),
    url_file: z.string().min(1).optional(),
    queries: z.partialRecord(lookupField, z.string().min(1)),
  }),
]);

const paths = z.array(path).min(1).max(20);

export const issuerSpec = z.strictObject({
  issuer: z
    .string()
    .min(1)
    .max(1_024)
    .regex(/^[^#\s]+$/, 'must be an issuer without # and spaces: people are written as <issuer>#<subject>')
    .refine((issuer) => !issuer.startsWith('urn:pailou:'), 'urn:pailou: names the issuers of Pailou itself; choose another')
    .describe('As in the claim iss, and in discovery.'),
  preset: z.string().default('sas'),
  base_url: z
    .string()
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'must be http://… or https://…')
    .optional()
    .describe('The address of the service, when it is not the issuer.'),
  proxy: z
    .string()
    .refine((text) => text === withoutProxy || readProxy(text) !== undefined, `must be ${proxyForm}, or ${withoutProxy}`)
    .optional()
    .describe(
      'The proxy on the way to the service, which may carry a login. none: a direct connection. Unless given, as the environment says.',
    ),
  tokens: z.enum(['jwt', 'opaque']).optional(),
  issuer_claim: z.enum(['required', 'absent']).optional(),
  keys: keys.optional(),
  client: z
    .strictObject({
      id: z.string().min(1),
      ...secretText,
      scope: z.string().min(1).optional(),
      token_url: address.optional(),
      lookup_scope: z.string().min(1).optional(),
    })
    .optional(),
  audiences: z.array(z.string().min(1)).default([]),
  allowed_clients: z.array(z.string().min(1)).default([]),
  insecure_any_audience: z.boolean().default(false),
  lookups: z.array(lookup).max(5).optional(),
  claims: z
    .strictObject({
      subject: paths.optional(),
      username: paths.optional(),
      tenant: paths.optional(),
      roles: paths.optional(),
      permissions: paths.optional(),
      client: paths.optional(),
    })
    .default({}),
  role_prefix: z.string().optional(),
  role_map: texts.optional(),
  roles_only: patterns.optional(),
  roles_ignored: patterns.optional(),
  permission_prefix: z.string().optional(),
  permission_map: texts.optional(),
  permission_source: z.enum(['oauth', 'role_defaults']).optional(),
  wildcards: z.boolean().optional(),
  tenant: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('All principals of this issuer belong to this tenant; claims of the token are ignored.'),
  max_roles: z.array(z.string().min(1).max(128)).min(1).max(20).optional().describe('The highest roles that its tokens may carry.'),
  default_tenant: z.string().min(1).max(128).optional(),
  service_role: z.string().min(1).max(128).optional(),
});

export type IssuerSpec = z.output<typeof issuerSpec>;
export type IssuerSpecInput = z.input<typeof issuerSpec>;
export type LookupSpec = z.output<typeof lookup>;

export const issuersFile = z.strictObject({
  issuers: z.array(issuerSpec).min(1).max(20),
});

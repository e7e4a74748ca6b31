/** The resources that an administrator configures, as zod schemas: validator, type and API documentation. */
import { z } from 'zod';
import type { Basis } from './basis.ts';
import type { RowLabels } from './row-labels.ts';
import { structuredOutputs } from './structured-output.ts';
import { limitSpec } from './limit-spec.ts';
import { currencyField } from './money.ts';
import { reasoningFields } from './model-reasoning.ts';
import { priceSpec } from './price-spec.ts';
import { serviceAccountSpec } from './service-account-spec.ts';
import { skillSpec } from './skill-spec.ts';
import { teamSpec } from './team-spec.ts';
import { foreignNameField, lineField, textField } from './printable-text.ts';
import { jsonObject, milliseconds, modelName, name, serverName, sharedWith, skillName, tags } from './spec-fields.ts';
import { longestPerson } from './person.ts';
import { operations } from './wire-format.ts';

const structuredOutput = z
  .enum(structuredOutputs)
  .optional()
  .describe(
    'How a JSON Schema is enforced. json_schema: by the vendor; json_object: by the JSON mode of the vendor, with checks and repairs by Pailou; none: the same without the JSON mode of the vendor. Left out: as the catalogue or the kind of the provider knows it.',
  );

export const providerSpec = z.strictObject({
  kind: z.string().min(1).max(64).describe('The provider plugin, e.g. openai or openai-compatible.'),
  options: jsonObject.default({}).describe("The plugin's own options, e.g. base_url and api_key."),
  structured_output: structuredOutput,
  thoughts_return: reasoningFields.thoughts_return,
  currency: currencyField
    .optional()
    .describe('In which currency the vendor bills, where the catalogue has prices in several. Left out: the usual one.'),
  offered_models: z
    .array(foreignNameField(256))
    .max(1_000)
    .nullable()
    .default(null)
    .describe(
      "The vendor's own names of the models that others may use by a grant on provider/<name>; a trailing * matches any rest. Null for all.",
    ),
});

/** The questions of a probe. */
export const probeQuestions = ['models', 'token'] as const;

const probe = z.strictObject({
  interval_ms: z.int().min(1_000).max(86_400_000).default(30_000).describe('On each node, varied by up to a tenth.'),
  ask: z
    .enum(probeQuestions)
    .default('models')
    .describe(
      'models: the list of models, which costs nothing and shows that the server is there and takes the credential; it closes the circuit only if probes opened it, and deployments of one provider share it. token: an answer of one token, which shows that the model answers, closes any circuit, and is paid for: a run of operation `probe` of the user `pailou`.',
    ),
  timeout_ms: z.int().min(100).max(600_000).default(10_000).describe('A probe that takes longer has failed.'),
  failures: z
    .int()
    .min(1)
    .max(1_000)
    .default(2)
    .describe(
      'The number of consecutive failed probes, without a successful call between them, that opens the circuit. A limit (429), a vendor without such a list (404) or a request that is not understood (400) says nothing.',
    ),
});

/** The two chat APIs of vendors that speak OpenAI's formats. */
export const chatApis = ['chat_completions', 'responses'] as const;

/** Limits of one deployment on this node. Absent: no limit. */
const deploymentLimits = z.strictObject({
  requests_per_minute: z.int().min(1).optional(),
  tokens_per_minute: z.int().min(1).optional(),
  concurrency: z.int().min(1).optional().describe('Concurrent calls.'),
});

const deployment = z.strictObject({
  provider: name.describe('The name of a provider.'),
  model: foreignNameField(256)
    .refine((text) => !text.split(/[\\/]/).includes('..'), 'must hold no ".." between slashes, which leads to another model')
    .describe("The vendor's own name of the model."),
  weight: z.number().min(0).max(1_000_000).default(1).describe('Share of the traffic within its tier; 0 takes none.'),
  tier: z.int().min(0).max(100).default(0).describe('Lower tiers are tried first; the next tier only when all of the one before failed.'),
  enabled: z.boolean().default(true),
  price: priceSpec.optional(),
  structured_output: structuredOutput,
  api: z
    .enum(chatApis)
    .optional()
    .describe(
      "Which API of the vendor chats use, where it has both: chat_completions or responses. Left out: as the catalogue and the provider's responses_models say.",
    ),
  limits: deploymentLimits.prefault({}).describe('Beyond these, calls go to the next deployment. Counted on each node.'),
  always_stream: z
    .boolean()
    .default(false)
    .describe('The model only answers as a stream; Pailou buffers it for callers that do not stream.'),
  think_tags: z
    .union([z.boolean(), z.literal('unopened')])
    .optional()
    .describe(
      'The reasoning of this model is in its text, between <think> and </think>. "unopened": without <think>, because the template of the model ends the prompt with it. Default: the setting of the provider.',
    ),
  ...reasoningFields,
  prefill: z
    .boolean()
    .default(false)
    .describe('The model supports prefill: it continues the given beginning of an answer. Used with `interrupted: resume`.'),
  probe: probe
    .optional()
    .describe(
      'Checks the health of the deployment regularly; `GET /api/health` and `pailou_probes_total` show the result. An open circuit still lets a call try after its pause. Left out: only calls show its health.',
    ),
});

/** The classes of failure for which a fallback can be configured. */
export const failureClasses = ['overload', 'error', 'context_length', 'content_filter'] as const;
export type FailureClass = (typeof failureClasses)[number];

const retry = z.strictObject({
  same: z.int().min(0).max(5).default(1).describe('Retries at the same deployment after a transient fault.'),
  base_ms: milliseconds.default(100).describe('The pause before a retry, varied by up to a half; doubled each time.'),
  longest_wait_ms: z
    .int()
    .min(0)
    .max(60_000)
    .default(5_000)
    .describe('The longest Retry-After of a vendor that is waited out; beyond it the next deployment is tried.'),
});

const circuit = z.strictObject({
  failures: z.int().min(1).max(1_000).default(10).describe('The number of consecutive failures that opens the circuit of a deployment.'),
  rate: z.number().min(0.01).max(1).default(0.5).describe('The share of failures within the window that also opens it.'),
  minimum: z.int().min(1).max(100_000).default(20).describe('The least number of calls in the window for that share to count.'),
  window_ms: milliseconds.default(30_000),
  open_ms: milliseconds.default(10_000).describe('How long an open circuit takes no calls; after that one call at a time is a trial.'),
});

const fallback = z.strictObject({
  on: z.array(z.enum(failureClasses)).min(1).describe('content_filter only if it is named here.'),
  model: name.describe('The model that takes over, if the caller may use it and it can do what the call needs.'),
});

const hedge = z.strictObject({
  percentile: z
    .int()
    .min(50)
    .max(99)
    .default(95)
    .describe('The percentile of latency after which a second attempt starts at the next deployment.'),
  samples: z.int().min(5).max(100).default(20).describe('The least number of measured calls for that, on this node.'),
  least_ms: milliseconds.default(50).describe('The minimum delay of the second attempt.'),
  unknown_ms: milliseconds.optional().describe('The delay while too few calls are measured. Left out: no second attempt then.'),
});

/** The callers that share a cached answer, always within one tenant. */
export const cacheScopes = ['user', 'roles', 'tenant'] as const;

const cache = z.strictObject({
  ttl_seconds: z.int().min(1).max(2_592_000).default(3_600).describe('How long a cached answer is used.'),
  shared_by: z
    .enum(cacheScopes)
    .default('roles')
    .describe(
      'Who shares a cached answer: user, only the same caller; roles, callers with the same roles and permissions; tenant, all who may use the model.',
    ),
  max_bytes: z.int().min(1_000).max(16_777_216).default(1_000_000).describe('Longer answers are not cached.'),
});

/** The handling of a stream that breaks after its first token. */
export const interruptions = ['error', 'resume', 'withhold'] as const;

export const modelSpec = z.strictObject({
  description: textField(1024).default(''),
  operations: z.array(z.enum(operations)).min(1).default(['chat']),
  deployments: z.array(deployment).min(1).max(64),
  strategy: z.string().min(1).max(64).default('weighted'),
  limits: z
    .strictObject({
      attempts: z.int().min(1).max(10).default(3).describe('Tries per call, over all deployments.'),
      first_token_ms: milliseconds
        .optional()
        .describe(
          'The longest time to the first token of a stream; after that the next deployment is tried. Left out: 30 s to 7 min of silence, by reasoning_effort and model; a sign of life of the vendor starts it anew.',
        ),
      first_byte_ms: milliseconds
        .default(300_000)
        .describe('The longest time to the first byte of a whole answer; after that the next deployment is tried.'),
      idle_ms: milliseconds.default(60_000).describe('The longest silence between two reads of a stream; after that it counts as cut.'),
      total_ms: milliseconds.default(600_000).describe('The whole call, all attempts together.'),
    })
    .prefault({}),
  retry: retry.prefault({}),
  interrupted: z
    .enum(interruptions)
    .default('error')
    .describe(
      'When a streamed answer breaks off. error: an explicit error; resume: another deployment continues it when no text is lost or repeated; withhold: nothing is sent before the answer is complete.',
    ),
  hedge: hedge
    .optional()
    .describe(
      'Starts a second attempt beside one that takes longer than usual; the first answer counts, and the other attempt is ended. Left out: one attempt at a time.',
    ),
  cache: cache
    .optional()
    .describe('An identical request gets the stored answer, without a call to the vendor. Left out: every call goes to the vendor.'),
  circuit: circuit.prefault({}),
  queue: z
    .strictObject({
      size: z.int().min(0).max(10_000).default(0).describe('The most calls that wait for a deployment at its limit; 0: none waits.'),
      wait_ms: milliseconds.default(5_000),
    })
    .prefault({}),
  fallbacks: z.array(fallback).max(16).default([]).describe('Tried in this order when every deployment has failed.'),
  features: z
    .strictObject({
      tools: z.boolean().default(true),
      vision: z.boolean().default(true),
      json_schema: z.boolean().default(true),
    })
    .prefault({})
    .describe('What the model can do; a call that needs more does not fall back to it.'),
  tags,
  shared_with: sharedWith,
});

export const mcpServerSpec = z.strictObject({
  kind: z
    .string()
    .min(1)
    .max(64)
    .describe('The transport: http, sse, stdio or openapi; or virtual, for a selection of tools of other servers.'),
  description: textField(1024).default(''),
  options: jsonObject.default({}).describe("The transport's own options, e.g. url, or command and args."),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,32}$/, 'letters, digits, _ and -, at most 32')
    .nullable()
    .default(null)
    .describe('Stands before the names of its tools at /mcp, with two underscores between; null for the name of the server.'),
  allowed_tools: z
    .array(z.string().min(1).max(128))
    .max(1000)
    .nullable()
    .default(null)
    .describe('Only these tools are shown and callable; null for all.'),
  new_tools: z
    .enum(['allow', 'approve'])
    .default('allow')
    .describe(
      'Definitions that the server adds later: offered at once, or only after an approval. A changed definition always waits for one.',
    ),
  approval: z
    .enum(['never', 'destructive', 'always'])
    .default('never')
    .describe("The tools for which the caller's client asks the person: none, those not marked as harmless by the server, or all."),
  call_timeout_ms: milliseconds.default(60_000),
  concurrency: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('The most concurrent calls; further calls queue, within the time limit of a call.'),
  max_result_bytes: z
    .int()
    .min(1_000)
    .max(100_000_000)
    .default(4_000_000)
    .describe('A larger result is refused with an error that the model can read.'),
  tags,
  shared_with: sharedWith,
});

const capabilityPattern = z
  .string()
  .regex(
    /^(model|skill|mcp)\/[^\s]+$/,
    'model/<name>, skill/<name>, mcp/<server> or mcp/<server>/<tool>; a trailing * matches any rest; or <kind>/#<tag>',
  )
  .max(300);

/** The target of a grant: a capability, or a provider that models of others may use. */
const grantable = z
  .string()
  .regex(
    /^(?:(?:model|skill|mcp)\/[^\s]+|provider\/[^\s#]+)$/,
    'model/<name>, skill/<name>, mcp/<server>, mcp/<server>/<tool> or provider/<name>; a trailing * matches any rest; or <kind>/#<tag>',
  )
  .max(300);

export const grantSpec = z.strictObject({
  subject_type: z
    .enum(['user', 'role', 'team', 'client'])
    .describe('A team is all people with one role or group in their token, as in limits.'),
  subject: foreignNameField(longestPerson).describe(
    'A user as GET /api/me names them, with the issuer (`<issuer>#<subject>`) where several are configured; or a role, a team (a role or group of the token), or a client.',
  ),
  capability: grantable.describe('A grant to use a provider lets a developer name it in models of their own.'),
  action: z.enum(['view', 'use']),
  expires_at: z.iso.datetime({ offset: true }).nullable().default(null),
});

/** The permissions that a key may have. The `manage` codes are not among them. */
export const keyPermissions = [
  'llm:model:view',
  'llm:model:use',
  'llm:skill:view',
  'llm:skill:use',
  'llm:mcp:view',
  'llm:mcp:use',
] as const;

/** A stored key. Bound to its owner: a person or a service account. Does not contain the secret. */
export const keySpec = z.strictObject({
  title: lineField(128).default(''),
  issuer: z.string().min(1).max(1024).describe('The identity service that knows the owner.'),
  subject: z.string().min(1).max(256),
  hash: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  permissions: z.array(z.enum(keyPermissions)).min(1),
  capabilities: z.array(capabilityPattern).min(1).max(64).nullable(),
  addresses: z
    .array(z.union([z.cidrv4(), z.cidrv6()]))
    .min(1)
    .max(64)
    .nullable(),
  expires_at: z.iso.datetime({ offset: true }),
  replaced_by: z.string().nullable().default(null),
  service_id: z
    .string()
    .max(64)
    .optional()
    .describe('The id of the row of the service account: another one of its name does not get its keys.'),
  surface: z.literal('mcp').optional().describe('mcp: the token of an MCP client, which opens /mcp alone.'),
});

export const resourceSpecs = {
  provider: providerSpec,
  model: modelSpec,
  skill: skillSpec,
  mcp: mcpServerSpec,
  grant: grantSpec,
  limit: limitSpec,
  key: keySpec,
  service: serviceAccountSpec,
  team: teamSpec,
} as const;

export type ResourceKind = keyof typeof resourceSpecs;

export type ModelSpec = z.output<typeof modelSpec>;
export type McpServerSpec = z.output<typeof mcpServerSpec>;
export type GrantSpec = z.output<typeof grantSpec>;
export type KeySpec = z.output<typeof keySpec>;
export type CacheSpec = z.output<typeof cache>;
export type ProbeSpec = z.output<typeof probe>;
export type DeploymentLimits = z.output<typeof deploymentLimits>;

/** The schema of names for each kind. Pailou generates the name of a grant unless given. */
export const resourceNames: Readonly<Record<ResourceKind, typeof name>> = {
  provider: name,
  model: modelName,
  skill: skillName,
  mcp: serverName,
  grant: name,
  limit: name,
  key: name,
  service: name,
  team: name,
};

/** One row of a configuration table. `spec` is validated JSON with secrets sealed (see `storage/secrets.ts`). */
export interface ConfigRow {
  readonly id: string;
  readonly tenant: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly enabled: boolean;
  /** A person (`types/person.ts`), as `createdBy` and `updatedBy` are. */
  readonly owner: string | null;
  /** For a grant on one row its id, for a service account that of its team. Absent or null for a pattern, a tag, and every other row. */
  readonly target?: string | null;
  /** The tags under which an administrator approved the row and its name. Absent or null when not approved. */
  readonly approvedTags?: readonly string[] | null;
  /** The rights by which the row reaches what it references. Written with the row, never shown. Absent in rows of older versions. */
  readonly basis?: Basis;
  /** Labels of configuration as code (`types/row-labels.ts`). */
  readonly labels?: RowLabels;
  /** The configuration revision that last wrote this row. */
  readonly revision: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

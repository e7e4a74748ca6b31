/** The frozen, validated configuration at one revision, in memory. DESIGN section 6. */
import type { Capability, GrantIndex } from './access.ts';
import type { KnownModel } from './known-model.ts';
import type { ModelReasoning } from './model-reasoning.ts';
import type { StructuredOutput } from './structured-output.ts';
import type { LimitIndex } from './limits.ts';
import type { Price } from './price.ts';
import type { Provider } from './provider.ts';
import type { ProxyServer } from './proxy.ts';
import type { DeploymentLimits, KeySpec, McpServerSpec, ModelSpec, ProbeSpec, ResourceKind } from './resources.ts';
import type { ServiceAccountSpec } from './service-account-spec.ts';
import type { TeamSpec } from './team-spec.ts';
import type { SkillSpec } from './skill-spec.ts';
import type { Skill } from './skill.ts';
import type { ToolSource } from './tool-source.ts';
import type { ThinkTags } from './wire-format.ts';

export interface ProviderEntry {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** No administrator approved its addresses. Only addresses that developers may use are allowed. */
  readonly restricted?: true;
  /** The proxy of its connections; null for none. Absent: as the environment says. */
  readonly proxy?: ProxyServer | null;
  readonly instance: Provider;
}

export interface Deployment {
  /** Stable across configuration changes: `<model>#<provider>/<upstream model>`. */
  readonly id: string;
  /** The id within its tenant: the key of live numbers. */
  readonly key: string;
  readonly provider: ProviderEntry;
  readonly model: string;
  /** The wire format of chats. Left out: the provider's. */
  readonly chatFormat?: string;
  readonly weight: number;
  readonly tier: number;
  readonly price: Price | null;
  /** The catalogue entry of the upstream model. Absent: none. */
  readonly known?: KnownModel;
  /** How a JSON Schema is enforced. Absent: by the vendor. */
  readonly structuredOutput?: StructuredOutput;
  readonly alwaysStream: boolean;
  /** What is known of the model's reasoning. */
  readonly reasoning?: ModelReasoning;
  /** Fields of earlier messages with thoughts that go back to the vendor. Absent: as the provider defines. */
  readonly replays?: readonly string[];
  /** Absent: as the provider defines. */
  readonly thinkTags?: ThinkTags;
  /** True when the model can continue a prefilled answer. */
  readonly prefill: boolean;
  readonly limits: DeploymentLimits;
  /** Absent: not probed. */
  readonly probe?: ProbeSpec;
  /** The tenant whose deployment it is, when it shares the model with the caller's. */
  readonly sharedBy?: string;
}

/** `capability` is created once, so that decisions on the call's path allocate nothing. */
export interface ModelEntry {
  readonly name: string;
  readonly capability: Capability;
  readonly spec: ModelSpec;
  /** Enabled deployments of enabled providers. May be empty. */
  readonly deployments: readonly Deployment[];
  /** The cache key of its answers. The same on every node until its row or one of its providers' rows changes. */
  readonly fingerprint?: string;
  /** Epoch seconds, for `GET /v1/models`. */
  readonly created: number;
}

/** A skill that runs with its own list: what it may use, and by whose right. */
export interface RunsAsSkill {
  /** The publisher of the live version. The run may use only what the publisher may use. */
  readonly publisher: string;
  readonly allowedBy: string;
  readonly allowedAt: string;
  /** The digest of the version and of the rows that it names. */
  readonly digest: string;
  /** Capability patterns. */
  readonly within: readonly string[];
}

export interface SkillEntry {
  readonly name: string;
  readonly capability: Capability;
  readonly spec: SkillSpec;
  readonly instance: Skill;
  /** Absent when calls of the skill use the rights of the caller. */
  readonly runsAs?: RunsAsSkill;
  readonly created: number;
}

export interface McpServerEntry {
  readonly id: string;
  readonly name: string;
  readonly capability: Capability;
  readonly spec: McpServerSpec;
  /** The prefix of its items at /mcp. Absent: its name. Null when older rows use both its name and its prefix. */
  readonly label?: string | null;
  readonly instance: ToolSource;
}

/** A row of an MCP server, enabled or not. */
export interface McpRow {
  readonly id: string;
  readonly name: string;
}

/** One API key as configured. */
export interface KeyEntry {
  readonly id: string;
  readonly tenant: string;
  readonly spec: KeySpec;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** A service account that may call. */
export interface ServiceAccountEntry {
  /** The id of its row, to which its keys are bound. */
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly spec: ServiceAccountSpec;
  /** The id of the row of its team; null without a team. */
  readonly team: string | null;
}

/** An enabled team. */
export interface TeamEntry {
  readonly id: string;
  readonly spec: TeamSpec;
}

/** The configuration of one tenant. */
export interface TenantView {
  readonly models: ReadonlyMap<string, ModelEntry>;
  /** The live versions. */
  readonly skills: ReadonlyMap<string, SkillEntry>;
  /** By `<skill>@<version>`; `<skill>@draft` is the row itself. */
  readonly skillVersions: ReadonlyMap<string, SkillEntry>;
  /** Oldest first. */
  readonly mcpServers: ReadonlyMap<string, McpServerEntry>;
  /** All rows of MCP servers, oldest first, when some are disabled or invalid: they reserve their names. Absent: those of `mcpServers`. */
  readonly mcpRows?: readonly McpRow[];
  /** The names of all skills, including disabled and invalid ones. */
  readonly skillNames: Pick<ReadonlySet<string>, 'has'>;
  readonly grants: GrantIndex;
  /** The enabled service accounts by name. Absent: none. */
  readonly serviceAccounts?: ReadonlyMap<string, ServiceAccountEntry>;
  /** The enabled teams by name. Absent: none. */
  readonly teams?: ReadonlyMap<string, TeamEntry>;
  readonly limits: LimitIndex;
}

/** A row that could not be used. The other rows serve. */
export interface Problem {
  readonly tenant: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly message: string;
}

export interface Snapshot {
  readonly revision: number;
  readonly problems: readonly Problem[];
  /** The view of a tenant, with what other tenants share with it. Empty for a tenant without rows. */
  tenant(name: string): TenantView;
  /** The key with this id, in any tenant. */
  key(id: string): KeyEntry | undefined;
  /** Every tenant with rows, and its own rows alone. */
  readonly tenants: ReadonlyMap<string, TenantView>;
}

/** A model that a swap added, removed, or made again. */
export interface ChangedModel {
  readonly tenant: string;
  readonly before: ModelEntry | undefined;
  readonly after: ModelEntry | undefined;
}

/** What a swap changed, so that its listeners work in proportion to it. */
export interface SnapshotChange {
  readonly models: readonly ChangedModel[];
  /** True when limits or MCP servers of some tenant changed. */
  readonly limits: boolean;
  readonly servers: boolean;
}

/** The configuration for the layers below the configuration service. */
export interface SnapshotSource {
  current(): Snapshot;
  /** Calls `listener` after each swap. Returns a function that stops it. */
  onSwap(listener: (snapshot: Snapshot, change: SnapshotChange) => void): () => void;
  /** The current snapshot for one call. Its plugin instances live until `release`. */
  hold(): HeldSnapshot;
}

/** A snapshot held by one call. Its plugin instances stay alive until `release`, which is idempotent. */
export interface HeldSnapshot {
  readonly snapshot: Snapshot;
  release(): void;
}

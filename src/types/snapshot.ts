/** The frozen, validated picture of all configuration at one revision, held in memory. DESIGN section 6. */
import type { Capability, GrantIndex } from './access.ts';
import type { KnownModel } from './known-model.ts';
import type { StructuredOutput } from './structured-output.ts';
import type { LimitIndex } from './limits.ts';
import type { Price } from './price.ts';
import type { Provider } from './provider.ts';
import type { DeploymentLimits, KeySpec, McpServerSpec, ModelSpec, ProbeSpec, ResourceKind } from './resources.ts';
import type { SkillSpec } from './skill-spec.ts';
import type { Skill } from './skill.ts';
import type { ToolSource } from './tool-source.ts';

export interface ProviderEntry {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** No administrator stands for its addresses: only those that developers may connect are connected to. */
  readonly restricted?: true;
  readonly instance: Provider;
}

export interface Deployment {
  /** Stable over configuration changes: `<model>#<provider>/<upstream model>`. */
  readonly id: string;
  /** The id within its tenant: live numbers are kept by it. */
  readonly key: string;
  readonly provider: ProviderEntry;
  readonly model: string;
  /** The wire format of chats. Left out: the provider's. */
  readonly chatFormat?: string;
  readonly weight: number;
  readonly tier: number;
  readonly price: Price | null;
  /** What the catalogue knows of the upstream model. Left out: nothing. */
  readonly known?: KnownModel;
  /** How its answers are held to a JSON Schema. Left out: by the vendor. */
  readonly structuredOutput?: StructuredOutput;
  readonly alwaysStream: boolean;
  /** Whether thoughts stand in the text; as the provider says where it is left out. */
  readonly thinkTags?: boolean;
  /** Can go on from the beginning of an answer. */
  readonly prefill: boolean;
  readonly limits: DeploymentLimits;
  /** Left out: it is not probed. */
  readonly probe?: ProbeSpec;
}

/** `capability` is made once, so that a decision on the call's path allocates nothing. */
export interface ModelEntry {
  readonly name: string;
  readonly capability: Capability;
  readonly spec: ModelSpec;
  /** Enabled deployments of enabled providers; may be empty. */
  readonly deployments: readonly Deployment[];
  /** Where its answers are kept: the same on every node as long as neither its row nor one of its providers' has changed. */
  readonly fingerprint?: string;
  /** Epoch seconds, for `GET /v1/models`. */
  readonly created: number;
}

/** A skill that runs with its own list: what it may use, and by whose right. */
export interface RunsAsSkill {
  /** Who published the version that is live; what they may not use, the run may not. */
  readonly publisher: string;
  readonly allowedBy: string;
  readonly allowedAt: string;
  /** The version and the rows that it names. */
  readonly digest: string;
  /** Capability patterns. */
  readonly within: readonly string[];
}

export interface SkillEntry {
  readonly name: string;
  readonly capability: Capability;
  readonly spec: SkillSpec;
  readonly instance: Skill;
  /** Left out: it runs with the rights of its caller. */
  readonly runsAs?: RunsAsSkill;
  readonly created: number;
}

export interface McpServerEntry {
  readonly id: string;
  readonly name: string;
  readonly capability: Capability;
  readonly spec: McpServerSpec;
  /** What stands before the names of its things at /mcp; left out: its name. Null where older rows hold both its name and its prefix. */
  readonly label?: string | null;
  readonly instance: ToolSource;
}

/** A row of an MCP server, in use or not. */
export interface McpRow {
  readonly id: string;
  readonly name: string;
}

/** One key for machines and IDEs, as configured. */
export interface KeyEntry {
  readonly id: string;
  readonly tenant: string;
  readonly spec: KeySpec;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** What one tenant sees. */
export interface TenantView {
  readonly models: ReadonlyMap<string, ModelEntry>;
  /** What callers get: the version that is live. */
  readonly skills: ReadonlyMap<string, SkillEntry>;
  /** By `<skill>@<version>`; `<skill>@draft` is the row itself. */
  readonly skillVersions: ReadonlyMap<string, SkillEntry>;
  /** Oldest first. */
  readonly mcpServers: ReadonlyMap<string, McpServerEntry>;
  /** All rows of MCP servers, oldest first, where some are switched off or cannot be used: they hold their names. Left out: those of `mcpServers`. */
  readonly mcpRows?: readonly McpRow[];
  /** The names of all skills, also of those that are switched off or cannot be used. */
  readonly skillNames: ReadonlySet<string>;
  readonly grants: GrantIndex;
  readonly limits: LimitIndex;
  readonly keys: readonly KeyEntry[];
}

/** A row that could not be used; the rest serves. */
export interface Problem {
  readonly tenant: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly message: string;
}

export interface Snapshot {
  readonly revision: number;
  readonly problems: readonly Problem[];
  /** The view of a tenant; an empty one for a tenant without rows. */
  tenant(name: string): TenantView;
  /** The key with this id, of whatever tenant. */
  key(id: string): KeyEntry | undefined;
  /** Every tenant that has rows. */
  readonly tenants: ReadonlyMap<string, TenantView>;
}

/** The configuration as the layers below the configuration service follow it. */
export interface SnapshotSource {
  current(): Snapshot;
  /** Calls `listener` after each swap. Returns the way to stop. */
  onSwap(listener: (snapshot: Snapshot) => void): () => void;
  /** The current snapshot for one call; its plugin instances live until `release`. */
  hold(): HeldSnapshot;
}

/** A snapshot held by one call. Its plugin instances stay alive until `release`, which is idempotent. */
export interface HeldSnapshot {
  readonly snapshot: Snapshot;
  release(): void;
}

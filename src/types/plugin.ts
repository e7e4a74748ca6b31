/** The contract of every extension: one file, one default export, one row in the database. The loader finds plugin files; no other file imports them. */
import type { ZodType } from 'zod';
import type { Accounts } from './accounts.ts';
import type { Logger } from './logger.ts';
import type { Skill } from './skill.ts';
import type { Strategy } from './dispatch.ts';
import type { ToolSource } from './tool-source.ts';
import type { Provider } from './provider.ts';
import type { StdioProgram, SystemUser } from './stdio-programs.ts';
import type { TokenExchange } from './token-exchange.ts';
import type { WireFormat } from './wire-format.ts';
import type { PluginReach } from './writes.ts';

/** Exported here so that plugin authors find the contract of a provider beside `definePlugin`. */
export type { Provider, UpstreamCall, UpstreamFailure } from './provider.ts';

/** The instance type of each plugin type. */
export interface PluginInstances {
  /** A connection to a vendor; created per row of `llm_provider_config`. */
  readonly provider: Provider;
  /** A vendor's wire format; one instance per process. */
  readonly format: WireFormat;
  /** An order among equal deployments; one instance per process. */
  readonly strategy: Strategy;
  /** A kind of skill; created per row of `llm_skill_config`. */
  readonly skill: Skill;
  /** A transport to an MCP server; created per row of `llm_mcp_config`. */
  readonly 'tool-source': ToolSource;
}
export type PluginType = keyof PluginInstances;

/** The services that a plugin may use. */
export interface PluginServices {
  readonly logger: Logger;
  readonly mode: 'development' | 'production';
  /** Programs that the operator allows for stdio MCP servers of the row's tenant. */
  readonly stdioPrograms: readonly StdioProgram[];
  /** The user that these programs run as; null for the user of Pailou. */
  readonly stdioUser: SystemUser | null;
  /** The tenant of the row. Absent for a plugin without a row. */
  readonly tenant?: string;
  /** Throws `configuration_invalid` when the outbound guard refuses this URL. Checked again at connect time. */
  checkUrl(url: string, param: string): URL;
  /** A `fetch` through the outbound guard and the row's proxy, for plugins with their own I/O (MCP). Not for model calls. */
  readonly fetch: typeof fetch;
  /** Checks where a caller's own token may be sent. */
  readonly tokenExchange: TokenExchange;
  /** People's own accounts at the row's server. Absent for a plugin without a row. */
  readonly accounts?: Accounts;
}

/**
 * `options` is the validator of the row, the type of the code and the JSON Schema of the API. Mark secret fields with `secret()` from
 * `secret.ts`. `create` may be asynchronous. An instance with resources implements `Symbol.asyncDispose`; it is disposed when the last
 * call that uses it has ended.
 */
export interface Plugin<T extends PluginType = PluginType, O = unknown> {
  readonly type: T;
  readonly kind: string;
  readonly title: string;
  readonly options: ZodType<O>;
  /** False when the provider or tool source opens no connection itself. Its rows then have no `proxy` option. */
  readonly connects?: false;
  /** The effects of a row with these options beyond its own address. Only administrators may write such rows. */
  reaches?(options: O): readonly PluginReach[];
  create(options: O, services: PluginServices): PluginInstances[T] | Promise<PluginInstances[T]>;
}

/** Type-checks a plugin at its definition and infers its options from the schema. */
export function definePlugin<T extends PluginType, O>(plugin: Plugin<T, O>): Plugin<T, O> {
  return plugin;
}

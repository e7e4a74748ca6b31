/**
 * The contract of every extension: one file, one default export, one row in the database.
 * The loader finds plugin files; nobody imports them.
 */
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

/** A plugin author finds the whole contract of a provider beside `definePlugin`. */
export type { Provider, UpstreamCall, UpstreamFailure } from './provider.ts';

/** What each plugin type makes. */
export interface PluginInstances {
  /** A connection to a vendor; made per row of `llm_provider_config`. */
  readonly provider: Provider;
  /** A vendor's wire format; one instance per process. */
  readonly format: WireFormat;
  /** An order among equal deployments; one instance per process. */
  readonly strategy: Strategy;
  /** A kind of skill; made per row of `llm_skill_config`. */
  readonly skill: Skill;
  /** A transport to an MCP server; made per row of `llm_mcp_config`. */
  readonly 'tool-source': ToolSource;
}
export type PluginType = keyof PluginInstances;

/** What a plugin may use of the house. */
export interface PluginServices {
  readonly logger: Logger;
  readonly mode: 'development' | 'production';
  /** Programs that a stdio MCP server of the row's tenant may start, as the operator allows them. */
  readonly stdioPrograms: readonly StdioProgram[];
  /** As whom they run; null for the user of Pailou. */
  readonly stdioUser: SystemUser | null;
  /** The tenant of the row; left out for a plugin that has no row. */
  readonly tenant?: string;
  /** Throws GatewayError `configuration_invalid` if Pailou may not connect to this URL. Checked again at connect time. */
  checkUrl(url: string, param: string): URL;
  /** A `fetch` that goes through the outbound guard. For plugins that must do their own I/O (MCP); not for model calls. */
  readonly fetch: typeof fetch;
  /** Where a caller's own token may be sent. */
  readonly tokenExchange: TokenExchange;
  /** People's accounts at what the row stands for; left out for a plugin that has no row. */
  readonly accounts?: Accounts;
}

/**
 * `options` is at once the validator of the row, the type of the code and the JSON Schema of the API.
 * Mark secret fields with `secret()` from `secret.ts`. `create` may be asynchronous; an instance that holds
 * resources implements `Symbol.asyncDispose` and is disposed when the last call that uses it has ended.
 */
export interface Plugin<T extends PluginType = PluginType, O = unknown> {
  readonly type: T;
  readonly kind: string;
  readonly title: string;
  readonly options: ZodType<O>;
  /** What a row with these options acts on beyond the address that it names. Such rows are for administrators. */
  reaches?(options: O): readonly PluginReach[];
  create(options: O, services: PluginServices): PluginInstances[T] | Promise<PluginInstances[T]>;
}

/** Checks a plugin's type where it is written, and infers its options from the schema. */
export function definePlugin<T extends PluginType, O>(plugin: Plugin<T, O>): Plugin<T, O> {
  return plugin;
}

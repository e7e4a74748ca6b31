/** Programs that stdio MCP servers may start: whole command lines that the operator allows by name. */

/** A value that a row may insert into the command line. */
export interface ProgramParameter {
  /** The allowed values. Absent: `pattern` applies. */
  readonly values?: readonly string[];
  /** A regular expression for the whole value. Absent: letters, digits, `.`, `_` and `-`. */
  readonly pattern?: string;
  /** The value when the row gives none. */
  readonly default?: string;
}

export interface StdioProgram {
  readonly name: string;
  /** `node` stands for the Node executable that runs Pailou. */
  readonly command: string;
  /** Fixed, except for `{parameter}`. */
  readonly args: readonly string[];
  readonly parameters: Readonly<Record<string, ProgramParameter>>;
  /** Environment variables that a row may set. */
  readonly env: readonly string[];
  readonly cwd: string | null;
  /** The tenants that may use it; null for all. */
  readonly tenants: readonly string[] | null;
}

/** A resolved command line. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | null;
}

/** A user and a group of the operating system. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** Programs that MCP servers of kind stdio may start: whole command lines, which the operator allows by name. */

/** What a row may put into one place of the command line. */
export interface ProgramParameter {
  /** Exactly these; left out: what `pattern` says. */
  readonly values?: readonly string[];
  /** A regular expression for the whole value; left out: letters, digits, `.`, `_` and `-`. */
  readonly pattern?: string;
  /** Where a row does not say. */
  readonly default?: string;
}

export interface StdioProgram {
  readonly name: string;
  /** `node` stands for the Node that runs Pailou. */
  readonly command: string;
  /** Fixed, but for `{parameter}`. */
  readonly args: readonly string[];
  readonly parameters: Readonly<Record<string, ProgramParameter>>;
  /** Names of variables that a row may set. */
  readonly env: readonly string[];
  readonly cwd: string | null;
  /** The tenants it is for; null for all. */
  readonly tenants: readonly string[] | null;
}

/** A command line as it is started. */
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

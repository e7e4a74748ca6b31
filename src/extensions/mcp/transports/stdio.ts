/** MCP servers started as a local program. Only programs that the operator allows, without a shell, with a clean environment. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { GatewayError } from '../../../types/errors.ts';
import { definePlugin, type PluginServices } from '../../../types/plugin.ts';
import { printable } from '../../../types/printable-text.ts';
import { secret } from '../../../types/secret.ts';
import type { CommandLine, StdioProgram, SystemUser } from '../../../types/stdio-programs.ts';
import { commandLineOf, programOf } from './program/command-line.ts';
import { processEnd } from './program/process-end.ts';
import { limitMemory } from './session/memory-limit.ts';
import { protocol, sessions } from './session/session-options.ts';
import { createSession } from './session/session.ts';

const text = z.string().max(4_000);

/** Characters of standard error that are kept. */
const mostWords = 4_000;
const mostLines = 10;

function lastLines(words: string): string {
  const lines = printable(words)
    .split('\n')
    .map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .slice(-mostLines)
    .join(' | ');
}

const options = z
  .strictObject({
    program: z.string().min(1).max(64).optional().describe('The name of a program in PAILOU_STDIO_PROGRAMS.').meta({ address: true }),
    parameters: z
      .record(z.string().min(1).max(64), text)
      .default({})
      .describe('Values for the parameters that the program declares, by name.')
      .meta({ address: true }),
    command: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe('In place of `program`, with `args`: a command line that is one of those programs, exactly.')
      .meta({ address: true }),
    args: z.array(text).max(100).default([]).meta({ address: true }),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and _'), secret())
      .default({})
      .describe('Variables that the program has declared. It gets nothing else besides PATH and HOME.'),
    cwd: z.string().max(1_000).optional().describe('Where the program runs, as the operator wrote it.').meta({ address: true }),
    memory_mb: z.int().min(16).max(1_048_576).default(2_048).describe('A program that uses more is stopped (on Linux).'),
    protocol,
    sessions,
  })
  .superRefine(({ program, command, args, parameters, cwd }, context) => {
    if ((program === undefined) === (command === undefined))
      context.addIssue({ code: 'custom', path: ['program'], message: 'give either program, or command with args' });
    if (program !== undefined && args.length > 0)
      context.addIssue({
        code: 'custom',
        path: ['args'],
        message: 'has no place beside program: the operator sets the arguments; give parameters',
      });
    if (program !== undefined && cwd !== undefined)
      context.addIssue({ code: 'custom', path: ['cwd'], message: 'has no place beside program: the operator sets where it runs' });
    if (command !== undefined && Object.keys(parameters).length > 0)
      context.addIssue({ code: 'custom', path: ['parameters'], message: 'has no place beside command; name the program' });
  });

const refused = (param: string, sentence: string): GatewayError =>
  new GatewayError('configuration_invalid', `${param}: ${sentence}`, { param });

interface Chosen {
  readonly program: StdioProgram;
  readonly line: CommandLine;
}

/** The allowed program that the row names or writes out. Throws `configuration_invalid` with the remedy for the operator. */
function chosenProgram(given: z.output<typeof options>, { stdioPrograms: programs, tenant = 'default' }: PluginServices): Chosen {
  const { program: name, parameters, command = '', args, cwd } = given;
  if (name !== undefined) {
    const program = programs.find((each) => each.name === name);
    if (program !== undefined) return { program, line: commandLineOf(program, parameters) };
    const allowed = programs.length === 0 ? 'none is allowed' : `allowed: ${programs.map((each) => each.name).join(', ')}`;
    throw refused(
      'spec.options.program',
      `your tenant may start no program "${name}" (${allowed}). The operator can add it to PAILOU_STDIO_PROGRAMS.`,
    );
  }
  const line = { command, args, cwd: cwd ?? null };
  const found = programOf(programs, line);
  if (found !== null) return { program: found.program, line };
  const wanted = { command, args, ...(line.cwd === null ? {} : { cwd: line.cwd }), ...envOf(given), tenants: [tenant] };
  throw refused(
    'spec.options.command',
    `this command line is no program that your tenant may start. The operator can add it to PAILOU_STDIO_PROGRAMS, under a name of their choice: ${JSON.stringify({ name: wanted })}`,
  );
}

const envOf = ({ env }: z.output<typeof options>): object => (Object.keys(env).length === 0 ? {} : { env: Object.keys(env) });

/** Refuses undeclared variables: a variable can change a program as much as an argument can. */
function requireDeclared(program: StdioProgram, env: Readonly<Record<string, string>>): void {
  const undeclared = Object.keys(env).find((name) => !program.env.includes(name));
  if (undeclared === undefined) return;
  throw refused(
    `spec.options.env.${undeclared}`,
    `the program "${program.name}" takes no such variable. The operator can add it to env of the program in PAILOU_STDIO_PROGRAMS.`,
  );
}

/** Starts the launcher, which switches to the user and then becomes the program. */
function asUser({ command, args }: CommandLine, user: SystemUser | null): { readonly command: string; readonly args: string[] } {
  // The Node that runs Pailou, not the first one in PATH.
  const file = command === 'node' ? process.execPath : command;
  if (user === null) return { command: file, args: [...args] };
  const launcher = fileURLToPath(new URL('./program/run-as-user.ts', import.meta.url));
  return { command: process.execPath, args: [launcher, String(user.uid), String(user.gid), file, ...args] };
}

export default definePlugin({
  type: 'tool-source',
  connects: false,
  kind: 'stdio',
  title: 'Program on this machine (stdio)',
  reaches: () => ['program'],
  options,
  create(given, services) {
    const { program, line } = chosenProgram(given, services);
    requireDeclared(program, given.env);
    const { env, memory_mb: memory, protocol: era, sessions: shared } = given;
    const started = asUser(line, services.stdioUser);
    return createSession({
      protocol: era,
      sessions: shared,
      listsAlone: true,
      // Each session is a process.
      mostOwn: 32,
      secrets: Object.values(env),
      logger: services.logger,
      transport: async () => {
        const { DEFAULT_INHERITED_ENV_VARS, StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
        // The SDK inherits some variables of our environment; an undefined value removes one.
        const withheld = DEFAULT_INHERITED_ENV_VARS.filter((name) => name !== 'PATH' && name !== 'HOME').map((name) => [name, undefined]);
        const transport = new StdioClientTransport({
          ...started,
          env: { ...(Object.fromEntries(withheld) as Record<string, string>), ...env },
          stderr: 'pipe',
          ...(line.cwd === null ? {} : { cwd: line.cwd }),
        });
        let words = '';
        transport.stderr?.on('data', (part: Buffer) => {
          words = (words + part.toString('utf8')).slice(-mostWords);
        });
        // The SDK's second close resolves while its first still waits for the process to end; both must wait.
        const close = transport.close.bind(transport);
        const closeOnce = async (): Promise<void> => {
          const { pid } = transport;
          await close();
          if (pid !== null) await processEnd(pid);
        };
        let closing: Promise<void> | null = null;
        let unwatch = (): void => {};
        transport.close = () => {
          unwatch();
          return (closing ??= closeOnce());
        };
        const start = transport.start.bind(transport);
        transport.start = async () => {
          await start();
          if (transport.pid !== null) unwatch = limitMemory(transport.pid, memory, services.logger);
        };
        return Object.assign(transport, { lastWords: () => lastLines(words) });
      },
    });
  },
});

/** MCP servers started as a program on this machine. Only what the operator allows, without a shell, with a clean environment. */
import { z } from 'zod';
import { GatewayError } from '../../../types/errors.ts';
import { definePlugin } from '../../../types/plugin.ts';
import { secret } from '../../../types/secret.ts';
import { limitMemory } from './session/memory-limit.ts';
import { protocol, sessions } from './session/session-options.ts';
import { createSession } from './session/session.ts';

const options = z.strictObject({
  command: z.string().min(1).max(500).describe('One of the commands in PAILOU_STDIO_COMMANDS.'),
  args: z.array(z.string().max(4_000)).max(100).default([]),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and _'), secret())
    .default({})
    .describe('All that the program gets besides PATH and HOME.'),
  cwd: z.string().max(1_000).optional(),
  memory_mb: z.int().min(16).max(1_048_576).default(2_048).describe('A program that takes more is ended (on Linux).'),
  protocol,
  sessions,
});

export default definePlugin({
  type: 'tool-source',
  kind: 'stdio',
  title: 'Program on this machine (stdio)',
  reaches: ['program'],
  options,
  create({ command, args, env, cwd, memory_mb: memory, ...rest }, services) {
    if (!services.stdioCommands.includes(command)) {
      const allowed = services.stdioCommands.length === 0 ? 'none is allowed' : `allowed: ${services.stdioCommands.join(', ')}`;
      throw new GatewayError(
        'configuration_invalid',
        `spec.options.command: "${command}" may not be started here (${allowed}). The operator can add it to PAILOU_STDIO_COMMANDS.`,
        {
          param: 'spec.options.command',
        },
      );
    }
    return createSession({
      ...rest,
      listsAlone: true,
      // Each one is a process.
      mostOwn: 32,
      secrets: Object.values(env),
      logger: services.logger,
      transport: async () => {
        const { DEFAULT_INHERITED_ENV_VARS, StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
        // The SDK puts variables of ours under the given ones; an undefined one takes it away again.
        const withheld = DEFAULT_INHERITED_ENV_VARS.filter((name) => name !== 'PATH' && name !== 'HOME').map((name) => [name, undefined]);
        const transport = new StdioClientTransport({
          // The Node that runs Pailou, not whichever comes first in the path.
          command: command === 'node' ? process.execPath : command,
          args: [...args],
          env: { ...(Object.fromEntries(withheld) as Record<string, string>), ...env },
          stderr: 'ignore',
          ...(cwd === undefined ? {} : { cwd }),
        });
        // The SDK's second close resolves while its first still waits for the process to end; both must wait.
        const closeOnce = transport.close.bind(transport);
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
        return transport;
      },
    });
  },
});

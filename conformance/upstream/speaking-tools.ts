/** Tools that send notifications before their result: progress, logs, a stream that is cut, list changes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpServer, ServerContext } from '@modelcontextprotocol/server';

/** The lists that `test_trigger_*` change, and the connections that are notified. All connections share one, as in a real server. */
export interface ChangingLists {
  extraTool: boolean;
  extraPrompt: boolean;
  toolsChanged(): void;
  promptsChanged(): void;
}

const pauseMs = 50;
const answer = (text: string) => ({ content: [{ type: 'text' as const, text }] });

async function logThrice(context: ServerContext): Promise<void> {
  for (const words of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await context.mcpReq.log('info', words);
    await sleep(pauseMs);
  }
}

export function addSpeakingTools(server: McpServer, lists: ChangingLists): void {
  server.registerTool('test_tool_with_logging', { description: 'Writes three log messages.' }, async (context) => {
    await logThrice(context);
    return answer('Tool with logging executed successfully');
  });
  server.registerTool('test_logging_tool', { description: 'Writes log messages, if they are wanted.' }, async (context) => {
    await logThrice(context);
    return answer('Logged what was wanted');
  });
  server.registerTool('test_tool_with_progress', { description: 'Reports its progress in three steps.' }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      }
      await sleep(pauseMs);
    }
    return answer('Done in three steps');
  });
  server.registerTool(
    'test_reconnection',
    { description: 'Closes its stream and answers to the client that comes back.' },
    async (context) => {
      context.http?.closeSSE?.();
      await sleep(2 * pauseMs);
      return answer('You came back');
    },
  );
  server.registerTool('test_trigger_tool_change', { description: 'Adds a tool to the list, or takes it away.' }, () => {
    lists.extraTool = !lists.extraTool;
    lists.toolsChanged();
    return answer('The tools changed');
  });
  server.registerTool('test_trigger_prompt_change', { description: 'Adds a prompt to the list, or takes it away.' }, () => {
    lists.extraPrompt = !lists.extraPrompt;
    lists.promptsChanged();
    return answer('The prompts changed');
  });
  if (lists.extraTool) server.registerTool('test_extra_tool', { description: 'Comes and goes.' }, () => answer('I am here'));
}

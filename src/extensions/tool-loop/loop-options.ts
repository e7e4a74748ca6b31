/** What a tool loop is given. */
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { ChatEvents, ChatRequest } from '../../types/chat.ts';
import type { Decision } from '../../types/approval-decision.ts';
import type { ToolExecutor } from './call-tools.ts';
import type { ServerTool } from './tool-requests.ts';

export interface ToolLoopOptions extends ToolExecutor {
  readonly request: ChatRequest;
  readonly owner: ToolLoopOwner;
  readonly states: ToolLoopStates;
  /** The id of the run that the loop is. */
  readonly run: string;
  readonly tools: readonly ServerTool[];
  /** What a person said to calls that an earlier answer holds. */
  readonly decisions: readonly Decision[];
  /** Rounds of server-side tools; after them one last answer without tools. 8 unless given. */
  readonly maxSteps?: number;
  callModel(request: ChatRequest): Promise<{ readonly events: ChatEvents }>;
}

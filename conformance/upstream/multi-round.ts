/** Tools of the stateless era: a result that asks for input, and the same call again with that input. */
import { randomBytes } from 'node:crypto';
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequests,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

/** Signs the request state, so that a modified one is refused. `verify` belongs in the server's options. */
export const requestStates = createRequestStateCodec<{ readonly round: number }>({ key: randomBytes(32) });

const answer = (text: string) => ({ content: [{ type: 'text' as const, text }] });
const name = z.object({ name: z.string() });
const yes = z.object({ ok: z.boolean() });
const color = z.object({ color: z.string() });
const context = z.object({ context: z.string() });

const askName = (message = 'What is your name?') => inputRequired.elicit({ message, requestedSchema: name });
const askModel = (question: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: question } }], maxTokens });

/** Asks with a request state, and continues only with that state and an answer. */
function addConfirmedTool(server: McpServer, tool: string, description: string): void {
  server.registerTool(tool, { description }, async (call) => {
    const confirmed = acceptedContent(call.mcpReq.inputResponses, 'confirm', yes);
    if (confirmed !== undefined && call.mcpReq.requestState() !== undefined) return answer('state-ok');
    return inputRequired({
      inputRequests: { confirm: inputRequired.elicit({ message: 'Please confirm', requestedSchema: yes }) },
      requestState: await requestStates.mint({ round: 1 }, call),
    });
  });
}

function addOneQuestion(server: McpServer, tool: string, key: string, ask: () => InputRequests[string]): void {
  server.registerTool(tool, { description: `Asks for ${key} first.` }, ({ mcpReq: { inputResponses } }) => {
    const view = inputResponse(inputResponses, key);
    return view.kind === 'missing' ? inputRequired({ inputRequests: { [key]: ask() } }) : answer(`Thank you: ${JSON.stringify(view)}`);
  });
}

async function threeQuestions(call: ServerContext) {
  const keys = ['user_name', 'greeting', 'client_roots'];
  if (keys.every((key) => inputResponse(call.mcpReq.inputResponses, key).kind !== 'missing')) return answer('All three answers are here');
  return inputRequired({
    inputRequests: {
      user_name: askName(),
      greeting: askModel('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    },
    requestState: await requestStates.mint({ round: 1 }, call),
  });
}

async function twoRounds(call: ServerContext) {
  const { inputResponses } = call.mcpReq;
  const round = call.mcpReq.requestState<{ round: number }>()?.round ?? 0;
  if (round === 2 && acceptedContent(inputResponses, 'step2', color) !== undefined) return answer('Both rounds are done');
  const second = round >= 1 && acceptedContent(inputResponses, 'step1', name) !== undefined;
  return inputRequired({
    inputRequests: second
      ? { step2: inputRequired.elicit({ message: 'Step 2: What is your favorite color?', requestedSchema: color }) }
      : { step1: askName('Step 1: What is your name?') },
    requestState: await requestStates.mint({ round: second ? 2 : 1 }, call),
  });
}

/** Asks only for input that this client declares it can give. */
function onlyWhatTheClientCan(call: ServerContext) {
  // The envelope's type names its members by unique keys that are not exported.
  const can = (call.mcpReq.envelope as Record<string, ClientCapabilities | undefined> | undefined)?.[CLIENT_CAPABILITIES_META_KEY];
  const inputRequests: InputRequests = {
    ...(can?.sampling === undefined ? {} : { greeting: askModel('Generate a greeting', 50) }),
    ...(can?.elicitation === undefined ? {} : { user_name: askName() }),
  };
  return Object.keys(inputRequests).length === 0 ? answer('You can answer nothing') : inputRequired({ inputRequests });
}

export function addMultiRoundTools(server: McpServer): void {
  const elicitation = 'test_input_required_result_elicitation';
  server.registerTool(elicitation, { description: 'Asks for a name.' }, ({ mcpReq: { inputResponses } }) => {
    const given = acceptedContent(inputResponses, 'user_name', name);
    return given === undefined ? inputRequired({ inputRequests: { user_name: askName() } }) : answer(`Hello, ${given.name}!`);
  });
  addOneQuestion(server, 'test_input_required_result_sampling', 'capital_question', () => askModel('What is the capital of France?', 100));
  addOneQuestion(server, 'test_input_required_result_list_roots', 'client_roots', () => inputRequired.listRoots());
  addOneQuestion(server, 'test_streaming_elicitation', 'user_name', () => askName());
  // The SDK refuses to send this to a client without the sampling capability.
  addOneQuestion(server, 'test_missing_capability', 'greeting', () => askModel('Generate a greeting', 50));
  addConfirmedTool(server, 'test_input_required_result_request_state', 'Asks with a state.');
  addConfirmedTool(server, 'test_input_required_result_tampered_state', 'Refuses a state that was changed.');
  server.registerTool('test_input_required_result_multiple_inputs', { description: 'Asks three things at once.' }, threeQuestions);
  server.registerTool('test_input_required_result_multi_round', { description: 'Asks twice.' }, twoRounds);
  server.registerTool('test_input_required_result_capabilities', { description: 'Asks what you can answer.' }, onlyWhatTheClientCan);
}

export function addMultiRoundPrompt(server: McpServer): void {
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks for a context.' }, ({ mcpReq: { inputResponses } }) => {
    const given = acceptedContent(inputResponses, 'user_context', context);
    if (given === undefined) {
      const ask = inputRequired.elicit({ message: 'What context should the prompt use?', requestedSchema: context });
      return inputRequired({ inputRequests: { user_context: ask } });
    }
    return { messages: [{ role: 'user', content: { type: 'text', text: `In this context: ${given.context}` } }] };
  });
}

/** Tools of the session-based era (before 2026) that send requests to the client while they run: sampling and elicitation. */
import type { ElicitRequestFormParams, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const answer = (text: string) => ({ content: [{ type: 'text' as const, text }] });

const person: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const defaults: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'User name', default: 'John Doe' },
    age: { type: 'integer', description: 'User age', default: 30 },
    score: { type: 'number', description: 'User score', default: 95.5 },
    status: { type: 'string', description: 'User status', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', description: 'Verification status', default: true },
  },
  required: [],
};

const titled = (first: string) =>
  [1, 2, 3].map((number) => ({ const: `value${number}`, title: `${['First', 'Second', 'Third'][number - 1] ?? ''} ${first}` }));

const enums: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  },
  required: [],
};

const forms = {
  test_elicitation_sep1034_defaults: { description: 'Asks with a default for each kind of field.', requestedSchema: defaults },
  test_elicitation_sep1330_enums: { description: 'Asks with each kind of choice.', requestedSchema: enums },
};

export function addAskingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: "Asks the client's model.", inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, context) => {
      const { content } = await context.mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      });
      return answer(`LLM response: ${JSON.stringify(content)}`);
    },
  );
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the person.', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, context) => {
      const { action, content } = await context.mcpReq.elicitInput({ mode: 'form', message, requestedSchema: person });
      return answer(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`);
    },
  );
  for (const [name, { description, requestedSchema }] of Object.entries(forms)) {
    server.registerTool(name, { description }, async (context) => {
      const { action, content } = await context.mcpReq.elicitInput({ mode: 'form', message: 'Please fill in the form', requestedSchema });
      return answer(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`);
    });
  }
}

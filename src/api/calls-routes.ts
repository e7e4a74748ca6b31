/** The route table of the calls. */
import type { FastifyInstance } from 'fastify';
import type { CallServices } from '../application/services.ts';
import { addChatCompletions } from './routes/chat-completions.ts';
import type { RunReader } from '../storage/run-reader.ts';
import type { McpGate } from '../extensions/mcp/gate/gate.ts';
import { addAudio } from './routes/audio.ts';
import { addEmbeddings } from './routes/embeddings.ts';
import { addImages } from './routes/images.ts';
import { addMcp } from './routes/mcp.ts';
import { addMessages } from './routes/messages.ts';
import { addModels } from './routes/models.ts';
import { addRerank } from './routes/rerank.ts';
import { addCompactResponse } from './routes/compact-response.ts';
import { addResponses } from './routes/responses.ts';
import { addRoot } from './routes/root.ts';
import { addSkillRuns } from './routes/skill-runs.ts';
import { addSkills } from './routes/skills.ts';

/** Routes on which each request calls a model, or a skill as a model. */
const modelCalls: ReadonlySet<string> = new Set([
  '/v1/chat/completions',
  '/v1/messages',
  '/v1/responses',
  '/v1/embeddings',
  '/v1/rerank',
  '/v1/images/generations',
  '/v1/audio/speech',
  '/v1/audio/transcriptions',
]);

/** Each of these requests names a model or a skill, usually in its body. */
function declareCalls(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.method === 'POST') route.config = { ...route.config, decides: true, callsModel: modelCalls.has(route.url) };
  });
}

/** The routes of a worker. The primary process has them too, among all others. */
export function addPlainCalls(app: FastifyInstance, services: CallServices): void {
  declareCalls(app);
  addChatCompletions(app, services);
  addMessages(app, services);
  addResponses(app, services);
  addEmbeddings(app, services);
}

export function addCalls(app: FastifyInstance, services: CallServices, gate: McpGate, runs: RunReader): void {
  declareCalls(app);
  addChatCompletions(app, services);
  addMessages(app, services);
  addResponses(app, services);
  addCompactResponse(app, services);
  addEmbeddings(app, services);
  addRerank(app, services);
  addImages(app, services);
  addAudio(app, services);
  addModels(app);
  addSkills(app, services);
  addSkillRuns(app, services, runs);
  addMcp(app, services, gate);
  addRoot(app);
}

/** Ollama's own format, which can set what its OpenAI-compatible one cannot: the length of the context, how long a model stays loaded. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { ollamaChat } from './chat.ts';
import { ollamaEmbeddings } from './embeddings.ts';

export default definePlugin({
  type: 'format',
  kind: 'ollama',
  title: 'Ollama native chat and embeddings',
  options: z.strictObject({}),
  create: () => ({ chat: ollamaChat, embeddings: ollamaEmbeddings }),
});

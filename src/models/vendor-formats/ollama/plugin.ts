/** Ollama's native format, with options that its OpenAI-compatible one lacks: context length, and how long a model stays loaded. */
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

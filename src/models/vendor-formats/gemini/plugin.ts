/** The format of Google's Gemini models. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { geminiChat } from './chat.ts';
import { geminiEmbeddings } from './embeddings.ts';

export default definePlugin({
  type: 'format',
  kind: 'gemini',
  title: 'Gemini generateContent and batchEmbedContents',
  options: z.strictObject({}),
  create: () => ({ chat: geminiChat, embeddings: geminiEmbeddings }),
});

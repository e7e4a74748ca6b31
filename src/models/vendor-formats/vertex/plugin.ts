/** What Vertex AI has in a format of its own; its Gemini models chat in that of Gemini. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { vertexEmbeddings } from './embeddings.ts';

export default definePlugin({
  type: 'format',
  kind: 'vertex',
  title: 'Vertex AI predict (embeddings)',
  options: z.strictObject({}),
  create: () => ({ embeddings: vertexEmbeddings }),
});

/** Vertex AI's own formats. Its Gemini models chat in Gemini's format. */
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

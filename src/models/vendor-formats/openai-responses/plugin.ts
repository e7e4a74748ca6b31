/** OpenAI's Responses towards vendors: the only API of OpenAI's newest models with tools. https://platform.openai.com/docs/api-reference/responses */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { responsesChat } from './chat.ts';

export default definePlugin({
  type: 'format',
  kind: 'openai-responses',
  title: 'OpenAI Responses',
  options: z.strictObject({}),
  create: () => ({ chat: responsesChat }),
});

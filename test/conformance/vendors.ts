/** The vendor writer of each wire format. A format without one fails the suite, so that every format is tested. */
import type { VendorWriter } from './scene.ts';
import { anthropicWords } from './vendors/anthropic.ts';
import { bedrockWords } from './vendors/bedrock.ts';
import { dashscopeWords } from './vendors/dashscope.ts';
import { geminiWords } from './vendors/gemini.ts';
import { ollamaWords } from './vendors/ollama.ts';
import { openaiWords } from './vendors/openai.ts';
import { responsesWords } from './vendors/openai-responses.ts';

const words: Readonly<Record<string, VendorWriter>> = {
  anthropic: anthropicWords,
  bedrock: bedrockWords,
  dashscope: dashscopeWords,
  gemini: geminiWords,
  ollama: ollamaWords,
  openai: openaiWords,
  'openai-responses': responsesWords,
};

export function wordsOf(format: string | undefined): VendorWriter {
  const found = words[format ?? ''];
  if (found === undefined)
    throw new Error(`the conformance suite has no words for the format "${format}"; add test/conformance/vendors/${format}.ts`);
  return found;
}

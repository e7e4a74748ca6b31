/** Pictures and sound: the caller's options, and Gemini's output. */
import type { ChatBody, ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { imageDataUrl } from '../../answer-images.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { unsupported } from '../../conversation/request-fields.ts';

const modalities: ReadonlySet<unknown> = new Set(['text', 'image', 'audio']);

function voiceOf(audio: JsonObject, target: EncodeTarget): JsonObject {
  const { format, voice } = audio;
  // Gemini returns raw 16-bit samples, which OpenAI calls pcm16.
  if (format !== undefined && format !== 'pcm16')
    throw unsupported(target, 'audio.format', `answers with pcm16 only, not ${JSON.stringify(format).slice(0, 60)}`, 'Set it to pcm16.');
  return typeof voice === 'string' ? { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } } : {};
}

/** `modalities` and `audio` as members of Gemini's `generationConfig`. Throws `unsupported_parameter` naming the field. */
export function mediaConfig(body: ChatBody, target: EncodeTarget): Record<string, Json> {
  const { modalities: asked, audio } = body;
  const wanted = Array.isArray(asked) ? (asked as readonly Json[]) : [];
  const unknown = wanted.find((each) => !modalities.has(each));
  if (unknown !== undefined)
    throw unsupported(target, 'modalities', `has no ${JSON.stringify(unknown).slice(0, 60)}`, 'Choose among text, image and audio.');
  const speech = isJsonObject(audio) ? voiceOf(audio, target) : {};
  const plain = wanted.every((each) => each === 'text');
  return {
    ...(plain ? {} : { responseModalities: withoutText(wanted).map((each) => (typeof each === 'string' ? each.toUpperCase() : each)) }),
    ...(Object.keys(speech).length === 0 ? {} : { speechConfig: speech }),
  };
}

/** Speech models refuse text beside the sound, but OpenAI's clients always request it. */
function withoutText(wanted: readonly Json[]): readonly Json[] {
  return wanted.includes('audio') ? ['audio'] : wanted;
}

/** Reads a picture or a sound. Throws `upstream_invalid_response` for another file type, which no client format can carry. */
export function readMedia(data: JsonObject, choice: number, events: ChatEvent[]): void {
  const type = typeof data['mimeType'] === 'string' ? data['mimeType'] : '';
  const bytes = typeof data['data'] === 'string' ? data['data'] : '';
  if (type.startsWith('image/')) events.push({ type: 'image', choice, url: imageDataUrl(bytes, type) });
  else if (type.startsWith('audio/')) events.push({ type: 'audio-delta', choice, audio: { data: bytes } });
  else throw invalidAnswer('a file that is neither a picture nor a sound', type);
}

/** Reads a file by its address. Throws `upstream_invalid_response` for another file than a picture. */
export function readFile(file: JsonObject, choice: number, events: ChatEvent[]): void {
  const type = typeof file['mimeType'] === 'string' ? file['mimeType'] : '';
  const url = typeof file['fileUri'] === 'string' ? file['fileUri'] : '';
  if (!type.startsWith('image/') || url === '') throw invalidAnswer('the address of a file that is no picture', type);
  events.push({ type: 'image', choice, url });
}

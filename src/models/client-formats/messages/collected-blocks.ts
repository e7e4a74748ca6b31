/** Collects the blocks of a whole message from their deltas. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { BlockSink } from './blocks.ts';

type Block = Record<string, Json | undefined>;

/** The arguments of a call as an object. Invalid or truncated arguments are passed to the caller unchanged. */
function inputOf(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isJsonObject(parsed)) return parsed;
    if (parsed === null) return {};
  } catch {
    // Passed on unchanged below.
  }
  return { arguments: text };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export class CollectedBlocks implements BlockSink {
  readonly content: Block[] = [];
  /** The JSON text of the open block's input. */
  #input = '';

  open(index: number, block: JsonObject): void {
    this.content[index] = { ...block };
    this.#input = '';
  }

  delta(index: number, delta: JsonObject): void {
    const block = this.content[index];
    if (block === undefined) return;
    switch (delta['type']) {
      case 'input_json_delta':
        this.#input += textOf(delta['partial_json']);
        return;
      case 'citations_delta':
        block['citations'] = [
          ...(Array.isArray(block['citations']) ? (block['citations'] as readonly Json[]) : []),
          delta['citation'] ?? null,
        ];
        return;
      case 'signature_delta':
        block['signature'] = textOf(delta['signature']);
        return;
      default: {
        // Texts accumulate; other members of newer delta types arrive once.
        const { type: _type, ...rest } = delta;
        for (const [key, value] of Object.entries(rest)) {
          block[key] = typeof value === 'string' && typeof block[key] === 'string' ? block[key] + value : value;
        }
      }
    }
  }

  close(index: number): void {
    const block = this.content[index];
    if (block !== undefined && this.#input !== '') block['input'] = inputOf(this.#input);
  }
}

/** The content of one vendor answer, independent of the wire format. */

export interface Scene {
  readonly reasoning?: string;
  /** In the chunks of its stream. */
  readonly text?: readonly string[];
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }[];
  readonly finish: 'stop' | 'length' | 'content_filter' | 'tool_calls';
  readonly usage: { readonly input: number; readonly output: number; readonly cached?: number; readonly reasoning?: number };
}

/** One wire format as a vendor writes it. */
export interface VendorWriter {
  readonly streamType: string;
  whole(scene: Scene): string;
  /** The frames of a stream; the last one contains the end. */
  stream(scene: Scene): readonly (string | Buffer)[];
  /** The body of an error response. */
  error(code: 'authentication' | 'limit' | 'context' | 'failure', message: string): { readonly status: number; readonly body: string };
  /** An error in the middle of a stream with status 200, as a frame. */
  errorFrame(): string | Buffer;
  /** A frame with an unknown finish reason, if the format names reasons. */
  oddFinish(scene: Scene): readonly (string | Buffer)[];
}

export const joined = (scene: Scene): string => (scene.text ?? []).join('');

/**
 * Returns to the system what the C library keeps after it was freed. glibc gives back only the end of its memory by itself. A start leaves
 * gaps of 19 MB before that, where compiled code was read.
 */
let trim: (() => void) | null = null;

/** Takes 5 to 35 ms. Does nothing with another C library, and where Node may not or cannot call one: before 26.1. */
export function trimNativeMemory(): void {
  trim ??= findTrim();
  trim();
}

function findTrim(): () => void {
  const emitWarning: unknown = Reflect.get(process, 'emitWarning');
  // The interface is experimental in Node, which warns once. An operator can do nothing about it.
  process.emitWarning = () => {};
  try {
    const foreign = process.getBuiltinModule('node:ffi');
    const { malloc_trim } = foreign.dlopen(null, { malloc_trim: { arguments: ['uint64'], return: 'int32' } }).functions;
    return () => void malloc_trim(0n);
  } catch {
    return () => {};
  } finally {
    Reflect.set(process, 'emitWarning', emitWarning);
  }
}

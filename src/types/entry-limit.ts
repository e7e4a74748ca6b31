/** Options of an LRU cache of up to `most` entries that grows with its entries. With `max`, the library allocates all entries when it is created. */
export const entryLimit = (most: number): { readonly maxSize: number; readonly sizeCalculation: () => number } => ({
  maxSize: most,
  sizeCalculation: () => 1,
});

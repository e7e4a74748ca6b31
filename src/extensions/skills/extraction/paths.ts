/** Paths of values within data, such as `lines[0].price`. */

export const within = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** What a value is a part of. Always shorter, for names may hold any marks: `Price [EUR]`. */
export const around = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.'), path.lastIndexOf('[')));

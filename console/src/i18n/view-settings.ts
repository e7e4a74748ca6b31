/** The view settings of the browser: language and theme. Nothing else is stored there. */
const prefix = 'pailou.view.';

export type ViewSetting = 'language' | 'theme';

/** Null when nothing is stored, or when the browser allows no storage. */
export function readViewSetting(name: ViewSetting): string | null {
  try {
    return localStorage.getItem(prefix + name);
  } catch {
    return null;
  }
}

export function writeViewSetting(name: ViewSetting, value: string): void {
  try {
    localStorage.setItem(prefix + name, value);
  } catch {
    // The choice then lasts until the page is closed.
  }
}

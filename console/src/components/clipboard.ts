/** Copies text, also on a plain-http address, where `navigator.clipboard` is undefined. */
export async function copyText(text: string): Promise<boolean> {
  // The type says always; browsers leave it out on http.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard !== undefined) {
    try {
      await clipboard.writeText(text);
      return true;
    } catch {
      // Permission policies may refuse it; the older way may still work.
    }
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.setAttribute('readonly', '');
  area.style.position = 'fixed';
  area.style.opacity = '0';
  // Inside an open dialog, where the focus is held.
  const host = document.activeElement?.closest('[role="dialog"]') ?? document.body;
  host.append(area);
  const focused = document.activeElement;
  area.select();
  try {
    return document.execCommand('copy');
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}

/** Gives the focus back to the control that opened a dialog. The dialogs of the console leave the page at once, so they cannot do it themselves. */
import { useEffect, useState } from 'react';

/** For the component that shows the dialog and is removed with it. */
export function useFocusReturn(): void {
  // While it is rendered first, the dialog does not hold the focus yet.
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // The control that was used to close it may lead elsewhere.
      if (document.activeElement !== document.body && document.activeElement !== null) return;
      const isThere = opener instanceof HTMLElement && opener !== document.body && opener.isConnected;
      (isThere ? opener : document.getElementById('content'))?.focus({ preventScroll: true });
    },
    [opener],
  );
}

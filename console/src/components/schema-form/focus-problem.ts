/** Moves the focus to the first field with a problem, which may lie outside of what a drawer shows. */
import { useEffect } from 'react';

/** `attempt` counts the tries to save; the focus moves once for each. */
export function useProblemFocus(formId: string, attempt: number, hasProblems: boolean): void {
  useEffect(() => {
    if (attempt === 0 || !hasProblems) return;
    const fields = document.getElementById(formId)?.querySelectorAll<HTMLElement>('.ant-form-item-has-error');
    fields?.[0]?.querySelector<HTMLElement>('input, textarea, [role="combobox"], button')?.focus();
  }, [formId, attempt, hasProblems]);
}

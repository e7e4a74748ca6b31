/** A button that changes, calls or downloads something, or opens a form that does. There is none in a view as another person. */
import { Button, type ButtonProps } from 'antd';
import type { ReactNode } from 'react';
import { useCanAct } from './can.tsx';

export function ActButton(props: ButtonProps): ReactNode {
  return useCanAct() ? <Button {...props} /> : null;
}

/** A form that is sent to the gateway. In a view as another person its fields are shown, disabled. */
import { Form } from 'antd';
import type { ComponentProps, ReactNode } from 'react';
import { useCanAct } from './can.tsx';

interface ActFormProps extends Omit<ComponentProps<typeof Form>, 'onFinish' | 'children'> {
  readonly onFinish: () => void;
  readonly children: ReactNode;
}

export function ActForm({ onFinish, ...props }: ActFormProps): ReactNode {
  const canAct = useCanAct();
  return <Form {...props} {...(canAct ? { onFinish } : { disabled: true })} />;
}

/** Evaluates arithmetic: + - * / % ^, parentheses, signs. */

/** Returns the value of an expression. Throws an Error that names the position of a syntax error. */
export function evaluate(expression: string): number {
  const tokens = expression.match(/(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?|[-+*/%^()]|\S/g) ?? [];
  let position = 0;

  const fail = (): never => {
    throw new Error(
      position >= tokens.length ? `"${expression}" ends too early.` : `"${tokens[position]}" is not expected in "${expression}".`,
    );
  };
  const take = (...wanted: readonly string[]): string | null => {
    const token = tokens[position];
    if (token === undefined || !wanted.includes(token)) return null;
    position++;
    return token;
  };
  const value = (): number => {
    if (take('(') !== null) {
      const inner = sum();
      if (take(')') === null) fail();
      return inner;
    }
    const token = tokens[position];
    if (token === undefined || !/^\.?\d/.test(token)) return fail();
    position++;
    return Number(token);
  };
  const signed = (): number => {
    if (take('-') !== null) return -signed();
    if (take('+') !== null) return signed();
    return power();
  };
  const power = (): number => {
    const base = value();
    return take('^') === null ? base : base ** signed();
  };
  const product = (): number => {
    let result = signed();
    for (let operator = take('*', '/', '%'); operator !== null; operator = take('*', '/', '%')) {
      const next = signed();
      result = operator === '*' ? result * next : operator === '/' ? result / next : result % next;
    }
    return result;
  };
  function sum(): number {
    let result = product();
    for (let operator = take('+', '-'); operator !== null; operator = take('+', '-'))
      result = operator === '+' ? result + product() : result - product();
    return result;
  }

  const result = sum();
  if (position < tokens.length) fail();
  if (!Number.isFinite(result)) throw new Error(`"${expression}" has no finite value.`);
  return result;
}

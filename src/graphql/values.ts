import { Kind, type ValueNode } from 'graphql';
import { Failure } from '../failure';
import type { OperationLimits } from './limits.section';

/** Values of one request's variables, whatever they are nested in. */
const mostValues = 1_000;
/** Lists and objects in each other. */
const deepest = 16;

type ValueLimits = Pick<OperationLimits, 'listArgument'>;

const tooMany = (argument: string, most: number): Failure =>
  Failure.invalid(argument, `expected at most ${most} items in a list`);

/**
 * Counts what variables hold before anything looks into it: coercion, filters and rules walk all of it, some of them for each
 * place where it stands. Throws `INVALID` naming the variable, never its value.
 */
export const checkVariableSizes = (variables: Readonly<Record<string, unknown>>, limits: ValueLimits): void => {
  let left = mostValues;
  const check = (name: string, value: unknown, depth: number): void => {
    left -= 1;
    if (left < 0) throw Failure.invalid('variables', `expected at most ${mostValues} values in all`);
    if (typeof value !== 'object' || value === null) return;
    if (depth >= deepest) throw Failure.invalid(name, `nested deeper than ${deepest} levels`);
    if (Array.isArray(value)) {
      if (value.length > limits.listArgument) throw tooMany(name, limits.listArgument);
      for (const item of value) check(name, item, depth + 1);
      return;
    }
    for (const key in value) check(name, (value as Record<string, unknown>)[key], depth + 1);
  };
  for (const name in variables) check(`$${name}`, variables[name], 0);
};

/** The same for a value that stands in the document. Returns how many values it is. */
export const checkLiteral = (name: string, node: ValueNode, limits: ValueLimits, depth = 0): number => {
  if (node.kind !== Kind.LIST && node.kind !== Kind.OBJECT) return 1;
  if (depth >= deepest) throw Failure.invalid(name, `nested deeper than ${deepest} levels`);
  let count = 1;
  if (node.kind === Kind.LIST) {
    if (node.values.length > limits.listArgument) throw tooMany(name, limits.listArgument);
    for (const value of node.values) count += checkLiteral(name, value, limits, depth + 1);
  } else {
    for (const { value } of node.fields) count += checkLiteral(name, value, limits, depth + 1);
  }
  return count;
};

/** Runs checks in their order and keeps the result of each, so that a record shows how far the evidence got. */

import { messageOf } from '../../base/thrown.ts';
import { Refusal } from '../common/refusal.ts';
import { CHECKS, type CheckName, type CheckResult } from '../documents/record.ts';

/** Anything else that is thrown while evidence is read fails closed, and is reported as our own error. */
export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('internal', messageOf(error), error);
}

/** Keeps those that pass; when none does, throws the first error. */
export function someOf<T, U>(items: T[], check: (item: T) => U): U[] {
  let refusal: unknown;
  const passed = items.flatMap((item) => {
    try {
      return [check(item)];
    } catch (error) {
      refusal ??= error;
      return [];
    }
  });
  if (passed.length === 0) throw refusal;
  return passed;
}

export class Checks {
  private readonly done: CheckResult[] = [];

  /** Runs one check; a Refusal is recorded and thrown again. No detail means that there was nothing to check. */
  async run<T>(
    name: CheckName,
    check: () => T | Promise<T>,
    detail: (value: T) => string | null,
  ): Promise<T> {
    try {
      const value = await check();
      const text = detail(value);
      const status = text === null ? 'not_applicable' : 'passed';
      this.done.push({ name, status, code: null, detail: text ?? 'none was given' });
      return value;
    } catch (error) {
      const { code, message } = asRefusal(error);
      this.done.push({ name, status: 'failed', code, detail: message });
      throw error;
    }
  }

  /** Notes that a check does not apply to this kind of evidence, and why. */
  skip(name: CheckName, detail: string): void {
    this.done.push({ name, status: 'not_applicable', code: null, detail });
  }

  /** All checks in order, including those that were never reached. */
  results(): CheckResult[] {
    const reached = new Set(this.done.map(({ name }) => name));
    const rest = CHECKS.filter((name) => !reached.has(name));
    return [
      ...this.done,
      ...rest.map((name): CheckResult => ({ name, status: 'not_reached', code: null, detail: '' })),
    ];
  }
}

/** Which processor replays ran on, by its names in cpuid and the kernel. */
import type { Observed } from './probe.ts';

export interface Processor {
  /** As the processor spells it, such as AuthenticAMD. */
  vendor: string;
  family: number;
  model: number;
  stepping: number;
}

const MAKERS: Readonly<Record<string, string>> = {
  GenuineIntel: 'Intel',
  AuthenticAMD: 'AMD',
  HygonGenuine: 'Hygon',
};

/** What the probe saw; null where the kernel does not name it so, as on other architectures. */
export function processorOf(observed: Observed): Processor | null {
  const { cpu_vendor: vendor = '', cpu_family, cpu_model, cpu_stepping } = observed;
  const numbers = [cpu_family, cpu_model, cpu_stepping].map((text) =>
    /^\d{1,9}$/.test(text ?? '') ? Number(text) : null,
  );
  const [family, model, stepping] = numbers;
  if (!vendor || family == null || model == null || stepping == null) return null;
  return { vendor, family, model, stepping };
}

/** Its name in claims: programs choose their code by vendor, family and model. */
export function processorText(p: Processor | null): string {
  return p ? `${MAKERS[p.vendor] ?? p.vendor} family ${p.family} model ${p.model}` : UNKNOWN_PROCESSOR;
}

/** Two processors with this name may differ. */
export const UNKNOWN_PROCESSOR = 'one that nothing names';

/** Every form of trace that is read from its bytes, in the order in which they are asked: forms with a mark that no other form can have come first. */
import { apple } from './apple.ts';
import { appleText } from './apple-text.ts';
import { dotnet } from './dotnet.ts';
import type { TraceFormat } from './format.ts';
import { goPanic } from './go-panic.ts';
import { gperftools } from './gperftools.ts';
import { java } from './java.ts';
import { javascript } from './javascript.ts';
import { microdump } from './microdump.ts';
import { minidump } from './minidump.ts';
import { native, stored } from './native.ts';
import { otlp } from './otlp.ts';
import { perf } from './perf.ts';
import { pprof } from './pprof.ts';
import { pprofText } from './pprof-text.ts';
import { python } from './python.ts';
import { replay } from './replay.ts';
import { rust } from './rust.ts';
import { sanitizer } from './sanitizer.ts';
import { sentry } from './sentry.ts';
import { stackwalk } from './stackwalk.ts';
import { stackwalkJson } from './stackwalk-json.ts';
import { stackwalkText } from './stackwalk-text.ts';
import { systemd } from './systemd.ts';

export const FORMATS: readonly TraceFormat[] = [
  minidump,
  gperftools,
  pprof,
  stackwalk,
  stackwalkText,
  microdump,
  apple,
  appleText,
  systemd,
  native,
  stored,
  replay,
  stackwalkJson,
  otlp,
  sentry,
  perf,
  pprofText,
  sanitizer,
  rust,
  goPanic,
  python,
  java,
  dotnet,
  javascript,
];

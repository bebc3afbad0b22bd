/** reenact trace show. */
import { type Command, flag, text } from '../../command.ts';
import { json, PROGRAMS } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE|TRACE [OPTIONS]'],
  help: `Reads a stack trace and prints its frames as image and offset: one of the
store, by its id or the beginning of it; or a file: a replay record
with a crash, an ELF core, a minidump, a microdump, what minidump_stackwalk
prints, a Sentry event, an Apple crash report, entries of systemd-coredump
(journalctl -o json), a report of a sanitizer, a stack that Go, Rust, Python,
Java, .NET or JavaScript printed, a profile (pprof, gperftools, perf script,
OpenTelemetry), or our own form (reenact schema trace). Nothing in it is
believed: what a trace says a function is called stands in brackets.`,
  options: {
    store: text('DIR', 'the store of a stored trace (default: .reenact, REENACT_DATABASE_URL)'),
    all: flag('the other threads too, not only the one that crashed'),
    ...json('the trace in full'),
    ...PROGRAMS,
  },
  notes: `A core's stacks are walked by the tables of its programs. Without these options
they are read from the paths that the core names, and only where their build-id
is that in the core; a stack that cannot be walked to its end is called cut.`,
  examples: [
    'reenact trace show .reenact/runs/ID/record.json',
    'reenact trace show core.4711 --exec build/app',
  ],
  run: async (a) => (await import('../../actions/trace/show.ts')).traceShow(a),
};

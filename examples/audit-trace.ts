/** Adds a stack trace of any form to a store, and says what each frame is joined to: node audit-trace.ts core.4711 */
import { openReenact } from 'reenact';

const reenact = openReenact({ store: 'traces' });
const [added] = await reenact.addTrace(process.argv.slice(2, 3));
if (!added) throw new Error('name a trace');

const { frames, gates } = await reenact.audit(added.trace_id);
const names = await reenact.functionNames(frames);
console.log(`${added.trace_id}: ${added.frames} frames`);
for (const { index, image_path, rel_addr, places } of frames) {
  const linked = places.at(-1)?.function;
  console.log(`  ${index} ${(linked && names.get(linked)) ?? `${image_path}+${rel_addr}`}`);
}
for (const { name, value, pass } of gates) console.log(`  ${name} ${value} ${pass ? 'passes' : 'FAILS'}`);
for (const { code, remedy } of (await reenact.gaps(added.trace_id)).gaps) console.log(`  ${code}: ${remedy}`);

/** An engine of one's own: this one is the machine's, and counts what is made on it. node custom-engine.ts crash.json */
import { type ContainerSpec, connectEngine, type Engine, openReenact } from 'reenact';

const inner = await connectEngine();
const made: string[] = [];

// Any object with the methods of Engine will do; what is not here is the machine's engine's.
const engine: Engine = Object.assign(Object.create(inner) as Engine, {
  address: `counted ${inner.address}`,
  async create(spec: ContainerSpec): Promise<string> {
    made.push(spec.argv[0] ?? 'the image’s own command');
    return await inner.create({ ...spec, labels: { ...spec.labels, 'example.team': 'crashes' } });
  },
});

const [record] = await openReenact({ engine }).run(process.argv[2] ?? 'crash.json', { replays: 2 });
console.log(`${record?.verdict} on ${engine.address}, ${made.length} containers`);

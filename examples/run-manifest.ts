/** Replays the manifests that are named, and says what came of each: node run-manifest.ts crash.json */
import { openReenact, ReenactError } from 'reenact';

const reenact = openReenact({
  onEvent: (event) => {
    if (event.type === 'replay') console.error(`replay ${event.replay.index}: ${event.outcome}`);
  },
});

try {
  const records = await reenact.run(process.argv.slice(2), { replays: 3 });
  for (const { name, verdict, replay_success_ratio } of records)
    console.log(`${name}: ${verdict}, ratio ${replay_success_ratio}`);
  process.exitCode = records.every(({ verdict }) => verdict === 'reproduced') ? 0 : 1;
} catch (error) {
  if (!(error instanceof ReenactError)) throw error;
  console.error(`${error.code}: ${error.message}\n  next: ${error.next}`);
  process.exitCode = error.exit;
}
